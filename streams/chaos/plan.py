"""When which fault happens to whom: a function of the seed alone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from random import Random
from types import MappingProxyType
from typing import Final


class FaultKind(StrEnum):
    """What is done to a real process."""

    KILL = "kill -9"
    """It is gone at once, whatever it was doing."""
    TERMINATE = "SIGTERM"
    """It is asked to end; whoever supervises it starts it again."""
    PAUSE = "paused past its session"
    """It stands still until the group has given it up, and then goes on."""
    ZOMBIE = "paused and replaced"
    """It stands still, another process takes its slot, and then it comes back."""
    TWIN = "two in one slot"
    """Another process takes the slot while it works."""
    SECOND_SLOT = "a second slot"
    """Another process of the stage joins the group, takes partitions, and leaves again."""
    BROKER = "broker killed"
    """``kill -9`` of a broker, which comes back after a while."""
    HISTORIAN = "historian away"
    """InfluxDB killed, or the SQLite file locked, for a while."""


DECIDERS: Final = ("align", "dispatch", "gate", "actuate", "store")
"""Stages that may run in several processes."""

STAGES: Final = (*DECIDERS, "field", "devices")
"""Every stage of the loop."""

BROKER: Final = "kafka"
HISTORIAN: Final = "historian"

_TARGETS: Final = MappingProxyType(
    {
        FaultKind.KILL: STAGES,
        FaultKind.TERMINATE: STAGES,
        FaultKind.PAUSE: STAGES,
        FaultKind.ZOMBIE: DECIDERS,
        FaultKind.TWIN: DECIDERS,
        FaultKind.SECOND_SLOT: DECIDERS,
        FaultKind.BROKER: (BROKER,),
        FaultKind.HISTORIAN: (HISTORIAN,),
    }
)

_LASTS_S: Final = MappingProxyType(
    {
        FaultKind.KILL: (0.0, 0.0),
        FaultKind.TERMINATE: (0.0, 0.0),
        FaultKind.PAUSE: (11.0, 14.0),  # a session lasts 10 s
        FaultKind.ZOMBIE: (4.0, 8.0),
        FaultKind.TWIN: (4.0, 8.0),
        FaultKind.SECOND_SLOT: (5.0, 12.0),
        FaultKind.BROKER: (2.0, 6.0),
        FaultKind.HISTORIAN: (3.0, 10.0),
    }
)
"""Shortest and longest [s]."""

EVERY_S: Final = 4.0
"""Mean time from one fault to the next [s]."""

REST_S: Final = 5.0
"""What was disturbed is left alone for so long [s]: it is to be met at work, not at its start."""


_SPARE_MOMENTS: Final = 4
"""Kills still to come go first when no more moments than these are left besides."""

_KILLS_IN_OTHERS: Final = 5
"""A kill is so many times as likely as any other kind."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        at_s: when it begins [s from the start of the disturbed phase].
        kind: what happens.
        target: the stage or server that it happens to.
        lasts_s: how long [s]; 0 for what takes no time.
    """

    at_s: float
    kind: FaultKind
    target: str
    lasts_s: float = 0.0

    @property
    def end_s(self) -> float:
        """When it is over [s]."""
        return self.at_s + self.lasts_s


Pending = tuple[FaultKind, str]


def make_plan(
    seed: int,
    seconds: float,
    kinds: Collection[FaultKind] = tuple(FaultKind),
    stages: Sequence[str] = STAGES,
) -> tuple[Fault, ...]:
    """Faults in the order of time, all over within ``seconds``.

    Every kill comes first, then every other kind once, in an order of the seed's; then anything.
    No two faults that overlap have the same target.

    Args:
        seed: decides everything.
        seconds: length of the disturbed phase [s].
        kinds: what may happen.
        stages: whom it may happen to, servers apart.
    """
    chance = Random(seed)
    moments = list(_moments(chance, seconds))
    pending = _first_round(chance, kinds, stages, len(moments))
    busy: dict[str, float] = {}
    plan = []
    for number, at_s in enumerate(moments):
        kills = [each for each in pending if each[0] is FaultKind.KILL]
        is_late = len(kills) + _SPARE_MOMENTS >= len(moments) - number
        drawn = [_any(chance, kinds, stages) for _ in range(len(stages))]
        for each in [*(kills if is_late else []), *pending, *drawn]:
            kind, target = each
            fault = Fault(at_s, kind, target, round(chance.uniform(*_LASTS_S[kind]), 1))
            last_s = seconds
            if kind is not FaultKind.KILL and (FaultKind.KILL, target) in pending:
                last_s -= REST_S + _SPARE_MOMENTS * EVERY_S  # its kill has to come after it
            if busy.get(_occupied(fault), 0.0) <= at_s and fault.end_s <= last_s:
                busy[_occupied(fault)] = fault.end_s + REST_S
                plan.append(fault)
                if each in pending:
                    pending.remove(each)
                break
    return tuple(plan)


def _moments(chance: Random, seconds: float) -> Iterator[float]:
    """A random moment in every stretch of ``EVERY_S``."""
    for number in count():
        at_s = (number + chance.random()) * EVERY_S
        if (number + 1) * EVERY_S > seconds:
            return
        yield round(at_s, 2)


def _first_round(
    chance: Random, kinds: Collection[FaultKind], stages: Sequence[str], most: int
) -> list[Pending]:
    """Every kill, and every other kind once, shuffled; the kills alone have to be in it."""
    kills = [(FaultKind.KILL, stage) for stage in stages] if FaultKind.KILL in kinds else []
    others = [_one(chance, kind, stages) for kind in sorted(kinds) if kind is not FaultKind.KILL]
    chance.shuffle(kills)
    chance.shuffle(others)
    chosen = (kills + others)[:most]
    chance.shuffle(chosen)
    return chosen


def _any(chance: Random, kinds: Collection[FaultKind], stages: Sequence[str]) -> Pending:
    """Kills come most often: they cost the least time and hit the most places."""
    able = sorted(kinds)
    weights = [_KILLS_IN_OTHERS if kind is FaultKind.KILL else 1 for kind in able]
    return _one(chance, chance.choices(able, weights)[0], stages)


def _one(chance: Random, kind: FaultKind, stages: Sequence[str]) -> Pending:
    """A fault of this kind; what concerns several processes is for align, every other time."""
    able = [t for t in _TARGETS[kind] if t in stages or t in {BROKER, HISTORIAN}]
    if kind in {FaultKind.ZOMBIE, FaultKind.TWIN, FaultKind.SECOND_SLOT}:
        able += ["align"] * (len(able) - 2)
    return kind, chance.choice(able)


def _occupied(fault: Fault) -> str:
    """Whom nothing else may happen to meanwhile; a second slot is another process."""
    return f"{fault.target}/1" if fault.kind is FaultKind.SECOND_SLOT else fault.target
