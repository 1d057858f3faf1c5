"""What align counts, from what its aligner returns."""

from msgspec.structs import replace

from schemas.align_state import ReadingCounts
from schemas.clock import PipelineClock
from schemas.site_window import Completeness, SiteWindow
from streams.metrics import StageMetrics
from streams.metrics.aligning import AlignMetrics

NOW_MS = 1_000_000
CLOCK = PipelineClock(event_origin_ms=500_000, append_origin_ms=900_000, speed=10.0)
WINDOW = SiteWindow(
    site="s",
    window_start_ms=1_400_000,
    revision=0,
    model_hash="h",
    completeness=Completeness.COMPLETE,
    load_kw=1.0,
    generation_kw=0.0,
    energy_import_kwh=None,
    measured=1,
    valid=0,
    missing=0,
    missing_rated_kw=0.0,
    missing_series=(),
    relays=(),
    weather={},
)


class Counted:
    """Align's metrics at a wall time that stands still."""

    def __init__(self, clock: PipelineClock = CLOCK) -> None:
        self.now_ms = NOW_MS
        self.process = StageMetrics("align")
        self.align = AlignMetrics(self.process, clock, lambda: self.now_ms)

    def value(self, name: str, **labels: str) -> float | None:
        constant = {"stage": "align", "slot": "0"}
        return self.process.registry.get_sample_value(f"gridloom_{name}", labels | constant)


def test_readings_are_counted_from_one_commit_to_the_next() -> None:
    """What was counted before a restart is not counted again."""
    counted = Counted()
    before = ReadingCounts(windowed=100, duplicate=5)
    counted.align.classified(before, replace(before, windowed=130, too_late=2))
    fates = {fate: counted.value("readings_total", fate=fate) for fate in before.__struct_fields__}
    assert fates == {"windowed": 30, "duplicate": 0, "too_late": 2, "dead_lettered": 0}


def test_windows_are_counted_by_completeness_and_revision() -> None:
    counted = Counted()
    later, blind = replace(WINDOW, revision=2), replace(WINDOW, completeness=Completeness.BLIND)
    counted.align.published([WINDOW, later, later, blind])
    name = "windows_published_total"
    assert counted.value(name, completeness="complete", revision="first") == 1
    assert counted.value(name, completeness="complete", revision="later") == 2
    assert counted.value(name, completeness="blind", revision="first") == 1
    assert counted.value(name, completeness="degraded", revision="first") == 0


def test_latency_is_wall_time_whatever_the_clock_s_speed() -> None:
    """The window ended at 1,405,000 and was due 2 s later: at 990,700 ms of wall time."""
    counted = Counted()
    counted.align.published([WINDOW, replace(WINDOW, revision=1)])
    assert counted.value("hop_latency_seconds_sum", hop="window_published") == 9.3
    assert counted.value("hop_latency_seconds_count", hop="window_published") == 1


def test_a_watermark_s_delay_is_wall_time_and_grows_while_nothing_moves() -> None:
    counted = Counted()
    counted.align.reached({2: 1_499_000})
    assert counted.value("watermark_delay_seconds", partition="2") == 0.1
    counted.now_ms += 5_000
    assert counted.value("watermark_delay_seconds", partition="2") == 5.1


def test_partitions_without_a_watermark_or_revoked_have_no_delay() -> None:
    """Unknown is not zero."""
    counted = Counted()
    counted.align.reached({2: 1_499_000, 3: 1_499_000})
    counted.align.reached({3: 1_499_000})
    assert counted.value("watermark_delay_seconds", partition="1") is None
    assert counted.value("watermark_delay_seconds", partition="2") is None
    assert counted.value("watermark_delay_seconds", partition="3") == 0.1


def test_on_the_data_clock_nothing_is_late() -> None:
    """Data of last year has no delay in wall time."""
    counted = Counted(PipelineClock(speed=0.0))
    counted.align.reached({0: 1_499_000})
    counted.align.published([WINDOW])
    assert counted.value("watermark_delay_seconds", partition="0") is None
    assert counted.value("hop_latency_seconds_count", hop="window_published") is None
    name = "windows_published_total"
    assert counted.value(name, completeness="complete", revision="first") == 1
