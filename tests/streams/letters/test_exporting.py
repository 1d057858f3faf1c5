"""Letters as files: all of them, originals byte for byte."""

import csv
import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import ConfigurationError
from streams.letters.exporting import export
from tests.support.letters import retried, stored

BYTES = b'{"unit": "h\xff\x00,\n"}'
LETTERS = [
    stored(BYTES, 7, errors=("one, with a comma", "two"), item=3),
    replace(stored(b"2024-01-01;abc", 8, partition=-1, origin="a.csv"), retry=retried(8)),
]


def test_json_lines_hold_everything(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    assert export(LETTERS, path) == 2
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert (first["id"], first["item"], first["errors"]) == (7, 3, ["one, with a comma", "two"])
    assert b64decode(first["original_base64"]) == BYTES
    assert (first["retried"], second["retried"]) == (None, "2023-11-14T22:13:20Z")
    assert second["original"] == "2024-01-01;abc"


def test_csv_holds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    export(LETTERS, path)
    with path.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["errors"] == "one, with a comma; two"
    assert b64decode(first["original_base64"]) == BYTES
    assert (second["id"], second["partition"], second["origin"]) == ("8", "-1", "a.csv")


def test_no_file_is_written_over_and_no_format_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(ConfigurationError, match="cannot be written: File exists"):
        export(LETTERS, tmp_path / "a.csv")
    with pytest.raises(ConfigurationError, match="does not say how"):
        export(LETTERS, tmp_path / "a.xlsx")
    assert (tmp_path / "a.csv").read_text() == "mine"
