"""What an examination finds."""

from enum import StrEnum

import msgspec


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    ABSENT = "absent"
    """Not there, or not running; the demo does without it."""
    WRONG = "wrong"
    """The demo cannot run, or the settings do not work."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        detail: what was found, in words.
        hint: what to do about it; empty where nothing needs doing.
        blocks_demo: whether the demo cannot run like this.
    """

    name: str
    health: Health
    detail: str
    hint: str = ""
    blocks_demo: bool = False


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name=name, health=Health.OK, detail=detail)


def absent(name: str, detail: str, hint: str = "") -> Finding:
    """Something is not there, and need not be."""
    return Finding(name=name, health=Health.ABSENT, detail=detail, hint=hint)


def wrong(name: str, detail: str, hint: str = "") -> Finding:
    """Something does not work as it is configured; the demo brings its own."""
    return Finding(name=name, health=Health.WRONG, detail=detail, hint=hint)


def blocking(name: str, detail: str, hint: str = "") -> Finding:
    """The demo cannot run."""
    return Finding(name=name, health=Health.WRONG, detail=detail, hint=hint, blocks_demo=True)
