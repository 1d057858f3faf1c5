"""Every benchmark by name."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from schemas.errors import ConfigurationError
from streams.benchmarking.figures import Report, Result
from streams.benchmarking.machine import describe_machine, load_average
from streams.benchmarking.rounds import Bench

BENCHMARKS: Final = {
    "align": "readings/s to committed windows, beside Kafka Streams, Quix Streams, Faust",
    "dispatch": "time per decision, beside plain CVXPY; time per plan of 1,000 devices",
    "latency": "time of every hop from a meter to a confirmed command, at speed 1",
    "memory": "align's resident memory, by meters",
    "scale": "one align process, then two; and what ten million meters would need",
    "store": "points/s into SQLite and InfluxDB, beside bare sqlite3 and raw influxdb-client",
}
"""Benchmarks and what each measures."""

ALL: Final = "all"


def benchmarks_named(name: str) -> list[str]:
    """The benchmarks that ``name`` stands for.

    Raises:
        ConfigurationError: there is none.
    """
    if name == ALL:
        return list(BENCHMARKS)
    if name not in BENCHMARKS:
        message = f"unknown benchmark {name!r}"
        hint = f"benchmarks are: {', '.join(BENCHMARKS)}, {ALL}"
        raise ConfigurationError(message, hint=hint)
    return [name]


def run_benchmarks(names: list[str], bench: Bench) -> Report:
    """Run benchmarks one after the other."""
    load_before = load_average()
    results = tuple(_runner(name)(bench) for name in names)
    machine = describe_machine(load_before)
    return Report(machine=machine, quick=bench.quick, rounds=bench.rounds, results=results)


def _runner(name: str) -> Callable[[Bench], Result]:
    """Imported when it is run: a benchmark measures nothing better for what others load."""
    run: Callable[[Bench], Result] = import_module(f"streams.benchmarking.{name}_bench").run
    return run
