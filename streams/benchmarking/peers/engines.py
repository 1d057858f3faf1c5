"""The peers: how each is got, what it guarantees, and how many readings it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.python_environment import python_with
from streams.benchmarking.peers.kafka_streams import PROGRAMS, kafka_streams_command

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """Somebody else's stream engine.

    Attributes:
        key: its name in the report's JSON.
        title: its name for people.
        guarantee: of the program that is measured.
        most_readings: it is given the first of them; rates are per second, and it is slower.
        goal: how many times as fast align shall be (DESIGN, "Speed to reach").
        command: gets what it needs, given a folder to build in; what starts its program.
    """

    key: str
    title: str
    guarantee: str
    most_readings: int | None
    goal: float
    command: Callable[[Path, Report], list[str]]


def _python(program: str, title: str) -> Callable[[Path, Report], list[str]]:
    """A program in an environment that holds one peer."""

    def command(_folder: Path, report: Report) -> list[str]:
        requirements = PROGRAMS / f"{program}.txt"
        python = python_with(requirements, title, report)
        return [str(python), "-P", str(PROGRAMS / f"{program}.py")]

    return command


KAFKA_STREAMS: Final = Engine(
    key="kafka_streams",
    title="Kafka Streams",
    guarantee=(
        "exactly_once_v2: windows, changelog and offsets in one transaction every second;"
        " each window once, after 30 s of grace"
    ),
    most_readings=None,
    goal=5.0,
    command=kafka_streams_command,
)
QUIX_STREAMS: Final = Engine(
    key="quixstreams",
    title="Quix Streams",
    guarantee=(
        "exactly-once: windows, changelog and offsets in one transaction every second;"
        " each window once, after 30 s of grace"
    ),
    most_readings=100_000,
    goal=15.0,
    command=_python("quix_streams", "Quix Streams"),
)
FAUST: Final = Engine(
    key="faust",
    title="Faust, windowed table",
    guarantee=(
        "exactly_once: windows and offsets in one transaction every second, but a table's change"
        " may follow in the next (0.15.3); a window at each reading, not when it closes"
    ),
    most_readings=20_000,
    goal=100.0,
    command=_python("faust_table", "Faust"),
)
ENGINES: Final = (KAFKA_STREAMS, QUIX_STREAMS, FAUST)


def readings_of(engine: Engine, readings: int, step: int) -> int:
    """How many readings an engine is given of all, in whole steps."""
    most = readings if engine.most_readings is None else min(readings, engine.most_readings)
    return most - most % step
