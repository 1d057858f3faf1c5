"""Decision ids as people type them."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.errors import ConfigurationError
from schemas.identity import parse_decision_id

_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.[0-9]{1,11}\.[0-9a-f]{8}")
_END_OF_TIME_MS: Final = 253_402_300_800_000
"""The year 10000, beyond which there are no dates."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which decision is meant.

    Attributes:
        id: as it stands in every message of its way.
        site: the site that it is about.
        window_start_ms: start of the window that it rests on [ms of pipeline time].
    """

    id: str
    site: str
    window_start_ms: int


def parse_decision(text: str) -> Decision:
    """The decision that ``text`` names.

    Raises:
        ConfigurationError: it is not a decision id.
    """
    if _PATTERN.fullmatch(text):
        site, window_start_ms, _ = parse_decision_id(text)
        if window_start_ms < _END_OF_TIME_MS:
            return Decision(text, site, window_start_ms)
    message = f"{text!r} is not a decision id"
    hint = (
        "it is <site>.<window number>.<8 digits of the model's hash>;"
        " `gridloom explain` without an id lists the newest ones"
    )
    raise ConfigurationError(message, hint=hint)
