"""What a demo run reports, as JSON and as a table."""

import msgspec
from rich.table import Table


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Median and 99th percentile [ms]."""

    p50: float
    p99: float


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in wall time [ms].

    Attributes:
        window_to_command: from the publication of a window's revision 0 to the setpoint that
            its decision led to.
        command_to_ack: from a setpoint to its acknowledgement.
    """

    window_to_command: Percentiles
    command_to_ack: Percentiles


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one run, counted from the topics after everything has come to rest.

    Readings are counted over the whole run; windows, decisions, power and energy over the
    ``windows`` first ones that the plant fed. ``uncontrolled`` is the same plant with every
    relay on all the time. Power is the site's net draw.
    """

    site: str
    source: str
    speed: float
    time_compression: float
    readings_replayed: int
    readings_windowed: int
    readings_duplicate: int
    readings_too_late: int
    dead_lettered: int
    windows: int
    windows_complete: int
    windows_degraded: int
    windows_blind: int
    revisions: int
    historian: str
    historian_points: int
    decisions: int
    decisions_infeasible: int
    verdicts_rejected: int
    commands: int
    commands_confirmed: int
    sheds: int
    restores: int
    duplicate_actuations: int
    capacity_kw: float
    threshold_kw: float
    peak_kw_uncontrolled: float
    peak_kw_controlled: float
    kwh_over_threshold_uncontrolled: float
    kwh_over_threshold_controlled: float
    longest_excursion_windows: int
    first_confirmed_command_s: float
    seconds: float
    latency_ms: Latencies

    def to_json(self) -> bytes:
        """As it is written to ``--report``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @property
    def accounted(self) -> bool:
        """Whether every reading has exactly one fate."""
        fates = (
            self.readings_windowed,
            self.readings_duplicate,
            self.readings_too_late,
            self.dead_lettered,
        )
        return self.readings_replayed == sum(fates)


def as_table(report: DemoReport) -> Table:
    """The report for a terminal."""
    table = Table(title="What happened", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in _lines(report):
        table.add_row(name, text)
    return table


def _lines(r: DemoReport) -> list[tuple[str, str]]:
    window, ack = r.latency_ms.window_to_command, r.latency_ms.command_to_ack
    fates = f"{r.readings_windowed:,} windowed + {r.readings_duplicate:,} duplicate"
    others = f"{r.readings_too_late:,} too late + {r.dead_lettered:,} dead-lettered"
    kinds = f"{r.windows_complete} complete, {r.windows_degraded} degraded, {r.windows_blind} blind"
    switched = f"{r.sheds} sheds, {r.restores} restores, {r.duplicate_actuations} applied twice"
    limits = f"threshold {r.threshold_kw:.0f}, capacity {r.capacity_kw:.0f}"
    before, after = r.kwh_over_threshold_uncontrolled, r.kwh_over_threshold_controlled
    equal = "=" if r.accounted else "IS NOT"
    return [
        ("readings", f"{r.readings_replayed:,} {equal} {fates} + {others}"),
        ("windows", f"{r.windows}: {kinds}; {r.revisions} revisions"),
        ("stored", f"{r.historian_points:,} points in {r.historian}"),
        ("decisions", f"{r.decisions}, {r.decisions_infeasible} infeasible"),
        ("commands", f"{r.commands}, {r.commands_confirmed} confirmed; {switched}"),
        (
            "peak",
            f"{r.peak_kw_controlled:.1f} instead of {r.peak_kw_uncontrolled:.1f} kW ({limits})",
        ),
        ("over the threshold", f"{after:.3f} instead of {before:.3f} kWh"),
        ("longest time over it", f"{r.longest_excursion_windows} windows"),
        ("first confirmed command", f"{r.first_confirmed_command_s:.1f} s after the start"),
        ("window to command", f"{window.p50:.0f} ms median, {window.p99:.0f} ms p99"),
        ("command to answer", f"{ack.p50:.0f} ms median, {ack.p99:.0f} ms p99"),
    ]
