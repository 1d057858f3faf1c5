"""Reports as tables and as pictures: every figure is shown, and whether a goal is met."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from streams.benchmarking.figures import (
    Calculated,
    Curve,
    Report,
    Result,
    bar,
    delay,
    figure,
)
from streams.benchmarking.machine import describe_machine, load_average
from streams.benchmarking.plots import pictures_of, write_page
from streams.benchmarking.sheets import goal_sheet, sheets_of
from streams.benchmarking.tables import shown

RESULT = Result(
    name="example",
    sizes={"meters": 1_000},
    figures=(
        figure("align", "readings/s", [400_000.0, 500_000.0]),
        figure("peer: bare loop", "readings/s", [900_000.0, 1_000_000.0]),
        figure("100,000 meters", "MB", [310.0], at_most=400.0),
    ),
    bars=(bar("align / bare loop", [4.0], [10.0], 0.45),),
    delays=(delay("window -> command", [float(n) for n in range(1, 201)], at_most=500.0),),
    curves=(Curve(name="align", size="meters", unit="MB", points=((1_000, 90), (100_000, 310))),),
    calculated=(Calculated(name="cores", value=12.0, unit="", how="readings/s x CPU time"),),
    notes=("a note",),
)


def test_percentiles_are_samples_that_were_taken() -> None:
    found = delay("hop", [float(n) for n in range(200, 0, -1)])
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms) == (100, 180, 198, 200)
    assert (found.samples, found.met) == (200, None)


def test_the_longest_of_few_samples_is_their_99th_percentile() -> None:
    """So that a handful of samples never looks better than it is."""
    found = delay("hop", [5.0, 900.0, 7.0], at_most=500.0)
    assert (found.p50_ms, found.p99_ms, found.met) == (7.0, 900.0, False)


def test_a_figure_with_a_goal_is_met_up_to_it() -> None:
    met = [figure("m", "MB", [1.0, 400.0, 900.0], at_most).met for at_most in (None, 400.0, 399.0)]
    assert met == [None, True, False]


def test_every_part_of_a_result_has_a_table() -> None:
    rows = {sheet.title: sheet.rows for sheet in sheets_of(RESULT)}
    assert rows["1,000 meters"][2] == ("100,000 meters", "310", "310", "310", "MB", "<= 400 met")
    assert rows["within each round"] == (("align / bare loop", *["0.4"] * 3, ">= 0.45 not met"),)
    assert rows["delays in ms"][0][1:] == ("100", "180", "198", "200", "200", "<= 500 met")
    assert rows["by calculation"] == (("cores", "12", "readings/s x CPU time"),)


def test_the_goals_are_listed_whether_met_or_not() -> None:
    assert goal_sheet([RESULT]).rows == (
        ("example", "align / bare loop", "0.4", "ratio", ">= 0.45 not met"),
        ("example", "100,000 meters", "310", "MB", "<= 400 met"),
        ("example", "window -> command, p99", "198", "ms", "<= 500 met"),
    )


def test_a_terminal_shows_figures_notes_and_the_machine() -> None:
    written = StringIO()
    console = Console(width=160, file=written)
    console.print(shown(_report()))
    text = written.getvalue()
    assert "a note" in text
    assert "load average" in text
    assert "not met" in text


def test_a_page_draws_every_kind_of_figure(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(_report(), path)
    assert list(pictures_of(RESULT)) == [
        "ratios",
        "delays",
        "growth-mb",
        "figures-readings-s",
        "figures-mb",
    ]
    page = path.read_text("utf-8")
    assert page.count("Plotly.newPlot(") >= len(pictures_of(RESULT))
    assert all(name in page for name in ("<h1>example</h1>", "100,000 meters", "peer: bare loop"))


def test_a_ratio_that_misses_its_goal_has_another_colour_than_one_that_meets_it() -> None:
    bars = tuple(bar(f"{goal}", [4.0], [10.0], goal) for goal in (0.4, 0.5))
    ratios = pictures_of(Result(name="x", sizes={}, bars=bars))["ratios"]
    met, missed = ratios.data[0].marker.color
    assert met != missed


def _report() -> Report:
    machine = describe_machine(load_average())
    return Report(machine=machine, quick=False, rounds=2, results=(RESULT,))
