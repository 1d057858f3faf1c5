"""Run a program that dies with the process that started it, even by ``kill -9``.

As a script: ``python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT...]``. It ties itself to its
parent and then *becomes* the program, which keeps its process id. It needs the standard library
only, and takes the place of a ``preexec_fn``, which may deadlock in a process with threads.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel send this process SIGKILL when ``parent_pid``, its parent, dies.

    The kernel means the *thread* that started this process; it has to live as long as the
    process it belongs to. Linux only: elsewhere this does nothing, and a process whose parent
    is killed goes on.

    Raises:
        SystemExit: the parent is dead already.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent_pid:
        sys.exit(f"process {parent_pid}, which started this one, is dead")


def _main() -> None:
    parent_pid, *program = sys.argv[1:]
    die_with_parent(int(parent_pid))
    try:
        os.execvp(program[0], program)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        sys.exit(f"{program[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    _main()
