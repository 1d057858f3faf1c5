"""Dispatch's host: windows in, plans out. A function of the log: no plan depends on a clock."""

import logging
import time
from collections.abc import Sequence

from processors.dispatching.dispatcher import Dispatcher
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.site_window import SiteWindow
from schemas.stage_state import DispatchState
from schemas.topics import DISPATCH_STATE, PLANS, SITE_WINDOWS, SITES
from streams.kafka import require_topics
from streams.logs.decisions import tell_plan
from streams.metrics import Hop, StageMetrics
from streams.metrics.deciding import DispatchMetrics
from streams.site_registry import SiteRegistry
from streams.transactions import Output

log = logging.getLogger(__name__)

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)
_STATE: Decoder[DispatchState] = Decoder(DispatchState)


class DispatchDecider:
    """Decides once per window, on its revision 0, for sites that have something to command."""

    name = "dispatch"
    hop = Hop.PLAN
    inputs = (SITE_WINDOWS,)
    state_topic = DISPATCH_STATE

    def __init__(self, settings: Settings, metrics: StageMetrics) -> None:
        self._metrics = DispatchMetrics(metrics.registry)
        require_topics(settings.kafka, [SITES.name, PLANS.name])
        self._sites = SiteRegistry(settings.kafka, self.name)
        # Compiled before the first window comes: it should not have to wait for that.
        self._dispatchers = {
            name: Dispatcher(model)
            for name, model in self._sites.all().items()
            if model.relay_boards
        }

    def load_state(self, value: bytes) -> DispatchState:
        """A site's memory as it was written."""
        return _STATE.decode(value)

    def decide(
        self, topic: str, value: bytes | None, state: DispatchState | None
    ) -> tuple[Sequence[Output], DispatchState | None]:
        """The plan for a window, if it is one to decide about."""
        del topic
        window = _WINDOW.decode(value)
        dispatcher = self._dispatcher(window.site) if window.revision == 0 else None
        if dispatcher is None:
            return (), None
        began_s = time.perf_counter()
        plan, new_state = dispatcher.decide(state, window)
        if plan is None:
            return (), new_state
        self._metrics.planned(plan, time.perf_counter() - began_s)
        tell_plan(log, plan)
        return (Output(PLANS.name, window.site, encode(plan)),), new_state

    def _dispatcher(self, site: str) -> Dispatcher | None:
        """The site's compiled problem; None where the site has no relays to command."""
        if site not in self._dispatchers:
            model = self._sites.find(site)
            if model is None or not model.relay_boards:
                return None
            self._dispatchers[site] = Dispatcher(model)
        return self._dispatchers[site]

    def close(self) -> None:
        """Leave the broker."""
        self._sites.close()
