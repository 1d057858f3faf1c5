"""`gridloom explain` against a real Kafka that holds a site's decisions."""

import json
from typing import Any

import pytest

from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams.explaining.asking import explain
from streams.explaining.story import Story
from streams.finding import LocalStack
from tests.streams.cli.chain import (
    ACK_MS,
    CLOSES_MS,
    PLAN_MS,
    SETPOINT_MS,
    SHED_WINDOW,
    VERDICT_MS,
    WINDOWS,
    Chain,
    start_of,
)
from tests.streams.cli.conftest import SPEED, Gridloom

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def shed(stack_settings: Settings, chain: Chain) -> Story:
    """The decision that sheds output 4."""
    return explain(stack_settings, chain.decision(SHED_WINDOW))


def test_a_decision_is_told_from_its_window_to_the_confirmed_state(shed: Story) -> None:
    """DESIGN: one decision id runs from the window to the device-confirmed state (D-5)."""
    assert shed.first_window is not None
    assert shed.last_window is not None
    assert shed.verdict is not None
    assert (shed.first_window.message.revision, shed.first_window.message.load_kw) == (0, 95.0)
    assert (shed.last_window.message.revision, shed.last_window.message.load_kw) == (1, 94.5)
    assert shed.plan.message.load_kw == 95.0
    (setpoint,), (ack,) = shed.setpoints, shed.acks
    assert [(o.output, o.on) for o in setpoint.message.outputs] == [
        (2, True),
        (3, True),
        (4, False),
    ]
    assert ack.message.changed == (4,)
    steps = (shed.plan, shed.verdict, setpoint, ack)
    assert {step.message.decision_id for step in steps} == {shed.decision_id}


def test_delays_are_those_between_the_stamps_of_the_records(shed: Story) -> None:
    told = [(delay.start, delay.end, delay.log_ms) for delay in shed.delays]
    assert told == [
        ("window", "plan", PLAN_MS),
        ("plan", "verdict", VERDICT_MS),
        ("verdict", "setpoint board-1", SETPOINT_MS),
        ("setpoint board-1", "ack board-1", ACK_MS),
        ("window", "ack board-1", PLAN_MS + VERDICT_MS + SETPOINT_MS + ACK_MS),
    ]
    assert [delay.pipeline_ms for delay in shed.delays] == [140, 90, 80, 310, 620]


def test_every_step_has_its_pipeline_time(shed: Story) -> None:
    assert shed.first_window is not None
    assert shed.verdict is not None
    published_ms = start_of(SHED_WINDOW) + 5_000 + CLOSES_MS
    assert shed.first_window.pipeline_ms == published_ms
    assert shed.plan.pipeline_ms == published_ms + PLAN_MS * SPEED
    assert shed.verdict.pipeline_ms == shed.verdict.message.decided_ms
    assert shed.setpoints[0].pipeline_ms == shed.setpoints[0].message.issued_ms
    assert shed.acks[0].pipeline_ms == shed.acks[0].message.acked_ms


def test_a_decision_that_needs_no_command_has_none(stack_settings: Settings, chain: Chain) -> None:
    """The devices had the target already: nothing was sent, and nothing is made up."""
    story = explain(stack_settings, chain.decision(5))
    assert story.is_let_through
    assert (story.setpoints, story.acks) == ((), ())


@pytest.mark.parametrize("index", [0, WINDOWS - 1])
def test_the_first_and_the_last_decision_in_kafka_are_found(
    stack_settings: Settings, chain: Chain, index: int
) -> None:
    story = explain(stack_settings, chain.decision(index))
    assert story.window_start_ms == start_of(index)
    assert story.source == f"Kafka {stack_settings.kafka.bootstrap_servers}"


def test_an_unknown_decision_names_those_near_it(stack_settings: Settings, chain: Chain) -> None:
    wrong = chain.decision(SHED_WINDOW).rsplit(".", 1)[0] + ".00000000"
    with pytest.raises(ConfigurationError, match="nothing is known of decision") as caught:
        explain(stack_settings, wrong)
    near = {chain.decision(SHED_WINDOW + step) for step in (-2, -1, 0, 1, 2)}
    assert caught.value.hint.startswith(f"decisions near it: {chain.decision(SHED_WINDOW)}, ")
    assert set(caught.value.hint.removeprefix("decisions near it: ").split(", ")) == near


@pytest.mark.parametrize(("index", "nearest"), [(-9_999, 0), (50_000_000, WINDOWS - 1)])
def test_a_decision_before_or_after_all_is_unknown(
    stack_settings: Settings, chain: Chain, index: int, nearest: int
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        explain(stack_settings, chain.decision(index))
    assert chain.decision(nearest) in caught.value.hint


def test_an_unknown_site_names_the_sites_that_there_are(
    stack_settings: Settings, chain: Chain
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        explain(stack_settings, chain.decision(3).replace("depot", "deport"))
    start, sites = caught.value.hint.split("; sites are: ")
    assert start == "there is no site deport"
    assert "depot" in sites.split(", ")


def test_the_command_finds_the_stack_that_runs_here_and_tells_the_story(
    gridloom: Gridloom, local_stack: LocalStack, chain: Chain
) -> None:
    told = gridloom("explain", chain.decision(SHED_WINDOW), folder=local_stack.folder.parent)
    assert told.returncode == 0
    assert f"using the local stack in {local_stack.folder}" in told.stderr.replace("\n", "")
    for line in (
        "revision 0: net 95.000 kW (load 95.000, generation 0.000); complete: 5 measured",
        "revision 1: net 94.500 kW",
        "optimal: forecast peak 95.000 kW with every output on, 85.000 kW as planned",
        "board-1/4 on → off: forecast peak 95.0 kW exceeds the threshold 85.0 kW; load 10 kW",
        "accepted: board-1",
        "board-1 via gw-depot: 2 on, 3 on, 4 off; seq",
        "board-1: applied; reads 1 on, 2 on, 3 on, 4 off; changed 4",
        "Confirmed by 1 device(s), 62 ms after the window.",
    ):
        assert line in told.stdout


def test_the_command_tells_it_as_json(
    gridloom: Gridloom, local_stack: LocalStack, chain: Chain
) -> None:
    identity = chain.decision(SHED_WINDOW)
    told = gridloom("explain", identity, "--json", folder=local_stack.folder.parent)
    story: dict[str, Any] = json.loads(told.stdout)
    assert story["decision_id"] == identity
    assert story["window_start"] == "2023-11-14T22:15:00Z"
    assert story["verdict"]["message"]["outcome"] == "accepted"
    assert story["acks"][0]["message"]["result"] == "applied"
    assert story["delays"][-1] == {
        "from": "window",
        "to": "ack board-1",
        "log_ms": 62,
        "pipeline_ms": 620,
    }


def test_without_a_decision_the_newest_that_switched_are_listed(
    gridloom: Gridloom, local_stack: LocalStack, chain: Chain
) -> None:
    listed = gridloom("explain", "--json", folder=local_stack.folder.parent)
    decisions: list[dict[str, Any]] = json.loads(listed.stdout)["decisions"]
    (mine,) = [each for each in decisions if each["decision_id"].startswith("depot.")]
    assert mine == {
        "decision_id": chain.decision(SHED_WINDOW),
        "window_start": "2023-11-14T22:15:00Z",
        "switches": ["board-1/4 off: shed-low-priority"],
        "verdict": "accepted",
    }
    shown = gridloom("explain", folder=local_stack.folder.parent)
    columns = [line.split() for line in shown.stdout.splitlines()]
    line = f"{chain.decision(SHED_WINDOW)} 2023-11-14T22:15:00Z accepted board-1/4 off:"
    assert [*line.split(), "shed-low-priority"] in columns


def test_what_is_no_decision_id_is_refused_with_its_form(gridloom: Gridloom) -> None:
    refused = gridloom("explain", "yesterday")
    assert refused.returncode == 1
    assert "error: 'yesterday' is not a decision id" in refused.stderr
    assert "<site>.<window number>.<8 digits of the model's hash>" in refused.stderr
    assert "Traceback" not in refused.stderr
