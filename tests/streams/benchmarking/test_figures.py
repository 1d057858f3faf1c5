"""Figures, their spread, and bars."""

import json

import pytest

from streams.benchmarking.figures import Figure, Report, Result, bar, spread
from streams.benchmarking.machine import cpu_model, describe_machine, load_average


def test_a_bar_is_the_median_of_ratios_within_rounds_and_not_a_ratio_of_medians() -> None:
    """A slow round slows both, so its ratio is as good as any (DESIGN, "Speed to reach")."""
    fast, slow, other = (90.0, 100.0), (9.0, 20.0), (40.0, 50.0)
    rounds = (fast, slow, other)
    found = bar("ours / theirs", [own for own, _ in rounds], [peer for _, peer in rounds], 0.8)
    assert found.ratio.values == (0.9, 0.45, 0.8)
    assert (found.ratio.min, found.ratio.median, found.ratio.max) == (0.45, 0.8, 0.9)
    assert found.met is True


def test_a_bar_is_met_from_its_goal_on() -> None:
    met = [bar("ours / theirs", [4.0], [2.0], goal).met for goal in (None, 1.99, 2.0, 2.01)]
    assert met == [None, True, True, False]


def test_a_bar_needs_both_figures_of_every_round() -> None:
    with pytest.raises(ValueError, match="shorter"):
        bar("ours / theirs", [1.0, 2.0], [1.0])


def test_the_report_names_the_machine_and_its_load() -> None:
    """The machine is reported beside every figure (DESIGN, "Speed to reach")."""
    figure = Figure(name="rate", unit="readings/s", measured=spread([3.0, 1.0, 2.0]))
    result = Result(name="x", sizes={"readings": 6}, figures=(figure,), bars=())
    machine = describe_machine(load_average())
    report = Report(machine=machine, quick=True, rounds=3, results=(result,))
    read = json.loads(report.to_json())
    assert read["machine"]["cpu"]
    assert read["machine"]["cores"] >= 1
    assert len(read["machine"]["load_before"]) == len(read["machine"]["load_after"]) == 3
    assert read["results"][0]["figures"][0]["measured"] == {
        "min": 1.0,
        "median": 2.0,
        "max": 3.0,
        "values": [3.0, 1.0, 2.0],
    }


def test_the_cpu_is_named_as_the_kernel_names_it() -> None:
    info = "processor\t: 0\nvendor_id\t: X\nmodel name\t: Some CPU @ 2.4GHz: 4\nflags\t: fpu\n"
    assert cpu_model(info) == "Some CPU @ 2.4GHz: 4"
    assert cpu_model("") != ""
