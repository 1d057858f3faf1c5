"""The machine that figures hold for."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

_PACKAGES: Final = ("confluent-kafka", "cvxpy", "highspy", "msgspec", "numpy")
_CPU_INFO: Final = Path("/proc/cpuinfo")

LoadAverage = tuple[float, float, float]
"""Runnable processes, mean over 1, 5 and 15 minutes."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where and under what load a run took place.

    Attributes:
        cores: that this process may use.
        load_before, load_after: load average at the start and at the end of the run. More at
            the start than nothing means that others share the machine.
        packages: versions of what the figures hang on.
    """

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load_before: LoadAverage
    load_after: LoadAverage


def describe_machine(load_before: LoadAverage) -> Machine:
    """This machine at the end of a run that began under ``load_before``."""
    return Machine(
        cpu=cpu_model(_CPU_INFO.read_text() if _CPU_INFO.exists() else ""),
        cores=_usable_cores(),
        memory_gib=round(_memory_bytes() / 2**30, 1),
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        load_before=load_before,
        load_after=load_average(),
    )


def load_average() -> LoadAverage:
    """The load average now."""
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def cpu_model(cpu_info: str) -> str:
    """The processor's name in Linux' ``/proc/cpuinfo``, or what Python knows of it."""
    for line in cpu_info.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    """Memory of the machine [bytes]."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
