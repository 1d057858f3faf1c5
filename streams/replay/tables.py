"""Files as rows of text: CSV, gzipped CSV and Parquet, told apart by their first bytes.

CSV is read line by line, not by polars: a bad row has to be named by its line number and kept
as it stands, and one stray quote must not swallow the lines that follow. So a quoted cell
cannot hold a line break.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from schemas.errors import ReplayError

_PARQUET_MAGIC: Final = b"PAR1"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SEPARATORS: Final = ",;\t|"
_SLICE_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """A data row.

    Attributes:
        position: line number in a CSV file, row number in a Parquet file; both from 1.
        cells: as text, empty where there is nothing; no cells where the row is unreadable.
        text: the row as it stands in the file.
    """

    position: int
    cells: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """An open file.

    Attributes:
        header: its column names.
        rows: its data rows, to be read once.
        counts: what a row's position counts, ``line`` or ``row``.
    """

    header: list[str]
    rows: Iterator[TableRow]
    counts: str


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a file for reading.

    Raises:
        ReplayError: it is missing, empty, damaged or no table; also while rows are read.
    """
    try:
        magic = _first_bytes(path)
        if magic.startswith(_PARQUET_MAGIC):
            yield _parquet(path)
        elif magic.startswith(_GZIP_MAGIC):
            with gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape") as text:
                yield _csv(path, text)
        else:
            with path.open("rt", encoding="utf-8-sig", errors="surrogateescape") as text:
                yield _csv(path, text)
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        message = f"{path} cannot be read: {reason}"
        raise ReplayError(message) from error


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        magic = file.read(len(_PARQUET_MAGIC))
    if not magic:
        raise _empty(path)
    return magic


def _empty(path: Path) -> ReplayError:
    return ReplayError(f"{path} is empty")


def _csv(path: Path, text: TextIO) -> Table:
    first = text.readline()
    if not first.strip():
        raise _empty(path)
    if not is_text(first):
        message = f"{path} is neither CSV in UTF-8, nor gzipped CSV, nor Parquet"
        raise ReplayError(message)
    separator = max(_SEPARATORS, key=first.count)
    header = split_line(first.rstrip("\n"), separator)
    return Table(header, _csv_rows(text, separator), "line")


def _csv_rows(text: TextIO, separator: str) -> Iterator[TableRow]:
    for number, line in enumerate(text, start=2):
        stripped = line.rstrip("\n")
        if stripped.strip():
            yield TableRow(number, split_line(stripped, separator), stripped)


def split_line(line: str, separator: str) -> list[str]:
    """The cells of one CSV line, without surrounding blanks; none where its quotes are wrong."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return []
    return [cell.strip() for cell in rows[0]]


def is_text(decoded: str) -> bool:
    """Whether text was UTF-8, without control characters that no text has."""
    return not any("\udc80" <= letter <= "\udcff" or letter == "\0" for letter in decoded)


def _parquet(path: Path) -> Table:
    frame = pl.read_parquet(path)
    return Table(frame.columns, _parquet_rows(frame), "row")


def _parquet_rows(frame: pl.DataFrame) -> Iterator[TableRow]:
    number = 0
    for part in frame.iter_slices(_SLICE_ROWS):
        for values in part.rows():
            number += 1
            cells = [_as_text(value) for value in values]
            yield TableRow(number, cells, ",".join(cells))


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
