"""Dispatch beside plain CVXPY: the same questions, the same plans."""

import pytest

from processors.dispatching.dispatcher import Dispatcher
from streams.benchmarking.dispatch_bench import run
from streams.benchmarking.dispatch_plain import PlainSolver, WatchedDispatcher
from streams.benchmarking.dispatch_scenario import BOARD_RELAYS, Question, questions, site_with
from streams.benchmarking.rounds import Bench
from tests.streams.benchmarking.conftest import Steps

WINDOWS = 60


def asked(boards: int) -> list[tuple[Question, bool]]:
    """Windows of a closed loop, and whether each had to be weighed."""
    model = site_with(boards)
    dispatcher = WatchedDispatcher(model)
    found = []
    for question in questions(dispatcher, model, WINDOWS):
        dispatcher.decide(question.state, question.window)
        found.append((question, dispatcher.solver.weighed))
    return found


@pytest.mark.parametrize("boards", [1, 5])
def test_plain_cvxpy_answers_the_same_questions_with_the_same_power(boards: int) -> None:
    """Peers are given equal output (DESIGN, "Speed to reach")."""
    model = site_with(boards)
    ours, plain = Dispatcher(model), WatchedDispatcher(model, PlainSolver)
    weighed = [question for question, hard in asked(boards) if hard]
    assert weighed
    for question in weighed[:10]:
        own, _ = ours.decide(question.state, question.window)
        peer, _ = plain.decide(question.state, question.window)
        assert own is not None
        assert peer is not None
        assert own.expected_kw == pytest.approx(peer.expected_kw)
        assert own.violation_kw == pytest.approx(peer.violation_kw, abs=1e-6)


def test_the_loop_has_windows_with_and_without_something_to_weigh() -> None:
    assert {hard for _, hard in asked(1)} == {True, False}


def test_a_watched_solver_changes_no_plan() -> None:
    model = site_with(1)
    watched, plain = WatchedDispatcher(model), Dispatcher(model)
    for question, _ in asked(1):
        again = watched.decide(question.state, question.window)
        assert again == plain.decide(question.state, question.window)


@pytest.mark.parametrize("boards", [1, 5])
def test_a_site_grows_by_whole_boards_and_their_share_of_capacity(boards: int) -> None:
    one, site = site_with(1), site_with(boards)
    assert sum(len(board.relays) for board in site.relay_boards) == boards * BOARD_RELAYS
    assert site.capacity_kw == boards * one.capacity_kw


def test_a_run_reports_decisions_cold_starts_plans_and_the_peer(bench: Bench, steps: Steps) -> None:
    result = run(bench)
    names = [figure.name for figure in result.figures]
    for relays in (4, 20):
        for figure in ("all p99", "weighed p50", "peer p50", "cold start: compile"):
            assert f"{relays} relays, {figure}" in names
    assert "planning, 50 devices x 24 steps, again, p99" in names
    assert all(figure.measured.min > 0 for figure in result.figures)
    assert [note for note in result.notes if "plans other power in 0 of" in note][1:]
    assert len(steps.done) == steps.expected
    planning = result.summary["planning"]
    sizes = {"devices": 50, "steps": 24, "solves": 20}
    assert sizes.items() <= planning.items()
    assert planning.keys() - sizes.keys() == {"p50_s", "p99_s", "cold_start_s", "cold_96_s"}
