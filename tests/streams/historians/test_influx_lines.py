"""Line protocol: what a real InfluxDB gives back is what was written, to the last character."""

from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.identity import parse_decision_id
from schemas.site_window import SeriesName
from schemas.windows import WINDOW_MS
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_lines import BODY_BYTES, LineMaker, body_parts
from streams.historians.influx_times import LAST_MS, event_ns, span_ns
from streams.historians.mapping import to_point
from streams.historians.points import EventKind, EventPoint, MeterPoints, Point
from streams.historians.protocol import Historian
from tests.support import historian_messages as given
from tests.support.historian_logs import texts
from tests.support.historian_messages import SITE, start_of
from tests.support.influx import InfluxBucket

_WINDOWS = count()
"""A window of its own for every example: the bucket is the same."""

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)
"""As ``schemas.site_model.Name`` has it."""


def _event(kind: str = "plan", window: int = 1) -> EventPoint:
    point = to_point(getattr(given, kind)(window))
    assert isinstance(point, EventPoint)
    return point


def _chunk() -> MeterPoints:
    point = to_point(given.chunk(1))
    assert isinstance(point, MeterPoints)
    return point


@pytest.mark.influxdb
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(site=NAMES, device=NAMES, body=texts(), key=texts(), value=st.floats(-1e9, 1e9))
def test_any_name_of_a_site_model_and_any_text_come_back(
    in_influxdb: InfluxHistorian, site: str, device: str, body: str, key: str, value: float
) -> None:
    window = next(_WINDOWS)
    span = (site, start_of(window), start_of(window + 1))
    event = replace(_event("ack", window), site=site, device=device, body=body, key=key)
    meters = replace(
        _chunk(),
        site=site,
        window_start_ms=start_of(window),
        series=(SeriesName(device=device, quantity="voltage"),),
        values=(value,),
        status="m",
    )
    assert in_influxdb.write([event, meters]) == ()
    assert in_influxdb.events(*span) == [event]
    (point,) = in_influxdb.meter_windows(*span)
    assert (point.device, point.value) == (device, value)


@pytest.mark.influxdb
@pytest.mark.parametrize("length", [BODY_BYTES - 1, BODY_BYTES, BODY_BYTES + 1, 700_000])
@pytest.mark.parametrize("letter", ["x", "ü", "\N{MUSICAL SYMBOL G CLEF}", '"'])
def test_a_body_longer_than_a_string_may_be_is_kept_whole(
    in_influxdb: InfluxHistorian, length: int, letter: str
) -> None:
    event = replace(_event(), body="a" + letter * length)
    assert in_influxdb.write([event]) == ()
    assert in_influxdb.events(SITE, 0, 2**62) == [event]


@for_all(body=st.text(st.sampled_from("aü€\N{MUSICAL SYMBOL G CLEF}"), max_size=50), data=st.data())
def test_a_body_is_never_cut_within_a_character(body: str, data: st.DataObject) -> None:
    filler = data.draw(st.integers(BODY_BYTES - 60, BODY_BYTES + 4))
    whole = "a" * filler + body + "b" * BODY_BYTES + body
    parts = body_parts(whole)
    assert "".join(parts) == whole
    assert max(len(part.encode()) for part in parts) <= BODY_BYTES


@pytest.mark.influxdb
def test_influxdb_takes_longer_strings_than_it_documents_and_has_a_limit(
    influx_bucket: InfluxBucket, in_influxdb: InfluxHistorian
) -> None:
    """What BODY_BYTES is measured against; and a limit that is met ends in a refusal."""
    limit = 1_048_576
    fits = replace(_event(), decision_id="x" * limit)
    too_long = replace(_event(window=2), decision_id="x" * (limit + 1))
    (refused,) = in_influxdb.write([fits, too_long])
    assert refused.index == 1
    assert "too long" in refused.reason
    (event,) = in_influxdb.events(SITE, 0, 2**62)
    assert event == fits
    influx_bucket.write([f'event,kind=x,site=y key="{"x" * limit}" 1'])


UNFIT = ["", "a\nb", "a\rb", "tab\t", "back\\slash", "ends\\", "\x00", "n" * 1_025]


@pytest.mark.influxdb
@pytest.mark.parametrize("name", UNFIT)
def test_a_name_that_no_tag_can_hold_is_refused_and_its_neighbours_are_written(
    in_influxdb: InfluxHistorian, name: str
) -> None:
    """Not by our own site models: a foreign producer may send anything."""
    odd_series = (SeriesName(device=name, quantity="voltage"), *_chunk().series[1:])
    points = [
        to_point(given.site_window(1)),
        replace(_chunk(), site=name),
        replace(_chunk(), series=odd_series),
        replace(_event("ack"), device=name),
        _event("ack"),
    ]
    refused = in_influxdb.write(points)
    assert [each.index for each in refused] == [1, 2, 3]
    assert {"cannot be a tag" in each.reason for each in refused} == {True}
    assert len(in_influxdb.meter_windows(SITE, 0, 2**62)) == 9
    assert in_influxdb.write(points) == refused


@pytest.mark.influxdb
def test_the_last_window_that_influxdb_knows_is_kept_and_the_next_is_refused(
    in_influxdb: InfluxHistorian,
) -> None:
    last_ms = LAST_MS // WINDOW_MS * WINDOW_MS
    points: list[Point] = [
        replace(_event("ack"), window_start_ms=last_ms),
        replace(_chunk(), window_start_ms=last_ms),
        replace(_chunk(), window_start_ms=last_ms + WINDOW_MS),
        replace(_chunk(), window_start_ms=0),
    ]
    (refused,) = in_influxdb.write(points)
    assert refused.index == 2
    assert "2262" in refused.reason
    assert len(in_influxdb.events(SITE, last_ms, 2**62)) == 1
    assert len(in_influxdb.meter_windows(SITE, 0, 2**62)) == 20


def test_lines_are_as_the_dashboards_expect_them() -> None:
    """The layout that Grafana's queries and the downsampling tasks rest on."""
    maker = LineMaker()
    ns = start_of(1) * 1_000_000
    lines = maker.lines_of(_chunk()).lines
    key = f"meter_window,device=meter-000,quantity=active_power,site={SITE}"
    assert lines[0] == f'{key} revision=0i,status="m",value=0.1 {ns}'
    key = key.replace("000", "006")
    assert lines[6] == f'{key} revision=0i,status="x" {ns}'
    (site,) = maker.lines_of(to_point(given.site_window(1))).lines
    assert site.startswith(f"site_window,site={SITE} revision=0i,model_hash=")
    assert 'completeness="degraded",load_kw=1.0,generation_kw=-1.5,net_kw=-0.5,' in site
    assert "energy_known=false,measured=3i,valid=2i,missing=1i,missing_rated_kw=4.0," in site
    (plan,) = maker.lines_of(_event()).lines
    assert plan.startswith(f'event,kind=plan,site={SITE} key="{_event().key}",window_start_ms=')
    assert plan.endswith(f" {ns + 0x01234567}")
    (ack,) = maker.lines_of(_event("ack")).lines
    assert ack.startswith(f"event,device=board-1,kind=ack,site={SITE} ")


@pytest.mark.parametrize("kind", ["plan", "verdict", "setpoint", "ack"])
def test_an_event_lies_within_its_window(kind: str) -> None:
    """D-4: whole windows; events within theirs, where tags and time tell them apart."""
    offset_ns = event_ns(_event(kind)) - start_of(1) * 1_000_000
    assert 0 <= offset_ns < WINDOW_MS * 1_000_000


def test_a_plan_and_its_verdict_have_one_time_and_it_tells_the_model() -> None:
    plan, verdict = _event("plan"), _event("verdict")
    assert event_ns(plan) == event_ns(verdict)
    _, start_ms, model_hash = parse_decision_id(plan.decision_id)
    assert event_ns(plan) == start_ms * 1_000_000 + int(model_hash, 16)
    other = replace(plan, decision_id=plan.decision_id.replace("01234567", "76543210"))
    assert event_ns(other) != event_ns(plan)


@for_all(kind=st.sampled_from(EventKind), identity=texts(), key=texts(), seq=st.integers(0, 2**62))
def test_any_event_has_a_time_within_its_window(
    kind: EventKind, identity: str, key: str, seq: int
) -> None:
    event = replace(_event(), kind=kind, decision_id=identity, key=key, seq=seq)
    assert 0 <= event_ns(event) - start_of(1) * 1_000_000 < WINDOW_MS * 1_000_000


def test_overrides_of_one_window_are_told_apart_and_so_are_epochs() -> None:
    command = given.setpoint(1)
    others = [
        *(replace(command, seq=command.seq + n) for n in range(16)),
        *(replace(command, epoch=epoch) for epoch in (2, 3)),
    ]
    times = {event_ns(event) for event in map(to_point, others) if isinstance(event, EventPoint)}
    assert len(times) == 18


@pytest.mark.influxdb
def test_acks_of_one_window_and_device_are_told_apart_by_their_keys(
    in_influxdb: InfluxHistorian,
) -> None:
    acks = [replace(_event("ack"), key=f"board-1/{n}") for n in range(200)]
    historian: Historian = in_influxdb
    assert not historian.write(acks)
    assert {event.key for event in historian.events(SITE, 0, 2**62)} == {ack.key for ack in acks}


@for_all(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_a_span_holds_the_windows_that_start_in_it(from_ms: int, to_ms: int) -> None:
    start, stop = span_ns(from_ms, to_ms)
    for window_ms in (0, start_of(0), start_of(1), LAST_MS // WINDOW_MS * WINDOW_MS):
        assert (start <= window_ms * 1_000_000 < stop) is (from_ms <= window_ms < to_ms)
