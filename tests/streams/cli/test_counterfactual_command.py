"""`gridloom counterfactual` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.counterfactual.report import DISPATCH, NO_CONTROL
from tests.streams.cli.conftest import ROOT, Gridloom


def test_a_day_of_the_demo_is_told_written_and_drawn(gridloom: Gridloom, tmp_path: Path) -> None:
    """S1-16; a load so small that nothing has to be weighed, for the sake of time."""
    report, plot = tmp_path / "report.json", tmp_path / "days.html"
    arguments = ("--days", "1", "--scale", "0.05", "--report", str(report), "--plot", str(plot))
    ended = gridloom("counterfactual", *arguments)
    assert ended.returncode == 0, ended.stderr
    assert "claims 25 % lower peak-hour cost" in ended.stdout
    assert "peak-hour cost [EUR]" in ended.stdout
    found = json.loads(report.read_text(encoding="utf-8"))
    cases = {case["control"]: case["figures"] for case in found["cases"]}
    assert cases[NO_CONTROL]["import_kwh"] == pytest.approx(cases[DISPATCH]["import_kwh"])
    assert (found["windows"], found["dates"]) == (17_280, ["2016-05-16"])
    assert found["prices"]["currency"] == "EUR"
    assert "dispatch" in plot.read_text(encoding="utf-8")


def test_a_wrong_option_is_told_in_a_sentence(gridloom: Gridloom) -> None:
    ended = gridloom("counterfactual", "--peak-hours", "noon")
    assert ended.returncode == 1
    assert "error: 'noon' are no hours of a day." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_report_that_could_not_be_written_is_refused_before_the_work(gridloom: Gridloom) -> None:
    ended = gridloom("counterfactual", "--report", "nowhere/report.json")
    assert (ended.returncode, "nowhere/report.json" in ended.stderr) == (1, True)
    assert "reading" not in ended.stderr


def test_help_names_every_option(gridloom: Gridloom) -> None:
    told = gridloom("counterfactual", "--help").stdout
    for option in ("--days", "--report", "--plot", "--site", "--data", "--peak-hours"):
        assert option in told


def test_ctrl_c_ends_it_without_a_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "streams.cli", "counterfactual", "--report", str(report)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "reading\n"  # listens since before
        running.send_signal(signal.SIGINT)
        told = running.stderr.read()
        assert running.wait(60) == 130
    assert "stopped; nothing was written" in told
    assert "Traceback" not in told
    assert not report.exists()
