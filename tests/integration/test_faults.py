"""Processes are killed in mid-run; the loop comes out the same."""

from collections import Counter
from collections.abc import Iterator

import pytest

from processors.aligning.partition import Emission, PartitionAligner
from schemas.identity import partition_of
from schemas.messages import Decoder
from schemas.settings import Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import METER_WINDOWS, SITE_WINDOWS, TELEMETRY
from schemas.units import TelemetryKind
from streams.align import to_records
from streams.clocks import read_clock
from streams.demo.runner import DemoRun, DemoRunner
from streams.historians.opening import configured_place
from streams.kafka import read_all
from streams.site_registry import SiteRegistry
from tests.support.demo_run import SilentView, demo_runner

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)
_METERS: Decoder[MeterWindows] = Decoder(MeterWindows)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DemoRunner, DemoRun]]:
    """A run in which align is killed twice, and every stage of the command path once."""
    runner = demo_runner(tmp_path_factory.mktemp("killed"), windows=90)
    with runner.pipeline:
        runner.start()
        for windows, stage in (
            (20, "align"),
            (30, "actuate"),
            (40, "gate"),
            (50, "dispatch"),
            (60, "align"),
            (70, "store"),
            (80, "field"),
        ):
            runner.watch(windows)
            runner.pipeline.stages.kill(stage)
        runner.watch()
        runner.drain()
        yield runner, runner.account()


def undisturbed(settings: Settings, site: str) -> Emission:
    """What align makes of the same telemetry log when nothing disturbs it."""
    sites = SiteRegistry(settings.kafka, "test")
    partition = partition_of(site, settings.kafka.partitions)
    aligner = PartitionAligner(
        partition,
        settings.kafka.partitions,
        read_clock(settings.kafka),
        settings.align,
        sites.find,
    )
    for kind, spec in TELEMETRY.items():
        messages = list(read_all(settings.kafka, spec.name, [partition]))
        aligner.consume(TelemetryKind(kind), to_records(messages))
    sites.close()
    return aligner.emit()


def newest(windows: list[SiteWindow]) -> dict[int, SiteWindow]:
    """The last revision of every window; its number does not count."""
    last: dict[int, SiteWindow] = {}
    for window in windows:
        known = last.get(window.window_start_ms)
        if known is None or window.revision > known.revision:
            last[window.window_start_ms] = window
    return {start: _unnumbered(window) for start, window in last.items()}


def _unnumbered(window: SiteWindow) -> SiteWindow:
    fields = {name: getattr(window, name) for name in window.__struct_fields__}
    return SiteWindow(**(fields | {"revision": 0}))


def published(settings: Settings) -> list[SiteWindow]:
    """Every committed record of windows.site."""
    partitions = range(settings.kafka.partitions)
    records = read_all(settings.kafka, SITE_WINDOWS.name, partitions)
    return [_WINDOW.decode(bytes(record.value() or b"")) for record in records]


def test_every_stage_was_really_killed(killed: tuple[DemoRunner, DemoRun]) -> None:
    runner, _ = killed
    assert isinstance(runner.view, SilentView)
    crashed = Counter(text.split()[0] for text in runner.view.notices if "crashed" in text)
    assert crashed == {"align": 2} | dict.fromkeys(
        ("actuate", "gate", "dispatch", "store", "field"), 1
    )


def test_last_revisions_after_kills_equal_those_of_an_undisturbed_align(
    killed: tuple[DemoRunner, DemoRun],
) -> None:
    """DESIGN time 4 and decision 3: the last revision is a function of the log."""
    runner, _ = killed
    settings = runner.pipeline.settings
    seen, expected = newest(published(settings)), newest(undisturbed(settings, "demo").windows)
    assert len(seen) > 90
    assert seen == {start: expected[start] for start in seen}


def test_no_revision_is_published_twice_after_kills(killed: tuple[DemoRunner, DemoRun]) -> None:
    """Output that was committed before a kill is muted after it."""
    runner, _ = killed
    times = Counter((w.window_start_ms, w.revision) for w in published(runner.pipeline.settings))
    assert max(times.values()) == 1


def test_every_published_window_has_its_series(killed: tuple[DemoRunner, DemoRun]) -> None:
    """Both outputs of a transaction are there, or neither."""
    runner, _ = killed
    settings = runner.pipeline.settings
    records = read_all(settings.kafka, METER_WINDOWS.name, range(settings.kafka.partitions))
    chunks = [_METERS.decode(bytes(record.value() or b"")) for record in records]
    with_series = {(chunk.window_start_ms, chunk.revision) for chunk in chunks}
    assert with_series == {(w.window_start_ms, w.revision) for w in published(settings)}


def test_every_reading_has_exactly_one_fate_after_kills(
    killed: tuple[DemoRunner, DemoRun],
) -> None:
    """Replayed = windowed + duplicate + too late + dead-lettered, exactly."""
    _, run = killed
    assert run.report.readings_replayed > 1000
    assert run.report.accounted


def test_no_command_is_applied_twice_and_all_are_confirmed_after_kills(
    killed: tuple[DemoRunner, DemoRun],
) -> None:
    """D-5, DESIGN decision 7: a duplicate actuation would be a state changed twice."""
    _, run = killed
    assert run.report.commands > 0
    assert run.report.commands_confirmed == run.report.commands
    assert run.report.duplicate_actuations == 0


def test_one_decision_id_leads_from_window_to_acknowledgement(
    killed: tuple[DemoRunner, DemoRun],
) -> None:
    """D-5: command, relay state change and ack share one correlation id."""
    runner, _ = killed
    seen = runner.watcher.seen
    plans = {plan.decision_id: plan for plan in seen.plans.values()}
    changed = [ack for ack, _ in seen.acks if ack.changed]
    assert changed
    for ack in changed:
        setpoint, _ = seen.setpoints[ack.device, ack.seq]
        assert setpoint.decision_id == ack.decision_id
        assert plans[ack.decision_id].window_start_ms in seen.windows
    assert all(plan.site == "demo" for plan in plans.values())


def test_the_historian_holds_every_window_once_after_kills(
    killed: tuple[DemoRunner, DemoRun],
) -> None:
    """D-4: points are idempotent whatever was killed."""
    runner, _ = killed
    settings = runner.pipeline.settings
    expected = newest(published(settings))
    with configured_place(settings).open() as historian:
        points = historian.site_windows("demo", 0, 2**60)
    assert [point.window_start_ms for point in points] == sorted(expected)
    assert [point.load_kw for point in points] == [expected[s].load_kw for s in sorted(expected)]
