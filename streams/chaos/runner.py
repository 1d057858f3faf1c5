"""Runs the demo's loop under faults, brings it to rest, and holds the result against the log."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from hardware.actuation_journal import ActuationJournal
from schemas.errors import HistorianError, StackError
from schemas.windows import WINDOW_MS
from streams.benchmarking.machine import describe_machine, load_average
from streams.chaos.comparing import (
    Differences,
    compare_repeats,
    compare_stored,
    compare_windows,
    published,
    undisturbed,
)
from streams.chaos.injecting import Injector
from streams.chaos.plan import STAGES, Fault
from streams.chaos.report import ChaosReport, InjectedFault, Readings
from streams.demo import audit
from streams.demo.runner import DemoRunner
from streams.field import BOARDS_FOLDER
from streams.historians.opening import configured_place

CATCH_UP_S: Final = 120.0
"""A run that is not at the present by then has failed [s]."""

BEHIND_WINDOWS: Final = 6
"""A stage whose newest result is so much older than now is not at the present."""


class FaultView(Protocol):
    """Shows which faults there are and were."""

    def begun(self, fault: Fault, number: int, total: int) -> None:
        """A fault begins, the first one as number 1."""
        ...

    def ended(self, fault: Fault) -> None:
        """A fault that lasted is over."""
        ...


class ChaosRunner:
    """One run: start, faults by plan, catch up, drain, compare.

    Args:
        demo: the loop, not started yet.
        plan: faults in the order of time.
        seconds: length of the disturbed phase [s].
        view: told of every fault.
    """

    def __init__(
        self, demo: DemoRunner, plan: Sequence[Fault], seconds: float, view: FaultView
    ) -> None:
        self.demo = demo
        self.faults: list[InjectedFault] = []
        self._waiting = deque(plan)
        self._total = len(plan)
        self._active: list[tuple[Fault, float]] = []
        self._seconds = seconds
        self._view = view
        self._began_s = 0.0
        self._load = load_average()

    def disturb(self) -> float | None:
        """Start the loop, let the faults happen, and wait for it to catch up.

        Returns:
            How long that took after the last fault [s]; None where it was not done in time.

        Raises:
            DemoCancelledError: the user stopped it.
            StackError: a server does not start any more.
        """
        self.demo.start()
        self.demo.watch(1)
        self._began_s = time.monotonic()
        with Injector(self.demo.pipeline, self.demo.site.model.name) as injector:
            while self._now_s() < self._seconds:
                self._advance(injector)
                with_servers = injector.spares_servers
                note = f"{self._now_s():.0f} of {self._seconds:.0f} s"
                injector.look_after(self.demo.turn(note, with_servers=with_servers))
            for fault, began_s in tuple(self._active):
                self._end(injector, fault, began_s)
            return self._catch_up(injector)

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    def _advance(self, injector: Injector) -> None:
        """End what is over, begin what is due; who is not there yet is waited for."""
        for fault, began_s in tuple(self._active):
            if self._now_s() >= began_s + fault.lasts_s:
                self._end(injector, fault, began_s)
        for fault in tuple(self._waiting):
            if fault.at_s > self._now_s():
                return
            if injector.can_begin(fault):
                self._waiting.remove(fault)
                self._active.append((fault, self._now_s()))
                self._view.begun(fault, self._total - len(self._waiting), self._total)
                injector.begin(fault)

    def _end(self, injector: Injector, fault: Fault, began_s: float) -> None:
        self._active.remove((fault, began_s))
        ended_s = self._now_s()
        injector.end(fault)
        if fault.lasts_s:
            self._view.ended(fault)
        self.faults.append(
            InjectedFault(
                at_s=round(began_s, 2),
                lasted_s=round(ended_s - began_s, 2) if fault.lasts_s else 0.0,
                kind=str(fault.kind),
                target=fault.target,
            )
        )

    def _catch_up(self, injector: Injector) -> float | None:
        """Wait until every stage is there and at the present."""
        began_s = time.monotonic()
        while not self._is_present():
            if time.monotonic() > began_s + CATCH_UP_S:
                return None
            injector.look_after(self.demo.turn("catching up"))
        return time.monotonic() - began_s

    def _is_present(self) -> bool:
        """Whether all stages run, and their newest results are recent."""
        seen = self.demo.watcher.seen
        recent_ms = self.demo.now_ms() - BEHIND_WINDOWS * WINDOW_MS
        newest_verdict_ms = seen.verdicts[-1].window_start_ms if seen.verdicts else 0
        newest_ms = min(max(seen.windows), max(seen.plans, default=0), newest_verdict_ms)
        return (
            newest_ms >= recent_ms
            and set(STAGES) <= self.demo.pipeline.stages.pids.keys()
            and self._is_stored(recent_ms)
        )

    def _is_stored(self, since_ms: int) -> bool:
        try:
            with configured_place(self.demo.pipeline.settings).open() as historian:
                return bool(historian.site_windows(self.demo.site.model.name, since_ms, 2**62))
        except HistorianError:  # it is only just back
            return False

    def compare(self) -> Differences:
        """Hold what was published and stored against an undisturbed align."""
        settings, site = self.demo.pipeline.settings, self.demo.site.model.name
        found, seen = Differences(), published(settings.kafka)
        compare_windows(seen, undisturbed(settings, site), found)
        compare_repeats(seen, found)
        with configured_place(settings).open() as historian:
            compare_stored(seen, historian, site, found)
        return found

    def report(self, seed: int, catch_up_s: float | None) -> ChaosReport:
        """Count everything from the logs, after the run has come to rest; Kafka still runs."""
        kafka = self.demo.pipeline.settings.kafka
        seen = self.demo.watcher.seen
        telemetry = audit.count_telemetry(kafka)
        readings = Readings.of(telemetry.readings, audit.count_fates(kafka))
        found = self.compare()
        if readings.unaccounted:
            found.problems.append(f"{readings.unaccounted} readings have no fate, or two")
        journal = ActuationJournal(self.demo.pipeline.settings.home / BOARDS_FOLDER)
        answered = audit.switches(ack for ack, _ in seen.acks)
        written_down = audit.switches(journal.read())
        return ChaosReport(
            lost=found.lost + readings.unaccounted,
            doubled=found.doubled,
            different=found.different,
            duplicate_actuations=max(answered.repeated, written_down.repeated),
            problems=tuple(found.problems),
            faults=tuple(sorted(self.faults, key=lambda fault: fault.at_s)),
            seed=seed,
            minutes=self._seconds / 60,
            machine=describe_machine(self._load),
            readings=readings,
            windows=len(seen.windows),
            commands=len(seen.setpoints),
            catch_up_s=None if catch_up_s is None else round(catch_up_s, 1),
        )


def run_chaos(runner: ChaosRunner, seed: int) -> ChaosReport:
    """All of it; the folder stays, and is named, where the outcome is not clean.

    Raises:
        DemoCancelledError: the user stopped it.
        StackError: a part did not start, or a server does not start any more.
    """
    demo = runner.demo
    with demo.lasting():
        catch_up_s = runner.disturb()
        try:
            demo.drain()
        except StackError as error:  # the figures say what is missing
            demo.view.notice(str(error))
            catch_up_s = None
        report = runner.report(seed, catch_up_s)
        if not report.is_clean:
            demo.keep_folder()
        return report
