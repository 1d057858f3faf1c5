"""Messages become points: on the grid, gaps kept, nonsense refused."""

import pytest
from msgspec.structs import asdict, replace

from schemas.dispatch_plan import PlanStatus
from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.setpoint import AckResult, RefusalReason
from schemas.site_window import MeterWindows
from schemas.verdict import Observed, Refusal, Rejected, Renewed, Verdict
from streams.historians.mapping import EventMessage, StoredMessage, event_message, to_point
from streams.historians.points import EventKind, EventPoint, MeterPoints, SitePoint
from tests.support import historian_messages as given

WINDOW = 3
ONE_OF_EACH = [
    given.plan(WINDOW),
    given.verdict(WINDOW),
    given.setpoint(WINDOW),
    given.ack(WINDOW),
]


def _event(message: EventMessage) -> EventPoint:
    point = to_point(message)
    assert isinstance(point, EventPoint)
    return point


def _verdicts() -> list[Verdict]:
    common = {
        name: value
        for name, value in asdict(given.verdict(WINDOW)).items()
        if name not in {"targets", "schema_version"}
    }
    return [
        Renewed(**common, targets=(), accepted_decision_id="other", alert="blind"),
        Observed(**common, would_refuse=(Refusal.STALE,)),
        Rejected(**common, refusals=(Refusal.STALE, Refusal.BLIND), sentences=("a", "b")),
    ]


def test_site_window_keeps_every_field_but_the_wire_version() -> None:
    window = given.site_window(WINDOW)
    point = to_point(window)
    assert isinstance(point, SitePoint)
    told = asdict(window)
    del told["schema_version"]
    assert asdict(point) == told
    assert point.net_kw == window.net_kw


def test_chunk_becomes_one_point_per_series_with_its_gaps() -> None:
    message = given.chunk(WINDOW)
    point = to_point(message)
    assert isinstance(point, MeterPoints)
    assert (point.series, point.values, point.status) == (
        message.series,
        message.values,
        message.status,
    )
    assert point.values[point.status.index("x")] is None


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_event_gives_back_the_very_message(message: EventMessage) -> None:
    assert event_message(_event(message)) == message


@pytest.mark.parametrize("message", _verdicts(), ids=lambda message: type(message).__name__)
def test_every_kind_of_verdict_comes_back(message: Verdict) -> None:
    event = _event(message)
    assert event_message(event) == message
    assert event.outcome == type(message).__name__.lower()


@pytest.mark.parametrize(
    "message",
    [given.site_window(WINDOW), given.chunk(WINDOW), *ONE_OF_EACH],
    ids=lambda message: type(message).__name__,
)
def test_every_point_lies_on_its_decisions_window(message: StoredMessage) -> None:
    """D-4: every point timestamp mod 5 s = 0."""
    assert to_point(message).window_start_ms == given.start_of(WINDOW)


def test_plan_event_sums_up_limits_and_switching() -> None:
    event = _event(given.plan(WINDOW))
    assert event.kind is EventKind.PLAN
    assert event.at_ms is None
    assert event.outcome == PlanStatus.OPTIMAL
    assert (event.switched_on, event.switched_off) == (1, 1)
    assert (event.load_kw, event.uncontrolled_kw, event.expected_kw) == (90.0, 95.0, 84.0)
    assert (event.threshold_kw, event.violation_kw) == (85.0, 0.0)
    assert event.reasons == ("never-shed", "restored", "shed-low-priority", "unknown-state")


def test_rejection_event_names_its_refusals_sorted() -> None:
    reasons = {_event(verdict).outcome: _event(verdict).reasons for verdict in _verdicts()}
    assert reasons == {"renewed": (), "observed": ("stale",), "rejected": ("blind", "stale")}


def test_renewal_of_a_lease_is_no_command() -> None:
    command = given.setpoint(WINDOW)
    assert _event(command).outcome == "command"
    assert _event(replace(command, renewal=True)).outcome == "renewal"


def test_override_in_a_window_is_an_event_of_its_own() -> None:
    command = given.setpoint(WINDOW)
    override = replace(command, seq=command.seq + 1)
    assert _event(override).key != _event(command).key
    assert _event(override).window_start_ms == _event(command).window_start_ms


def test_ack_event_counts_what_the_readback_shows() -> None:
    event = _event(given.ack(WINDOW))
    assert (event.switched_on, event.switched_off) == (1, 1)
    assert (event.at_ms, event.device, event.reasons) == (
        given.start_of(WINDOW) + 6_312,
        "board-1",
        (),
    )


def test_refused_ack_says_why_and_switched_nothing() -> None:
    refused = replace(
        given.ack(WINDOW), result=AckResult.REFUSED, reason=RefusalReason.FENCED, changed=()
    )
    event = _event(refused)
    assert (event.outcome, event.reasons) == ("refused", ("fenced",))
    assert (event.switched_on, event.switched_off) == (0, 0)


CHUNK = given.chunk(WINDOW)
NONSENSE = {
    "off the grid": (replace(CHUNK, window_start_ms=given.START_MS + 1), "multiple of 5000"),
    "before the epoch": (replace(given.site_window(0), window_start_ms=-5_000), "window_start_ms"),
    "too large": (replace(given.ack(0), acked_ms=2**63), "at_ms"),
    "negative number": (replace(given.setpoint(0), seq=-1), "seq"),
    "negative revision": (replace(CHUNK, revision=-1), "revision"),
    "short column": (replace(CHUNK, values=CHUNK.values[1:]), "10 series, 9 values, 10 statuses"),
    "unknown status": (replace(CHUNK, status="?" + CHUNK.status[1:]), "'?' is unknown"),
    "zero for missing": (replace(CHUNK, values=(0.0,) * 10), "only where"),
    "measured but None": (replace(CHUNK, status="m" * 10), "only where"),
}


@pytest.mark.parametrize(("message", "told"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_before_the_database_sees_it(message: StoredMessage, told: str) -> None:
    with pytest.raises(MessageError, match="cannot be stored") as caught:
        to_point(message)
    assert any(told in problem for problem in caught.value.problems)


def test_every_problem_is_named_at_once() -> None:
    bad = replace(CHUNK, window_start_ms=1, revision=-1, status="?" * 10)
    with pytest.raises(MessageError) as caught:
        to_point(bad)
    assert len(caught.value.problems) == 4


def test_points_survive_the_wire() -> None:
    """What is stored of a message is stored alike after it went through Kafka."""
    decoder: Decoder[MeterWindows] = Decoder(MeterWindows)
    assert to_point(decoder.decode(encode(CHUNK))) == to_point(CHUNK)
