"""What the device view takes from a record, and what it refuses."""

from collections.abc import Mapping

import msgspec
import pytest

from schemas.errors import MessageError
from schemas.messages import encode
from schemas.telemetry import Reading
from streams.devices.messages import read_ack, read_telemetry

ITEM = {
    "event_id": "e",
    "device": "b1",
    "quantity": "relay_1",
    "unit": "on",
    "value": 1.0,
    "event_time_ms": 5,
}
BATCH = {"type": "batch", "site": "north", "source": "b1", "readings": [ITEM]}
ACK = {
    "event_id": "e",
    "decision_id": "d",
    "site": "north",
    "gateway": "g",
    "device": "b1",
    "seq": 1,
    "epoch": 1,
    "result": "applied",
    "outputs": [{"output": 1, "on": True}],
    "acked_ms": 5,
}


def json(*layers: Mapping[str, object]) -> bytes:
    merged: dict[str, object] = {}
    for layer in layers:
        merged |= layer
    return msgspec.json.encode(merged)


def test_a_single_reading_tells_of_one_output() -> None:
    reading = Reading(
        event_id="e",
        site="north",
        source="b1",
        device="b1",
        quantity="relay_16",
        unit="on",
        value=0.0,
        event_time_ms=7,
    )
    (report,), bad = read_telemetry(encode(reading))
    assert (report.site, report.device, report.states, bad) == ("north", "b1", ((16, False, 7),), 0)


def test_a_batch_may_tell_of_several_devices() -> None:
    items = [ITEM, ITEM | {"quantity": "relay_2", "value": 0.0}, ITEM | {"device": "b2"}]
    reports, bad = read_telemetry(json(BATCH, {"readings": items}))
    assert {one.device: one.states for one in reports} == {
        "b1": ((1, True, 5), (2, False, 5)),
        "b2": ((1, True, 5),),
    }
    assert bad == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "relay_17"},
        {"quantity": "active_power"},
        {"value": "on"},
        {"device": "b1/x"},
        {"device": "\x1b[2J"},
        {"event_time_ms": -1},
        {"event_time_ms": 2**70},
        {"event_time_ms": None},
    ],
)
def test_a_bad_reading_is_counted_and_spoils_no_other(wrong: dict[str, object]) -> None:
    (report,), bad = read_telemetry(json(BATCH, {"readings": [ITEM | wrong, ITEM]}))
    assert report.states == ((1, True, 5),)
    assert bad == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe",
        b"[]",
        b"{",
        b"[" * 100_000,
        json(BATCH, {"type": "other"}),
        json(BATCH, {"site": "a/b"}),
        json(BATCH, {"readings": 3}),
    ],
)
def test_an_unreadable_record_is_refused_as_a_whole(value: bytes | None) -> None:
    with pytest.raises(MessageError):
        read_telemetry(value)


def test_an_answer_is_read_as_it_is() -> None:
    ack = read_ack(json(ACK))
    assert (ack.site, ack.device, ack.seq, ack.outputs[0].on) == ("north", "b1", 1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "maybe"},
        {"site": ""},
        {"device": "b 1"},
        {"seq": -1},
        {"seq": 2**80},
        {"acked_ms": -5},
        {"outputs": [{"output": 0, "on": True}]},
        {"outputs": [{"output": 17, "on": True}]},
    ],
)
def test_an_answer_that_cannot_be_one_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        read_ack(json(ACK, wrong))
