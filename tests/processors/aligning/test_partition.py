"""What aligning promises, one sentence a test."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.aligning.partition import PartitionAligner
from schemas.clock import PipelineClock
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel
from schemas.site_window import Completeness
from schemas.units import TelemetryKind
from schemas.windows import window_start
from tests.support.aligning_scenarios import (
    CLOCK,
    PARTITION,
    PARTITIONS,
    SITE,
    T0,
    Log,
    Sent,
    aligner_for,
    as_batch,
    columns,
    feed,
    is_too_late,
    last_revisions,
    last_values,
    log_of,
    meter_site,
    reference_mean,
    sendings,
    site_model,
)

ONE = meter_site({"id": "m1", "rated_kw": 10})
TWO = meter_site({"id": "m1", "rated_kw": 10}, {"id": "m2", "rated_kw": 10, "interval_s": 10})


def every_5_s(device: str, until_ms: int, value: float = 2.0, delay_ms: int = 100) -> list[Sent]:
    return [Sent(t + delay_ms, device, t, value) for t in range(0, until_ms, 5_000)]


def test_a_reading_is_measured_for_its_interval_then_valid_then_missing() -> None:
    """S3-12: missing is a value, never zero."""
    emission = feed(aligner_for(ONE), log_of([Sent(100, "m1", 0, 4.0)], 30_000))
    values = last_values(emission)
    assert values[0] == ((4.0,), "m")
    assert values[5_000] == ((4.0,), "v")
    assert values[10_000] == ((None,), "x")


def test_windows_close_although_nothing_new_arrives() -> None:
    """A silent source holds no window open: ticks carry time."""
    emission = feed(aligner_for(ONE), log_of([Sent(100, "m1", 0, 4.0)], 60_000))
    assert max(last_revisions(emission)) >= 50_000


def test_a_window_closes_only_when_every_telemetry_topic_has_passed_it() -> None:
    aligner = aligner_for(ONE)
    log = log_of([Sent(100, "m1", 0, 4.0)], 20_000)
    for kind in TelemetryKind:
        if kind is not TelemetryKind.WEATHER:
            aligner.consume(kind, columns(log.records[kind]))
    assert aligner.emit().windows == []
    aligner.consume(TelemetryKind.WEATHER, columns(log.records[TelemetryKind.WEATHER]))
    assert [w.window_start_ms - T0 for w in aligner.emit().windows] == [0, 5_000, 10_000]


def test_a_mean_is_weighted_by_time() -> None:
    emission = feed(
        aligner_for(ONE), log_of([Sent(100, "m1", 0, 1.0), Sent(1_100, "m1", 1_000, 6.0)], 12_000)
    )
    assert last_values(emission)[0] == ((5.0,), "m")


def test_a_late_reading_revises_its_window_and_the_later_ones_it_changes() -> None:
    readings = [Sent(100, "m1", 0, 1.0), Sent(14_000, "m1", 5_000, 3.0)]
    emission = feed(aligner_for(ONE), log_of(readings, 60_000), batch=1)
    revisions = {(w.window_start_ms - T0, w.revision) for w in emission.windows}
    assert (5_000, 1) in revisions
    assert (0, 1) not in revisions
    assert last_values(emission)[10_000] == ((3.0,), "v")


def test_a_reading_behind_its_final_window_is_too_late_and_changes_nothing() -> None:
    readings = every_5_s("m1", 60_000)
    late = Sent(45_000, "m1", 2_000, 99.0)
    without = feed(aligner_for(ONE), log_of(readings, 90_000))
    aligner = aligner_for(ONE)
    with_late = feed(aligner, log_of([*readings, late], 90_000))
    assert aligner.counts.too_late == 1
    assert last_revisions(with_late) == last_revisions(without)


def test_of_two_values_for_the_same_time_the_greatest_event_id_wins_in_any_order() -> None:
    low = Sent(100, "m1", 0, 1.0, event_id="a")
    high = Sent(200, "m1", 0, 9.0, event_id="b")
    for order in ([low, high], [high, low]):
        resent = [Sent(100 + i, s.device, s.time_ms, s.value, event_id=s.event_id)
                  for i, s in enumerate(order)]  # fmt: skip
        aligner = aligner_for(ONE)
        assert last_values(feed(aligner, log_of(resent, 20_000)))[0] == ((9.0,), "m")
        assert (aligner.counts.windowed, aligner.counts.duplicate) == (1, 1)


def test_missing_load_counts_its_rating_and_missing_generation_nothing() -> None:
    """S3-12, DESIGN time 5 and 6: the safe side."""
    model = meter_site(
        {"id": "m1", "rated_kw": 10},
        {"id": "m2", "rated_kw": 8},
        {"id": "pv", "rated_kw": 5, "role": "generation"},
    )
    emission = feed(aligner_for(model), log_of([Sent(100, "m1", 0, 4.0)], 12_000))
    window = last_revisions(emission)[0]
    assert window.load_kw == pytest.approx(12.0)
    assert window.generation_kw == 0
    assert window.missing_series == ("m2/active_power", "pv/active_power")
    assert window.completeness is Completeness.BLIND


def test_a_window_without_less_than_half_of_the_rated_power_is_degraded() -> None:
    model = meter_site({"id": "m1", "rated_kw": 10}, {"id": "m2", "rated_kw": 10})
    emission = feed(aligner_for(model), log_of([Sent(100, "m1", 0, 4.0)], 12_000))
    assert last_revisions(emission)[0].completeness is Completeness.DEGRADED


def test_a_missing_weather_station_degrades_a_window() -> None:
    """S3-12: a window with any missing source is marked."""
    model = site_model(relay_boards=[], meters=[{"id": "m1", "rated_kw": 10}])
    emission = feed(aligner_for(model), log_of([Sent(100, "m1", 0, 4.0)], 12_000))
    assert last_revisions(emission)[0].completeness is Completeness.DEGRADED


def test_weather_and_relay_states_are_the_last_valid_value() -> None:
    readings = [
        Sent(100, "w1", 0, 21.5, "air_temperature", "degC", TelemetryKind.WEATHER),
        Sent(100, "b1", 0, 1, "relay_1", "on", TelemetryKind.RELAY),
        Sent(3_100, "b1", 3_000, 0, "relay_1", "on", TelemetryKind.RELAY),
    ]
    window = last_revisions(feed(aligner_for(site_model()), log_of(readings, 12_000)))[0]
    assert window.weather == {"air_temperature": 21.5}
    assert window.relays[0].on is False


def test_an_unknown_relay_state_is_unknown() -> None:
    """S1-D8: unknown never becomes on."""
    emission = feed(aligner_for(site_model()), log_of(every_5_s("m1", 10_000), 12_000))
    assert last_revisions(emission)[0].relays[0].on is None


def counter_site(**changes: object) -> SiteModel:
    meter = {"id": "m1", "rated_kw": 10, "quantities": ["energy_import"], **changes}
    return meter_site(meter)


def counted(values: list[float], **changes: object) -> list[float | None]:
    readings = [
        Sent(t * 5_000 + 100, "m1", t * 5_000, value, "energy_import", "kWh")
        for t, value in enumerate(values)
    ]
    emission = feed(
        aligner_for(counter_site(**changes)), log_of(readings, len(values) * 5_000 + 2_000)
    )
    return [values[0] for values, _ in last_values(emission).values()]


def test_energy_is_the_counters_increase_and_unknown_for_its_first_reading() -> None:
    assert counted([100.0, 100.5, 100.5, 102.0]) == [None, 0.5, 0.0, 1.5]


def test_a_counter_that_resets_counts_from_zero() -> None:
    assert counted([100.0, 100.5, 0.25, 0.5]) == [None, 0.5, 0.25, 0.25]


def test_a_counter_that_rolls_over_goes_on_counting() -> None:
    assert counted([999.0, 999.5, 0.5], counter_max_kwh=1000.0) == [None, 0.5, 1.0]


def test_time_on_the_data_clock_comes_from_ticks_alone() -> None:
    aligner = aligner_for(ONE, PipelineClock(speed=0.0))
    log = Log()
    log.tick(0, tick_ms=0)
    log.append(TelemetryKind.METER, 0, Sent(0, "m1", 0, 3.0).to_bytes())
    log.append(TelemetryKind.METER, 0, Sent(0, "m1", 50_000, 5.0).to_bytes())
    assert feed(aligner, log).windows == []
    tick = Log()
    tick.tick(1, tick_ms=11_000)
    assert [w.window_start_ms - T0 for w in feed(aligner, tick).windows] == [0, 5_000]


def test_one_devices_fast_clock_cannot_advance_the_watermark() -> None:
    """A reading an hour ahead is refused and closes nothing."""
    aligner = aligner_for(ONE)
    emission = feed(aligner, log_of([Sent(100, "m1", 3_600_000, 3.0)], 5_000))
    assert emission.windows == []
    assert "too far ahead" in emission.refused[0].reading.errors[0]
    assert aligner.counts.dead_lettered == 1


def test_a_site_that_fell_silent_has_no_more_windows_after_a_while() -> None:
    aligner = aligner_for(ONE, dormant_after_s=60.0)
    emission = feed(aligner, log_of([Sent(100, "m1", 0, 3.0)], 500_000))
    assert max(last_revisions(emission)) == 65_000


def test_a_declared_sites_record_in_another_partition_is_refused_with_the_right_one() -> None:
    """DESIGN decision 1: one site lives in one partition; the dead letter names it."""
    elsewhere = (PARTITION + 1) % PARTITIONS
    aligner = PartitionAligner(elsewhere, PARTITIONS, CLOCK, AlignSettings(), {ONE.name: ONE}.get)
    emission = feed(aligner, log_of([Sent(100, "m1", 0, 1.0)], 12_000))
    assert emission.windows == []
    assert aligner.counts.dead_lettered == 1
    error = emission.refused[0].reading.errors[0]
    assert f"{SITE!r} belongs to partition {PARTITION}, not {elsewhere}" in error


def test_a_bad_reading_of_a_batch_is_refused_alone() -> None:
    aligner = aligner_for(ONE)
    good = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m1", 1_000, 1.0)])
    log = Log()
    log.append(TelemetryKind.METER, 0, good.replace(b'"value":1.0', b'"value":"x"', 1))
    emission = feed(aligner, log)
    assert aligner.counts.windowed == 1
    assert [r.reading.item for r in emission.refused] == [0]


@pytest.mark.parametrize("named", [b'"x"', b"[]", b"{}", b"null", b"1"])
def test_a_record_of_no_known_type_is_refused_whatever_stands_there(named: bytes) -> None:
    """D-3; found by fuzzing: a list there ended align, again and again."""
    aligner, log = aligner_for(ONE), Log()
    log.append(TelemetryKind.METER, 0, b'{"type":%s,"site":"site-a"}' % named)
    (refused,) = feed(aligner, log).refused
    assert refused.reading.errors[0].startswith("type: expected 'reading' or 'batch', got ")


def test_an_item_that_is_no_text_is_refused_alone() -> None:
    """D-3; found by fuzzing: a byte that is no UTF-8, within an item, ended align."""
    aligner, log = aligner_for(ONE), Log()
    batch = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m1", 1_000, 1.0)])
    log.append(TelemetryKind.METER, 0, batch.replace(b"kW", b"k\xff", 1))
    (refused,) = feed(aligner, log).refused
    assert refused.reading.errors[0].startswith("not JSON: ")
    assert aligner.counts.windowed == 1


@pytest.mark.parametrize("kind", [k for k in TelemetryKind if k is not TelemetryKind.METER])
def test_a_reading_on_the_topic_of_another_kind_is_refused_with_a_reason(
    kind: TelemetryKind,
) -> None:
    """Assets have a power, too: that the quantity fits does not make a meter one of them."""
    aligner, log = aligner_for(ONE), Log()
    log.append(kind, 0, Sent(0, "m1", 0, 1.0).to_bytes())
    (refused,) = feed(aligner, log).refused
    assert refused.reading.errors[0] == f"device: 'm1' is not a {kind} device of site {SITE!r}"


@pytest.mark.parametrize("unit", ["kW", "horses"])
def test_a_refused_reading_of_a_batch_knows_who_sent_it(unit: str) -> None:
    """So that it can be sent again as a reading of its own."""
    aligner, log = aligner_for(ONE), Log()
    bad = [Sent(0, "m1", 0, 1.0, unit=unit), Sent(0, "nobody", 0, 1.0)]
    log.append(TelemetryKind.METER, 0, as_batch(bad).replace(b'"value":1.0', b'"value":"x"', 1))
    emission = feed(aligner, log)
    assert [(r.reading.item, r.reading.source) for r in emission.refused] == [
        (0, "test"),
        (1, "test"),
    ]


@pytest.mark.parametrize(
    "whole", [Sent(0, "m1", 0, 1.0).to_bytes(), as_batch([Sent(0, "m1", 0, 1.0)])]
)
def test_a_newer_minor_version_is_windowed(whole: bytes) -> None:
    """DESIGN decision 4: unknown newer minor fields are tolerated."""
    aligner, log = aligner_for(ONE), Log()
    newer = whole.replace(b'"schema_version":"1.0"', b'"schema_version":"1.7","a_newer_field":[1]')
    log.append(TelemetryKind.METER, 0, newer)
    assert not feed(aligner, log).refused
    assert aligner.counts.windowed == 1


@pytest.mark.parametrize("also", [b"", b'"value":{"kw":1},'])
@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("Reading", Sent(0, "m1", 0, 1.0).to_bytes()),
        ("Batch", as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m1", 1, 1.0)])),
    ],
)
def test_another_major_version_is_refused_as_a_whole_and_both_are_named(
    name: str, whole: bytes, also: bytes
) -> None:
    """DESIGN decision 4: incompatible ones are dead-lettered with the reason."""
    aligner, log = aligner_for(ONE), Log()
    newer = whole.replace(b'"schema_version":"1.0",', b'"schema_version":"2.3",' + also)
    log.append(TelemetryKind.METER, 0, newer)
    (refused,) = feed(aligner, log).refused
    assert (refused.reading.item, refused.reading.original) == (-1, newer)
    assert refused.reading.site == SITE
    assert refused.reading.errors[0] == (
        f"schema_version: version 2.3 of {name} cannot be read here; this program has version"
        " 1.0, and reads every 1.x"
    )


readings_strategy = sendings(until_ms=60_000, most=25)


@given(readings=readings_strategy, batch=st.integers(1, 90), emit_every=st.integers(1, 9))
@settings(max_examples=150)
def test_the_last_revisions_do_not_depend_on_the_batching(
    readings: list[Sent], batch: int, emit_every: int
) -> None:
    """DESIGN time 4: the last revision of every window is deterministic."""
    log = log_of(readings, 120_000)
    one, many = aligner_for(TWO), aligner_for(TWO)
    whole = feed(one, log)
    pieces = feed(many, log, batch, emit_every)
    assert last_revisions(pieces) == last_revisions(whole)
    assert last_values(pieces) == last_values(whole)
    assert many.counts == one.counts


@given(readings=readings_strategy, seed=st.integers(0, 9))
@settings(max_examples=100)
def test_delay_order_and_duplication_within_the_bound_change_nothing(
    readings: list[Sent], seed: int
) -> None:
    """S3-12: late events are handled; every reading has exactly one fate."""
    chance = random.Random(seed)
    timely = [
        Sent(r.time_ms + 50, r.device, r.time_ms, r.value, event_id=r.event_id) for r in readings
    ]
    twice = timely + chance.sample(timely, len(timely) // 2)
    shuffled = [
        Sent(
            r.time_ms + chance.randint(50, 29_000),
            r.device,
            r.time_ms,
            r.value,
            event_id=r.event_id,
        )
        for r in chance.sample(twice, len(twice))
    ]
    calm, storm = aligner_for(TWO), aligner_for(TWO)
    expected, seen = feed(calm, log_of(timely, 130_000)), feed(storm, log_of(shuffled, 130_000))
    assert last_values(seen) == last_values(expected)
    assert storm.counts.windowed == calm.counts.windowed
    assert storm.counts.total == len(twice)
    assert storm.counts.too_late == 0


@given(readings=readings_strategy)
@settings(max_examples=60)
def test_windows_equal_a_millisecond_by_millisecond_reference(readings: list[Sent]) -> None:
    """D-4: aligned windows against a slow and obvious computation."""
    log = log_of(readings, 120_000, tick_every_ms=1_000)
    emission = feed(aligner_for(TWO), log)
    kept = accepted_by_definition(log, readings)
    for start, (values, status) in last_values(emission).items():
        for place, (device, interval) in enumerate((("m1", 5_000), ("m2", 10_000))):
            expected = reference_mean(kept[device], start, interval, 2 * interval)
            assert (values[place], status[place]) == expected


def accepted_by_definition(log: Log, readings: list[Sent]) -> dict[str, list[tuple[int, float]]]:
    """Readings that are not too late; on a conflict the one with the greatest event id."""
    chosen: dict[tuple[str, int], tuple[str, float]] = {}
    queue = sorted(readings, key=lambda sent: sent.append_ms)
    watermark = -(2**60)
    for record in log.records[TelemetryKind.METER]:
        if not record.is_tick:
            sent = queue.pop(0)
            if not is_too_late(sent.time_ms, watermark):
                identity = sent.event_id or f"{sent.device}/{sent.time_ms}/{sent.value}"
                key, entry = (sent.device, sent.time_ms), (identity, sent.value)
                chosen[key] = max(chosen.get(key, entry), entry)
        watermark = max(watermark, record.append_ms - T0)
    kept: dict[str, list[tuple[int, float]]] = {"m1": [], "m2": []}
    for (device, time_ms), (_, value) in chosen.items():
        kept[device].append((time_ms, value))
    return kept


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"", "empty record"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"type":"reading","x":' + b"[" * 5_000, "not JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"type":"order"}', "type: expected 'reading' or 'batch'"),
        (b'{"type":"batch","site":"s","source":"t","readings":7}', "readings: "),
    ],
)
def test_a_record_that_cannot_be_read_says_why_and_counts_once(value: bytes, error: str) -> None:
    """D-3: malformed records become dead letters, whatever is in them."""
    aligner = aligner_for(ONE)
    log = Log()
    log.append(TelemetryKind.METER, 0, value)
    refused = feed(aligner, log).refused
    assert aligner.counts.dead_lettered == 1
    assert error in refused[0].reading.errors[0]


def test_every_wrong_field_of_a_reading_is_named() -> None:
    """D-3: one dead letter names everything that is wrong."""
    good = Sent(0, "m1", 0, 1.0).to_bytes()
    broken = good.replace(b'"value":1.0', b'"value":"much"').replace(b'"unit":"kW"', b'"unit":null')
    unknown = good.replace(b'"m1"', b'"m9"').replace(b'"kW"', b'"horses"')
    log = Log()
    for value in (broken, unknown):
        log.append(TelemetryKind.METER, 0, value)
    first, second = (refused.reading.errors for refused in feed(aligner_for(ONE), log).refused)
    assert [error.split(":")[0] for error in first] == ["unit", "value"]
    assert [error.split(":")[0] for error in second] == ["device", "unit"]


@pytest.mark.parametrize(
    ("kind", "device", "quantity", "unit"),
    [
        (TelemetryKind.METER, "m1", "active_power", "kW"),
        (TelemetryKind.WEATHER, "w1", "air_temperature", "degC"),
        (TelemetryKind.RELAY, "b1", "relay_1", "on"),
        (TelemetryKind.ASSET, "bat", "state_of_charge", "%"),
    ],
)
def test_every_telemetry_topic_takes_a_good_record_and_refuses_a_bad_one(
    kind: TelemetryKind, device: str, quantity: str, unit: str
) -> None:
    """D-3: one valid and one bad record per topic: one accepted, one dead letter with reason."""
    battery = {"id": "bat", "gateway": "g1", "capacity_kwh": 10, "max_charge_kw": 5}
    model = site_model(batteries=[battery | {"max_discharge_kw": 5}])
    aligner = aligner_for(model)
    log = Log()
    for name in (device, "nobody"):
        log.append(kind, 0, Sent(0, name, 0, 1.0, quantity, unit, kind).to_bytes())
    refused = feed(aligner, log).refused
    assert (aligner.counts.windowed, aligner.counts.dead_lettered) == (1, 1)
    assert refused[0].reading.errors[0].startswith("device: 'nobody' is not a")


@pytest.mark.parametrize("years", [0.001, 0.1, 50])
def test_a_first_reading_from_long_ago_has_windows_of_its_own_and_none_up_to_now(
    years: float,
) -> None:
    """Nothing is late before the first watermark; the time in between costs nothing."""
    long_ago = -round(years * 31_536_000_000)
    old = Sent(0, "m1", long_ago, 3.0)
    now = [Sent(t + 100, "m1", t, 1.0) for t in range(0, 30_000, 5_000)]
    emission = feed(aligner_for(ONE, dormant_after_s=60.0), log_of([old, *now], 60_000))
    first, ends = window_start(T0 + long_ago) - T0, long_ago + 10_000 + 60_000  # hold, dormant
    expected = [*range(first, ends, 5_000), *range(0, 55_000, 5_000)]
    assert list(last_revisions(emission)) == expected
