"""Feeds a compiled scanner with broken bytes: ``python -m tests.support.scanner_feed LIBRARY``."""

import importlib.util
import sys
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from processors.aligning.scanning import key_of
from tests.support.aligning_scenarios import SITE, Sent, as_batch
from tests.support.mutating import HOSTILE, mutated, with_every_oddity

GOOD: Final = Sent(0, "m1", 0, 1.0).to_bytes()
BATCH: Final = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m1", 7, -2.5)])
CODES: Final = {key_of((SITE, "m1", "active_power", "kW")): 0}
MUTATIONS: Final = 1_000


def broken() -> Iterator[bytes]:
    """Parts of good records, mutations of them, and what is hostile."""
    yield from HOSTILE
    random = Random(1)
    for good in (GOOD, BATCH, GOOD.replace(b"m1/0/1.0", b"")):
        yield good
        yield from (good[:end] for end in range(len(good)))
        yield from with_every_oddity(good)
        yield from (mutated(good, random) for _ in range(MUTATIONS))


def load(library: str) -> Any:  # noqa: ANN401  a module
    """The compiled module at a path."""
    spec = importlib.util.spec_from_file_location("_scan", library)
    if spec is None or spec.loader is None:
        sys.exit(f"{library} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(library: str) -> None:
    """Scan each by itself, and then all together; prints how many there were."""
    scan = load(library).scan
    values = list(broken())
    for value in values:
        scan([value], CODES, b"1.0", b"1.0")
    scan(values, CODES, b"1.0", b"1.0")
    print(len(values))  # noqa: T201  the answer


if __name__ == "__main__":
    main(sys.argv[1])
