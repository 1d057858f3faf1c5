"""What a run with faults reports, as JSON and as tables."""

import msgspec
from rich.table import Table

from schemas.align_state import ReadingCounts
from streams.benchmarking.machine import Machine


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all readings in the telemetry log, as in a demo's report."""

    replayed: int
    windowed: int
    duplicate: int
    too_late: int
    dead_lettered: int

    @classmethod
    def of(cls, replayed: int, fates: ReadingCounts) -> "Readings":
        """The readings of the log, and what align has recorded of them."""
        return cls(
            replayed=replayed,
            windowed=fates.windowed,
            duplicate=fates.duplicate,
            too_late=fates.too_late,
            dead_lettered=fates.dead_lettered,
        )

    @property
    def unaccounted(self) -> int:
        """Readings without a fate, or fates without a reading."""
        fates = self.windowed + self.duplicate + self.too_late + self.dead_lettered
        return abs(self.replayed - fates)


class InjectedFault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as it really happened.

    Attributes:
        at_s: when [s from the start of the disturbed phase].
        lasted_s: how long until it was undone [s]; the way back comes on top.
        kind, target: what, and to whom.
    """

    at_s: float
    lasted_s: float
    kind: str
    target: str


class ChaosReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run with faults came to.

    Attributes:
        lost: readings without a fate, and windows that are not published or not stored though an
            undisturbed align has them.
        doubled: revisions published twice, plans made twice for one window, points stored twice.
        different: windows whose last revision, per-series values included, is not that of an
            undisturbed align over the same log, or that the historian holds otherwise.
        duplicate_actuations: outputs switched more than once for one device and sequence number.
        problems: the first of all these, in words; empty where all is well.
        catch_up_s: from the end of the last fault until every stage was at the present again [s];
            None where that did not happen in time.
        windows, commands: published in the whole run.
    """

    lost: int
    doubled: int
    different: int
    duplicate_actuations: int
    problems: tuple[str, ...]
    faults: tuple[InjectedFault, ...]
    seed: int
    minutes: float
    machine: Machine
    readings: Readings
    windows: int
    commands: int
    catch_up_s: float | None

    def to_json(self) -> bytes:
        """As it is written to ``--report``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @property
    def is_clean(self) -> bool:
        """Whether the run ended as if nothing had happened."""
        wrong = (self.lost, self.doubled, self.different, self.duplicate_actuations)
        return not any(wrong) and self.catch_up_s is not None


def faults_table(report: ChaosReport) -> Table:
    """Every fault that was injected."""
    table = Table("at", "lasted", "fault", "to", title=f"Faults of seed {report.seed}")
    for fault in report.faults:
        lasted = f"{fault.lasted_s:.1f} s" if fault.lasted_s else ""
        table.add_row(f"{fault.at_s:.1f} s", lasted, fault.kind, fault.target)
    return table


def in_words(report: ChaosReport) -> list[str]:
    """The result for a terminal."""
    r, readings = report, report.readings
    equal = "=" if not readings.unaccounted else "IS NOT"
    back = "NOT caught up" if r.catch_up_s is None else f"caught up after {r.catch_up_s:.1f} s"
    fates = (
        f"{readings.windowed:,} windowed + {readings.duplicate:,} duplicate"
        f" + {readings.too_late:,} too late + {readings.dead_lettered:,} dead-lettered"
    )
    figures = ("lost", "doubled", "different", "duplicate_actuations")
    return [
        f"readings {readings.replayed:,} {equal} {fates}",
        f"{r.windows:,} windows, {r.commands:,} commands, {len(r.faults)} faults; {back}",
        ", ".join(f"{name} {getattr(r, name)}" for name in figures),
    ]
