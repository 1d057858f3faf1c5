"""Which tests run here, and which of them a run insists on.

A test's mark names what it needs besides Python: reference data (``GRIDLOOM_DATA`` names the
folder; default: ``shared/data`` beside the checkout), or a server's program. Where that is absent
the test is deselected. ``GRIDLOOM_REQUIRE`` lists marks that a run must not lose: where one is
absent, or no such test is left to run, the run ends with an error.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.influx_build import cached_influxd
from processors.aligning.scanning import SCAN_IN_C

REFERENCE_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SYSTEM_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
"""Debian keeps servers where the path of an ordinary user does not lead."""

# No test asserts wall time, so Hypothesis does not either.
slow = [HealthCheck.too_slow]
settings.register_profile("gridloom", settings(), deadline=None, suppress_health_check=slow)
settings.load_profile("gridloom")


def data_folder() -> Path:
    """Where reference data lies, or would lie."""
    return Path(os.environ.get("GRIDLOOM_DATA") or REFERENCE_DATA)


def _installed(*programs: str) -> Callable[[], bool]:
    """Whether all of these programs are there."""
    return lambda: all(shutil.which(program, path=SYSTEM_PATH) for program in programs)


def _may_mount() -> bool:
    """Whether this process may mount a file system; tried in a namespace of its own."""
    mount = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return False
    return subprocess.run([unshare, "-m", *mount], capture_output=True, check=False).returncode == 0


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "c": (lambda: SCAN_IN_C is not None, "install a C compiler, then make clean env"),
    "chromium": (_installed("chromium", "chromedriver"), "apt install chromium chromium-driver"),
    "data": (lambda: data_folder().is_dir(), "GRIDLOOM_DATA names the folder"),
    "influxdb": (lambda: cached_influxd() is not None, "make influxd"),
    "kafka": (lambda: True, "comes with the packages"),
    "mount": (_may_mount, "run as root, outside of a container or in a privileged one"),
    "mqtt": (
        _installed("mosquitto", "mosquitto_pub", "mosquitto_sub"),
        "apt install mosquitto mosquitto-clients",
    ),
    "prometheus": (_installed("prometheus", "promtool"), "apt install prometheus"),
}
"""By mark: whether what its tests need is there, and how to get it."""


def required_marks() -> frozenset[str]:
    """The marks in ``GRIDLOOM_REQUIRE``.

    Raises:
        pytest.UsageError: it names a mark that cannot be required.
    """
    names = os.environ.get("GRIDLOOM_REQUIRE", "").split(",")
    marks = frozenset(name.strip() for name in names if name.strip())
    if unknown := marks - NEEDS.keys():
        message = (
            f"GRIDLOOM_REQUIRE: unknown {', '.join(sorted(unknown))}; it takes {', '.join(NEEDS)}"
        )
        raise pytest.UsageError(message)
    return marks


def absent_marks() -> frozenset[str]:
    """The marks whose tests cannot run on this machine."""
    return frozenset(mark for mark, (is_there, _) in NEEDS.items() if not is_there())


def pytest_configure() -> None:
    """Refuse a run that requires what is not here."""
    if lost := sorted(required_marks() & absent_marks()):
        hints = "; ".join(f"{mark}: {NEEDS[mark][1]}" for mark in lost)
        message = f"GRIDLOOM_REQUIRE asks for what is not here ({hints})"
        raise pytest.UsageError(message)


@pytest.hookimpl(trylast=True)  # after -m and -k have taken theirs away
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs something absent; refuse a run that lost what it requires."""
    required, absent = required_marks(), absent_marks()
    away = [item for item in items if any(item.get_closest_marker(mark) for mark in absent)]
    items[:] = [item for item in items if item not in away]
    config.hook.pytest_deselected(items=away)
    for mark in sorted(required):
        if not any(item.get_closest_marker(mark) for item in items):
            message = f"GRIDLOOM_REQUIRE asks for {mark}, but no test marked so would run"
            raise pytest.UsageError(message)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The reference data folder; for tests marked ``data``."""
    return data_folder()
