"""``python -m deploy.compose.replica STAGE``: one of any number of equal containers of a stage.

It claims a slot in the folder that the containers share, and becomes the stage. There is no
supervisor in between: Docker restarts what ends, and keeps what it logs.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final, NoReturn

from deploy.slots import SlotClaim
from schemas.errors import ConfigurationError, GridloomError
from schemas.settings import SLOT_PORTS, load_settings

METRICS_PORT: Final = "GRIDLOOM_METRICS__PORT"


def stage_command(stage: str, slot: int) -> list[str]:
    """The program that a container of a stage becomes."""
    return [sys.executable, "-m", "streams.stage_process", stage, str(slot)]


def at_one_port(base_port: int, slot: int) -> Mapping[str, str]:
    """Setting that keeps a stage's metrics at one port in every container, whatever its slot.

    Raises:
        ConfigurationError: the base port is too low for that many slots.
    """
    port = base_port - SLOT_PORTS * slot
    if base_port and port < 1:
        message = f"[metrics] port {base_port} is too low for slot {slot}"
        raise ConfigurationError(message)
    return {METRICS_PORT: str(port if base_port else 0)}


def prepared(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """The program to become, and its environment; the slot is claimed.

    Raises:
        ConfigurationError: no stage is named, or a setting is wrong.
        StackError: no slot can be claimed.
    """
    if len(arguments) != 1:
        message = "one stage has to be named"
        raise ConfigurationError(message, hint="python -m deploy.compose.replica STAGE")
    (stage,) = arguments
    settings = load_settings()
    slot = SlotClaim(settings.home / "slots", stage).slot
    sys.stderr.write(f"{stage} takes slot {slot}\n")
    return stage_command(stage, slot), {**os.environ, **at_one_port(settings.metrics.port, slot)}


def main() -> NoReturn:
    """Claim a slot and become the stage."""
    try:
        command, environment = prepared(sys.argv[1:])
    except GridloomError as error:
        sys.exit(f"{error}{f' (hint: {error.hint})' if error.hint else ''}")
    os.execve(command[0], command, environment)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()
