"""Child processes that leave nothing running behind.

A child is tethered to this process (see ``deploy.tether``) and leads a process group of its own,
so that Ctrl-C in a terminal reaches this process alone, which then stops its children in order.
POSIX only.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from deploy import tether

Process = subprocess.Popen[bytes]

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _SpawningThread:
    """The one thread that starts processes: the kernel ties a child to its starting thread."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Callable[[], Process], Future[Process]]]
        self._orders = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="spawning", daemon=True).start()

    def run(self, order: Callable[[], Process]) -> Process:
        """Carry out ``order`` on the thread; a caller who is interrupted leaves no process."""
        future: Future[Process] = Future()
        self._orders.put((order, future))
        try:
            return future.result()
        except BaseException:
            future.add_done_callback(_kill_outcome)
            raise

    def _serve(self) -> None:
        while True:
            order, future = self._orders.get()
            try:
                future.set_result(order())
            except BaseException as error:  # noqa: BLE001  (if this thread ended, so would they all)
                future.set_exception(error)


def _kill_outcome(future: Future[Process]) -> None:
    if not future.exception():
        kill(future.result())


@cache
def _spawning_thread(_pid: int) -> _SpawningThread:
    """One per process: a fork does not inherit its parent's threads."""
    return _SpawningThread()


def spawn(
    argv: Sequence[str],
    log_path: Path,
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    keep_fds: Sequence[int] = (),
) -> Process:
    """Start a program that lives no longer than this process.

    Args:
        argv: the program and its arguments.
        log_path: file that its output and errors are appended to.
        env: environment variables set besides those of this process.
        folder: its working folder; this process's own by default.
        keep_fds: file descriptors that stay open in it.

    Raises:
        OSError: the log cannot be written, or no process can be made.
    """
    tethered = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *argv]

    def start() -> Process:
        with log_path.open("ab") as log:
            return subprocess.Popen(
                tethered,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **(env or {})},
                pass_fds=keep_fds,
                process_group=0,
            )

    return _spawning_thread(os.getpid()).run(start)


def kill(process: Process) -> None:
    """SIGKILL a process and all that is left in its process group, and wait for its end."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop(processes: Sequence[Process], timeout_s: float) -> list[Process]:
    """Ask processes to end with SIGTERM, all at once, and kill those that do not in time.

    Returns:
        Those that had to be killed.
    """
    deadline_s = time.monotonic() + timeout_s
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    try:
        return [process for process in running if not _ends_by(process, deadline_s)]
    finally:
        for process in running:
            kill(process)


def _ends_by(process: Process, deadline_s: float) -> bool:
    try:
        process.wait(max(0.0, deadline_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def orderly_signals() -> Iterator[None]:
    """Within this context the first SIGINT, SIGTERM or SIGHUP raises ``SystemExit``.

    So the context managers inside it stop their processes in order; signals after the first
    are ignored, since all of these stops are bounded in time. Main thread only.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, lambda _number, _frame: None)
        raise SystemExit(128 + number)

    # What is ignored from outside, as SIGHUP is under nohup, stays ignored.
    before = {
        number: signal.getsignal(number)
        for number in _STOP_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
