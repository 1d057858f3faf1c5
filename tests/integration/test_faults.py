"""Processes are killed in mid-run; the loop comes out the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardware.actuation_journal import ActuationJournal
from schemas.settings import Settings
from streams.chaos.comparing import (
    Differences,
    Published,
    last_revisions,
    published,
    undisturbed,
    unnumbered,
)
from streams.chaos.plan import STAGES, Fault, FaultKind, make_plan
from streams.chaos.runner import ChaosRunner
from streams.demo.audit import switches
from streams.demo.runner import DemoRun, DemoRunner
from streams.field import BOARDS_FOLDER
from streams.historians.opening import configured_place
from tests.support.demo_run import SilentView, demo_runner

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

SEEDS = (2, 8)
"""Both kill every stage, and align twice."""

SECONDS = 36.0
SPEED = 12.0


@dataclass(frozen=True)
class Killed:
    """A run in which every stage was killed, come to rest; its Kafka still runs."""

    runner: DemoRunner
    plan: tuple[Fault, ...]
    caught_up: bool
    run: DemoRun
    found: Differences
    published: Published

    @property
    def settings(self) -> Settings:
        """Where its topics and its historian are."""
        return self.runner.pipeline.settings


def kill_all_in_turn(folder: Path, seed: int) -> Iterator[Killed]:
    """Run and disturb; what is killed when follows from the seed."""
    runner = demo_runner(folder, windows=90, speed=SPEED)
    assert isinstance(runner.view, SilentView)
    plan = make_plan(seed, SECONDS, [FaultKind.KILL])
    chaos = ChaosRunner(runner, plan, SECONDS, runner.view)
    with runner.pipeline:
        caught_up = chaos.disturb() is not None
        runner.drain()
        seen = published(runner.pipeline.settings.kafka)
        yield Killed(runner, plan, caught_up, runner.account(), chaos.compare(), seen)


@pytest.fixture(scope="module", params=SEEDS)
def killed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killed]:
    """One run for each seed."""
    yield from kill_all_in_turn(tmp_path_factory.mktemp("killed"), request.param)


def test_every_stage_was_really_killed(killed: Killed) -> None:
    crashed = killed.runner.crashes
    assert crashed == Counter(fault.target for fault in killed.plan)
    assert crashed.keys() == set(STAGES)
    assert crashed["align"] == 2


def test_the_loop_catches_up_by_itself(killed: Killed) -> None:
    assert killed.caught_up


def test_the_comparison_finds_nothing(killed: Killed) -> None:
    """What `gridloom chaos` reports: lost, doubled, different."""
    assert killed.found == Differences()


def test_last_revisions_after_kills_equal_those_of_an_undisturbed_align(killed: Killed) -> None:
    """DESIGN time 4 and decision 3: the last revision is a function of the log."""
    seen = last_revisions(killed.published.windows)
    expected = last_revisions(undisturbed(killed.settings, "demo").windows)
    assert len(seen) > 90
    assert {start: unnumbered(window) for start, window in seen.items()} == {
        start: unnumbered(expected[start]) for start in seen
    }


def test_no_revision_is_published_twice_after_kills(killed: Killed) -> None:
    """Output that was committed before a kill is muted after it."""
    times = Counter((w.window_start_ms, w.revision) for w in killed.published.windows)
    assert max(times.values()) == 1


def test_every_published_window_has_its_series(killed: Killed) -> None:
    """Both outputs of a transaction are there, or neither."""
    with_series = {(c.window_start_ms, c.revision) for c in killed.published.meters}
    windows = killed.published.windows
    assert with_series == {(window.window_start_ms, window.revision) for window in windows}


def test_every_reading_has_exactly_one_fate_after_kills(killed: Killed) -> None:
    """Replayed = windowed + duplicate + too late + dead-lettered, exactly."""
    report = killed.run.report
    assert report.readings_replayed > 1000
    assert report.accounted
    fates = (report.readings_duplicate, report.readings_too_late, report.dead_lettered)
    assert min(fates) > 0, "its meters send duplicate, late and broken readings"


def test_no_command_is_applied_twice_and_all_are_confirmed_after_kills(killed: Killed) -> None:
    """D-5, DESIGN decision 7: a duplicate actuation would be a state changed twice."""
    report = killed.run.report
    assert report.commands > 0
    assert report.commands_confirmed == report.commands
    assert report.duplicate_actuations == 0


def test_the_boards_own_journal_has_every_switch_once(killed: Killed) -> None:
    """An answer that a kill kept from Kafka cannot hide a second actuation."""
    journal = ActuationJournal(killed.settings.home / BOARDS_FOLDER).read()
    written_down = {(ack.device, ack.seq, ack.changed) for ack in journal}
    answered = [ack for ack, _ in killed.runner.watcher.seen.acks if ack.changed]
    assert written_down >= {(ack.device, ack.seq, ack.changed) for ack in answered} != set()
    assert switches(journal).repeated == 0


def test_one_decision_id_leads_from_window_to_acknowledgement(killed: Killed) -> None:
    """D-5: command, relay state change and ack share one correlation id."""
    seen = killed.runner.watcher.seen
    plans = {plan.decision_id: plan for plan in seen.plans.values()}
    changed = [ack for ack, _ in seen.acks if ack.changed]
    assert changed
    for ack in changed:
        setpoint, _ = seen.setpoints[ack.device, ack.seq]
        assert setpoint.decision_id == ack.decision_id
        assert plans[ack.decision_id].window_start_ms in seen.windows
    assert all(plan.site == "demo" for plan in plans.values())


def test_the_historian_holds_every_window_once_after_kills(killed: Killed) -> None:
    """D-4: points are idempotent whatever was killed."""
    expected = last_revisions(killed.published.windows)
    with configured_place(killed.settings).open() as historian:
        points = historian.site_windows("demo", 0, 2**60)
    assert [point.window_start_ms for point in points] == sorted(expected)
    assert [point.load_kw for point in points] == [expected[s].load_kw for s in sorted(expected)]
