"""What align counts besides: readings, windows, and how far it is behind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from schemas.align_state import ReadingCounts
from schemas.clock import PipelineClock
from schemas.site_window import Completeness, SiteWindow
from schemas.windows import WINDOW_MS, close_delay_ms
from streams.metrics.stage import Hop, StageMetrics


class AlignMetrics:
    """Readings by fate, windows, and watermarks.

    Args:
        metrics: of the process.
        clock: the pipeline clock.
        wall_ms: wall time [ms since the epoch].
    """

    def __init__(
        self, metrics: StageMetrics, clock: PipelineClock, wall_ms: Callable[[], int]
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._wall_ms = wall_ms
        self._watermarks_ms: Mapping[int, int] = {}
        self._readings = metrics.registry.counter(
            "gridloom_readings_total",
            "Readings by fate; each has exactly one.",
            "readings",
            {"fate": ReadingCounts.__struct_fields__},
        )
        self._windows = metrics.registry.counter(
            "gridloom_windows_published_total",
            "Windows of sites that were published; a later revision replaces an earlier one.",
            "windows",
            {"completeness": tuple(Completeness), "revision": ("first", "later")},
        )
        metrics.registry.table(
            "gridloom_watermark_delay_seconds",
            "How far a partition's watermark is behind the clock, in wall time; unknown, and not"
            " shown, where nothing was read yet and on the data clock.",
            "s",
            ["partition"],
            self._delays,
        )

    def classified(self, before: ReadingCounts, now: ReadingCounts) -> None:
        """Count the readings that got their fate between two counts."""
        if now is before:  # nothing new: counts are never changed in place
            return
        for fate in ReadingCounts.__struct_fields__:
            self._readings.labels(fate).inc(getattr(now, fate) - getattr(before, fate))

    def published(self, windows: Sequence[SiteWindow]) -> None:
        """Count windows whose transaction was committed just now."""
        kinds = Counter((window.completeness, window.revision == 0) for window in windows)
        for (completeness, first), number in kinds.items():
            self._windows.labels(completeness, "first" if first else "later").inc(number)
        now_ms = self._wall_ms()
        self._metrics.spans.windows(windows, self._clock, now_ms)
        if self._clock.is_data_clock:
            return
        delay_ms = close_delay_ms(self._clock.speed)
        starts = Counter(window.window_start_ms for window in windows if window.revision == 0)
        for start_ms, number in starts.items():
            due_ms = self._clock.append_time_of(start_ms + WINDOW_MS + delay_ms)
            self._metrics.passed(Hop.WINDOW_PUBLISHED, (now_ms - due_ms) / 1000, number)

    def reached(self, watermarks_ms: Mapping[int, int]) -> None:
        """Take the watermarks [ms of pipeline time] of all partitions that have one."""
        if not self._clock.is_data_clock:
            self._watermarks_ms = watermarks_ms

    def _delays(self) -> Mapping[tuple[str, ...], float]:
        """Delay [s] by partition at this moment: it also grows while align stands still."""
        now_ms = self._wall_ms()
        return {
            (str(partition),): max(0.0, (now_ms - self._clock.append_time_of(ms)) / 1000)
            for partition, ms in self._watermarks_ms.items()
        }
