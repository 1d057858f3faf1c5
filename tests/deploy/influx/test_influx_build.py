"""Building InfluxDB: what is asked of the machine, and what a build leaves behind.

The build itself takes minutes and a network; `.ci/run` does it with `make influxd`. Here stands a
toolchain of small scripts in its place, run as real processes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.influx_build import (
    INFLUXD_VERSION,
    MODULE,
    build_influxd,
    cached_influxd,
    influxd_folder,
)
from schemas.errors import StackError

Eventually = Callable[[Callable[[], bool]], None]
IsRunning = Callable[[int], bool]

TOOLS = ("cargo", "cc", "clang", "go", "pkg-config")
ROOT = Path(__file__).resolve().parents[3]

VERSIONS = """#!/bin/sh
case "$0 $1" in
*/go\\ version) echo "go version go1.26.8 linux/amd64" ;;
*/cargo\\ --version) echo "cargo 1.95.0 (f2d3ce0bd 2026-03-21)" ;;
*/go\\ *) . "$(dirname "$0")/go-script" ;;
esac
"""

GO = """
echo "$@"
for word in "$@"; do last=$word; done
case "$1 $last" in
"install "*/influxd)
    test "$GOFLAGS" = -mod=readonly && test -x "$RUSTC_WRAPPER" && test -f go.sum || exit 3
    test -x "$PKG_CONFIG" || exit 4
    printf '#!/bin/sh\\necho built\\n' > "$GOBIN/influxd"; chmod +x "$GOBIN/influxd" ;;
"install "*) printf '#!/bin/sh\\n' > "$GOBIN/pkg-config"; chmod +x "$GOBIN/pkg-config" ;;
esac
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the toolchain, alone in the path but for a shell's own tools."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).write_text(VERSIONS, encoding="ascii")
        (folder / name).chmod(0o755)
    for name in ("chmod", "dirname", "sh", "sleep"):
        (folder / name).symlink_to(Path("/bin", name))
    (folder / "go-script").write_text(GO, encoding="ascii")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def unheard(_sentence: str) -> None:
    """For tests that do not look at what is reported."""


def test_a_build_ends_in_the_cache_and_says_what_it_did(tools: Path) -> None:
    told: list[str] = []
    program = build_influxd(told.append)
    assert program == cached_influxd() == influxd_folder() / "influxd"
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"built\n"
    assert told[0].startswith(f"Building InfluxDB {INFLUXD_VERSION}, once")
    assert told[-1].startswith(f"Built InfluxDB {INFLUXD_VERSION} in ")
    assert sorted(path.name for path in influxd_folder().iterdir()) == ["build.log", "influxd"]
    assert tools.is_dir()


@pytest.mark.usefixtures("tools")
def test_what_is_built_already_needs_no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    program = build_influxd(unheard)
    monkeypatch.setenv("PATH", "")
    told: list[str] = []
    assert build_influxd(told.append) == program
    assert told == []


def test_every_missing_tool_is_named_with_its_package(tools: Path) -> None:
    for name in TOOLS:
        (tools / name).unlink()
    with pytest.raises(StackError, match="tools are missing") as caught:
        build_influxd(unheard)
    assert caught.value.problems == (
        "go: not found (Debian package golang-go)",
        "cargo: not found (Debian package cargo, or rustup)",
        "clang: not found (Debian package clang)",
        "cc: not found (Debian package gcc)",
        "pkg-config: not found (Debian package pkg-config)",
    )
    assert "make influxd" in caught.value.hint


def test_tools_that_are_too_old_or_broken_are_named(tools: Path) -> None:
    """Debian 12 has Go 1.19, which cannot even read the module."""
    old = VERSIONS.replace("go1.26.8", "go1.19.8")
    (tools / "go").write_text(old, encoding="ascii")
    (tools / "cargo").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    with pytest.raises(StackError) as caught:
        build_influxd(unheard)
    assert caught.value.problems == (
        "go: 1.19 is too old (Debian package golang-go, 1.21 or newer)",
        "cargo: does not run (Debian package cargo, or rustup, 1.72 or newer)",
    )


@pytest.mark.parametrize("step", ["list", "install"])
def test_a_step_that_fails_is_explained_by_its_output_and_leaves_no_program(
    step: str, tools: Path
) -> None:
    failing = f'if [ "$1" = {step} ]; then echo "dial tcp: no such host"; exit 1; fi\n'
    (tools / "go-script").write_text(failing + GO, encoding="ascii")
    with pytest.raises(StackError, match=r"InfluxDB could not be built: .* failed") as caught:
        build_influxd(unheard)
    assert caught.value.problems == ("dial tcp: no such host",)
    assert str(influxd_folder() / "build.log") in caught.value.hint
    assert [path.name for path in influxd_folder().iterdir()] == ["build.log"]
    assert cached_influxd() is None


@pytest.mark.usefixtures("tools")
def test_a_cache_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StackError, match="InfluxDB cannot be built in"):
        build_influxd(unheard)


def test_a_build_that_is_interrupted_leaves_nothing_running_and_no_program(
    tools: Path, tmp_path: Path, eventually: Eventually, is_running: IsRunning
) -> None:
    """What it started ends with it, down to the compilers."""
    waiting = tmp_path / "waiting"
    compiling = f"sleep 600 & echo $$ $! > {waiting}; wait\n"
    (tools / "go-script").write_text(compiling, encoding="ascii")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "deploy.influx_build"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as build:
        eventually(lambda: waiting.exists() and waiting.read_text(encoding="ascii") != "")
        pids = [int(pid) for pid in waiting.read_text(encoding="ascii").split()]
        build.send_signal(signal.SIGINT)
        assert build.wait(30) == 128 + signal.SIGINT
    eventually(lambda: not any(is_running(pid) for pid in pids))
    assert [path.name for path in influxd_folder().iterdir()] == ["build.log"]


def run_module(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.influx_build"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("tools")
def test_the_command_prints_where_the_program_is() -> None:
    done = run_module()
    assert (done.returncode, done.stdout) == (0, f"{influxd_folder() / 'influxd'}\n")
    assert "Building InfluxDB" in done.stderr
    again = run_module(PATH="")
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")


def test_the_command_fails_with_sentences_and_no_traceback(tools: Path) -> None:
    (tools / "clang").unlink()
    done = run_module()
    assert (done.returncode, done.stdout) == (1, "")
    assert "clang: not found (Debian package clang)" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_module_pins_the_version_and_every_dependency() -> None:
    """go.sum holds a hash of everything that go.mod names, so what is fetched is verified."""
    required = [
        line.split()[:2]
        for line in (MODULE / "go.mod").read_text(encoding="utf-8").splitlines()
        if line.startswith("\t")
    ]
    assert ["github.com/influxdata/influxdb/v2", f"v{INFLUXD_VERSION}"] in required
    sums = (MODULE / "go.sum").read_text(encoding="utf-8")
    for name, version in required:
        assert f"{name} {version}/go.mod h1:" in sums
