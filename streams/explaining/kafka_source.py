"""Decisions as Kafka holds them.

The records about a window lie close together in its site's partition, soon after the window's
end. On a running clock that tells where to begin; the first record about a much later window
tells where to stop. On the data clock time says nothing about the log, so all is read.
"""

from typing import Final

from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.settings import KafkaSettings
from schemas.topics import ACKS, PLANS, SITE_WINDOWS, SITES, VERDICTS, setpoint_topic
from streams.clocks import read_clock
from streams.explaining.collecting import AROUND_MS, Way
from streams.explaining.identity import Decision
from streams.explaining.logs import read_from
from streams.explaining.story import Answer, Unfound
from streams.kafka import existing_topics, require_broker
from streams.site_registry import SiteRegistry

PATIENCE_S: Final = 3.0
"""How long Kafka may take to answer at all [s]."""


class KafkaSource:
    """Looks decisions up in Kafka.

    Args:
        settings: where Kafka is.

    Raises:
        BrokerError: Kafka does not answer.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        require_broker(settings, PATIENCE_S)
        self._settings = settings
        self._topics = existing_topics(settings)
        self.name = f"Kafka {settings.bootstrap_servers}"

    def find(self, decision: Decision) -> Answer:
        """The story of a decision.

        Raises:
            BrokerError: Kafka cannot be read.
        """
        partitions = self._partitions(decision.site)
        if PLANS.name not in partitions:
            return Unfound()
        clock = read_clock(self._settings)
        since_ms, way = _since_ms(clock, decision), Way(decision, clock)
        read_from(self._settings, partitions, since_ms, way.take)
        if since_ms is not None and not way.is_settled:
            since_ms, way = None, Way(decision, clock)
            read_from(self._settings, partitions, since_ms, way.take)
        if way.plan is None:
            return Unfound(nearby=way.nearby)
        commands = self._command_partitions(decision.site, way.gateways)
        read_from(self._settings, commands, since_ms, way.take)
        return way.story(way.plan, self.name)

    def sites(self) -> list[str]:
        """Every site that is declared, by name."""
        if SITES.name not in self._topics:
            return []
        registry = SiteRegistry(self._settings, "explain")
        try:
            return sorted(registry.all())
        finally:
            registry.close()

    def _partitions(self, site: str) -> dict[str, int]:
        """Where the windows, plans and verdicts of a site are; absent topics left out."""
        names = (SITE_WINDOWS.name, PLANS.name, VERDICTS.name)
        return {n: partition_of(site, self._topics[n]) for n in names if n in self._topics}

    def _command_partitions(self, site: str, gateways: set[str]) -> dict[str, int]:
        """Where the setpoints of these gateways, and the site's acknowledgements, are."""
        names = {setpoint_topic(gateway) for gateway in gateways} & self._topics.keys()
        places = dict.fromkeys(sorted(names), 0)
        if places and ACKS.name in self._topics:
            places[ACKS.name] = partition_of(site, self._topics[ACKS.name])
        return places


def _since_ms(clock: PipelineClock, decision: Decision) -> int | None:
    """Log time [ms] before which nothing is about the decision; None where time cannot tell."""
    if clock.is_data_clock:
        return None
    return clock.append_time_of(decision.window_start_ms) - AROUND_MS
