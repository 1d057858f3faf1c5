"""Memory that processes have, as the kernel counts it."""

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")


def peak_memory_mb() -> float:
    """The most memory that was resident in this process [MB].

    Not ``ru_maxrss`` where Linux says more: that begins with the memory of the parent.
    """
    for peak_mb in _status_mb("self", "VmHWM"):
        return peak_mb
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def resident_memory_mb(pid: int) -> list[float]:
    """What is resident in a process now [MB]; nothing where it has ended or nobody can say."""
    return list(_status_mb(str(pid), "VmRSS"))


def _status_mb(process: str, key: str) -> Iterator[float]:
    """A figure of a process' status on Linux [MB], if it is there."""
    with suppress(OSError):
        for line in (_PROCESSES / process / "status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                yield int(line.split()[1]) * 1024 / 1e6
