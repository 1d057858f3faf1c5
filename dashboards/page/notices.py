"""What the page says of itself: whether it shows the present, and why not."""

from dataclasses import dataclass
from enum import StrEnum
from html import escape


class Service(StrEnum):
    """What is known of the pipeline behind the page."""

    LIVE = "live"
    """New windows arrive."""
    WAITING = "waiting"
    """The page has not been open for long enough to tell."""
    OFFLINE = "offline"
    """The historian is away, or no new window arrives."""


_PILLS = {
    Service.LIVE: "● live",
    Service.WAITING: "○ waiting for a new window",
    Service.OFFLINE: "✕ Service offline",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence, what can be done about it, and every single thing that is wrong."""

    sentence: str
    hint: str = ""
    problems: tuple[str, ...] = ()


def head_html(site: str, service: Service, newest: str) -> str:
    """The page's title with the state of the service.

    Args:
        site: name of the site, empty where there is none.
        service: what is known of the pipeline.
        newest: what is to be said of the newest window.
    """
    title = f"Gridloom · {escape(site)}" if site else "Gridloom"
    return (
        f'<div class="gl-head"><h1>{title}</h1>'
        f'<span class="gl-pill gl-pill-{service.value}" data-service="{service.value}">'
        f"{_PILLS[service]}</span>"
        f'<span class="gl-note">{escape(newest)}</span></div>'
    )


def offline_html(notice: Notice) -> str:
    """The warning that what the page shows is not the present."""
    return f'<div class="gl-offline" role="alert"><h2>Service offline</h2>{_told(notice)}</div>'


def notice_html(notice: Notice) -> str:
    """A sentence where there is nothing to show yet."""
    return f'<div class="gl-card" role="status">{_told(notice)}</div>'


def note_html(text: str) -> str:
    """Something said in passing."""
    return f'<p class="gl-note">{escape(text)}</p>'


def _told(notice: Notice) -> str:
    lines = [notice.sentence, *notice.problems]
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    hint = note_html(notice.hint) if notice.hint else ""
    return told + hint
