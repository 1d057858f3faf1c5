"""Dead letters for records that a stage, other than align, could not use."""

from collections.abc import Iterable

from confluent_kafka import Message

from schemas.dead_letter import DeadLetter, as_base64


def letter_for(stage: str, message: Message, errors: Iterable[str], site: str = "") -> DeadLetter:
    """A record as a dead letter; it counts for no reading, which only telemetry holds."""
    value = message.value()
    return DeadLetter(
        stage=stage,
        origin=str(message.topic()),
        partition=message.partition() or 0,
        position=message.offset() or 0,
        readings=0,
        errors=tuple(errors),
        original_base64=as_base64(value if isinstance(value, bytes) else None),
        site=site,
    )
