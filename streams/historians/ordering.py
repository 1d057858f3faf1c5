"""The order in which every historian answers."""

from collections.abc import Iterable
from typing import Final

from streams.historians.points import EventKind, EventPoint

_KIND_ORDER: Final = {kind: order for order, kind in enumerate(EventKind)}


def events_in_order(events: Iterable[EventPoint]) -> list[EventPoint]:
    """Events by window, step, device and time."""
    return sorted(
        events,
        key=lambda event: (
            event.window_start_ms,
            _KIND_ORDER[event.kind],
            event.device or "",
            event.at_ms or 0,
            event.key,
        ),
    )
