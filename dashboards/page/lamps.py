"""Relay lamps: on, off and unknown are three looks, told apart without colour, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from schemas.site_window import RelayWindow


class Look(StrEnum):
    """How a lamp looks: a full disc, an empty ring, a dashed ring with a question mark."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """One output of a relay board.

    Attributes:
        name: board and output.
        look: what is known of its state.
        load_kw: mean power that its own meter saw [kW], None where unknown.
    """

    name: str
    look: Look
    load_kw: float | None


def lamps_of(relays: Sequence[RelayWindow], *, current: bool) -> list[Lamp]:
    """A lamp for every output.

    Args:
        relays: as the newest window has them.
        current: whether that window tells the present; else every state is unknown by now.
    """
    return [
        Lamp(
            name=f"{relay.device}/{relay.output}",
            look=_look(relay.on) if current else Look.UNKNOWN,
            load_kw=relay.load_kw if current else None,
        )
        for relay in relays
    ]


def _look(on: bool | None) -> Look:  # noqa: FBT001  a state, not an option
    if on is None:
        return Look.UNKNOWN
    return Look.ON if on else Look.OFF


def lamps_html(lamps: Sequence[Lamp]) -> str:
    """The lamps as a list, each with its state in words."""
    if not lamps:
        return '<p class="gl-note">This site has no relay.</p>'
    items = "".join(_item(lamp) for lamp in lamps)
    return f'<ul class="gl-lamps" aria-label="Relays">{items}</ul>'


def _item(lamp: Lamp) -> str:
    load = "" if lamp.load_kw is None else f"{lamp.load_kw:.1f} kW"
    mark = "?" if lamp.look is Look.UNKNOWN else ""
    return (
        f'<li class="gl-lamp" data-relay="{escape(lamp.name)}" data-state="{lamp.look.value}">'
        f'<span class="gl-bulb gl-bulb-{lamp.look.value}" aria-hidden="true">{mark}</span>'
        f'<span class="gl-lamp-name">{escape(lamp.name)}</span>'
        f'<span class="gl-lamp-load">{load}</span>'
        f'<span class="gl-lamp-state">{lamp.look.value}</span></li>'
    )
