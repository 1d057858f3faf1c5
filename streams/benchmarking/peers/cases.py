"""A peer over all rounds: measured and compared each time, given up at its first failure."""

from typing import Final

from schemas.errors import GridloomError
from schemas.settings import KafkaSettings
from streams.benchmarking.align_workload import METERS, Workload
from streams.benchmarking.peers.engines import ENGINES, Engine, readings_of
from streams.benchmarking.peers.means import Differences, Means, differences
from streams.benchmarking.peers.measuring import PeerBed
from streams.benchmarking.rounds import Bench

_LONGEST: Final = 300


class PeerCase:
    """One peer; whatever is wrong with it is a sentence in the report, and stops nothing else.

    Args:
        engine: the peer.
        readings: that it is given.

    Attributes:
        rates: of the rounds that count [readings/s].
        differences: of every run.
        problem: why it was not measured, or is not any more.
    """

    def __init__(self, engine: Engine, readings: int) -> None:
        self.engine = engine
        self.readings = readings
        self.rates: list[float] = []
        self.differences: list[Differences] = []
        self.problem: str | None = None
        self._bed: PeerBed | None = None
        self._expected = Means()

    def lay(
        self, settings: KafkaSettings, all_readings: int, expected: Means, bench: Bench
    ) -> None:
        """Get what it needs, and send it its readings.

        Args:
            settings: of the broker that holds the workload.
            all_readings: that it holds.
            expected: what align made of them.
            bench: the run.
        """
        folder = bench.folder / self.engine.key
        workload = Workload(self.readings, 1, settings.partitions)
        try:
            command = self.engine.command(folder / "built", bench.progress.note)
            is_all = self.readings == all_readings
            self._bed = PeerBed(settings, self.engine, command, workload, folder, is_all=is_all)
        except GridloomError as error:
            self._give_up(error)
        self._expected = expected.before(workload.end_ms)

    def measure(self) -> float | None:
        """One run [readings/s]; None where it cannot be measured."""
        if self._bed is None or self.problem is not None:
            return None
        try:
            rate, found = self._bed.run()
        except GridloomError as error:
            self._give_up(error)
            return None
        self.differences.append(differences(found, self._expected))
        return rate

    @property
    def is_equal(self) -> bool | None:
        """Whether all that it wrote, in all rounds, is what align wrote; None: not measured."""
        if self.problem is not None or not self.differences:
            return None
        return all(each.is_equal for each in self.differences)

    def notes(self) -> list[str]:
        """What a reader must know of it."""
        title = self.engine.title
        if self.problem is not None:
            return [f"{title} was not measured: {self.problem}"]
        different = next((each for each in self.differences if not each.is_equal), None)
        if different is not None:
            return [f"{title} wrote something else than align: {different.sentence()}"]
        return []

    def _give_up(self, error: GridloomError) -> None:
        self.problem = "; ".join([error.message, *error.problems])[:_LONGEST]


def peer_cases(readings: int) -> list[PeerCase]:
    """Every peer, with as many of the readings as it is given."""
    return [PeerCase(engine, readings_of(engine, readings, METERS)) for engine in ENGINES]
