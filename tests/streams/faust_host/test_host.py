"""A stage on the Faust host, as a process on a real Kafka."""

import os
import signal
import time
from pathlib import Path

import pytest

from schemas.dead_letter import DeadLetter
from schemas.identity import partition_of
from schemas.messages import Decoder
from schemas.topics import DEAD_LETTERS
from streams.kafka import partitions_of, read_all
from tests.streams.faust_host.conftest import WorkProcess
from tests.support.faust_work import ORDERS, PROCESSES, STEP_MS, Order

pytestmark = pytest.mark.kafka

_LETTER: Decoder[DeadLetter] = Decoder(DeadLetter)


def site_of(process: int, name: str) -> str:
    """A site whose work one of the processes does."""
    names = (f"{name}-{number}" for number in range(100))
    return next(site for site in names if partition_of(site, PROCESSES) == process)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def letters(working: WorkProcess) -> list[DeadLetter]:
    found = read_all(
        working.kafka, DEAD_LETTERS.name, range(partitions_of(working.kafka, DEAD_LETTERS))
    )
    return [_LETTER.decode(bytes(record.value() or b"")) for record in found]


def test_a_record_that_fails_is_buried_alone_and_the_agent_goes_on(working: WorkProcess) -> None:
    """Issue 5, build 4: isolation."""
    site = "isolated"
    working.order(
        Order(site=site),
        b"{nonsense",
        Order(site=site, fail=True),
        Order(site=site, die=True),
        Order(site=site),
    )
    working.until(lambda: working.done().get(site) == 2)
    working.until(lambda: len(letters(working)) == 3)
    reasons = sorted(letter.errors[0] for letter in letters(working))
    assert any("it was asked to fail" in reason for reason in reasons)
    assert any("BrokenProcessPool" in reason for reason in reasons)
    assert {letter.origin for letter in letters(working)} == {ORDERS}
    assert working.metric("gridloom_dead_letters_total") == 3


def test_a_site_always_goes_to_the_same_process_which_compiles_it_once(
    working: WorkProcess,
) -> None:
    """DESIGN decision 2: or every worker compiles its problem again."""
    sites = [site_of(process, "compiled") for process in range(PROCESSES)]
    for _ in range(5):
        working.order(*(Order(site=site) for site in sites))
    working.until(lambda: all(working.done().get(site) == 5 for site in sites))
    rows = working.page("/rows")
    pids = {pid for site in sites for pid in rows[site]["pids"]}
    assert [len(rows[site]["pids"]) for site in sites] == [1, 1]
    assert len(pids) == PROCESSES
    assert working.process.pid not in pids
    assert [rows[site]["compiled"] for site in sites] == [1, 1]


def test_heavy_work_stops_neither_the_loop_nor_other_sites_and_shows_as_lag(
    working: WorkProcess, tmp_path: Path
) -> None:
    """DESIGN decision 2: solvers never block an event loop."""
    site, other = site_of(0, "heavy"), site_of(1, "light")
    gate = tmp_path / "go on"
    working.order(Order(site=site, until=str(gate)), *(Order(site=site) for _ in range(4)))
    working.order(Order(site=other))
    working.until(lambda: working.done().get(other) == 1)
    working.until(lambda: working.metric("gridloom_consumer_lag_records") >= 5)
    steps = len(working.page("/steps"))
    working.until(lambda: len(working.page("/steps")) > steps + 2)
    assert working.get(working.metrics_port, "/readyz")[0] == 200
    assert working.done().get(site) is None
    gate.touch()
    working.until(lambda: working.done().get(site) == 5)
    working.until(lambda: working.metric("gridloom_consumer_lag_records") == 0)


def test_timers_keep_the_pipeline_clock_and_outlive_a_failure(working: WorkProcess) -> None:
    working.until(lambda: len(working.page("/steps")) > 3)
    steps = working.page("/steps")
    assert all(time_ms % STEP_MS == 0 for time_ms in steps)
    assert steps == sorted(set(steps))
    assert "the second step fails" in working.log


def test_a_stop_lets_work_finish_and_gives_back_what_does_not(
    working: WorkProcess, tmp_path: Path
) -> None:
    """Issue 5, build 4: a graceful shutdown finishes or returns its work; nothing counts twice."""
    site, first, second = "stopped", tmp_path / "first", tmp_path / "second"
    working.order(Order(site=site, until=str(first)), Order(site=site, until=str(second)))
    working.until(lambda: working.metric("gridloom_consumer_lag_records") >= 2)
    working.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    first.touch()  # within its grace: the first is finished, the second not even begun
    assert working.process.wait(60) == 0
    working.start(grace_s=0.1)
    working.until(lambda: working.done().get(site) == 1)
    working.order(Order(site=site))
    working.until(lambda: working.metric("gridloom_consumer_lag_records") >= 2)
    working.process.send_signal(signal.SIGTERM)
    assert working.process.wait(60) == 0  # the second is given back
    second.touch()
    working.start()
    working.until(lambda: working.done().get(site) == 3)


def test_a_kill_in_the_middle_of_work_loses_and_doubles_nothing(
    working: WorkProcess, tmp_path: Path
) -> None:
    site, gate = "killed", tmp_path / "go on"
    working.order(Order(site=site), Order(site=site, until=str(gate)), Order(site=site))
    working.until(lambda: working.done().get(site) == 1)
    workers = working.page("/rows")[site]["pids"]
    working.process.kill()
    working.process.wait()
    deadline_s = time.monotonic() + 30
    while any(is_running(pid) for pid in workers):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    gate.touch()
    working.start()
    working.until(lambda: working.done().get(site) == 3)
