"""Faults on the way from meters to Kafka, for a demo that has to cope with them.

What happens to a reading follows from the seed and its event id alone, not from when or with
which others it is sent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Final, assert_never

import msgspec

from schemas.errors import ConfigurationError
from schemas.messages import encode
from schemas.telemetry import Reading
from schemas.windows import LATENESS_MS, WINDOW_MS


class FaultKind(StrEnum):
    """What befalls a reading; never two things at once."""

    DUPLICATE = "duplicate"
    """Sent twice, the second time up to 2 s later."""
    DELAYED = "delayed"
    """Sent 1 to 15 s late: in time for a later revision of its window."""
    REORDERED = "reordered"
    """Sent just after the meter's next reading."""
    TOO_LATE = "too-late"
    """Sent when its window has been final for 5 to 15 s."""
    WRONG_TYPE = "wrong-type"
    """Its value is a text."""
    UNKNOWN_UNIT = "unknown-unit"
    """Its unit does not belong to its quantity."""
    BROKEN_JSON = "broken-json"
    """Cut off in the middle."""


DEFAULT_SHARES: Final[Mapping[FaultKind, float]] = MappingProxyType(
    {
        FaultKind.DUPLICATE: 0.01,
        FaultKind.DELAYED: 0.01,
        FaultKind.REORDERED: 0.005,
        FaultKind.TOO_LATE: 0.001,
        FaultKind.WRONG_TYPE: 0.0004,
        FaultKind.UNKNOWN_UNIT: 0.0004,
        FaultKind.BROKEN_JSON: 0.0004,
    }
)
"""Shares of all readings [1] that leave a site of a hundred meters complete nearly always."""

MAX_SHARE: Final = 0.1
"""Largest share of readings that any one fault may have [1]."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One record as it is really sent.

    Attributes:
        send_at_ms: when [ms of pipeline time].
        value: the record.
        fault: what befell it; of a duplicate, only the second sending bears the mark.
    """

    send_at_ms: int
    value: bytes
    fault: FaultKind | None = None


class FaultInjector:
    """Plans what is really sent in the place of good readings.

    Args:
        seed: decides, with each event id, what happens to a reading.
        shares: share of the readings that each fault befalls [1]; absent: none.
        spared: devices whose readings always arrive as they are.

    Raises:
        ConfigurationError: naming every share that is not within 0 and ``MAX_SHARE``.
    """

    def __init__(
        self,
        seed: int,
        shares: Mapping[FaultKind, float] = DEFAULT_SHARES,
        spared: Collection[str] = (),
    ) -> None:
        wrong = [kind for kind, share in shares.items() if not 0 <= share <= MAX_SHARE]
        if wrong:
            raise ConfigurationError(
                f"A share of faults is not within 0 and {MAX_SHARE}.",
                problems=[f"{kind}: {shares[kind]}" for kind in wrong],
            )
        self._seed = seed
        self._limits = tuple(zip(accumulate(shares.values()), shares, strict=True))
        self._spared = frozenset(spared)

    def plan(self, readings: Iterable[Reading], now_ms: int) -> list[Sending]:
        """Return every record to send, the earliest first, otherwise in the given order.

        Args:
            readings: good readings that are about to be sent.
            now_ms: pipeline time of sending without faults, at the end of their interval [ms].
        """
        planned = [sent for reading in readings for sent in self._send(reading, now_ms)]
        return sorted(planned, key=lambda sent: sent.send_at_ms)

    def _send(self, reading: Reading, now_ms: int) -> list[Sending]:
        random = Random(f"{self._seed}/{reading.event_id}")
        fault = None if reading.device in self._spared else self._draw(random)
        value = encode(reading)
        sending = Sending(now_ms + _delay_ms(fault, random), _spoilt(reading, fault), fault)
        if fault is FaultKind.DUPLICATE:
            return [Sending(now_ms, value), sending]
        return [sending]

    def _draw(self, random: Random) -> FaultKind | None:
        """What befalls a reading, by the shares; mostly nothing."""
        lot = random.random()
        return next((kind for limit, kind in self._limits if lot < limit), None)


def _delay_ms(fault: FaultKind | None, random: Random) -> int:
    """How much later than planned a record is sent [ms]."""
    match fault:
        case FaultKind.DUPLICATE:
            return random.randint(0, 2_000)
        case FaultKind.DELAYED:
            return random.randint(1_000, 15_000)
        case FaultKind.REORDERED:
            return random.randint(WINDOW_MS + 1, WINDOW_MS + 500)
        case FaultKind.TOO_LATE:
            return LATENESS_MS + random.randint(5_000, 15_000)
        case FaultKind.WRONG_TYPE | FaultKind.UNKNOWN_UNIT | FaultKind.BROKEN_JSON | None:
            return 0
        case _:
            assert_never(fault)


def _spoilt(reading: Reading, fault: FaultKind | None) -> bytes:
    """Encode ``reading`` with what ``fault`` does to its content."""
    good = encode(reading)
    match fault:
        case FaultKind.WRONG_TYPE:
            text = {"value": f"{reading.value} {reading.unit}"}
            return msgspec.json.encode(msgspec.to_builtins(reading) | text)
        case FaultKind.UNKNOWN_UNIT:
            return encode(msgspec.structs.replace(reading, unit="furlong"))
        case FaultKind.BROKEN_JSON:
            return good[: len(good) // 2]
        case _:
            return good
