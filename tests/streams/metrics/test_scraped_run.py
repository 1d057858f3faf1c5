"""The demo's stages on a real Kafka, scraped by a real Prometheus."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from schemas.messages import Decoder
from schemas.settings import Settings
from schemas.site_window import SiteWindow
from schemas.topics import ACKS, PLANS, SITE_WINDOWS
from streams.demo import audit
from streams.demo.runner import DemoOptions, DemoRunner
from streams.demo.watcher import Observed
from streams.kafka import read_all
from streams.local_pipeline import StageProcesses
from streams.metrics import SUPERVISOR, port_of, targets
from streams.metrics.asking import problems_of
from streams.stage_registry import STAGES
from tests.support.demo_run import SilentView
from tests.support.prometheus import Asking, Start

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.timeout(300)]

PROCESSES = (*STAGES, SUPERVISOR)
WINDOWS = 24
QUIET_S = 4.0
"""Without a new window for so long, the site is dormant; before, two come every second."""

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)


@dataclass(frozen=True)
class Scraped:
    """A run that has come to rest, while its stages still run."""

    runner: DemoRunner
    prometheus: Asking
    up_while_running: dict[tuple[str, ...], float]
    windows: list[SiteWindow]

    @property
    def seen(self) -> Observed:
        return self.runner.watcher.seen


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory, prometheus: Start) -> Iterator[Scraped]:
    """A short run; then the plant stops, the site falls dormant, and everything is used up."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRIDLOOM_ALIGN__DORMANT_AFTER_S", "5")
        runner = new_runner(tmp_path_factory.mktemp("scraped"))
        with runner.pipeline:
            runner.start()
            asking = prometheus(runner.pipeline.targets_path)
            runner.watch()
            asking.until('sum(up{job="gridloom"})', lambda value: value == len(PROCESSES))
            up = asking.values("up", "stage")
            runner.pipeline.stages.finish("field")
            come_to_rest(runner)
            kafka = runner.pipeline.settings.kafka
            records = read_all(kafka, SITE_WINDOWS.name, range(kafka.partitions))
            windows = [_WINDOW.decode(bytes(record.value() or b"")) for record in records]
            yield Scraped(runner, asking, up, windows)


def new_runner(folder: Path) -> DemoRunner:
    """A demo with the historian that is there at once."""
    settings = Settings.model_validate({"folder": folder, "historian": {"kind": "sqlite"}})
    options = DemoOptions(WINDOWS, speed=10.0)
    return DemoRunner(settings, demo_site(load_slice()), options, SilentView(), lambda: False)


def come_to_rest(runner: DemoRunner) -> None:
    """Wait until no window comes any more, and store has used the last one."""
    stages, seen = runner.pipeline.stages, runner.watcher.seen
    last, since_s = seen.revisions, time.monotonic()
    while time.monotonic() < since_s + QUIET_S:
        assert not stages.poll()
        runner.watcher.poll(0.2)
        if seen.revisions != last:
            last, since_s = seen.revisions, time.monotonic()
    for stage in ("dispatch", "gate", "actuate", "store"):
        while not stages.is_drained(stage):
            assert not stages.poll()
            runner.watcher.poll(0.2)
    runner.watcher.poll(1.0)


def assert_counts(scraped: Scraped, name: str, label: str, expected: dict[str, int]) -> None:
    """A counter says of every label value what is expected, once it was scraped again."""
    total = sum(expected.values())
    scraped.prometheus.until(f"sum({name})", lambda value: value == total)
    found = scraped.prometheus.values(f"sum by ({label}) ({name})", label)
    assert {key: value for (key,), value in found.items() if value} == {
        key: value for key, value in expected.items() if value
    }


def test_every_stage_is_up_and_says_who_it_is(scraped: Scraped) -> None:
    assert scraped.up_while_running == dict.fromkeys([(name,) for name in PROCESSES], 1.0)
    running = set(PROCESSES) - {"field"}
    info = scraped.prometheus.values("gridloom_stage_info", "stage", "slot")
    assert info == {(stage, "0"): 1.0 for stage in running}


def test_every_stage_says_that_it_is_ready(scraped: Scraped) -> None:
    settings, pids = scraped.runner.pipeline.settings, scraped.runner.pipeline.stages.pids
    assert pids.keys() == set(STAGES) - {"field"}
    assert {problems_of(settings, stage, 0, pid) for stage, pid in pids.items()} == {()}
    assert problems_of(settings, "align", 0, pids["gate"]) is None


def test_samples_are_two_seconds_apart(scraped: Scraped) -> None:
    """S0-9: Prometheus scrapes every 2 s; sample spacing 2 ± 0.5 s."""
    series = scraped.prometheus.times_s('gridloom_stage_info{stage!="field"}', "5m")
    assert len(series) == len(PROCESSES) - 1
    for times_s in series:
        gaps_s = [after - before for before, after in pairwise(times_s)]
        assert 1.5 <= median(gaps_s) <= 2.5


def test_windows_are_counted_as_they_stand_on_the_topic(scraped: Scraped) -> None:
    name = "gridloom_windows_published_total"
    kinds = Counter(str(window.completeness) for window in scraped.windows)
    revisions = Counter("later" if window.revision else "first" for window in scraped.windows)
    assert revisions["first"] > WINDOWS
    assert_counts(scraped, name, "completeness", kinds)
    assert_counts(scraped, name, "revision", revisions)
    published = 'gridloom_hop_latency_seconds_count{hop="window_published"}'
    assert scraped.prometheus.value(f"sum({published})") == revisions["first"]


def test_readings_are_counted_by_the_fate_that_align_recorded(scraped: Scraped) -> None:
    settings = scraped.runner.pipeline.settings.kafka
    fates = audit.count_fates(settings)
    assert fates.total == audit.count_telemetry(settings).readings > 0
    expected = {name: getattr(fates, name) for name in fates.__struct_fields__}
    assert_counts(scraped, "gridloom_readings_total", "fate", expected)
    letters = {"align": fates.dead_lettered}
    assert_counts(scraped, "gridloom_dead_letters_total", "stage", letters)


def test_decisions_are_counted_as_they_stand_on_the_topics(scraped: Scraped) -> None:
    seen = scraped.seen
    plans = Counter(str(plan.status) for plan in seen.plans.values())
    verdicts = Counter(type(verdict).__name__.lower() for verdict in seen.verdicts)
    assert plans["optimal"] > 0
    assert verdicts["accepted"] > 0
    assert_counts(scraped, "gridloom_plans_total", "status", plans)
    assert_counts(scraped, "gridloom_verdicts_total", "outcome", verdicts)
    hops = scraped.prometheus.values("gridloom_hop_latency_seconds_count", "hop")
    assert hops["plan",] == len(seen.plans)
    assert hops["verdict",] == len(seen.verdicts)
    solved = len(seen.plans) - plans["blind"]
    assert scraped.prometheus.value("sum(gridloom_dispatch_solve_seconds_count)") == solved


def test_commands_and_acknowledgements_are_counted_as_they_stand_on_the_topics(
    scraped: Scraped,
) -> None:
    setpoints = [setpoint for setpoint, _ in scraped.seen.setpoints.values()]
    kinds = Counter("renewal" if setpoint.renewal else "command" for setpoint in setpoints)
    assert kinds["command"] > 0
    assert_counts(scraped, "gridloom_commands_total", "kind", kinds)
    results = Counter(str(ack.result) for ack, _ in scraped.seen.acks)
    assert_counts(scraped, "gridloom_acks_total", "result", results)
    hops = scraped.prometheus.values("gridloom_hop_latency_seconds_count", "hop")
    assert hops["command",] == len({setpoint.seq for setpoint in setpoints})
    assert 0 < hops["confirmation",] <= results["applied"]


def test_what_one_stage_produces_the_next_ones_consume(scraped: Scraped) -> None:
    expected = {"align": len(scraped.windows), "dispatch": len(scraped.windows)}
    name = f'{{__name__=~"gridloom_records_.*", topic="{SITE_WINDOWS.name}", stage!="store"}}'
    assert_counts(scraped, name, "stage", expected)
    plans = {"dispatch": len(scraped.seen.plans), "gate": len(scraped.seen.plans)}
    name = f'{{__name__=~"gridloom_records_.*", topic="{PLANS.name}", stage!="store"}}'
    assert_counts(scraped, name, "stage", plans)
    acks = {stage: len(scraped.seen.acks) for stage in ("actuate", "devices")}
    name = f'gridloom_records_consumed_total{{topic="{ACKS.name}", stage!="store"}}'
    assert_counts(scraped, name, "stage", acks)


def test_what_store_wrote_is_counted(scraped: Scraped) -> None:
    """Every revision of a window is written, on top of the one before."""
    name = 'gridloom_historian_points_total{measurement="site_window"}'
    assert_counts(scraped, name, "stage", {"store": len(scraped.windows)})
    asked = scraped.prometheus
    assert asked.value('sum(gridloom_hop_latency_seconds_count{hop="window_stored"})') == len(
        scraped.windows
    )
    assert asked.values("gridloom_historian_write_seconds_count", "stage")["store",] > 0
    assert asked.value("sum(gridloom_historian_refused_points_total)") == 0
    assert asked.value("sum(gridloom_historian_retries_total)") is None


def test_who_has_read_everything_is_behind_by_nothing(scraped: Scraped) -> None:
    """Also where a topic ends with markers of transactions, which nobody can read."""
    at_rest = 'gridloom_consumer_lag_records{stage=~"dispatch|gate|actuate|store"}'
    scraped.prometheus.until(f"sum({at_rest})", lambda value: value == 0)
    behind = scraped.prometheus.values(at_rest, "stage", "topic", "partition")
    site_partitions = {key for key in behind if key[:2] == ("gate", PLANS.name)}
    assert len(site_partitions) >= 1
    assert {stage for stage, _, _ in behind} == {"dispatch", "gate", "actuate", "store"}


def test_every_partition_of_align_has_a_watermark_delay(scraped: Scraped) -> None:
    """Ticks carry the time through partitions that no site has."""
    delays = scraped.prometheus.values("gridloom_watermark_delay_seconds", "partition")
    partitions = range(scraped.runner.pipeline.settings.kafka.partitions)
    assert set(delays) == {(str(partition),) for partition in partitions}
    assert all(delay_s >= 0 for delay_s in delays.values())


def test_a_killed_stage_is_down_and_then_up_again(scraped: Scraped) -> None:
    stages, up = scraped.runner.pipeline.stages, 'sum(up{stage="gate"})'
    stages.kill("gate")
    scraped.prometheus.until(up, lambda value: value == 0)
    while scraped.prometheus.value(up) != 1:
        stages.poll()
        time.sleep(0.2)
    name = 'sum(gridloom_stage_info{stage="gate"})'
    scraped.prometheus.until(name, lambda value: value == 1)


def test_partitions_that_move_to_another_process_leave_the_gauges_of_the_first(
    scraped: Scraped, tmp_path: Path
) -> None:
    settings, file = scraped.runner.pipeline.settings, scraped.runner.pipeline.targets_path
    second = {
        "targets": [f"127.0.0.1:{port_of(settings, 'align', 1)}"],
        "labels": {"stage": "align", "slot": "1"},
    }
    file.write_text(json.dumps([*targets(settings, STAGES), second]), encoding="utf-8")
    stages = StageProcesses(settings, tmp_path, slot=1)
    try:
        stages.start(["align"])
        for gauge in ("gridloom_watermark_delay_seconds", "gridloom_consumer_lag_records"):
            ours = f'{gauge}{{stage="align"}}'
            held = f"count(count by (slot, partition) ({ours}))"
            slots = f"count(count by (slot) ({ours}))"
            scraped.prometheus.until(slots, lambda value: value == 2)
            scraped.prometheus.until(held, lambda value: value == settings.kafka.partitions)
            found = scraped.prometheus.values(f"count by (slot, partition) ({ours})", "partition")
            assert len(found) == settings.kafka.partitions
    finally:
        stages.stop()
