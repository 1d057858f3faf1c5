"""A topic that is read far ahead of the others waits for them."""

from processors.aligning.partition import PartitionAligner
from processors.aligning.pressure import AHEAD_MS, should_wait
from schemas.units import TelemetryKind
from tests.support.aligning_scenarios import Log, Sent, aligner_for, columns, meter_site

METER = TelemetryKind.METER
MODEL = meter_site({"id": "m1", "rated_kw": 10})


def read_up_to(meter_ms: int, others_ms: int | None) -> PartitionAligner:
    """An aligner whose meters were read up to one time, and the other topics to another."""
    aligner, log = aligner_for(MODEL), Log()
    for time_ms in range(0, meter_ms, 5_000):
        log.append(METER, time_ms, Sent(time_ms, "m1", time_ms, 1.0).to_bytes())
    log.tick(meter_ms)
    aligner.consume(METER, columns(log.records[METER]))
    if others_ms is not None:
        slow = Log()
        slow.tick(others_ms)
        for kind in set(TelemetryKind) - {METER}:
            aligner.consume(kind, columns(slow.records[kind]))
    return aligner


def test_a_topic_far_ahead_waits_once_it_fills_memory() -> None:
    aligner = read_up_to(AHEAD_MS + 10_000, 5_000)
    assert should_wait(aligner, most_open=3) == {METER}
    assert should_wait(aligner, most_open=1_000) == frozenset()


def test_topics_in_step_never_wait_however_many_readings_they_have() -> None:
    assert should_wait(read_up_to(60_000, 50_000), most_open=3) == frozenset()


def test_a_topic_waits_for_others_that_were_not_read_at_all() -> None:
    assert should_wait(read_up_to(60_000, None), most_open=3) == {METER}


def test_the_slowest_topic_never_waits() -> None:
    """So whatever waits is waited for by nobody, and time goes on."""
    aligner = read_up_to(30_000, 30_000 + AHEAD_MS + 1)
    assert METER not in should_wait(aligner, most_open=0)
