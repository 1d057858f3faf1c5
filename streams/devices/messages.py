"""From the bytes of a record to what the device view takes from it."""

from collections import defaultdict
from typing import Final

from pydantic import TypeAdapter, ValidationError

from schemas.errors import MessageError
from schemas.messages import Decoder
from schemas.setpoint import Ack
from schemas.site_model import Name
from schemas.telemetry import BatchItem, RawBatch, Reading
from schemas.units import MAX_RELAYS, relay_quantity
from streams.devices.view import Report

_LATEST_MS: Final = 2**53
"""Whole numbers beyond this do not survive JSON readers that use doubles."""

_OUTPUT_OF: Final = {relay_quantity(output): output for output in range(1, MAX_RELAYS + 1)}
_MESSAGE: Final = Decoder[Reading | RawBatch](Reading | RawBatch)
_ITEM: Final = Decoder[BatchItem](BatchItem)
_ACK: Final = Decoder[Ack](Ack)
_NAME: Final = TypeAdapter(Name)


def read_telemetry(value: bytes | None) -> tuple[list[Report], int]:
    """Reports of a ``telemetry.relay`` record, one per device, and how many readings are bad.

    Raises:
        MessageError: nothing in it can be read.
    """
    message = _MESSAGE.decode(value)
    _check_name(message.site)
    items, bad = ([message], 0) if isinstance(message, Reading) else _items(message)
    states: dict[str, list[tuple[int, bool, int]]] = defaultdict(list)
    for item in items:
        try:
            states[_check_name(item.device)].append(_state(item))
        except MessageError:
            bad += 1
    reports = [
        Report(site=message.site, device=device, states=tuple(found))
        for device, found in states.items()
        if found
    ]
    return reports, bad


def read_ack(value: bytes | None) -> Ack:
    """The acknowledgement in an ``actuator.acks`` record.

    Raises:
        MessageError: it is none, or cannot be one.
    """
    ack = _ACK.decode(value)
    _check_name(ack.site)
    _check_name(ack.device)
    _check_number("acked_ms", ack.acked_ms)
    _check_number("seq", ack.seq)
    for state in ack.outputs:
        if not 1 <= state.output <= MAX_RELAYS:
            raise MessageError(f"output {state.output} is not within 1..{MAX_RELAYS}")
    return ack


def _items(batch: RawBatch) -> tuple[list[BatchItem], int]:
    """The readings of a batch, and how many cannot be read: a bad one spoils no other."""
    items, bad = [], 0
    for raw in batch.readings:
        try:
            items.append(_ITEM.decode(bytes(raw)))
        except MessageError:
            bad += 1
    return items, bad


def _state(item: Reading | BatchItem) -> tuple[int, bool, int]:
    """(output, on, event time [ms]); on as alignment understands it: nearer to 1 than to 0."""
    output = _OUTPUT_OF.get(item.quantity)
    if output is None:
        raise MessageError(f"{item.quantity} is no state of a relay")
    _check_number("event_time_ms", item.event_time_ms)
    return output, item.value >= 0.5, item.event_time_ms  # noqa: PLR2004  see the docstring


def _check_name(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise MessageError(f"{name!r:.80} is not a name") from error


def _check_number(field: str, value: int) -> None:
    if not 0 <= value < _LATEST_MS:
        raise MessageError(f"{field} {value} is out of range")
