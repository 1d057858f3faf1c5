"""Which process shows its metrics where."""

from collections.abc import Iterable
from typing import Any, Final

from deploy.ports import free_ports
from schemas.settings import SLOT_PORTS, Settings
from streams.stage_registry import STAGES, check_stages

_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  a server's, not a client's


SUPERVISOR: Final = "supervisor"
"""How the process that supervises stages calls itself in metrics."""


def port_of(settings: Settings, stage: str, slot: int = 0) -> int | None:
    """Port of one process of a stage; None where metrics are off.

    Raises:
        ConfigurationError: there is no such stage.
    """
    base, place = settings.metrics.port, _place_of(stage)
    return base + place + SLOT_PORTS * slot if base else None


def _place_of(stage: str) -> int:
    """A stage's place among the ports of a slot; the supervisor has the last one."""
    if stage == SUPERVISOR:
        return SLOT_PORTS - 1
    check_stages([stage])
    return list(STAGES).index(stage)


def local_host(settings: Settings) -> str:
    """Where the stages of this machine can be reached from it."""
    return _ANY_ADDRESS.get(settings.metrics.host, settings.metrics.host)


def targets(settings: Settings, stages: Iterable[str]) -> list[dict[str, Any]]:
    """The first process of each stage, in the format of Prometheus' ``file_sd_configs``.

    The labels ``stage`` and ``slot`` also stand here, so that ``up`` has them, which a process
    that is down cannot say itself. Prometheus needs ``honor_labels``, or shows them twice.

    Raises:
        ConfigurationError: there is no such stage.
    """
    host = local_host(settings)
    place = f"[{host}]" if ":" in host else host
    ports = {stage: port_of(settings, stage) for stage in stages}
    return [
        {"targets": [f"{place}:{port}"], "labels": {"stage": stage, "slot": "0"}}
        for stage, port in ports.items()
        if port is not None
    ]


def free_base_port() -> int:
    """A port from which on there is a free one for every stage, and for who supervises them.

    Raises:
        StackError: there is none.
    """
    return free_ports(SLOT_PORTS)
