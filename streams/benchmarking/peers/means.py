"""What two systems say of the same windows, side by side; pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

DIGITS: Final = 6
"""Of a mean that are compared [kW]: align counts in millionths."""

Place = tuple[str, int]
"""A meter, and the start of one of its windows [ms]."""


class WindowMean(msgspec.Struct, frozen=True, kw_only=True):
    """One result, as every peer writes it.

    Attributes:
        device: meter.
        window_start_ms: start [ms].
        mean: of the window's readings [kW].
        count: readings in it.
    """

    device: str
    window_start_ms: int
    mean: float
    count: int


@dataclass(slots=True)
class Means:
    """Results by place; ``doubled`` are those that came again."""

    known: dict[Place, tuple[float, int]] = field(default_factory=dict)
    doubled: int = 0

    def add(self, mean: WindowMean) -> None:
        """Take a result; a later one of the same place replaces it, and is counted."""
        place = (mean.device, mean.window_start_ms)
        self.doubled += place in self.known
        self.known[place] = mean.mean, mean.count

    def before(self, end_ms: int) -> "Means":
        """Those of the windows that start before ``end_ms``."""
        known = {place: each for place, each in self.known.items() if place[1] < end_ms}
        return Means(known, self.doubled)


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How results differ from what is expected.

    Attributes:
        missing: expected, and not there.
        unexpected: there, and not expected.
        wrong: another mean or another count of readings.
        doubled: written more than once.
    """

    missing: int
    unexpected: int
    wrong: int
    doubled: int

    @property
    def is_equal(self) -> bool:
        """Whether there is none."""
        return not any(msgspec.structs.astuple(self))

    def sentence(self) -> str:
        """What there is, such as ``3 missing, 1 wrong``."""
        found = msgspec.structs.asdict(self).items()
        return ", ".join(f"{number} {kind}" for kind, number in found if number)


def differences(found: Means, expected: Means) -> Differences:
    """Compare results, place by place."""
    return Differences(
        missing=len(expected.known.keys() - found.known.keys()),
        unexpected=len(found.known.keys() - expected.known.keys()),
        wrong=sum(_wrong(found, expected)),
        doubled=found.doubled,
    )


def _wrong(found: Means, expected: Means) -> Iterator[bool]:
    for place in found.known.keys() & expected.known.keys():
        (mean, count), (other_mean, other_count) = found.known[place], expected.known[place]
        yield count != other_count or not _is_same(mean, other_mean)


def _is_same(mean: float, other: float) -> bool:
    """Missing is not a number, and equal to nothing."""
    return math.isclose(mean, other, rel_tol=0, abs_tol=0.5 * 10**-DIGITS)
