"""Fuzzing guided by coverage, with atheris: ``make fuzz``, or ``FUZZ="gate align" make fuzz``.

    python -m tests.fuzz.guided TARGET [libFuzzer's options]

A crash is written to ``crash-...`` in the working folder, and its input with it. Names of targets
are those of ``tests.support.fuzz_targets``.
"""

import logging
import sys

import atheris

with atheris.instrument_imports(include=["schemas", "processors", "hardware", "streams"]):
    from tests.support.fuzz_targets import targets

from random import Random

from tests.support.mutating import mutated


def main(arguments: list[str]) -> None:
    """Fuzz one target until it fails, or libFuzzer's own limits are reached."""
    logging.disable(logging.CRITICAL)
    by_name = {target.name: target for target in targets()}
    if len(arguments) < 2 or arguments[1] not in by_name:
        sys.exit(f"which target? {', '.join(by_name)}")
    target = by_name[arguments[1]]

    def try_on(data: bytes) -> None:
        target.try_on(data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        known = (data, *target.seeds)
        return mutated(random.choice(known), random)[:most]

    options = [arguments[0], "-max_len=20000", *arguments[2:]]
    atheris.Setup(options, try_on, custom_mutator=mutate)
    for seed in target.seeds:
        try_on(seed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
