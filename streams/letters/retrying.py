"""What of a dead letter can be sent again, and as what: pure.

Only telemetry is sent again. All else was made by Gridloom itself, from telemetry: a command that
comes late is worse than none, and a window or a decision that comes out of its order is no better.
A reading that is sent twice is one reading, so a retry can do no more harm than a second copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from schemas.errors import ConfigurationError, MessageError
from schemas.identity import partition_of
from schemas.messages import UNREADABLE, Decoder
from schemas.telemetry import BatchItem, RawBatch, Reading
from schemas.topics import TELEMETRY
from schemas.windows import LATENESS_MS, WINDOW_MS, iso_utc, window_start
from streams.letters.stored import StoredLetter

UNKNOWN_SOURCE: Final = "unknown"
"""Source of a batch's reading whose letter, of version 1.0, does not name the batch's."""

_TOPICS: Final = {spec.name for spec in TELEMETRY.values()}
_COMMANDS: Final = ("actuator.", "dispatch.")
_MESSAGE: Final[Decoder[Reading | RawBatch]] = Decoder(Reading | RawBatch)
_ITEM: Final[Decoder[BatchItem]] = Decoder(BatchItem)


@dataclass(frozen=True, slots=True)
class Sending:
    """A letter's original as it is sent again.

    Attributes:
        stored: the letter.
        topic, partition, key: where to.
        value: what is sent.
        readings: how many readings it holds.
        fixes: what was changed before, as ``field=value``.
    """

    stored: StoredLetter
    topic: str
    partition: int
    key: str
    value: bytes
    readings: int
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that is not sent again, and why."""

    stored: StoredLetter
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """How letters are sent again.

    Attributes:
        partitions: of every telemetry topic.
        now_ms: pipeline time [ms]; None on the data clock, where nobody can tell.
        fixes: fields of a reading, or of the head of a batch, with their new values.
        again: also those that were sent again before.
        late: also those that align can only count, because their windows are final.
    """

    partitions: int
    now_ms: int | None = None
    fixes: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False
    late: bool = False


def retry_of(stored: StoredLetter, rules: RetryRules) -> Sending | Kept:
    """What is sent again of a letter, or why nothing is."""
    sentence = _refusal(stored, rules)
    if sentence is not None:
        return Kept(stored, sentence)
    try:
        value = _value(stored, rules.fixes)
        message = _MESSAGE.decode(value)
    except MessageError as error:
        return Kept(stored, f"it cannot be read: {'; '.join(error.problems)}")
    times_ms = _times_of(message)
    if rules.now_ms is not None and not rules.late and _are_final(times_ms, rules.now_ms):
        return Kept(stored, "its windows are final: align could only count it (--late sends it)")
    return Sending(
        stored=stored,
        topic=stored.letter.origin,
        partition=partition_of(message.site, rules.partitions),
        key=message.site,
        value=value,
        readings=len(message.readings) if isinstance(message, RawBatch) else 1,
        fixes=tuple(f"{name}={msgspec.json.encode(v).decode()}" for name, v in rules.fixes.items()),
    )


def fix_of(text: str) -> tuple[str, Any]:
    """A field and its new value, from ``FIELD=VALUE``: JSON where it is some, otherwise text.

    Raises:
        ConfigurationError: it is none.
    """
    name, sign, value = text.partition("=")
    if not name or not sign:
        message = f"{text!r} is no FIELD=VALUE such as unit=kW"
        raise ConfigurationError(message)
    try:
        return name, msgspec.json.decode(value)
    except UNREADABLE:
        return name, value


def _refusal(stored: StoredLetter, rules: RetryRules) -> str | None:
    """Why a letter must not be sent again, whatever it holds."""
    letter, retry = stored.letter, stored.retry
    if retry is not None and not rules.again:
        return f"{retry.by} sent it again at {iso_utc(retry.at_ms)} (--again does it once more)"
    if letter.origin in _TOPICS and letter.partition >= 0:
        return None
    if letter.partition < 0:
        return "it is a row of a file: correct the file, and replay it"
    if letter.origin.startswith(_COMMANDS):
        return f"{letter.origin} leads to devices: a command that comes late is worse than none"
    return f"Gridloom itself wrote {letter.origin}; only telemetry is sent again"


def _value(stored: StoredLetter, fixes: Mapping[str, Any]) -> bytes:
    """The original with the fixes; a batch's item becomes a reading of its own.

    Raises:
        MessageError: it is no JSON object that could be changed.
    """
    letter, original = stored.letter, stored.original
    if letter.item < 0 and not fixes:
        return original
    head = {"type": "reading", "site": letter.site, "source": letter.source or UNKNOWN_SOURCE}
    try:
        parsed = msgspec.json.decode(original, type=dict[str, Any])
        return msgspec.json.encode((head if letter.item >= 0 else {}) | parsed | {**fixes})
    except (*UNREADABLE, OverflowError) as error:  # the last of an integer beyond 64 bits
        message = "the original is no JSON object"
        raise MessageError(message, problems=[f"{message}: {error}"]) from error


def _times_of(message: Reading | RawBatch) -> Sequence[int]:
    """Event times of the readings that can be read [ms]."""
    if isinstance(message, Reading):
        return [message.event_time_ms]
    times_ms = []
    for raw in message.readings:
        try:
            times_ms.append(_ITEM.decode(bytes(raw)).event_time_ms)
        except MessageError:
            continue
    return times_ms


def _are_final(times_ms: Sequence[int], now_ms: int) -> bool:
    """Whether the windows of all readings are final."""
    ends_ms = [window_start(time_ms) + WINDOW_MS for time_ms in times_ms]
    return bool(ends_ms) and max(ends_ms) + LATENESS_MS <= now_ms
