"""One way of control through all windows: plant, meters, decision, switch, and on to the next."""

from collections.abc import Mapping

import numpy as np

from hardware.load_response import RespondingLoads
from hardware.simulated_board import OutputKey
from processors.accounting.metering import Trajectory
from schemas.site_model import SiteModel
from schemas.site_window import Completeness, RelayWindow, SiteWindow
from schemas.windows import WINDOW_MS
from streams.counterfactual.controls import SWITCH_DELAY_MS, Control, output_keys
from streams.counterfactual.demand import Demand, Floats
from streams.counterfactual.progress import Progress, watched


def simulate(
    model: SiteModel,
    demand: Demand,
    control: Control,
    loads: RespondingLoads,
    progress: Progress,
) -> Trajectory:
    """Let ``control`` run the site through all windows of ``demand``.

    Days that do not follow each other in the recording do so here: the simulation's clock runs
    through, from the first window's start.

    Args:
        model: the site.
        demand: what it would draw.
        control: what decides; nothing has been decided yet.
        loads: what the relay loads draw; they have missed nothing yet.
        progress: told how many windows are done.

    Raises:
        CancelledError: ``progress`` asked to stop.
    """
    keys = output_keys(model)
    drawn_kw = np.zeros_like(demand.relays_kw)
    on = np.zeros(demand.relays_kw.shape, dtype=np.bool_)
    observe = _Observer(model)
    for n in watched(len(demand), progress):
        start_ms = int(demand.start_ms[0]) + n * WINDOW_MS
        end_ms = start_ms + WINDOW_MS
        control.run_until(end_ms)
        shares = control.closed_shares(start_ms, end_ms)
        closed = np.array([shares[key] for key in keys])
        drawn_kw[n] = loads.draw(demand.relays_kw[n], closed)
        states = control.states()
        on[n] = [states[key] for key in keys]
        window = observe.window(start_ms, float(demand.base_kw[n]), drawn_kw[n], states)
        control.decide(window, end_ms + SWITCH_DELAY_MS)
    return Trajectory(
        base_kw=demand.base_kw,
        demand_kw=demand.relays_kw,
        drawn_kw=drawn_kw,
        battery_kw=np.zeros(len(demand)),
        on=on,
    )


class _Observer:
    """What align would say of a window in which every meter and board was heard.

    Args:
        model: the site.
    """

    def __init__(self, model: SiteModel) -> None:
        self._model = model
        self._relays = [(board.id, relay) for board in model.relay_boards for relay in board.relays]

    def window(
        self, start_ms: int, base_kw: float, drawn_kw: Floats, states: Mapping[OutputKey, bool]
    ) -> SiteWindow:
        """The window from ``start_ms``: ``drawn_kw`` in the relays' order, states at its end."""
        return SiteWindow(
            site=self._model.name,
            window_start_ms=start_ms,
            revision=0,
            model_hash=self._model.model_hash,
            completeness=Completeness.COMPLETE,
            load_kw=max(base_kw, 0.0) + float(drawn_kw.sum()),
            generation_kw=min(base_kw, 0.0),
            energy_import_kwh=None,
            measured=len(self._model.meters),
            valid=0,
            missing=0,
            missing_rated_kw=0.0,
            missing_series=(),
            relays=tuple(
                RelayWindow(
                    device=device,
                    output=relay.output,
                    on=states[device, relay.output],
                    load_kw=None if relay.meter is None else drawn,
                )
                for (device, relay), drawn in zip(self._relays, drawn_kw.tolist(), strict=True)
            ),
            weather={},
        )
