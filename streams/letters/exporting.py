"""Dead letters as files: JSON lines or CSV, originals included."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from schemas.errors import ConfigurationError
from schemas.windows import iso_utc
from streams.letters.stored import StoredLetter

FORMATS: Final = (".jsonl", ".csv")
_JOINT: Final = "; "


def as_record(stored: StoredLetter) -> dict[str, Any]:
    """A letter with all that it says; ``original`` is its text, as far as it is text."""
    told = msgspec.to_builtins(stored.letter)
    return {
        "id": stored.number,
        "written": iso_utc(stored.written_ms),
        **{name: value for name, value in told.items() if name != "schema_version"},
        "original": stored.original.decode(errors="replace"),
        "retried": None if stored.retry is None else iso_utc(stored.retry.at_ms),
    }


def export(letters: Iterable[StoredLetter], path: Path) -> int:
    """Write letters into a file that does not exist yet; says how many there are.

    Raises:
        ConfigurationError: the file exists, cannot be written, or has another ending.
    """
    writers = {".jsonl": _json_lines, ".csv": _csv}
    if path.suffix not in writers:
        message = f"{path.name} does not say how letters shall be written"
        raise ConfigurationError(message, hint=f"give it an ending of {' or '.join(FORMATS)}")
    written = 0
    with _new_file(path) as file:
        write = writers[path.suffix](file)
        for stored in letters:
            write(as_record(stored))
            written += 1
    return written


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise ConfigurationError(message) from error


def _json_lines(file: TextIO) -> Callable[[dict[str, Any]], None]:
    return lambda record: print(json.dumps(record, ensure_ascii=False), file=file)


def _csv(file: TextIO) -> Callable[[dict[str, Any]], None]:
    writer: csv.DictWriter[str] | None = None

    def write(record: dict[str, Any]) -> None:
        nonlocal writer
        if writer is None:
            writer = csv.DictWriter(file, record)
            writer.writeheader()
        writer.writerow({**record, "errors": _JOINT.join(record["errors"])})

    return write
