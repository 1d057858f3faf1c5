"""The whole pipeline on this machine: a real Kafka, and every stage in a process of its own."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from deploy.influx_build import cached_influxd
from deploy.kafka_users import ADMIN_USER, KafkaUsers
from deploy.local_cluster import NODES, LocalCluster
from deploy.local_kafka import LocalKafka
from deploy.supervisor import LATELY_S, Crashed, Event, Supervisor
from schemas.clock import PipelineClock
from schemas.errors import StackError
from schemas.settings import Settings
from schemas.site_model import SiteModel
from schemas.topics import DATA_TOPICS, SETPOINTS
from streams.access import declared_roles, ensure_access, ensure_users
from streams.clocks import set_clock
from streams.kafka import admin, ensure_topics, existing_topics, is_drained
from streams.metrics import SUPERVISOR, serve, targets
from streams.metrics.asking import problems_of
from streams.metrics.supervising import SupervisorMetrics
from streams.site_registry import declare_sites
from streams.stage_environment import stage_environment
from streams.stage_registry import STAGES, check_stages

if TYPE_CHECKING:
    from deploy.local_influx import LocalInflux

READY_TIMEOUT_S = 120.0

_WITHOUT_GROUP = frozenset({"devices"})
"""Stages that no consumer group of the usual name shows, where they cannot say themselves."""


class StageProcesses:
    """Stages as supervised child processes against a given Kafka.

    Args:
        settings: where everything is.
        log_folder: keeps a log for each.
        slot: number of these processes among their like.
        users: of a local Kafka, where it has any: each stage is one of its own.
        report: told of every crash, in a sentence.
    """

    def __init__(
        self,
        settings: Settings,
        log_folder: Path,
        slot: int = 0,
        users: KafkaUsers | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._users = users
        self._supervisor = Supervisor(log_folder)
        self._slot = slot
        self._report = report
        self._troubles: dict[str, str] = {}
        own = serve(settings, SUPERVISOR, slot)
        self._metrics = SupervisorMetrics(own, lambda: self.pids)

    def start(self, stages: Sequence[str]) -> None:
        """Start stages, each in a process of its own.

        Raises:
            ConfigurationError: one of them does not exist.
        """
        check_stages(list(stages))
        for stage in stages:
            environment = stage_environment(self.settings, stage, self._users)
            command = [sys.executable, "-m", "streams.stage_process", stage, str(self._slot)]
            self._supervisor.start(stage, command, environment)
            self._metrics.started(stage)

    def wait_until_ready(
        self,
        stages: Iterable[str],
        timeout_s: float = READY_TIMEOUT_S,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until every stage is ready, or the user has had enough.

        Raises:
            StackError: one is not ready in time; says why, and where its log is.
        """
        client = admin(self.settings.kafka)
        try:
            waiting = dict.fromkeys(stages, "")
            deadline = time.monotonic() + timeout_s
            while waiting and not cancelled():
                self.poll()
                reasons = {stage: self._unready(client, stage) for stage in waiting}
                waiting = {stage: reason for stage, reason in reasons.items() if reason}
                if waiting and time.monotonic() > deadline:
                    logs = [
                        f"{stage}: {reason}; see {self._supervisor.log_path(stage)}"
                        for stage, reason in waiting.items()
                    ]
                    message = f"stages not ready after {timeout_s:.0f} s"
                    raise StackError(message, problems=logs)
                time.sleep(0.1)
        finally:
            # Before its broker: librdkafka would wait for a last answer for ever.
            del client

    def _unready(self, client: AdminClient, stage: str) -> str:
        """Why a stage is not ready: in its own words, or else, as its group shows it."""
        pid = self.pids.get(stage)
        if pid is None:
            return "it does not run"
        problems = problems_of(self.settings, stage, self._slot, pid)
        if problems is not None:
            return ", ".join(problems)
        is_member = stage in _WITHOUT_GROUP or _has_partitions(client, stage)
        return "" if is_member else "it has no partitions yet"

    def poll(self) -> list[Event]:
        """Notice crashes and start crashed stages again."""
        now_s = time.monotonic()
        events = self._supervisor.poll(now_s)
        for event in events:
            if isinstance(event, Crashed):
                self._tell(event)
        lately = self._supervisor.crashes_lately(now_s)
        self._troubles = {name: said for name, said in self._troubles.items() if lately.get(name)}
        self._metrics.polled(self._troubles)
        return events

    def _tell(self, crash: Crashed) -> None:
        """Report a crash, and remember a stage that keeps crashing."""
        self._metrics.crashed(crash)
        if not crash.keeps_crashing:
            self._report(f"{crash.name} ended with status {crash.exit_code}; it is started again")
            return
        trouble = f"{crash.name} keeps crashing: {crash.lately} times in {LATELY_S / 60:.0f} min"
        self._troubles[crash.name] = trouble
        log_path = self._supervisor.log_path(crash.name)
        self._report(f"{trouble}; next start in {crash.restart_in_s:.0f} s; see {log_path}")

    def kill(self, stage: str) -> None:
        """SIGKILL a stage, as a crash would; ``poll`` starts it again."""
        self._supervisor.kill(stage)

    def finish(self, stage: str, timeout_s: float = 20.0) -> None:
        """Ask one stage to finish what it has begun and leave; it is not started again.

        Raises:
            StackError: it does not end in time.
        """
        if not self._supervisor.finish(stage, timeout_s):
            message = f"{stage} did not end within {timeout_s:.0f} s"
            raise StackError(message, problems=[f"see {self._supervisor.log_path(stage)}"])

    def is_drained(self, stage: str) -> bool:
        """Whether a stage has used everything that was written for it."""
        topics = [name for name in existing_topics(self.settings.kafka) if _reads(stage, name)]
        try:
            return is_drained(self.settings.kafka, stage, topics)
        except KafkaException:  # a broker that has just started may still load its groups
            return False

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the running stages."""
        return self._supervisor.pids

    def stop(self) -> None:
        """Stop all stages."""
        self._supervisor.stop()


def _reads(stage: str, topic: str) -> bool:
    """Whether the topic map says that the stage consumes this topic through its group."""
    prefix = SETPOINTS.name.removesuffix("<gateway>")
    name = SETPOINTS.name if topic.startswith(prefix) else topic
    return any(spec.name == name and stage in spec.consumers for spec in DATA_TOPICS)


def _has_partitions(client: AdminClient, stage: str) -> bool:
    """Whether the stage's consumer group is stable and has a member."""
    name = f"gridloom.{stage}"
    try:
        group = client.describe_consumer_groups([name], request_timeout=10)[name].result()
    except KafkaException:  # a broker that has just started may still load its groups
        return False
    return group.state == ConsumerGroupState.STABLE and bool(group.members)


class LocalPipeline:
    """A Kafka of our own and stages on it, from start to clean end; a context manager.

    Args:
        settings: as configured; Kafka's address and the folder are replaced.
        folder: keeps Kafka's data, logs, and what the stages keep.
        port: Kafka's port; any free one by default.
        secure: whether Kafka has TLS, a user for each role, and access rules.
        cluster: whether Kafka is three brokers, open to everybody on this machine.
        report: told, in one sentence each, what takes time.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        port: int | None = None,
        secure: bool = False,
        cluster: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.kafka: LocalKafka | LocalCluster
        if cluster:
            self.kafka = LocalCluster(folder / "kafka", report=report)
        else:
            self.kafka = LocalKafka(folder / "kafka", port=port, secure=secure, report=report)
        self._configured = settings
        self._report = report
        self._influx: LocalInflux | None = None
        self._stages: StageProcesses | None = None

    @property
    def settings(self) -> Settings:
        """Settings with this pipeline's Kafka, as its admin, its historian and its folder."""
        kafka = self._configured.kafka.in_plain_text(self.kafka.bootstrap_servers)
        copies = NODES if isinstance(self.kafka, LocalCluster) else 1
        kafka = kafka.model_copy(update={"replication_factor": copies})
        if self.kafka.users is not None:
            kafka = self.kafka.users.as_user(kafka, ADMIN_USER)
        settings = self._configured.model_copy(update={"folder": self.folder, "kafka": kafka})
        return settings if self._influx is None else with_local_influx(settings, self._influx)

    @property
    def stages(self) -> StageProcesses:
        """The stages; they can be started once the pipeline is up."""
        if self._stages is None:
            message = "the pipeline is not up"
            raise StackError(message)
        return self._stages

    @property
    def influx(self) -> "LocalInflux | None":
        """The InfluxDB that was started for store, if any."""
        return self._influx

    def up(
        self, clock: PipelineClock, sites: Iterable[SiteModel] = (), *, stores: bool = False
    ) -> None:
        """Start Kafka, create topics and users, set the clock, declare the sites.

        Args:
            clock: the pipeline's time.
            sites: to be declared.
            stores: whether store will run: it gets an InfluxDB of its own where an influxd is
                cached and nothing else is configured.

        Raises:
            StackError: a server does not start, or InfluxDB is asked for and there is none.
        """
        self.kafka.start()
        if stores:
            self._start_influx()
        settings = self.settings
        ensure_topics(settings.kafka)
        set_clock(settings.kafka, clock)
        declare_sites(settings.kafka, list(sites))
        users = self.kafka.users
        if users is not None:
            wanted = declared_roles(settings.kafka)
            ensure_users(settings.kafka, users, wanted)
            ensure_access(settings.kafka, wanted)
        self._stages = StageProcesses(
            settings, self.folder / "logs", users=users, report=self._report
        )
        self._name_targets()

    def _name_targets(self) -> None:
        """Tell a Prometheus that reads this file where the stages show their metrics."""
        path = self.targets_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(targets(self.settings, (*STAGES, SUPERVISOR)), indent=2), encoding="utf-8"
        )

    @property
    def targets_path(self) -> Path:
        """File for Prometheus' ``file_sd_configs``."""
        return self.folder / "prometheus" / "targets.json"

    def _start_influx(self) -> None:
        """A local InfluxDB, where it is wanted and possible."""
        kind, url = self._configured.historian.kind, self._configured.influxdb.url
        if kind == "sqlite" or url:
            return
        if cached_influxd() is None:
            if kind == "influxdb":
                message = "the historian is to be InfluxDB, but no address and no influxd is there"
                raise StackError(message, hint="set [influxdb] url, or run `make influxd`")
            return
        # Its client takes a second to load.
        from deploy.local_influx import LocalInflux

        self._influx = LocalInflux(self.folder / "influxdb")
        self._influx.start()

    def require_servers(self) -> None:
        """Make sure that Kafka runs; start InfluxDB again where it has ended.

        Store waits for InfluxDB meanwhile, and Kafka holds what is to be stored.

        Raises:
            StackError: Kafka has ended, or InfluxDB does not start.
        """
        self.kafka.require_running()
        if self._influx is not None and self._influx.pid is None:
            self._report("InfluxDB has ended; it is started again")
            self._influx.stop()
            self._influx.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the stages, then the servers."""
        if self._stages is not None:
            self._stages.stop()
        if self._influx is not None:
            self._influx.stop()
        self.kafka.stop()


def with_local_influx(settings: Settings, influx: "LocalInflux") -> Settings:
    """The settings with a local InfluxDB as the historian."""
    influxdb = settings.influxdb.model_copy(
        update={
            "url": influx.url,
            "org": influx.org,
            "bucket": influx.bucket,
            "token_file": influx.token_file,
            "read_token_file": influx.read_token_file,
        }
    )
    return settings.model_copy(update={"influxdb": influxdb})


def fresh_clock(speed: float, event_origin_ms: int | None = None) -> PipelineClock:
    """A pipeline clock that starts now; at speed 1 without an origin it is wall time."""
    if speed == 0:
        return PipelineClock(speed=0.0)
    now_ms = time.time_ns() // 1_000_000
    if speed == 1 and event_origin_ms is None:
        return PipelineClock()
    origin_ms = now_ms if event_origin_ms is None else event_origin_ms
    return PipelineClock(event_origin_ms=origin_ms, append_origin_ms=now_ms, speed=speed)
