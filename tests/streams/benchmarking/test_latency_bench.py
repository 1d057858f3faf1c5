"""Latency, hop by hop: what is counted from where; and the whole loop in small."""

import numpy as np
import pytest

from schemas.windows import WINDOW_MS, close_delay_ms
from streams.benchmarking.figures import Delay
from streams.benchmarking.latency_bench import GOAL_MS, QUICK_WINDOWS, delays_of, run
from streams.benchmarking.latency_site import METERS, RELAYS, latency_site
from streams.benchmarking.latency_watch import Sightings
from streams.benchmarking.rounds import Bench
from tests.streams.benchmarking.conftest import Steps

START = 1_000_000
DUE = START + WINDOW_MS + close_delay_ms(1.0)


def seen_window(command_ms: int) -> Sightings:
    """One window with one command, which could be read at ``command_ms``."""
    return Sightings(
        windows={START: DUE + 150},
        plans={START: DUE + 190},
        verdicts={START: DUE + 220},
        queryable={START: DUE + 180},
        commands={("board-1", 16): command_ms, ("board-1", 0): 0},
        acks={("board-1", 16): command_ms + 30, ("board-1", 0): 0},
        decision_of={("board-1", 16): "counted", ("board-1", 0): "of the warm-up"},
        window_of={"counted": START, "of the warm-up": START - WINDOW_MS},
    )


def hops(seen: Sightings) -> dict[str, Delay]:
    """The hops of that window, whose readings came 20 and 40 ms after its end."""
    return {d.name: d for d in delays_of(seen, [START], {START: [20, 40]}, "InfluxDB")}


def test_a_window_is_late_from_its_close_on_and_not_from_its_end() -> None:
    """DESIGN, "Speed to reach": window closed -> queryable in InfluxDB."""
    found = hops(seen_window(DUE + 250))
    assert found["window closed (its end + close delay) -> published"].p50_ms == 150
    assert found["window closed -> queryable in InfluxDB"].p99_ms == 180
    assert found["window published -> queryable in InfluxDB"].p50_ms == 30


def test_the_window_wait_is_left_out_and_the_last_readings_way_is_not() -> None:
    """DESIGN, "Speed to reach": measurement -> relay command published, wait excluded."""
    found = hops(seen_window(DUE + 250))
    assert found["window closed -> command"].p50_ms == 250
    assert found["measurement -> command, without the window's wait"].p50_ms == 250 + 40


def test_commands_of_windows_that_do_not_count_are_left_out() -> None:
    found = hops(seen_window(DUE + 250))
    assert found["command -> confirmation"].samples == found["verdict -> command"].samples == 1


@pytest.mark.parametrize(("command_ms", "met"), [(DUE + 460, True), (DUE + 461, False)])
def test_a_command_that_is_too_slow_misses_the_goal(command_ms: int, met: bool) -> None:  # noqa: FBT001  a table
    found = hops(seen_window(command_ms))["measurement -> command, without the window's wait"]
    assert (found.at_most, found.met) == (GOAL_MS, met)


def test_the_site_has_two_hundred_devices_and_has_to_shed_and_may_restore() -> None:
    site = latency_site()
    relays = [relay for board in site.model.relay_boards for relay in board.relays]
    assert (len(site.model.meters), len(relays), METERS + RELAYS) == (180, 20, 200)
    rated_kw = sum(relay.load_kw for relay in relays)
    base_kw = np.asarray(site.base.power_kw).sum(axis=1)
    assert base_kw.max() + rated_kw > site.model.threshold_kw > base_kw.min() + rated_kw


@pytest.mark.soak
def test_the_whole_loop_is_measured_hop_by_hop(bench: Bench, steps: Steps) -> None:
    result = run(bench)
    found = {each.name: each for each in result.delays}
    assert found["window published -> plan"].samples == QUICK_WINDOWS
    assert found["reading: end of its interval -> in Kafka"].samples == QUICK_WINDOWS * METERS
    assert found["verdict -> command"].samples > 0
    assert all(0 <= each.p50_ms <= each.p99_ms <= each.max_ms for each in result.delays[1:])
    assert len(steps.done) == steps.expected
