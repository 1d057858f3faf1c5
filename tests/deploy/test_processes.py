"""Children that leave nothing behind, tried on real processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.processes import Process, kill, spawn, stop

IsRunning = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], None]

STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
TRAPS = "trap 'echo interrupted' INT; trap 'echo terminated; exit 0' TERM"
TALKATIVE = ["sh", "-c", f"{TRAPS}; echo ready; while :; do sleep 0.05; done"]

PARENT = """
import sys, time
from pathlib import Path
from deploy.processes import orderly_signals, spawn, stop

with orderly_signals():
    child = spawn(sys.argv[2:], Path(sys.argv[1]))
    print(child.pid, flush=True)
    try:
        time.sleep(600)
    finally:
        stop([child], 20.0)
        print("stopped in order", flush=True)
"""


@contextmanager
def parent_of(argv: list[str], log_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process, in a process group of its own, that spawns ``argv``."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log_path), *argv],
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as parent:
        try:
            yield parent
        finally:
            parent.kill()


def child_of(parent: subprocess.Popen[str]) -> int:
    assert parent.stdout
    return int(parent.stdout.readline())


def has_line(log_path: Path, line: str) -> bool:
    return log_path.exists() and line in log_path.read_text(encoding="utf-8").splitlines()


def test_a_child_dies_with_a_parent_that_is_killed(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    log_path = tmp_path / "child.log"
    with parent_of(STUBBORN, log_path) as parent:
        child = child_of(parent)
        eventually(lambda: has_line(log_path, "ready"))
        assert is_running(child)
        parent.kill()
    eventually(lambda: not is_running(child))


def test_a_child_outlives_the_thread_that_asked_for_it(
    tmp_path: Path, eventually: Eventually
) -> None:
    children: list[Process] = []
    log_path = tmp_path / "child.log"

    def ask() -> None:
        children.append(spawn(TALKATIVE, log_path))
        eventually(lambda: has_line(log_path, "ready"))  # so the child is tethered by now

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    with pytest.raises(subprocess.TimeoutExpired):
        children[0].wait(0.5)
    kill(children[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_parent_stops_its_child_in_order(
    number: signal.Signals, tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    log_path = tmp_path / "child.log"
    with parent_of(TALKATIVE, log_path) as parent:
        child = child_of(parent)
        eventually(lambda: has_line(log_path, "ready"))
        os.killpg(parent.pid, number)
        assert parent.stdout
        assert parent.stdout.read() == "stopped in order\n"
    assert parent.returncode == 128 + number
    assert not is_running(child)
    assert log_path.read_text(encoding="utf-8").splitlines() == ["ready", "terminated"]


def test_a_second_signal_does_not_disturb_the_stop(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    log_path = tmp_path / "child.log"
    slow = "trap 'echo stopping; sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with parent_of(["sh", "-c", slow], log_path) as parent:
        child = child_of(parent)
        eventually(lambda: has_line(log_path, "ready"))
        parent.send_signal(signal.SIGINT)
        eventually(lambda: has_line(log_path, "stopping"))
        parent.send_signal(signal.SIGINT)
        parent.send_signal(signal.SIGTERM)
        assert parent.stdout
        assert parent.stdout.read() == "stopped in order\n"
    assert parent.returncode == 128 + signal.SIGINT
    assert not is_running(child)


def test_stop_kills_only_those_that_do_not_end_in_time(
    tmp_path: Path, eventually: Eventually
) -> None:
    stubborn = spawn(STUBBORN, tmp_path / "stubborn.log")
    willing = spawn(TALKATIVE, tmp_path / "willing.log")
    eventually(lambda: has_line(tmp_path / "stubborn.log", "ready"))
    eventually(lambda: has_line(tmp_path / "willing.log", "ready"))
    assert stop([stubborn, willing], timeout_s=0.5) == [stubborn]
    assert stubborn.returncode == -signal.SIGKILL
    assert willing.returncode == 0


def test_kill_reaches_what_the_child_started(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    log_path = tmp_path / "child.log"
    child = spawn(["sh", "-c", "sleep 600 & echo $!; wait"], log_path)
    eventually(lambda: log_path.read_text(encoding="utf-8").endswith("\n"))
    grandchild = int(log_path.read_text(encoding="utf-8"))
    assert is_running(grandchild)
    kill(child)
    eventually(lambda: not is_running(grandchild))


def test_a_child_gets_its_environment_folder_and_log(tmp_path: Path) -> None:
    log_path = tmp_path / "child.log"
    log_path.write_text("earlier\n", encoding="utf-8")
    told = ["sh", "-c", 'echo "$GREETING from $PWD"; echo "trouble" >&2']
    child = spawn(told, log_path, env={"GREETING": "hello"}, folder=tmp_path)
    assert child.wait(20.0) == 0
    lines = log_path.read_text(encoding="utf-8").splitlines()
    assert lines == ["earlier", f"hello from {tmp_path}", "trouble"]


def test_a_program_that_does_not_exist_is_named_in_the_log(tmp_path: Path) -> None:
    log_path = tmp_path / "child.log"
    child = spawn([str(tmp_path / "absent")], log_path)
    assert child.wait(20.0) == 1
    expected = f"{tmp_path / 'absent'} cannot be started: No such file or directory\n"
    assert log_path.read_text(encoding="utf-8") == expected


def test_a_log_that_cannot_be_written_is_an_error_and_later_children_still_start(
    tmp_path: Path,
) -> None:
    with pytest.raises(IsADirectoryError):
        spawn(["true"], tmp_path)
    assert spawn(["true"], tmp_path / "child.log").wait(20.0) == 0
