"""Asks Kafka first, and the historian where Kafka does not answer or no longer holds it."""

from typing import Final, assert_never

from msgspec.structs import replace

from schemas.errors import BrokerError, ConfigurationError, HistorianError
from schemas.settings import Settings
from schemas.topics import SETPOINTS
from schemas.windows import iso_utc
from streams.explaining.historian_source import HistorianSource
from streams.explaining.identity import Decision, parse_decision
from streams.explaining.kafka_source import KafkaSource
from streams.explaining.story import Answer, Story, Unfound
from streams.finding import historian_places, open_historians

_SETPOINT_DAYS: Final = (SETPOINTS.retention_ms or 0) // 86_400_000


def explain(settings: Settings, text: str) -> Story:
    """The story of the decision that ``text`` names, from wherever it is kept.

    Raises:
        ConfigurationError: it is no decision id, or no decision that anything knows.
        BrokerError: Kafka does not answer, and no historian can be asked instead.
        HistorianError: the historian cannot be read.
    """
    decision = parse_decision(text)
    try:
        kafka: KafkaSource | None = KafkaSource(settings.kafka)
        note = f"Kafka {settings.kafka.bootstrap_servers} does not hold this decision (any more)"
    except BrokerError as error:
        kafka, note = None, error.message
        if not historian_places(settings):
            raise _nowhere(error, settings) from error
    answer = Unfound() if kafka is None else kafka.find(decision)
    match answer:
        case Story():
            return _completed(settings, decision, answer)
        case Unfound():
            return _from_historian(settings, decision, kafka, answer, note)
        case _:
            assert_never(answer)


def _from_historian(
    settings: Settings,
    decision: Decision,
    kafka: KafkaSource | None,
    unfound: Unfound,
    note: str,
) -> Story:
    """The story as a historian has it; an error that says what there is instead."""
    nearby, sites = unfound.nearby, [] if kafka is None else kafka.sites()
    for historian in map(HistorianSource, open_historians(settings)):
        answer: Answer = historian.find(decision)
        if isinstance(answer, Story):
            return replace(answer, notes=(note, *answer.notes))
        nearby, sites = nearby or answer.nearby, sites + historian.sites()
    raise _unknown(decision, nearby, sorted(set(sites)), note)


def _completed(settings: Settings, decision: Decision, story: Story) -> Story:
    """Kafka's story; setpoints that it has deleted already are taken from a historian."""
    if story.setpoints or not story.is_let_through:
        return story
    try:
        historians = map(HistorianSource, open_historians(settings))
        stored = [historian.find(decision) for historian in historians]
    except HistorianError as error:
        return replace(story, notes=(*story.notes, f"not asked for setpoints: {error.message}"))
    for answer in stored:
        if isinstance(answer, Story) and answer.setpoints:
            note = (
                f"setpoints and acknowledgements are from {answer.source}:"
                f" Kafka keeps setpoints for {_SETPOINT_DAYS} d"
            )
            notes = (*story.notes, note)
            return replace(story, setpoints=answer.setpoints, acks=answer.acks, notes=notes)
    return story


def _nowhere(error: BrokerError, settings: Settings) -> BrokerError:
    message = f"{error.message}, and there is no historian at {settings.historian_path}"
    return BrokerError(message, hint=error.hint)


def _unknown(
    decision: Decision, nearby: tuple[str, ...], sites: list[str], note: str
) -> ConfigurationError:
    """Says what is known instead."""
    window = iso_utc(decision.window_start_ms)
    message = f"nothing is known of decision {decision.id} (site {decision.site}, window {window})"
    if nearby:
        hint = f"decisions near it: {', '.join(nearby)}"
    elif sites and decision.site not in sites:
        hint = f"there is no site {decision.site}; sites are: {', '.join(sites)}"
    else:
        hint = "`gridloom explain` without an id lists the newest decisions"
    return ConfigurationError(message, hint=hint, problems=[note])
