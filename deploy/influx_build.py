"""InfluxDB 2, built once from its Go module and kept for good.

There is no other way to a current InfluxDB 2 without Docker. The sources come through Go's own
module download, each verified against ``deploy/influxd/go.sum``; the program goes to
``$XDG_CACHE_HOME/gridloom/influxd-<version>`` (``~/.cache`` by default), at once and complete.
``python -m deploy.influx_build`` builds it where it is not there.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from deploy.build_tools import require_build_tools
from deploy.cache import cache_folder
from deploy.processes import Process, kill, orderly_signals, spawn
from schemas.errors import GridloomError, StackError

INFLUXD_VERSION: Final = "2.7.12"
"""Version of InfluxDB that the local stack runs."""

MODULE: Final = Path(__file__).with_name("influxd")
"""The Go module that pins it, down to every dependency's content."""

Report = Callable[[str], None]

_INFLUXD: Final = "github.com/influxdata/influxdb/v2/cmd/influxd"
_PKG_CONFIG: Final = "github.com/influxdata/pkg-config"
# Without the web interface, whose build needs Node.js: Grafana is what people look at.
_TAGS: Final = "sqlite_foreign_keys,sqlite_json,noassets"
_LINKER_FLAGS: Final = f"-s -w -X main.version=v{INFLUXD_VERSION}"
_POLL_S: Final = 0.1
_REPORT_EVERY_S: Final = 15.0
_LOG_TAIL_LINES: Final = 15


def influxd_folder() -> Path:
    """Where the program is kept."""
    return cache_folder(f"influxd-{INFLUXD_VERSION}")


def cached_influxd() -> Path | None:
    """The program, or None where it was never built on this machine."""
    program = influxd_folder() / "influxd"
    return program if os.access(program, os.X_OK) else None


def build_influxd(report: Report) -> Path:
    """The program; where it is not there yet, it is built in about 5 minutes on 2 cores.

    Args:
        report: told, in one sentence each, what is being done and for how long.

    Raises:
        StackError: tools are missing, the sources cannot be fetched, or the build fails.
    """
    if program := cached_influxd():
        return program
    require_build_tools()
    folder = influxd_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix="building-") as scratch:
            built = _Build(Path(scratch), folder / "build.log", report).influxd()
            return built.replace(folder / "influxd")
    except OSError as error:
        raise StackError(f"InfluxDB cannot be built in {folder}.", problems=[str(error)]) from error


class _Build:
    """One build in a scratch folder, with a log that outlives it."""

    def __init__(self, scratch: Path, log_path: Path, report: Report) -> None:
        self._module = Path(shutil.copytree(MODULE, scratch / "module"))
        self._bin = scratch / "bin"
        self._bin.mkdir()
        self._log_path = log_path
        self._log_path.write_bytes(b"")
        self._report = report
        self._started_s = time.monotonic()
        self._next_report_s = _REPORT_EVERY_S
        wrapper = self._module / "rustc-lenient"
        wrapper.chmod(0o755)
        self._env = {
            "CC": "clang",
            "GOBIN": str(self._bin),
            "GOFLAGS": "-mod=readonly",
            "GOWORK": "off",
            "PKG_CONFIG": str(self._bin / "pkg-config"),
            "RUSTC_WRAPPER": str(wrapper),
            # Flux asks rustup for an old compiler; any newer one does.
            "RUSTUP_TOOLCHAIN": os.environ.get("RUSTUP_TOOLCHAIN", "stable"),
        }

    def influxd(self) -> Path:
        """The new program, in the scratch folder."""
        self._report(f"Building InfluxDB {INFLUXD_VERSION}, once (about 5 minutes) ...")
        listing = ["list", "-deps", "-tags", _TAGS, _INFLUXD, _PKG_CONFIG]
        packages = len(self._go("fetching the sources", listing))
        self._go("building what the build itself needs", ["install", _PKG_CONFIG])
        flags = ["-v", "-trimpath", "-tags", _TAGS, "-ldflags", _LINKER_FLAGS]
        self._go(f"compiling up to {packages:,} packages", ["install", *flags, _INFLUXD])
        self._report(f"Built InfluxDB {INFLUXD_VERSION} in {self._elapsed_s():.0f} s.")
        return self._bin / "influxd"

    def _go(self, doing: str, arguments: Sequence[str]) -> list[str]:
        """Run one ``go`` command to its end; the lines that it wrote."""
        before = self._log_path.stat().st_size
        process = spawn(["go", *arguments], self._log_path, env=self._env, folder=self._module)
        try:
            self._tell_until_done(process, doing, before)
        finally:
            kill(process)
        lines = self._log_lines(before)
        if process.returncode:
            raise StackError(
                f"InfluxDB could not be built: {doing} failed.",
                hint=f"The whole log is {self._log_path}.",
                problems=lines[-_LOG_TAIL_LINES:],
            )
        return lines

    def _tell_until_done(self, process: Process, doing: str, before: int) -> None:
        """Say now and then for how long it has been at it, and how far it is."""
        while process.poll() is None:
            if self._elapsed_s() >= self._next_report_s:
                self._next_report_s += _REPORT_EVERY_S
                done = len(self._log_lines(before))
                self._report(f"  {self._elapsed_s():3.0f} s: {doing}, {done:,} done")
            time.sleep(_POLL_S)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    def _log_lines(self, offset: int) -> list[str]:
        with self._log_path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace").splitlines()


def _main() -> int:
    """Build where needed; print where the program is."""
    notices = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    try:
        with orderly_signals():
            program = build_influxd(notices.print)
    except GridloomError as error:
        notices.print(f"error: {error}\nhint: {error.hint}")
        return 1
    Console(highlight=False, soft_wrap=True, markup=False).print(program)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
