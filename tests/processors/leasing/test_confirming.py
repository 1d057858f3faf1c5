"""What counts as a confirmation, and what does not."""

import pytest
from msgspec.structs import replace

from processors.leasing.confirming import record_ack
from schemas.dispatch_plan import OutputState
from schemas.setpoint import Ack, AckResult, RefusalReason
from schemas.stage_state import ActuateState, DeviceLease

NOW_MS = 1_700_000_000_000
OUTPUTS = (OutputState(output=1, on=True), OutputState(output=2, on=False))


def _lease(device: str, acked_seq: int = -1) -> DeviceLease:
    return DeviceLease(
        device=device,
        outputs=OUTPUTS,
        seq=160,
        issued_ms=NOW_MS,
        valid_until_ms=NOW_MS + 60_000,
        acked_seq=acked_seq,
    )


STATE = ActuateState(site="depot", leases=(_lease("board-1"), _lease("board-2")))
APPLIED = Ack(
    event_id="board-1/160",
    decision_id="depot.10.00000000",
    site="depot",
    gateway="gw-1",
    device="board-1",
    seq=160,
    epoch=1,
    result=AckResult.APPLIED,
    outputs=(*OUTPUTS, OutputState(output=3, on=True)),
    changed=(2,),
    acked_ms=NOW_MS + 200,
)
CONFIRMED = ActuateState(site="depot", leases=(_lease("board-1", 160), _lease("board-2")))


def test_applied_command_is_confirmed_for_its_device_alone() -> None:
    """S1-D9: state only from telemetry and acknowledgements."""
    assert record_ack(STATE, APPLIED) == CONFIRMED


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_only_a_duplicate_is_a_refusal_that_confirms(reason: RefusalReason) -> None:
    """DESIGN decision 7: a duplicate was applied before; its first answer was lost."""
    refused = replace(APPLIED, result=AckResult.REFUSED, reason=reason, outputs=())
    expected = CONFIRMED if reason is RefusalReason.DUPLICATE else STATE
    assert record_ack(STATE, refused) == expected


def test_command_done_in_part_is_not_confirmed() -> None:
    assert record_ack(STATE, replace(APPLIED, result=AckResult.PARTIAL)) is STATE


@pytest.mark.parametrize(
    "foreign",
    [
        replace(APPLIED, site="harbour"),
        replace(APPLIED, device="board-9"),
        replace(APPLIED, seq=161),
    ],
)
def test_acknowledgement_of_what_was_not_sent_changes_nothing(foreign: Ack) -> None:
    assert record_ack(STATE, foreign) is STATE


@pytest.mark.parametrize("result", [AckResult.APPLIED, AckResult.REFUSED])
def test_readback_that_contradicts_the_command_confirms_nothing(result: AckResult) -> None:
    """FIELD "Write proof": a setpoint counts only after readback."""
    reason = RefusalReason.DUPLICATE if result is AckResult.REFUSED else None
    stuck = (OutputState(output=1, on=True), OutputState(output=2, on=True))
    assert record_ack(STATE, replace(APPLIED, result=result, reason=reason, outputs=stuck)) is STATE


def test_late_acknowledgement_confirms_only_its_own_command() -> None:
    opposite = (OutputState(output=2, on=True),)
    late = record_ack(STATE, replace(APPLIED, seq=144, outputs=opposite))
    assert late.leases[0].acked_seq == 144
    assert late.leases[1] == STATE.leases[1]


def test_confirmation_is_never_taken_back() -> None:
    assert record_ack(CONFIRMED, replace(APPLIED, seq=144)) is CONFIRMED
    assert record_ack(CONFIRMED, APPLIED) is CONFIRMED
