"""What one look at the historian finds, and what the page says where that is not enough."""

from dataclasses import dataclass
from typing import Final

from dashboards.page.notices import Notice, Service
from dashboards.page.sentences import Event
from dashboards.page.times import duration_text
from processors.accounting.figures import DayFigures
from schemas.errors import GridloomError
from schemas.site_window import SiteWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One site over one span, as it was at one moment.

    Attributes:
        source: what and where the historian is, in words.
        sites: every site that has windows, by name.
        site: the one that is shown.
        first_ms: start of the first window that the historian keeps of it [ms].
        windows: in time order, one or more.
        events: steps of the decisions about these windows.
        figures: of the day of the newest window.
    """

    source: str
    sites: tuple[str, ...]
    site: str
    first_ms: int
    windows: tuple[SiteWindow, ...]
    events: tuple[Event, ...]
    figures: DayFigures

    @property
    def newest_ms(self) -> int:
        """Start of the newest window [ms since the epoch]."""
        return self.windows[-1].window_start_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the historian found.

    Attributes:
        service: what is known of the pipeline.
        notice: what is wrong, or to be known; None where all is well.
        snapshot: what to show; of an earlier look where the historian is away. None where
            nothing was ever there.
    """

    service: Service
    notice: Notice | None
    snapshot: Snapshot | None


NO_WINDOW: Final = Notice(
    sentence="The historian is there, but it holds no window yet.",
    hint=(
        "Windows appear once a site is declared, sends telemetry, and the stages align and store"
        " run: `gridloom up align store` starts them, `gridloom demo` shows all of it."
    ),
)
"""Nothing is wrong, and nothing is there."""


def away_notice(error: GridloomError, *, shows_more: bool) -> Notice:
    """The historian does not answer, or the settings do not lead to one."""
    reason = error.message.rstrip(".")
    follows = " What follows was read before." if shows_more else ""
    return Notice(
        sentence=f"{reason[:1].upper()}{reason[1:]}.{follows}",
        hint=error.hint,
        problems=error.problems,
    )


def silent_notice(silent_s: float) -> Notice:
    """The historian answers, but nothing new comes."""
    return Notice(
        sentence=f"No new window for {duration_text(silent_s)}; what follows is not the present.",
        hint=(
            "The historian answers, so the pipeline before it has stopped or finished:"
            " `gridloom doctor` looks for what is wrong. For a pipeline that runs slowly on"
            " purpose there is --offline-after."
        ),
    )
