"""Measured processes that fail say so."""

import re
from pathlib import Path

import pytest

from schemas.errors import StackError
from streams.benchmarking.align_worker import Used
from streams.benchmarking.dispatch_cold import ColdStart
from streams.benchmarking.measured_process import MeasuredProcess


def test_a_measured_process_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    process = MeasuredProcess("dispatch_cold", "cold", tmp_path)
    with pytest.raises(StackError, match=re.escape(str(tmp_path / "cold.log"))) as caught:
        process.run(ColdStart, str(tmp_path / "no-such-case.json"))
    assert any("no-such-case.json" in line for line in caught.value.problems)


def test_figures_of_an_earlier_run_are_never_taken_for_those_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "cold.json").write_text('{"began_s":1,"ended_s":2,"cpu_s":3,"peak_mb":4}')
    process = MeasuredProcess("dispatch_cold", "cold", tmp_path)
    with process.running(str(tmp_path / "no-such-case.json")) as child:
        child.wait()
    with pytest.raises(StackError):
        process.outcome(Used)
