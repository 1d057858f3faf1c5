"""The site that latency is measured on: 200 devices, 20 of them relays, something to do always."""

from typing import Final

import numpy as np

from hardware.base_load import COMPRESSION, BaseLoad
from hardware.demo_site import HOLD_S, DemoSite
from schemas.site_model import ControlParameters, Meter, Mode, Relay, RelayBoard, SiteModel
from schemas.windows import WINDOW_MS

NAME: Final = "latency"
BOARDS: Final = 5
RELAYS: Final = 20
METERS: Final = 180
"""With the relays 200 devices: the size in the goals."""

GATEWAYS: Final = ("gw-1", "gw-2")

_BASE_METERS: Final = METERS - RELAYS
_LOADS_KW: Final = (30.0, 20.0, 10.0, 10.0)
"""Of a board's relays, as the demo's."""

_CAPACITY_KW: Final = 500.0
_LOW_KW, _HIGH_KW = 40.0, 140.0
"""Base load: with all relays on, the site passes its threshold of 425 kW in the upper half."""

_PERIOD_WINDOWS: Final = 12
_LEASE_S: Final = 10.0
"""Renewed after half of it, so that every window with something shed brings commands."""


def latency_site() -> DemoSite:
    """The site, and a base load that rises and falls within a minute."""
    base = tuple(f"meter-{number:03d}" for number in range(_BASE_METERS))
    swing = np.sin(2 * np.pi * np.arange(_PERIOD_WINDOWS) / _PERIOD_WINDOWS)
    total_kw = (_LOW_KW + _HIGH_KW) / 2 + (_HIGH_KW - _LOW_KW) / 2 * swing
    return DemoSite(
        model=_model(base),
        base=BaseLoad(
            meters=base,
            power_kw=np.repeat(total_kw[:, np.newaxis] / _BASE_METERS, _BASE_METERS, axis=1),
            start_ms=0,
            step_s=round(COMPRESSION * WINDOW_MS / 1000),
        ),
    )


def _model(base: tuple[str, ...]) -> SiteModel:
    boards = tuple(_board(number) for number in range(BOARDS))
    behind = [(relay.meter, relay.load_kw) for board in boards for relay in board.relays]
    meters = [
        *(Meter(id=name, rated_kw=1.0, hold_s=HOLD_S) for name in base),
        *(Meter(id=name, rated_kw=kw, hold_s=HOLD_S) for name, kw in behind if name is not None),
    ]
    return SiteModel(
        name=NAME,
        mode=Mode.CONTROL,
        capacity_kw=_CAPACITY_KW,
        meters=tuple(meters),
        relay_boards=boards,
        control=ControlParameters(lease_s=_LEASE_S, dwell_s=WINDOW_MS / 1000),
    )


def _board(number: int) -> RelayBoard:
    name = f"board-{number + 1}"
    relays = tuple(
        Relay(output=output, load_kw=kw, priority=output, meter=f"{name}-relay-{output}")
        for output, kw in enumerate(_LOADS_KW, start=1)
    )
    gateway = GATEWAYS[number % len(GATEWAYS)]
    return RelayBoard(id=name, gateway=gateway, simulated=True, relays=relays, hold_s=HOLD_S)
