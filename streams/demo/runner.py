"""Runs the demo from start to a clean end, and accounts for it."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol

from deploy.ports import free_port
from deploy.supervisor import Crashed, Event
from hardware.base_load import COMPRESSION
from hardware.demo_site import DemoSite
from schemas.errors import StackError
from schemas.settings import Settings
from schemas.site_window import Completeness
from schemas.windows import LATENESS_MS, WINDOW_MS
from streams.clocks import RunningClock
from streams.demo import audit
from streams.demo.report import DemoReport
from streams.demo.watcher import Observed, Watcher
from streams.field import SEED
from streams.historians.opening import configured_place
from streams.historians.points import Measurement
from streams.local_pipeline import LocalPipeline, fresh_clock
from streams.metrics import free_base_port

COMMAND_PATH: Final = ("dispatch", "align", "gate", "actuate", "store")
"""Started and ready before the plant; the slowest to start comes first."""
SOURCE: Final = "SimBench 1-LV-urban6, each 15-minute value played in one minute"
SETTLE_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.2


class DemoCancelledError(Exception):
    """The user asked the demo to stop."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``windows``: how many 5-second windows. ``speed``: pipeline seconds per second.

    ``secure``: whether Kafka has TLS, users and access rules. ``cluster``: whether it is three
    brokers instead.
    """

    windows: int = 240
    speed: float = 10.0
    secure: bool = False
    cluster: bool = False


class DemoView(Protocol):
    """Shows a run while it lasts."""

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Show what was seen so far, how many windows are done, and what is happening."""
        ...

    def notice(self, text: str) -> None:
        """Tell something in one sentence."""
        ...


@dataclass(frozen=True, slots=True)
class DemoRun:
    """A finished run: its report, and power by window for the charts [kW]."""

    report: DemoReport
    controlled_kw: Sequence[float]
    uncontrolled_kw: Sequence[float]


class DemoRunner:
    """One run in a folder of its own, which is deleted in the end."""

    def __init__(
        self,
        settings: Settings,
        site: DemoSite,
        options: DemoOptions,
        view: DemoView,
        cancelled: Callable[[], bool],
    ) -> None:
        self.site = site
        self._options = options
        self.view = view
        self._cancelled = cancelled
        self._started_s = time.time()
        settings.home.mkdir(parents=True, exist_ok=True)
        # A folder and a port of its own: a second demo, or an `up`, may run beside it.
        self._folder = Path(mkdtemp(prefix="demo-", dir=settings.home))
        self._web = settings.devices.model_copy(update={"port": free_port()})
        metrics = settings.metrics.model_copy(update={"port": free_base_port()})
        # Nor into a historian that keeps what really happened.
        influxdb = settings.influxdb.model_copy(update={"url": ""})
        own = settings.model_copy(
            update={"devices": self._web, "metrics": metrics, "influxdb": influxdb}
        )
        self.pipeline = LocalPipeline(
            own,
            self._folder,
            secure=options.secure,
            cluster=options.cluster,
            report=view.notice,
        )
        self._clock = fresh_clock(1.0)
        self._watcher: Watcher | None = None
        self._kept = False
        self.crashes: Counter[str] = Counter()

    def run(self) -> DemoRun:
        """Run, drain, count; everything is stopped and deleted at the end.

        Raises:
            DemoCancelledError: the user stopped it.
            StackError: a part did not start, or the run did not come to rest.
        """
        with self.lasting():
            self.start()
            self.watch()
            self.drain()
            return self.account()

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """Everything is stopped and deleted at the end; the folder stays where a part failed."""
        try:
            with self.pipeline:
                yield
        except StackError:
            self.keep_folder()
            raise
        finally:
            if not self._kept:
                shutil.rmtree(self._folder, ignore_errors=True)

    def keep_folder(self) -> None:
        """Leave the folder with all logs where it is."""
        self._kept = True
        self.view.notice(f"what happened is in {self._folder}")

    def start(self) -> None:
        """Start Kafka, then everything that decides, then the plant."""
        pipeline = self.pipeline
        self._clock = fresh_clock(self._options.speed, self.site.base.start_ms)
        pipeline.up(self._clock, [self.site.model], stores=True)
        self.view.notice("Kafka is up; starting the stages ...")
        pipeline.stages.start(COMMAND_PATH)
        pipeline.stages.wait_until_ready(COMMAND_PATH, cancelled=self._cancelled)
        pipeline.stages.start(["field", "devices"])
        self.view.notice(f"device view: http://{self._web.host}:{self._web.port}/devices")
        self._watcher = Watcher(pipeline.settings.kafka, self.site.model)

    def now_ms(self) -> int:
        """Pipeline time now [ms]."""
        return RunningClock(self._clock).now_ms()

    @property
    def watcher(self) -> Watcher:
        """What follows the run, once it has started."""
        if self._watcher is None:
            message = "the demo has not started"
            raise StackError(message)
        return self._watcher

    def watch(self, windows: int | None = None) -> None:
        """Until the plant has fed the wanted number of windows (default: all)."""
        wanted = self._options.windows if windows is None else windows
        while len(self.watcher.seen.windows) < wanted + 1:
            self.turn("running")

    def turn(self, note: str, *, with_servers: bool = True) -> list[Event]:
        """Look at everything once, and start again what has crashed.

        Args:
            note: what the run is at.
            with_servers: whether Kafka and InfluxDB are to run now.

        Returns:
            What became of the stages meanwhile.
        """
        if self._cancelled():
            raise DemoCancelledError
        if with_servers:
            self.pipeline.require_servers()
        events = self.pipeline.stages.poll()
        self.crashes.update(event.name for event in events if isinstance(event, Crashed))
        self.watcher.poll(POLL_S)
        done = min(len(self.watcher.seen.windows), self._options.windows)
        self.view.show(self.watcher.seen, done, note)
        return events

    def drain(self) -> None:
        """End the loop in the order of the data, so that nothing is left under way."""
        stages, seen = self.pipeline.stages, self.watcher.seen
        stages.finish("dispatch")
        for stage in ("gate", "actuate"):
            self._until_drained(stage)
            stages.finish(stage)
        self._until(lambda: not seen.unsettled(self.now_ms()), "waiting for confirmations")
        stages.finish("field")
        rest_ms = self.now_ms() + LATENESS_MS + 2 * WINDOW_MS
        self._until(lambda: max(seen.windows) >= rest_ms, "closing the windows")
        stages.finish("align")
        self._until_drained("store")
        stages.finish("store")
        self.watcher.close()

    def _until_drained(self, stage: str) -> None:
        self._until(lambda: self.pipeline.stages.is_drained(stage), f"waiting for {stage}")

    def _until(self, reached: Callable[[], bool], note: str) -> None:
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not reached():
            if time.monotonic() > deadline:
                message = f"the demo did not come to rest while {note}"
                raise StackError(message, hint=f"logs are in {self._folder / 'logs'}")
            self.turn(note)

    def account(self) -> DemoRun:
        """Count everything from the logs; Kafka still runs."""
        settings, seen = self.pipeline.settings, self.watcher.seen
        model = self.site.model
        telemetry = audit.count_telemetry(settings.kafka)
        fates = audit.count_fates(settings.kafka)
        first_ms = telemetry.first_meter_ms
        windows = audit.within(seen, first_ms, self._options.windows)
        kinds = audit.count_completeness(windows)
        decisions, infeasible = audit.infeasible(seen, first_ms, self._options.windows)
        switched = audit.switches(ack for ack, _ in seen.acks)
        controlled = [window.net_kw for window in windows]
        uncontrolled = self._uncontrolled_kw(first_ms, len(windows))
        with configured_place(settings).open() as historian:
            points = sum(historian.count(measurement) for measurement in Measurement)
        report = DemoReport(
            site=model.name,
            source=SOURCE,
            speed=self._options.speed,
            time_compression=COMPRESSION,
            readings_replayed=telemetry.readings,
            readings_windowed=fates.windowed,
            readings_duplicate=fates.duplicate,
            readings_too_late=fates.too_late,
            dead_lettered=fates.dead_lettered,
            windows=len(windows),
            windows_complete=kinds[Completeness.COMPLETE],
            windows_degraded=kinds[Completeness.DEGRADED],
            windows_blind=kinds[Completeness.BLIND],
            revisions=seen.revisions,
            historian="influxdb" if settings.uses_influxdb else "sqlite",
            historian_points=points,
            decisions=decisions,
            decisions_infeasible=infeasible,
            verdicts_rejected=seen.rejected,
            commands=len(seen.setpoints),
            commands_confirmed=len(set(seen.setpoints) & seen.confirmed),
            sheds=switched.sheds,
            restores=switched.restores,
            duplicate_actuations=switched.repeated,
            capacity_kw=model.capacity_kw,
            threshold_kw=model.threshold_kw,
            peak_kw_uncontrolled=max(uncontrolled, default=0.0),
            peak_kw_controlled=max(controlled, default=0.0),
            kwh_over_threshold_uncontrolled=audit.kwh_over(uncontrolled, model.threshold_kw),
            kwh_over_threshold_controlled=audit.kwh_over(controlled, model.threshold_kw),
            longest_excursion_windows=audit.longest_run_over(controlled, model.threshold_kw),
            first_confirmed_command_s=self._first_confirmed_s(seen),
            seconds=time.time() - self._started_s,
            latency_ms=audit.latencies(seen),
        )
        return DemoRun(report, controlled, uncontrolled)

    def _uncontrolled_kw(self, first_ms: int, windows: int) -> list[float]:
        """The plant's own base plus all relays, window by window [kW]."""
        plant = self.site.plant(origin_ms=first_ms, seed=SEED)
        every_relay_on = {
            (board.id, relay.output): 1.0
            for board in self.site.model.relay_boards
            for relay in board.relays
        }
        return [
            plant.totals_for(first_ms + n * WINDOW_MS, every_relay_on).uncontrolled_kw
            for n in range(windows)
        ]

    def _first_confirmed_s(self, seen: Observed) -> float:
        """Wall time from the start of the demo to the first confirmation [s]."""
        first_ms = min((at_ms for _, at_ms in seen.acks), default=0)
        return first_ms / 1000 - self._started_s
