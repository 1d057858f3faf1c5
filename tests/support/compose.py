"""``docker-compose.kafka.yml`` and the image's Dockerfile, as Docker would read them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE_FILE: Final = ROOT / "docker-compose.kafka.yml"
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\})"
)
_INSTRUCTION: Final = re.compile(r"^([A-Z]+) +((?:.*\\\n)*.*)$", re.MULTILINE)

Value = Any
Service = dict[str, Value]


class UnsetVariableError(Exception):
    """A variable that the file insists on is not set; the text is what the file says of it."""


def variables() -> dict[str, tuple[str | None, str | None]]:
    """Every variable of the file: its kind, ``-`` or ``?``, and its default or its message."""
    found = _VARIABLE.finditer(COMPOSE_FILE.read_text(encoding="utf-8"))
    return {m["name"]: (m["kind"], m["rest"]) for m in found if m["name"]}


def composed(given: Mapping[str, str]) -> dict[str, Value]:
    """The file with its variables replaced.

    Raises:
        UnsetVariableError: one that it insists on is not given.
    """
    parsed = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    file: dict[str, Value] = _interpolated(parsed, given)
    return file


def services(given: Mapping[str, str]) -> dict[str, Service]:
    """Its services by name."""
    found: dict[str, Service] = composed(given)["services"]
    return found


def health_command(service: Service) -> list[str]:
    """What Docker runs to find out whether the service is healthy."""
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD", "a command of its own, without a shell"
    return [str(word) for word in command]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, each on one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [(name, re.sub(r"\\\n *", "", rest)) for name, rest in _INSTRUCTION.findall(text)]


def last_instruction(name: str) -> str:
    """What the final image is told by the last instruction of a kind."""
    return [rest for kind, rest in instructions() if kind == name][-1]


def image_environment() -> dict[str, str]:
    """Variables that the final image sets."""
    return dict(word.split("=", 1) for word in last_instruction("ENV").split())


def image_entrypoint() -> list[str]:
    """The program that the image runs where a service names none."""
    words: list[str] = json.loads(last_instruction("ENTRYPOINT"))
    return words


def _interpolated(value: Value, given: Mapping[str, str]) -> Value:
    if isinstance(value, dict):
        return {key: _interpolated(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, given) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _replacement(match, given), value)
    return value


def _replacement(match: re.Match[str], given: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    value = given.get(match["name"]) or (match["rest"] if match["kind"] == "-" else "")
    if not value and match["kind"] == "?":
        raise UnsetVariableError(match["rest"])
    return value or ""
