"""Messages and points for tests of historians: small, and each value tells where it is from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from schemas.dispatch_plan import (
    DeviceTarget,
    DispatchPlan,
    OutputDecision,
    OutputState,
    PlanStatus,
    ReasonCode,
)
from schemas.identity import decision_id, setpoint_seq
from schemas.setpoint import Ack, AckResult, Setpoint
from schemas.site_window import (
    Completeness,
    MeterWindows,
    RelayWindow,
    SeriesName,
    SiteWindow,
)
from schemas.verdict import Accepted
from schemas.windows import WINDOW_MS
from streams.historians.points import Point

START_MS: Final = 1_700_000_000_000
SITE: Final = "feeder-1"
MODEL_HASH: Final = "0123456789abcdef"
MISSING_EVERY: Final = 7


def start_of(window: int) -> int:
    """Start [ms] of the ``window``-th window of the tests."""
    return START_MS + window * WINDOW_MS


def names(count: int, quantity: str = "active_power") -> tuple[SeriesName, ...]:
    """``count`` series of one quantity."""
    return tuple(SeriesName(device=f"meter-{n:03d}", quantity=quantity) for n in range(count))


def site_window(window: int, revision: int = 0, site: str = SITE) -> SiteWindow:
    """A window whose load tells its number and revision."""
    return SiteWindow(
        site=site,
        window_start_ms=start_of(window),
        revision=revision,
        model_hash=MODEL_HASH,
        completeness=Completeness.DEGRADED,
        load_kw=window + revision / 10,
        generation_kw=-1.5,
        energy_import_kwh=None,
        measured=3,
        valid=2,
        missing=1,
        missing_rated_kw=4.0,
        missing_series=("meter-000/active_power",),
        relays=(
            RelayWindow(device="board-1", output=1, on=True, load_kw=2.5),
            RelayWindow(device="board-1", output=2, on=None),
        ),
        weather={"wind_speed": 3.0, "air_temperature": 11.5},
    )


def chunk(
    window: int,
    revision: int = 0,
    site: str = SITE,
    series: Sequence[SeriesName] = names(10),
) -> MeterWindows:
    """A chunk whose values tell series, window and revision; every seventh is missing."""
    lost = [(window + n) % MISSING_EVERY == 0 for n in range(len(series))]
    return MeterWindows(
        site=site,
        window_start_ms=start_of(window),
        revision=revision,
        chunk=0,
        series=tuple(series),
        values=tuple(None if x else n + window / 10 + revision for n, x in enumerate(lost)),
        status="".join("x" if x else "mv"[n % 2] for n, x in enumerate(lost)),
    )


def plan(window: int) -> DispatchPlan:
    """A plan that sheds output 3 and restores output 4."""
    outputs = (
        _decision(1, ReasonCode.NEVER_SHED, was_on=True, on=True),
        _decision(2, ReasonCode.UNKNOWN_STATE, was_on=None, on=None),
        _decision(3, ReasonCode.SHED_LOW_PRIORITY, was_on=True, on=False),
        _decision(4, ReasonCode.RESTORED, was_on=False, on=True),
    )
    return DispatchPlan(
        decision_id=_decision_id(window),
        site=SITE,
        window_start_ms=start_of(window),
        model_hash=MODEL_HASH,
        seq=setpoint_seq(start_of(window)),
        epoch=1,
        completeness=Completeness.COMPLETE,
        status=PlanStatus.OPTIMAL,
        load_kw=90.0,
        uncontrolled_kw=95.0,
        expected_kw=84.0,
        threshold_kw=85.0,
        capacity_kw=100.0,
        violation_kw=0.0,
        outputs=outputs,
        targets=_targets(),
    )


def verdict(window: int) -> Accepted:
    """The gate's consent to :func:`plan`."""
    return Accepted(
        decision_id=_decision_id(window),
        site=SITE,
        window_start_ms=start_of(window),
        seq=setpoint_seq(start_of(window)),
        epoch=1,
        decided_ms=start_of(window) + 6_100,
        targets=_targets(),
    )


def setpoint(window: int) -> Setpoint:
    """The command that carries out :func:`plan`."""
    return Setpoint(
        decision_id=_decision_id(window),
        site=SITE,
        gateway="gw-1",
        device="board-1",
        seq=setpoint_seq(start_of(window)),
        epoch=1,
        issued_ms=start_of(window) + 6_200,
        valid_until_ms=start_of(window) + 21_200,
        outputs=_targets()[0].outputs,
    )


def ack(window: int) -> Ack:
    """The board's readback after :func:`setpoint`."""
    return Ack(
        event_id=f"board-1/{window}",
        decision_id=_decision_id(window),
        site=SITE,
        gateway="gw-1",
        device="board-1",
        seq=setpoint_seq(start_of(window)),
        epoch=1,
        result=AckResult.APPLIED,
        outputs=_targets()[0].outputs,
        changed=(3, 4),
        acked_ms=start_of(window) + 6_312,
    )


class Halfway(list[Point]):
    """Points that do something when half of them have been taken."""

    def __init__(self, points: Sequence[Point], action: Callable[[], None]) -> None:
        super().__init__(points)
        self._action = action

    def __iter__(self) -> Iterator[Point]:
        middle = len(self) // 2
        yield from self[:middle]
        self._action()
        yield from self[middle:]


def _decision_id(window: int) -> str:
    return decision_id(SITE, start_of(window), MODEL_HASH)


def _decision(
    output: int, reason: ReasonCode, *, was_on: bool | None, on: bool | None
) -> OutputDecision:
    return OutputDecision(
        device="board-1", output=output, was_on=was_on, on=on, reason=reason, sentence="so"
    )


def _targets() -> tuple[DeviceTarget, ...]:
    states = ((1, True), (3, False), (4, True))
    outputs = tuple(OutputState(output=output, on=on) for output, on in states)
    return (DeviceTarget(device="board-1", gateway="gw-1", outputs=outputs),)
