"""Counts a finished run from the logs themselves, apart from the stages that made them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from schemas.align_state import POSITION_KEY, AlignPosition, ReadingCounts
from schemas.dispatch_plan import PlanStatus
from schemas.messages import UNREADABLE, Decoder
from schemas.setpoint import Ack
from schemas.settings import KafkaSettings
from schemas.site_window import Completeness, SiteWindow
from schemas.topics import ALIGN_STATE, TELEMETRY
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS
from streams.demo.report import Latencies, Percentiles
from streams.demo.watcher import Observed
from streams.kafka import read_all, read_table

_POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
_HOURS_PER_WINDOW = WINDOW_MS / 3_600_000


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the telemetry topics hold.

    Attributes:
        readings: readings in all of them, ticks excluded.
        first_meter_ms: earliest stamp of a well-formed meter reading [ms].
    """

    readings: int
    first_meter_ms: int


def count_telemetry(settings: KafkaSettings) -> Telemetry:
    """Read every telemetry topic from its beginning to its end."""
    readings, first = 0, 2**62
    for kind, spec in TELEMETRY.items():
        for message in read_all(settings, spec.name, range(settings.partitions), "audit"):
            value = message.value()
            if isinstance(value, bytes) and value:
                count, stamp = _readings_in(value)
                readings += count
                if kind is TelemetryKind.METER:
                    first = min(first, stamp)
    return Telemetry(readings, first)


def _readings_in(value: bytes) -> tuple[int, int]:
    """Number of readings in a record (1 where it cannot be read), and its stamp [ms]."""
    try:
        record = msgspec.json.decode(value)
        many = len(record["readings"]) if record.get("type") == "batch" else 1
        stamp = record.get("event_time_ms")
    except (*UNREADABLE, AttributeError, KeyError, TypeError):
        return 1, 2**62
    return many, stamp if isinstance(stamp, int) else 2**62


def count_fates(settings: KafkaSettings) -> ReadingCounts:
    """What align says of all readings, from its own state topic."""
    total = ReadingCounts()
    for partition in range(settings.partitions):
        table = read_table(settings, ALIGN_STATE.name, partition, "audit")
        if POSITION_KEY in table:
            total += _POSITION.decode(table[POSITION_KEY]).counts
    return total


def within(seen: Observed, first_ms: int, windows: int) -> list[SiteWindow]:
    """Last revisions of ``windows`` windows from ``first_ms``, in order."""
    end_ms = first_ms + windows * WINDOW_MS
    chosen = (w for start, w in sorted(seen.windows.items()) if first_ms <= start < end_ms)
    return list(chosen)


def count_completeness(windows: Iterable[SiteWindow]) -> Counter[Completeness]:
    """Number of windows of each kind."""
    return Counter(window.completeness for window in windows)


def infeasible(seen: Observed, first_ms: int, windows: int) -> tuple[int, int]:
    """Decisions about the given windows, and how many of them could not hold the threshold."""
    end_ms = first_ms + windows * WINDOW_MS
    plans = [plan for start, plan in seen.plans.items() if first_ms <= start < end_ms]
    short = (PlanStatus.BEST_EFFORT, PlanStatus.FAILED)
    return len(plans), sum(plan.status in short for plan in plans)


def kwh_over(power_kw: Sequence[float], threshold_kw: float) -> float:
    """Energy above the threshold, from one mean power per window [kW] -> [kWh]."""
    return sum(max(0.0, kw - threshold_kw) for kw in power_kw) * _HOURS_PER_WINDOW


def longest_run_over(power_kw: Sequence[float], threshold_kw: float) -> int:
    """Largest number of windows in a row above the threshold."""
    longest = run = 0
    for kw in power_kw:
        run = run + 1 if kw > threshold_kw else 0
        longest = max(longest, run)
    return longest


@dataclass(frozen=True, slots=True)
class Switches:
    """Outputs switched off and on; ``repeated`` are those beyond the first for one command."""

    sheds: int
    restores: int
    repeated: int


def switches(acks: Iterable[Ack]) -> Switches:
    """Count what switched, by what devices answered; one command is a device and its ``seq``."""
    times: Counter[tuple[str, int, int]] = Counter()
    sheds = restores = 0
    for ack in acks:
        now_on = {state.output: state.on for state in ack.outputs}
        for output in ack.changed:
            times[ack.device, ack.seq, output] += 1
            sheds += not now_on[output]
            restores += now_on[output]
    return Switches(sheds, restores, sum(count - 1 for count in times.values()))


def latencies(seen: Observed) -> Latencies:
    """Delays of the commands, from the records' own time stamps."""
    window_of = {plan.decision_id: start for start, plan in seen.plans.items()}
    sent = {key: at_ms for key, (_, at_ms) in seen.setpoints.items()}
    to_command = [
        at_ms - seen.window_published_ms[window_of[setpoint.decision_id]]
        for setpoint, at_ms in seen.setpoints.values()
        if setpoint.decision_id in window_of
    ]
    answered = [(ack.device, ack.seq, at_ms) for ack, at_ms in seen.acks]
    to_ack = [at_ms - sent[dev, seq] for dev, seq, at_ms in answered if (dev, seq) in sent]
    return Latencies(
        window_to_command=_percentiles(to_command), command_to_ack=_percentiles(to_ack)
    )


def _percentiles(values_ms: Sequence[int]) -> Percentiles:
    if not values_ms:
        return Percentiles(p50=float("nan"), p99=float("nan"))
    p50, p99 = np.percentile(values_ms, [50, 99])
    return Percentiles(p50=float(p50), p99=float(p99))
