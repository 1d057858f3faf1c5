"""What the examples of version 1.0 mean once they are read: each value in its type and unit."""

import json
from base64 import b64decode

from schemas.align_state import (
    AlignPosition,
    CarriedChunk,
    CarriedReading,
    EmittedRevision,
    ReadingCounts,
    SiteLedger,
    TopicPosition,
)
from schemas.clock import PipelineClock
from schemas.control import GlobalStop
from schemas.dead_letter import DeadLetter, as_base64
from schemas.dispatch_plan import (
    DeviceTarget,
    DispatchPlan,
    OutputState,
    PlanStatus,
    PowerSetpoint,
    ReasonCode,
)
from schemas.identity import DEFAULT_EPOCH, decision_id, reading_id, setpoint_seq
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.site_model import Mode, Role, SiteModel, parse_site_model
from schemas.site_window import (
    Completeness,
    MeterWindows,
    RelayWindow,
    SeriesName,
    SeriesStatus,
    SiteWindow,
)
from schemas.stage_state import ActuateState, DeviceLease, DispatchState, GateState, OutputMemory
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.verdict import Accepted, Observed, Refusal, Rejected, Renewed
from tests.support.golden_messages import golden, golden_value

START_MS = 1_700_000_000_000
SEQ = 5_440_000_000
SHED = (
    OutputState(output=1, on=True),
    OutputState(output=2, on=True),
    OutputState(output=3, on=True),
    OutputState(output=4, on=False),
)
TARGETS = (DeviceTarget(device="board-1", gateway="gw-1", outputs=SHED),)


def test_a_reading_carries_its_value_with_its_unit() -> None:
    """D-3: a meter reading; generation is negative."""
    reading = golden(Reading)
    assert (reading.site, reading.source, reading.device) == ("depot", "head-end", "roof")
    assert (reading.quantity, reading.value, reading.unit) == ("active_power", -12_500.5, "W")
    assert reading.event_time_ms == START_MS + 1_250
    assert reading.event_id == reading_id(
        reading.source, reading.device, reading.quantity, reading.event_time_ms
    )


def test_a_batch_carries_many_readings_of_one_site() -> None:
    """DESIGN decision 4: one head-end, many readings."""
    batch = golden(Batch)
    assert (batch.site, batch.source) == ("depot", "head-end")
    assert batch.readings[1] == BatchItem(
        event_id="head-end/hall/energy_import/1700000001000",
        device="hall",
        quantity="energy_import",
        unit="kWh",
        value=81_234.125,
        event_time_ms=START_MS + 1_000,
    )
    assert [item.quantity for item in batch.readings] == ["active_power", "energy_import"]


def test_a_pipeline_clock_tells_the_time_of_the_grid() -> None:
    """DESIGN "Time" 1: a minute of the grid for every second."""
    clock = golden(PipelineClock)
    assert clock.at(1_763_000_000_000) == START_MS
    assert clock.at(1_763_000_001_000) == START_MS + 60_000


def test_a_site_model_carries_the_constants_of_the_reference_board() -> None:
    """S1-7: 100 kW, held at 85 %; 30, 20, 10 and 10 kW, the first never shed."""
    model = parse_site_model(golden_value(SiteModel), "example")
    assert (model.capacity_kw, model.threshold_ratio, model.threshold_kw) == (100.0, 0.85, 85.0)
    relays = model.boards["board-1"].relays
    assert [relay.load_kw for relay in relays] == [30.0, 20.0, 10.0, 10.0]
    assert [relay.sheddable for relay in relays] == [False, True, True, True]
    assert [relay.on_lease_end for relay in relays] == ["on", "on", "on", "off"]
    assert [meter.role for meter in model.meters] == [Role.LOAD, Role.GENERATION, Role.SUB_METER]
    assert [meter.held_s for meter in model.meters] == [15.0, 10.0, 10.0]
    assert (model.mode, model.gateways) == (Mode.CONTROL, ("gw-1", "gw-2"))


def test_a_global_stop_says_who_stopped_and_why() -> None:
    """DESIGN decision 9: a global stop."""
    stop = golden(GlobalStop)
    assert stop.stopped is True
    assert (stop.by, stop.reason) == ("operator on shift", "work on the busbar")
    assert stop.at_ms == START_MS + 7_000


def test_a_site_window_keeps_what_is_missing_apart_from_zero() -> None:
    """DESIGN "Time" 5: missing is a value, never zero."""
    window = golden(SiteWindow)
    assert (window.window_start_ms, window.revision) == (START_MS, 1)
    assert window.completeness is Completeness.DEGRADED
    assert window.energy_import_kwh is None
    assert window.relays == (
        RelayWindow(device="board-1", output=1, on=True),
        RelayWindow(device="board-1", output=2, on=True, load_kw=18.75),
        RelayWindow(device="board-1", output=3, on=False),
        RelayWindow(device="board-1", output=4, on=None),
    )
    assert (window.measured, window.valid, window.missing) == (9, 2, 3)
    assert window.missing_series == ("board-1/relay_4", "cold-store/active_power")
    assert window.weather == {"air_temperature": 4.5, "global_irradiance": 310.0}


def test_the_net_load_of_a_window_is_load_less_what_is_generated() -> None:
    window = golden(SiteWindow)
    assert (window.load_kw, window.generation_kw) == (104.9, -12.5)
    assert window.net_kw == 92.4


def test_meter_windows_carry_columns_of_one_chunk() -> None:
    """DESIGN decision 4: per-meter columns go to ``windows.meter`` in chunks."""
    windows = golden(MeterWindows)
    assert (windows.window_start_ms, windows.revision, windows.chunk) == (START_MS, 0, 2)
    assert windows.series[2] == SeriesName(device="cold-store", quantity="active_power")
    assert windows.values == (62.4, -12.5, None)
    assert [SeriesStatus(letter) for letter in windows.status] == [
        SeriesStatus.MEASURED,
        SeriesStatus.VALID,
        SeriesStatus.MISSING,
    ]


def test_an_align_position_carries_offsets_watermarks_and_counts() -> None:
    """DESIGN "Time" 7: the counts travel in ``align.state``."""
    position = golden(AlignPosition)
    assert position.topics["meter"] == TopicPosition(
        next_offset=1_200,
        watermark_ms=START_MS + 31_000,
        replay_offset=900,
        replay_watermark_ms=START_MS - 400,
    )
    assert position.topics["weather"].watermark_ms is None
    assert (position.final_before_ms, position.carried_before_ms) == (START_MS, START_MS - 5_000)
    assert position.counts == ReadingCounts(
        windowed=1180, duplicate=11, too_late=6, dead_lettered=3
    )
    assert position.counts.total == 1_200


def test_reading_counts_add_up_class_by_class() -> None:
    """DESIGN "Time" 7: each reading has exactly one class."""
    counts = golden(AlignPosition).counts
    more = ReadingCounts(windowed=1, duplicate=2, too_late=3, dead_lettered=4)
    assert counts + more == ReadingCounts(windowed=1181, duplicate=13, too_late=9, dead_lettered=7)


def test_a_site_ledger_carries_the_revisions_of_open_windows() -> None:
    """DESIGN decision 3: the last emitted revision and content hash of each open window."""
    ledger = golden(SiteLedger)
    assert ledger.site == "depot"
    assert ledger.emitted == (
        EmittedRevision(window_start_ms=START_MS, revision=1, content_hash="9c41f2aa07d3b6e8"),
        EmittedRevision(
            window_start_ms=START_MS + 5_000, revision=0, content_hash="03be77d1c5a9f240"
        ),
    )


def test_a_carried_chunk_carries_values_in_fixed_point() -> None:
    """DESIGN decision 3: what final windows left behind."""
    assert golden(CarriedChunk).readings[1] == CarriedReading(
        site="depot",
        device="roof",
        quantity="active_power",
        event_time_ms=START_MS - 2_500,
        value_micro=-12_500_500,
    )


def test_a_dispatch_plan_is_named_after_site_window_and_model() -> None:
    """DESIGN decision 7: the decision id, and seq = 16 x window index."""
    plan = golden(DispatchPlan)
    assert plan.decision_id == decision_id(plan.site, plan.window_start_ms, plan.model_hash)
    assert plan.seq == setpoint_seq(plan.window_start_ms) == SEQ
    assert plan.epoch == DEFAULT_EPOCH
    assert plan.model_hash == golden(SiteWindow).model_hash


def test_a_dispatch_plan_gives_every_output_its_reason() -> None:
    """DESIGN decision 6: a best-effort plan says by how much it fails."""
    plan = golden(DispatchPlan)
    assert (plan.status, plan.completeness) == (PlanStatus.BEST_EFFORT, Completeness.COMPLETE)
    assert [decision.reason for decision in plan.outputs] == [
        ReasonCode.NEVER_SHED,
        ReasonCode.HELD_BY_DWELL,
        ReasonCode.UNKNOWN_STATE,
        ReasonCode.SHED_LOW_PRIORITY,
    ]
    assert [decision.was_on for decision in plan.outputs] == [True, True, None, True]
    assert [decision.on for decision in plan.outputs] == [True, True, None, False]
    assert (plan.load_kw, plan.uncontrolled_kw, plan.expected_kw) == (92.4, 102.4, 87.4)
    assert (plan.threshold_kw, plan.capacity_kw, plan.violation_kw) == (85.0, 100.0, 2.4)


def test_a_plan_leaves_an_unknown_output_alone_and_discharges_below_zero() -> None:
    """DESIGN decision 8: state is believed only from telemetry; discharging is negative."""
    board, battery = golden(DispatchPlan).targets
    assert [state.output for state in board.outputs] == [1, 2, 4]
    assert battery.powers == (PowerSetpoint(asset="battery-1", power_kw=-5.0),)


def test_an_accepted_verdict_carries_the_targets() -> None:
    verdict = golden(Accepted)
    assert verdict.targets == TARGETS
    assert verdict.decision_id == golden(DispatchPlan).decision_id
    assert (verdict.seq, verdict.decided_ms) == (SEQ, START_MS + 6_200)


def test_a_renewed_verdict_names_the_decision_that_it_renews() -> None:
    """DESIGN "Time" 6: the gate renews the last accepted setpoints, with an alert."""
    verdict = golden(Renewed)
    assert verdict.targets == TARGETS
    assert verdict.accepted_decision_id == "depot.339999999.5f1d0c9e"
    assert verdict.alert == "site depot is blind: the last setpoints are renewed"


def test_an_observed_verdict_says_what_would_have_been_refused() -> None:
    """DESIGN decision 9: plan, never command."""
    assert golden(Observed).would_refuse == (Refusal.NEVER_SHED, Refusal.OVER_CAPACITY)


def test_a_rejected_verdict_carries_every_reason_with_its_sentence() -> None:
    verdict = golden(Rejected)
    assert verdict.refusals == (Refusal.GLOBAL_STOP, Refusal.OUT_OF_ORDER)
    assert verdict.sentences == (
        "the global stop is on: no command leaves",
        "its sequence number 5440000000 does not follow 5440000016",
    )


def test_a_dispatch_state_remembers_outputs_that_were_never_known() -> None:
    state = golden(DispatchState)
    assert (state.last_window_ms, state.base_kw) == (START_MS, (31.5, 32.4))
    seen_ms = START_MS - 60_000
    assert state.outputs == (
        OutputMemory(
            device="board-1",
            output=1,
            on=True,
            since_ms=seen_ms,
            planned_on=True,
            planned_ms=seen_ms,
        ),
        OutputMemory(device="board-1", output=4),
    )


def test_a_gate_state_remembers_what_is_in_force() -> None:
    state = golden(GateState)
    assert (state.last_seq, state.blind_since_ms) == (SEQ, START_MS)
    assert state.accepted_decision_id == "depot.339999999.5f1d0c9e"
    assert state.targets == TARGETS


def test_a_setpoint_is_a_lease_with_an_absolute_end() -> None:
    """DESIGN decision 8: in Kafka ``valid_until`` is absolute."""
    setpoint = golden(Setpoint)
    assert setpoint.valid_until_ms - setpoint.issued_ms == 60_000
    assert (setpoint.gateway, setpoint.device) == ("gw-1", "board-1")
    assert (setpoint.outputs, setpoint.renewal) == (SHED, True)
    assert setpoint.powers == (PowerSetpoint(asset="charger-1", power_kw=11.0),)


def test_an_ack_carries_the_state_that_was_read_back() -> None:
    """D-5: one correlation id from command to acknowledgement."""
    ack = golden(Ack)
    assert (ack.result, ack.reason) == (AckResult.PARTIAL, RefusalReason.UNKNOWN_OUTPUT)
    assert (ack.outputs, ack.changed) == (SHED, (4,))
    assert (ack.decision_id, ack.seq) == (golden(Setpoint).decision_id, golden(Setpoint).seq)
    assert ack.acked_ms == START_MS + 6_480


def test_an_actuate_state_remembers_one_lease_per_device() -> None:
    assert golden(ActuateState).leases == (
        DeviceLease(
            device="board-1",
            outputs=SHED,
            seq=SEQ,
            issued_ms=START_MS + 6_300,
            valid_until_ms=START_MS + 66_300,
            acked_seq=SEQ - 16,
        ),
    )


def test_a_dead_letter_says_where_it_came_from_and_everything_that_is_wrong() -> None:
    """D-3: dead-lettered with its reason; DESIGN decision 4: original bytes and every error."""
    letter = golden(DeadLetter)
    assert (letter.stage, letter.origin, letter.partition) == ("align", "telemetry.meter", 3)
    assert (letter.position, letter.item, letter.readings) == (4711, 1, 1)
    assert [error.split(":")[0] for error in letter.errors] == ["unit", "value"]
    original = b64decode(letter.original_base64, validate=True)
    assert json.loads(original)["unit"] == "MWh"
    assert as_base64(original) == letter.original_base64
