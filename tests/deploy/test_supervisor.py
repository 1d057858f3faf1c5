"""The supervisor on real processes; only its clock is ours."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.supervisor import Crashed, Finished, Restarted, Supervisor
from schemas.errors import StackError

IsRunning = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], None]

CRASHING = ["sh", "-c", "echo started; exit 3"]
RUNNING = ["sleep", "600"]
OBEDIENT = ["sh", "-c", "trap 'echo done; exit 0' TERM; echo ready; while :; do sleep 0.05; done"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs") as running:
        yield running


def test_a_crashing_child_is_restarted_with_growing_delays(
    supervisor: Supervisor, eventually: Eventually
) -> None:
    supervisor.start("align", CRASHING)
    now_s = 100.0
    for times, delay_s in enumerate((0.5, 1.0, 2.0, 4.0), 1):
        eventually(lambda: "align" not in supervisor.pids)
        assert supervisor.poll(now_s) == [Crashed("align", 3, delay_s, times)]
        assert supervisor.poll(now_s + delay_s - 0.01) == []
        (event,) = supervisor.poll(now_s + delay_s)
        assert isinstance(event, Restarted)
        now_s += delay_s
    eventually(lambda: "align" not in supervisor.pids)
    log = supervisor.log_path("align").read_text(encoding="utf-8")
    assert log.splitlines() == ["started"] * 5


def test_only_a_run_that_was_long_enough_makes_the_next_delay_short_again(
    supervisor: Supervisor,
) -> None:
    supervisor.start("align", RUNNING)
    runs_s = {(0.0, 0.0): 0.5, (10.0, 39.9): 1.0, (50.0, 80.0): 0.5, (90.0, 90.1): 1.0}
    for times, ((start_s, crash_s), delay_s) in enumerate(runs_s.items(), 1):
        supervisor.poll(start_s)
        supervisor.kill("align")
        assert supervisor.poll(crash_s) == [Crashed("align", -signal.SIGKILL, delay_s, times)]


def test_a_child_that_crashes_too_often_within_two_minutes_keeps_crashing(
    supervisor: Supervisor,
) -> None:
    """Issue 5, build 4: a stage that keeps crashing backs off and alerts."""
    supervisor.start("align", RUNNING)
    told = []
    for crash_s in (0.0, 40.0, 110.0, 400.0, 430.0):
        supervisor.poll(crash_s)
        supervisor.kill("align")
        (event,) = supervisor.poll(crash_s)
        assert isinstance(event, Crashed)
        told.append(event.keeps_crashing)
        supervisor.poll(crash_s + event.restart_in_s)
    assert told == [False, False, True, False, False]
    assert supervisor.crashes_lately(431.0) == {"align": 2}
    assert supervisor.crashes_lately(600.0) == {"align": 0}


def test_a_killed_child_comes_back_as_another_process(
    supervisor: Supervisor, is_running: IsRunning
) -> None:
    supervisor.start("gate", RUNNING)
    first = supervisor.pids["gate"]
    supervisor.kill("gate")
    assert not is_running(first)
    assert supervisor.pids == {}
    assert supervisor.poll(0.0) == [Crashed("gate", -signal.SIGKILL, 0.5, 1)]
    supervisor.kill("gate")
    assert supervisor.poll(0.5) == [Restarted("gate", supervisor.pids["gate"])]
    assert supervisor.pids["gate"] != first


def test_a_child_that_finished_is_not_restarted(
    supervisor: Supervisor, eventually: Eventually
) -> None:
    supervisor.start("replay", ["true"])
    eventually(lambda: not supervisor.pids)
    assert supervisor.poll(0.0) == [Finished("replay")]
    assert supervisor.poll(1000.0) == []
    supervisor.start("replay", ["true"])


def test_one_crash_leaves_the_other_children_alone(supervisor: Supervisor) -> None:
    supervisor.start("align", RUNNING)
    supervisor.start("store", RUNNING)
    align = supervisor.pids["align"]
    supervisor.kill("store")
    assert supervisor.poll(0.0) == [Crashed("store", -signal.SIGKILL, 0.5, 1)]
    assert supervisor.pids == {"align": align}


def test_what_a_crashed_child_started_is_ended_with_it(
    supervisor: Supervisor, is_running: IsRunning, eventually: Eventually
) -> None:
    supervisor.start("dispatch", ["sh", "-c", "sleep 600 & echo $!; exit 1"])
    eventually(lambda: not supervisor.pids)
    solver = int(supervisor.log_path("dispatch").read_text(encoding="utf-8"))
    assert is_running(solver)
    supervisor.poll(0.0)
    eventually(lambda: not is_running(solver))


def test_a_child_that_is_asked_to_finish_ends_and_is_not_restarted(
    supervisor: Supervisor, is_running: IsRunning, eventually: Eventually
) -> None:
    supervisor.start("replay", OBEDIENT)
    pid = supervisor.pids["replay"]
    log_path = supervisor.log_path("replay")
    eventually(lambda: log_path.read_text(encoding="utf-8") == "ready\n")
    assert supervisor.finish("replay", timeout_s=20.0)
    assert not is_running(pid)
    assert log_path.read_text(encoding="utf-8") == "ready\ndone\n"
    assert supervisor.poll(1000.0) == []


def test_a_child_that_does_not_finish_in_time_runs_on_and_stays_supervised(
    supervisor: Supervisor, eventually: Eventually
) -> None:
    supervisor.start("replay", STUBBORN)
    log_path = supervisor.log_path("replay")
    eventually(lambda: "ready" in log_path.read_text(encoding="utf-8"))
    assert not supervisor.finish("replay", timeout_s=0.3)
    assert supervisor.poll(0.0) == []
    assert "replay" in supervisor.pids
    assert supervisor.stop(timeout_s=0.0) == ["replay"]


def test_a_crashed_child_that_is_asked_to_finish_is_not_restarted(
    supervisor: Supervisor, eventually: Eventually
) -> None:
    supervisor.start("align", CRASHING)
    eventually(lambda: not supervisor.pids)
    assert supervisor.poll(0.0) == [Crashed("align", 3, 0.5, 1)]
    assert supervisor.finish("align")
    assert supervisor.poll(1000.0) == []


def test_stop_kills_stubborn_children_and_leaves_nothing_running(
    supervisor: Supervisor, is_running: IsRunning, eventually: Eventually
) -> None:
    supervisor.start("willing", RUNNING)
    supervisor.start("stubborn", STUBBORN)
    supervisor.start("crashed", CRASHING)
    log_path = supervisor.log_path("stubborn")
    eventually(lambda: "ready" in log_path.read_text(encoding="utf-8"))
    eventually(lambda: "crashed" not in supervisor.pids)
    supervisor.poll(0.0)
    pids = supervisor.pids
    assert sorted(pids) == ["stubborn", "willing"]
    assert supervisor.stop(timeout_s=0.5) == ["stubborn"]
    assert not any(is_running(pid) for pid in pids.values())
    assert supervisor.pids == {}
    assert supervisor.poll(1000.0) == []


def test_children_do_not_outlive_a_supervisor_that_is_killed(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from deploy.supervisor import Supervisor\n"
        "supervisor = Supervisor(Path(sys.argv[1]))\n"
        "for name in ('align', 'store'):\n"
        "    supervisor.start(name, ['sleep', '600'])\n"
        "print(*supervisor.pids.values(), flush=True)\n"
        "time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    eventually(lambda: not any(is_running(pid) for pid in pids))


def test_a_child_sees_its_environment(supervisor: Supervisor, eventually: Eventually) -> None:
    supervisor.start("align", ["sh", "-c", "echo $GRIDLOOM_SLOT"], {"GRIDLOOM_SLOT": "2"})
    eventually(lambda: not supervisor.pids)
    assert supervisor.log_path("align").read_text(encoding="utf-8") == "2\n"


def test_a_name_is_supervised_once(supervisor: Supervisor) -> None:
    supervisor.start("align", RUNNING)
    with pytest.raises(StackError, match="align is supervised already"):
        supervisor.start("align", RUNNING)


@pytest.mark.parametrize("argv", [[], ["no-such-program-anywhere"]])
def test_a_program_that_does_not_exist_is_refused(supervisor: Supervisor, argv: list[str]) -> None:
    with pytest.raises(StackError, match="no such program"):
        supervisor.start("align", argv)
    assert supervisor.poll(0.0) == []


def test_a_stranger_is_neither_killed_nor_finished(supervisor: Supervisor) -> None:
    for order in (supervisor.kill, supervisor.finish):
        with pytest.raises(StackError, match="No process named align"):
            order("align")
