"""What an emission becomes in Kafka."""

from collections.abc import Iterator
from typing import Final

from processors.aligning.partition import Emission, Refused
from schemas.dead_letter import DeadLetter, as_base64
from schemas.messages import encode
from schemas.topics import DEAD_LETTERS, METER_WINDOWS, SITE_WINDOWS, telemetry_topic
from streams.tracing import window_context
from streams.transactions import Output

STAGE: Final = "align"


def published(emission: Emission, partition: int) -> Iterator[Output]:
    """An emission as records: per-series windows before the aggregate that announces them."""
    headers = {
        (each.site, each.window_start_ms, each.revision): window_context(
            each.site, each.window_start_ms, each.revision
        ).headers
        for each in emission.windows
    }
    for topic, messages in (
        (METER_WINDOWS.name, emission.meters),
        (SITE_WINDOWS.name, emission.windows),
    ):
        for each in messages:
            trace = headers[each.site, each.window_start_ms, each.revision]
            yield Output(topic, each.site, encode(each), partition, trace)
    for refused in emission.refused:
        letter = dead_letter(refused, partition)
        yield Output(DEAD_LETTERS.name, letter.site or "unknown", encode(letter))


def dead_letter(refused: Refused, partition: int) -> DeadLetter:
    """What align could not use, with every reason."""
    reading = refused.reading
    return DeadLetter(
        stage=STAGE,
        origin=telemetry_topic(refused.kind),
        partition=partition,
        position=reading.offset,
        item=reading.item,
        errors=reading.errors,
        original_base64=as_base64(reading.original),
        site=reading.site,
        source=reading.source,
    )
