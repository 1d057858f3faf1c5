"""Which decisions the log tells of, and how loudly."""

import logging

import msgspec
import pytest

from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.verdict import Accepted, Rejected
from streams.logs.decisions import tell_ack, tell_plan, tell_setpoint, tell_verdict
from streams.tracing import decision_trace_id
from tests.support.golden_messages import golden

log = logging.getLogger("gridloom.test")
PLAN, SETPOINT, ACK = golden(DispatchPlan), golden(Setpoint), golden(Ack)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, log.name)
    return caplog


def test_every_line_of_a_decision_carries_its_id(told: pytest.LogCaptureFixture) -> None:
    tell_plan(log, PLAN)
    tell_verdict(log, golden(Accepted))
    tell_verdict(log, golden(Rejected))
    tell_setpoint(log, SETPOINT)
    tell_ack(log, ACK)
    assert len(told.records) == 5
    for record in told.records:
        fields = record.__dict__
        assert fields["decision_id"].startswith(f"{fields['site']}.")
        assert fields["trace_id"] == decision_trace_id(fields["decision_id"])
        assert fields["seq"] >= 0
    assert told.records[3].__dict__["device"] == SETPOINT.device


def test_a_plan_that_changes_nothing_is_told_at_debug_only(told: pytest.LogCaptureFixture) -> None:
    still = tuple(msgspec.structs.replace(output, was_on=True, on=True) for output in PLAN.outputs)
    quiet = msgspec.structs.replace(PLAN, outputs=still, alerts=(), status=PlanStatus.OPTIMAL)
    shed = msgspec.structs.replace(still[0], on=False)
    tell_plan(log, quiet)
    tell_plan(log, msgspec.structs.replace(quiet, outputs=(shed, *still[1:])))
    tell_plan(log, msgspec.structs.replace(quiet, status=PlanStatus.BEST_EFFORT))
    levels = [record.levelno for record in told.records]
    assert levels == [logging.DEBUG, logging.INFO, logging.WARNING]
    assert f"{shed.device}/{shed.output} off" in told.messages[1]


def test_a_refusal_is_told_with_every_reason(told: pytest.LogCaptureFixture) -> None:
    rejected = golden(Rejected)
    tell_verdict(log, rejected)
    assert all(sentence in told.messages[0] for sentence in rejected.sentences)
    assert told.records[0].levelno == logging.WARNING


def test_renewals_and_duplicates_are_no_news_but_refusals_are(
    told: pytest.LogCaptureFixture,
) -> None:
    tell_setpoint(log, msgspec.structs.replace(SETPOINT, renewal=True))
    tell_setpoint(log, msgspec.structs.replace(SETPOINT, renewal=False))
    refused = msgspec.structs.replace(ACK, result=AckResult.REFUSED, changed=())
    tell_ack(log, msgspec.structs.replace(refused, reason=RefusalReason.DUPLICATE))
    tell_ack(log, msgspec.structs.replace(refused, reason=RefusalReason.FENCED))
    levels = [record.levelno for record in told.records]
    assert levels == [logging.DEBUG, logging.INFO, logging.DEBUG, logging.WARNING]
