"""How long the way from a meter to a confirmed relay command takes, hop by hop, at speed 1."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Final

import msgspec

from deploy.processes import stop
from schemas.clock import PipelineClock
from schemas.errors import StackError
from schemas.identity import partition_of
from schemas.settings import KafkaSettings, Settings
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS, close_delay_ms
from streams.benchmarking.figures import Delay, Result, delay
from streams.benchmarking.latency_site import BOARDS, METERS, NAME, RELAYS, latency_site
from streams.benchmarking.latency_watch import ASK_EVERY_S, Reading, Sightings, ask_for_windows
from streams.benchmarking.measured_process import MeasuredProcess, environment_of
from streams.benchmarking.rounds import Bench
from streams.historians.opening import configured_place
from streams.kafka import read_all
from streams.local_pipeline import LocalPipeline
from streams.metrics import free_base_port

WINDOWS: Final = 30
QUICK_WINDOWS: Final = 6
WARM_UP_WINDOWS: Final = 3
"""Windows before the first that counts: solvers load, boards come up, the first commands go."""

GOAL_MS: Final = 500.0
"""For a window to be queryable, and for a command to be published (p99)."""

_STAGES: Final = ("dispatch", "align", "gate", "actuate", "store")
_CLOCK: Final = PipelineClock()
_DELAY_MS: Final = close_delay_ms(_CLOCK.speed)
_WAIT_S: Final = 0.02
_PATIENCE_S: Final = 60.0
_STOP_S: Final = 20.0


class Stamp(msgspec.Struct, frozen=True):
    """What is asked of a reading: when its interval began [ms]."""

    event_time_ms: int


def run(bench: Bench) -> Result:
    """Run ``latency``: the whole loop with one site, in real time."""
    wanted = bench.windows or (QUICK_WINDOWS if bench.quick else WINDOWS)
    bench.progress.start("latency", 1 + WARM_UP_WINDOWS + wanted)
    seen = Sightings()
    site = latency_site()
    with LocalPipeline(_own(bench.settings), bench.folder / "latency") as pipeline:
        bench.progress.step("starting Kafka, the historian and the stages")
        pipeline.up(_CLOCK, [site.model], stores=True)
        settings = pipeline.settings
        pipeline.stages.start(_STAGES)
        pipeline.stages.wait_until_ready(_STAGES)
        with _field(bench, settings), _asked(settings, seen):
            starts = _watch(bench, settings, seen, wanted)
        arrivals = _arrivals(settings.kafka)
    historian = "InfluxDB" if settings.uses_influxdb else "SQLite"
    return Result(
        name="latency",
        sizes={"windows": wanted, "devices": METERS + RELAYS, "relays": RELAYS, "boards": BOARDS},
        delays=tuple(delays_of(seen, starts, arrivals, historian)),
        notes=_notes(historian),
    )


def _own(settings: Settings) -> Settings:
    """Not the ports, nor the historian, of a pipeline that runs already."""
    metrics = settings.metrics.model_copy(update={"port": free_base_port()})
    influxdb = settings.influxdb.model_copy(update={"url": ""})
    return settings.model_copy(update={"metrics": metrics, "influxdb": influxdb})


@contextmanager
def _field(bench: Bench, settings: Settings) -> Iterator[None]:
    """The simulated field, while the body lasts."""
    process = MeasuredProcess(
        "latency_field", "field", bench.folder, environment_of(settings, "field")
    )
    with process.running() as child:
        try:
            yield
        except StackError:
            if child.poll() is not None:
                raise process.failure() from None
            raise
        stop([child], _STOP_S)


@contextmanager
def _asked(settings: Settings, seen: Sightings) -> Iterator[None]:
    """The historian is asked for every window, while the body lasts."""
    ended = Event()
    place = configured_place(settings)
    with ThreadPoolExecutor(1, "asking") as pool:
        asking = pool.submit(ask_for_windows, place, NAME, _DELAY_MS, seen, ended)
        try:
            yield
        finally:
            ended.set()
        asking.result()


def _watch(bench: Bench, settings: Settings, seen: Sightings, wanted: int) -> list[int]:
    """Follow the loop until enough windows were seen on all their way; their starts [ms].

    Raises:
        StackError: for a minute no window came all the way.
    """
    reading = Reading(settings.kafka, latency_site().model, seen)
    done: list[int] = []
    deadline_s = time.monotonic() + _PATIENCE_S
    while len(done) < WARM_UP_WINDOWS + wanted:
        if time.monotonic() > deadline_s:
            message = f"no window came all the way within {_PATIENCE_S:.0f} s"
            raise StackError(message, problems=[f"so far {len(done)} did"])
        reading.poll(_WAIT_S)
        through = sorted(seen.queryable.keys() & seen.verdicts.keys())
        for start_ms in through[len(done) :]:
            bench.progress.step(f"window {len(done) + 1 - WARM_UP_WINDOWS} of {wanted}")
            done.append(start_ms)
            deadline_s = time.monotonic() + _PATIENCE_S
    while seen.commands.keys() - seen.acks.keys():
        reading.poll(_WAIT_S)
    reading.close()
    return done[WARM_UP_WINDOWS:]


def _arrivals(settings: KafkaSettings) -> dict[int, list[int]]:
    """How long after their interval's end readings were in Kafka [ms], by window start [ms]."""
    topic = telemetry_topic(TelemetryKind.METER)
    found = defaultdict(list)
    for message in read_all(settings, topic, [partition_of(NAME, settings.partitions)], "latency"):
        value = message.value()
        if isinstance(value, bytes) and value:
            start_ms = msgspec.json.decode(value, type=Stamp).event_time_ms
            found[start_ms].append(message.timestamp()[1] - start_ms - WINDOW_MS)
    return found


def delays_of(
    seen: Sightings, starts: Iterable[int], arrivals: Mapping[int, list[int]], historian: str
) -> Iterator[Delay]:
    """Every hop of the windows that count, in the order of the way."""
    counted = list(starts)
    due = {start: start + WINDOW_MS + _DELAY_MS for start in counted}
    window_of = {
        command: seen.window_of[decision]
        for command, decision in seen.decision_of.items()
        if seen.window_of.get(decision) in due
    }
    commanded = {
        command: seen.commands[command] - due[start] for command, start in window_of.items()
    }

    yield delay("reading: end of its interval -> in Kafka", _flat(arrivals[s] for s in counted))
    yield delay(
        "window closed (its end + close delay) -> published",
        [seen.windows[start] - due[start] for start in counted],
    )
    yield delay(
        f"window published -> queryable in {historian}",
        [seen.queryable[start] - seen.windows[start] for start in counted],
    )
    yield delay(
        f"window closed -> queryable in {historian}",
        [seen.queryable[start] - due[start] for start in counted],
        GOAL_MS,
    )
    yield delay(
        "window published -> plan", [seen.plans[start] - seen.windows[start] for start in counted]
    )
    yield delay("plan -> verdict", [seen.verdicts[start] - seen.plans[start] for start in counted])
    yield delay(
        "verdict -> command",
        [seen.commands[command] - seen.verdicts[start] for command, start in window_of.items()],
    )
    yield delay("window closed -> command", list(commanded.values()))
    yield delay(
        "measurement -> command, without the window's wait",
        [max(arrivals[window_of[command]]) + ms for command, ms in commanded.items()],
        GOAL_MS,
    )
    yield delay(
        "command -> confirmation",
        [seen.acks[command] - seen.commands[command] for command in window_of],
    )


def _flat(many: Iterable[list[int]]) -> list[float]:
    return [float(each) for some in many for each in some]


def _notes(historian: str) -> tuple[str, ...]:
    ask_ms = 1_000 * ASK_EVERY_S
    return (
        "the whole loop at speed 1, each stage a process of its own, on one Kafka",
        "boards and meters are simulated and send when their intervals end, at once",
        "a record is published when a reader of committed records has it: commits are included",
        f"queryable: {historian} gives the window back; it is asked every {ask_ms:.0f} ms",
        f"a window is closed {_DELAY_MS} ms after its end: measurement -> command leaves that out",
        "and counts the way of the window's last reading into Kafka instead",
        "with fewer than 100 samples the 99th percentile is the longest of all",
    )
