"""How much of each window is known, over a span."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.site_window import Completeness, SiteWindow
from schemas.windows import WINDOW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Windows in a row that are equally complete; ``kind`` None: there are no windows.

    ``start_ms`` to ``end_ms`` [ms since the epoch].
    """

    kind: Completeness | None
    start_ms: int
    end_ms: int

    @property
    def windows(self) -> int:
        """Number of windows that it is long."""
        return (self.end_ms - self.start_ms) // WINDOW_MS


def stretches(windows: Iterable[SiteWindow]) -> list[Stretch]:
    """Windows, in time order, as stretches; a gap between them is a stretch, too."""
    found: list[Stretch] = []
    for window in windows:
        if found and found[-1].end_ms < window.window_start_ms:
            gap = Stretch(kind=None, start_ms=found[-1].end_ms, end_ms=window.window_start_ms)
            found.append(gap)
        end_ms = window.window_start_ms + WINDOW_MS
        if found and found[-1].kind is window.completeness:
            last = found.pop()
            longer = Stretch(kind=last.kind, start_ms=last.start_ms, end_ms=end_ms)
        else:
            longer = Stretch(
                kind=window.completeness, start_ms=window.window_start_ms, end_ms=end_ms
            )
        found.append(longer)
    return found


def completeness_text(found: Sequence[Stretch]) -> str:
    """How many windows there are of each kind, also of those that are not there."""
    counts: Counter[Completeness | None] = Counter()
    for stretch in found:
        counts[stretch.kind] += stretch.windows
    kinds = [f"{counts[kind]:,} {kind.value}" for kind in Completeness]
    absent = [f"{counts[None]:,} absent"] if counts[None] else []
    return f"Windows: {', '.join(kinds + absent)}"
