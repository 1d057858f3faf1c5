"""Plans: what dispatch would like every controllable output of a site to do, and why."""

from enum import StrEnum

import msgspec

from schemas.messages import Message
from schemas.site_window import Completeness


class OutputState(msgspec.Struct, frozen=True, kw_only=True):
    """Wanted or observed state of one output of a relay board; outputs count from 1."""

    output: int
    on: bool


class PowerSetpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Wanted power of a battery or charger [kW]: consumption and charging positive."""

    asset: str
    power_kw: float


class DeviceTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What one device shall do: all its commanded outputs, not only those that change.

    An output that is not listed is left alone.
    """

    device: str
    gateway: str
    outputs: tuple[OutputState, ...] = ()
    powers: tuple[PowerSetpoint, ...] = ()


class PlanStatus(StrEnum):
    """How a plan came about."""

    OPTIMAL = "optimal"
    BEST_EFFORT = "best-effort"
    """The threshold cannot be held; the plan comes as near as it can."""
    BLIND = "blind"
    """Too little is known to decide anything; there are no targets."""
    FAILED = "failed"
    """The solver gave no answer; there are no targets."""


class ReasonCode(StrEnum):
    """Why an output is as planned."""

    BELOW_THRESHOLD = "below-threshold"
    """On: the forecast stays under the threshold."""
    NEVER_SHED = "never-shed"
    """On: the site model says that it is never shed."""
    SHED_LOW_PRIORITY = "shed-low-priority"
    """Off: the lowest priority that suffices."""
    CRITICAL_SPIKE_SHED = "critical-spike-shed"
    """Off: lower priorities alone do not suffice."""
    RESTORED = "restored"
    """Back on: room enough, hysteresis included."""
    HELD_BY_DWELL = "held-by-dwell"
    """Unchanged: it switched too recently."""
    HELD_BY_HYSTERESIS = "held-by-hysteresis"
    """Still off: the room is smaller than load and hysteresis."""
    HELD_BY_RESTORE_LIMIT = "held-by-restore-limit"
    """Still off: another output is being restored in this window."""
    HELD_DEGRADED = "held-degraded"
    """Still off: the window is degraded, and nothing is restored on doubtful data."""
    UNKNOWN_STATE = "unknown-state"
    """Not commanded: its state is unknown."""


class OutputDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One output of a plan with its reason.

    Attributes:
        was_on: state that the plan started from, or None where unknown.
        on: planned state; equals ``was_on`` where the output is left alone, None if unknown.
        sentence: the reason in words.
    """

    device: str
    output: int
    was_on: bool | None
    on: bool | None
    reason: ReasonCode
    sentence: str


class DispatchPlan(Message, frozen=True, kw_only=True):
    """The decision about one window of one site; topic ``dispatch.plans``.

    A function of the log alone: computing it again gives the same bytes.

    Attributes:
        decision_id: from site, window and model hash.
        window_start_ms: the window it rests on (revision 0) [ms since the epoch].
        seq: sequence number for the devices, 16 x window index.
        epoch: fencing epoch.
        load_kw: net load of the window [kW].
        uncontrolled_kw: forecast peak if every relay were on [kW], or None when blind.
        expected_kw: forecast peak under the plan [kW], or None when blind.
        threshold_kw, capacity_kw: limits that it was made for [kW].
        violation_kw: by how much the plan's peak exceeds the threshold [kW]; 0 when held.
        outputs: every relay output with its reason.
        targets: what the devices shall do; empty when blind or failed.
        alerts: what an operator should know, in words.
        price_per_kwh: what energy from the grid costs then [currency/kWh], None where unknown.
        currency: of the price (ISO 4217).
        lookahead_s: how far ahead the forecast peaks look [s]; None in plans that do not say.
    """

    decision_id: str
    site: str
    window_start_ms: int
    model_hash: str
    seq: int
    epoch: int
    completeness: Completeness
    status: PlanStatus
    load_kw: float
    uncontrolled_kw: float | None
    expected_kw: float | None
    threshold_kw: float
    capacity_kw: float
    violation_kw: float
    outputs: tuple[OutputDecision, ...]
    targets: tuple[DeviceTarget, ...]
    alerts: tuple[str, ...] = ()
    price_per_kwh: float | None = None
    currency: str | None = None
    lookahead_s: float | None = None
