"""`gridloom bench` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from streams.benchmarking.registry import BENCHMARKS


def gridloom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GRIDLOOM_FOLDER": str(folder), "COLUMNS": "120"},
    )


def test_without_a_name_the_benchmarks_are_listed(tmp_path: Path) -> None:
    done = gridloom(tmp_path, "bench")
    assert done.returncode == 0
    assert all(name in done.stdout for name in (*BENCHMARKS, "all"))


def test_an_unknown_name_is_an_error_with_a_hint(tmp_path: Path) -> None:
    done = gridloom(tmp_path, "bench", "speed")
    assert done.returncode == 1
    assert "unknown benchmark 'speed'" in done.stderr
    assert "store" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_prints_ratios_writes_json_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file, home = tmp_path / "report.json", tmp_path / "home"
    done = gridloom(home, "bench", "store", "--quick", "--rounds", "1", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "historian / bare sqlite3" in done.stdout
    assert "load average" in done.stdout
    assert "round 1 of 1" in done.stderr
    read = json.loads(file.read_bytes())
    assert (read["quick"], read["rounds"]) == (True, 1)
    assert [result["name"] for result in read["results"]] == ["store"]
    assert not list(home.iterdir())
