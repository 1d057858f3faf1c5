"""Which historian the page reads, while stacks come and go."""

from collections.abc import Callable

from schemas.settings import Settings
from streams.finding import historian_places, running_local_stack
from streams.historians.opening import Place, configured_place
from streams.historians.protocol import HistorianReader


class HistorianChoice:
    """The configured historian, or that of the local stack that runs; else what is there.

    Once something was read, another historian takes its place only where a local stack runs
    with it: a page whose demo has ended says so, and does not turn to some older run.

    Args:
        load_settings: read anew for every look, so that a new token needs no restart.
    """

    def __init__(self, load_settings: Callable[[], Settings]) -> None:
        self._load_settings = load_settings
        self._read: Place | None = None

    def open(self) -> HistorianReader:
        """A reader of the historian that is meant now.

        Raises:
            GridloomError: it cannot be read, or the settings are wrong.
        """
        place = self._place(self._load_settings())
        reader = place.open()
        self._read = place
        return reader

    def _place(self, settings: Settings) -> Place:
        if is_told(settings):
            return configured_place(settings)
        stack = running_local_stack(settings)
        if stack is not None:
            return configured_place(stack.settings(settings))
        there = [self._read] if self._read is not None else historian_places(settings)
        return there[0] if there else configured_place(settings)


def is_told(settings: Settings) -> bool:
    """Whether the settings themselves say which historian, or which Kafka, is meant."""
    kafka_is_told = "bootstrap_servers" in settings.kafka.model_fields_set
    return kafka_is_told or bool(settings.historian.model_fields_set or settings.influxdb.url)
