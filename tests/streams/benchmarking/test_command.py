"""`gridloom bench` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.benchmarking.registry import BENCHMARKS
from streams.benchmarking.store_bed import LOOKS
from streams.benchmarking.store_bench import FRESH, PER_WRITE


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


@pytest.mark.influxdb
@pytest.mark.kafka
def test_store_is_compared_with_bare_clients_written_drawn_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    """Issue 5: `store` against raw influxdb-client; prints a table, writes JSON, draws a plot."""
    file, plot, home = tmp_path / "report.json", tmp_path / "plot.html", tmp_path / "home"
    options = ("--quick", "--rounds", "1", "--json", str(file), "--plot", str(plot))
    done = gridloom(home, "bench", "store", *options)
    assert done.returncode == 0, done.stderr
    assert "historian / bare sqlite3" in done.stdout
    assert "load average" in done.stdout
    assert "round 1 of 1" in done.stderr
    read = json.loads(file.read_bytes())
    assert (read["quick"], read["rounds"]) == (True, 1)
    (result,) = read["results"]
    names = [each["name"] for each in result["bars"]]
    for kind, peer in (("SQLite", "bare sqlite3"), ("InfluxDB", "raw influxdb-client")):
        assert sum(f"{kind}: historian / {peer}" in name for name in names) == len(PER_WRITE)
        assert f"{kind}: the stage, from Kafka / {peer}, 100 windows a write" in names
    assert all(each["measured"]["min"] > 0 for each in result["figures"])
    assert [(each["name"], each["samples"]) for each in result["delays"]] == [(FRESH, LOOKS)]
    assert "raw influxdb-client" in plot.read_text("utf-8")
    assert not list(home.iterdir())
