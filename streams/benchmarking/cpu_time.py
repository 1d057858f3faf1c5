"""CPU time that other processes have used, as the kernel counts it."""

import os
from contextlib import suppress
from pathlib import Path

_USER, _SYSTEM = 11, 12
"""Fields of ``/proc/PID/stat`` after the name, which may hold spaces: proc_pid_stat(5)."""


def cpu_seconds(pid: int | None) -> float:
    """CPU time of a process since its start [s]; 0 where it has ended or nobody can say."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
    return 0.0
