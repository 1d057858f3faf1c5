"""Dead letters as they stand on ``dead.letters``, with what is known of their retries."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import OFFSET_BEGINNING

from schemas.dead_letter import DeadLetter, Retry
from schemas.errors import MessageError
from schemas.messages import Decoder
from schemas.settings import KafkaSettings
from schemas.topics import DEAD_LETTERS, DEAD_RETRIES
from streams.kafka import existing_topics, read_all, require_topics

CLIENT: Final = "dead-letters"

_LETTER: Final[Decoder[DeadLetter]] = Decoder(DeadLetter)
_RETRY: Final[Decoder[Retry]] = Decoder(Retry)
_PARTICULARS: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|(?<![\w.])-?\d[\w:.+-]*")
"""What of a reason differs from letter to letter: quoted texts, numbers, times."""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter in its topic.

    Attributes:
        number: its offset, by which it is called.
        written_ms: when it was written [ms of wall time].
        letter: what it says.
        retry: its last retry, if there was one.
    """

    number: int
    written_ms: int
    letter: DeadLetter
    retry: Retry | None = None

    @property
    def original(self) -> bytes:
        """The original bytes; empty where the letter holds none that can be read."""
        try:
            return b64decode(self.letter.original_base64, validate=True)
        except (NotBase64, ValueError):
            return b""

    @property
    def kinds_of_reason(self) -> tuple[str, ...]:
        """Its reasons without what is particular to this letter."""
        kinds = [_PARTICULARS.sub("…", error) for error in self.letter.errors]
        return tuple(dict.fromkeys(kinds)) or ("no reason given",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which letters are meant; None and empty mean any.

    Attributes:
        numbers: the letters themselves.
        stage, origin, site: that refused, that it came from, that it names.
        partition: of the origin.
        reason: text that one of the reasons contains, in whatever case.
        since_ms, until_ms: when it was written [ms of wall time].
    """

    numbers: frozenset[int] = frozenset()
    stage: str | None = None
    origin: str | None = None
    site: str | None = None
    partition: int | None = None
    reason: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it takes every letter."""
        return self == Filter()

    def takes(self, stored: StoredLetter) -> bool:
        """Whether a letter is meant."""
        letter = stored.letter
        wanted = (
            (self.stage, letter.stage),
            (self.origin, letter.origin),
            (self.site, letter.site),
            (self.partition, letter.partition),
        )
        return (
            (not self.numbers or stored.number in self.numbers)
            and all(want is None or want == found for want, found in wanted)
            and (self.reason is None or self._finds_reason(self.reason, letter))
            and (self.since_ms is None or stored.written_ms >= self.since_ms)
            and (self.until_ms is None or stored.written_ms <= self.until_ms)
        )

    @staticmethod
    def _finds_reason(text: str, letter: DeadLetter) -> bool:
        return any(text.lower() in error.lower() for error in letter.errors)


def read_letters(settings: KafkaSettings, wanted: Filter) -> Iterator[StoredLetter]:
    """The letters that are meant, oldest first; records that are no letters are passed over.

    Raises:
        BrokerError: Kafka is away, or the topic does not exist.
    """
    require_topics(settings, [DEAD_LETTERS.name])
    retries = read_retries(settings)
    start = min(wanted.numbers, default=OFFSET_BEGINNING)
    for message in read_all(settings, DEAD_LETTERS.name, [0], CLIENT, start):
        value, number = message.value(), message.offset() or 0
        try:
            letter = _LETTER.decode(value if isinstance(value, bytes) else None)
        except MessageError:
            continue
        stored = StoredLetter(number, message.timestamp()[1], letter, retries.get(number))
        if wanted.takes(stored):
            yield stored
        if wanted.numbers and number >= max(wanted.numbers):
            return


def read_retries(settings: KafkaSettings) -> Mapping[int, Retry]:
    """The last retry of every letter that was sent again; none where no topic holds them yet."""
    if DEAD_RETRIES.name not in existing_topics(settings):
        return {}
    found: dict[int, Retry] = {}
    for message in read_all(settings, DEAD_RETRIES.name, [0], CLIENT):
        value = message.value()
        try:
            retry = _RETRY.decode(value if isinstance(value, bytes) else None)
        except MessageError:
            continue
        found[retry.letter] = retry
    return found
