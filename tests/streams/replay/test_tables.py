"""Files as rows: what is read, and what is refused."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import ReplayError
from streams.replay.tables import open_table

Write = Callable[[str, str], Path]

HEADER = "device,ts,kw\n"


def rows_of(path: Path) -> list[tuple[int, list[str]]]:
    with open_table(path) as table:
        return [(row.position, row.cells) for row in table.rows]


def header_of(path: Path) -> list[str]:
    with open_table(path) as table:
        return table.header


def test_csv_rows_carry_their_line_number_and_text(write: Write) -> None:
    path = write("a.csv", HEADER + "m1, 2024-01-15 , 1.5\n\n \nm2,2024-01-15,2\n")
    with open_table(path) as table:
        rows = list(table.rows)
    assert [row.position for row in rows] == [2, 5]
    assert rows[0].cells == ["m1", "2024-01-15", "1.5"]
    assert rows[0].text == "m1, 2024-01-15 , 1.5"


def test_a_byte_order_mark_is_no_part_of_the_first_column(write: Write) -> None:
    assert header_of(write("a.csv", "\ufeff" + HEADER)) == ["device", "ts", "kw"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_tells_the_separator(write: Write, separator: str) -> None:
    path = write("a.csv", (HEADER + "m1,2024-01-15,1.5\n").replace(",", separator))
    assert rows_of(path) == [(2, ["m1", "2024-01-15", "1.5"])]


def test_windows_line_ends_are_no_part_of_a_cell(write: Write) -> None:
    path = write("a.csv", "device,ts,kw\r\nm1,2024-01-15,1\r\n")
    assert header_of(path)[-1] == "kw"
    assert rows_of(path) == [(2, ["m1", "2024-01-15", "1"])]


def test_a_gzipped_file_is_known_by_its_content(write: Write, tmp_path: Path) -> None:
    path = write("a.csv.gz", HEADER + "m1,2024-01-15,1\n").rename(tmp_path / "plain.csv")
    assert rows_of(path) == [(2, ["m1", "2024-01-15", "1"])]


def test_quoted_cells_may_hold_separators_and_quotes(write: Write) -> None:
    path = write("a.csv", '"device","ts","kw"\n"m,1","2024-01-15","1 ""x"""\n')
    assert header_of(path) == ["device", "ts", "kw"]
    assert rows_of(path) == [(2, ["m,1", "2024-01-15", '1 "x"'])]


def test_a_stray_quote_loses_its_own_line_only(write: Write) -> None:
    path = write("a.csv", HEADER + '"m1,2024-01-15,1\nm2,2024-01-15,2\n')
    assert rows_of(path) == [(2, []), (3, ["m2", "2024-01-15", "2"])]


def test_parquet_rows_read_like_csv_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    stamp = datetime(2024, 1, 15, 0, 0, 0, 250_000, tzinfo=UTC)
    pl.DataFrame(
        {"device": ["m1", None], "ts": [stamp, stamp], "kw": [0.1, None], "n": [3, 4]}
    ).write_parquet(path)
    first = ["m1", "2024-01-15T00:00:00.250000+00:00", "0.1", "3"]
    assert rows_of(path) == [(1, first), (2, ["", first[1], "", "4"])]
    with open_table(path) as table:
        assert next(table.rows).text == ",".join(first)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file"):
        header_of(tmp_path / "none.csv")
    with pytest.raises(ReplayError, match="Is a directory"):
        header_of(tmp_path)


# The time in gzip's header is part of the test's name, which must be the same in every process.
@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ReplayError, match="is empty"):
        header_of(path)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0", HEADER.encode("utf-16")])
def test_what_is_not_utf_8_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ReplayError, match="neither CSV in UTF-8"):
        header_of(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    lines = "".join(f"m1,2024-01-15,{number}\n" for number in range(1000))
    path.write_bytes(gzip.compress((HEADER + lines).encode())[:-100])
    with pytest.raises(ReplayError, match="cannot be read"):
        rows_of(path)
    cut = tmp_path / "a.parquet"
    cut.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(ReplayError, match="cannot be read"):
        rows_of(cut)
