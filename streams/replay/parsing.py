"""From rows of text to columns of readings; what cannot be used says why.

A row whose device and time can be used gives a reading for each good value in it. If anything
in it cannot be used, it is also a bad row: an empty cell is no reading, and never a zero.
"""

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from schemas.site_model import Name
from schemas.units import QUANTITIES, VALUE_LIMIT
from streams.replay.columns import Layout, ValueColumn
from streams.replay.tables import TableRow, is_text

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NAME_RULE: Final = "letters, digits, '_', '.', '-'; at most 64, first a letter or digit"
_NO_DEVICE: Final = -1
_NO_TIME: Final = 0
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be used, or not as a whole, with every reason."""

    position: int
    errors: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.position}: {'; '.join(self.errors)}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The readings of a file as columns, in the order of the file, and what is bad.

    Attributes:
        devices: their names.
        device: number of each reading's device.
        column: number of each reading's column in the layout's ``values``.
        time_ms: stamp of each reading [ms since the epoch].
        value: in the column's unit.
        rows: data rows, bad ones included.
        bad: rows of which at least one cell could not be used.
        naive: whether there were times without an offset; they are taken as UTC.
    """

    devices: tuple[str, ...]
    device: IntArray
    column: IntArray
    time_ms: IntArray
    value: FloatArray
    rows: int
    bad: tuple[BadRow, ...]
    naive: bool


def parse_rows(rows: Iterable[TableRow], layout: Layout, device: str | None) -> Parsed:
    """Every reading of a file; ``device`` is used where it has no device column."""
    parser = _RowParser(layout, device)
    for row in rows:
        parser.take(row)
    return parser.parsed()


class _RowParser:
    """Collects readings row by row; a text that was met before is not looked at again."""

    def __init__(self, layout: Layout, device: str | None) -> None:
        self._layout = layout
        self._only_device = device or ""
        self._devices: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._naive = False
        self._rows = 0
        self._bad: list[BadRow] = []
        self._device, self._column, self._time_ms = array("q"), array("q"), array("q")
        self._value = array("d")

    def take(self, row: TableRow) -> None:
        """Keep the readings of a row, or the row if there is anything wrong with it."""
        self._rows += 1
        errors = self._errors_of(row.cells)
        if errors:
            self._bad.append(BadRow(row.position, tuple(errors), row.text))

    def parsed(self) -> Parsed:
        """All that was taken."""
        return Parsed(
            devices=tuple(self._devices),
            device=np.array(self._device, np.int64),
            column=np.array(self._column, np.int64),
            time_ms=np.array(self._time_ms, np.int64),
            value=np.array(self._value, np.float64),
            rows=self._rows,
            bad=tuple(self._bad),
            naive=self._naive,
        )

    def _errors_of(self, cells: list[str]) -> list[str]:
        """Take the readings of a row; returns everything that is wrong with it."""
        layout = self._layout
        if not cells:
            return ["not a CSV row: its quotes do not fit"]
        if len(cells) != layout.width:
            return [f"{len(cells)} cells, where the header has {layout.width}"]
        errors: list[str] = []
        name = self._only_device if layout.device is None else cells[layout.device]
        device = self._device_of(name, errors)
        time_ms = self._time_of(cells[layout.time], errors)
        usable = not errors
        for number, column in enumerate(layout.values):
            value = _value_of(cells[column.index], column, errors)
            if usable and value is not None:
                self._device.append(device)
                self._column.append(number)
                self._time_ms.append(time_ms)
                self._value.append(value)
        return errors

    def _device_of(self, name: str, errors: list[str]) -> int:
        known = self._devices.get(name)
        if known is not None:
            return known
        try:
            _NAME.validate_python(name)
        except ValidationError:
            reason = f"{_shown(name)} is no name ({_NAME_RULE})" if name else "empty"
            errors.append(f"device: {reason}")
            return _NO_DEVICE
        return self._devices.setdefault(name, len(self._devices))

    def _time_of(self, text: str, errors: list[str]) -> int:
        known = self._times.get(text)
        if known is not None:
            return known
        try:
            stamp = datetime.fromisoformat(text)
        except ValueError:
            reason = f"{_shown(text)} is not an ISO 8601 time" if text else "empty"
            errors.append(f"time: {reason}")
            return _NO_TIME
        aware = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
        time_ms = (aware - _EPOCH) // _MILLISECOND
        if time_ms <= 0:
            errors.append(f"time: {text} is not after 1970 began")
            return _NO_TIME
        self._naive = self._naive or stamp.tzinfo is None
        return self._times.setdefault(text, time_ms)


def _value_of(text: str, column: ValueColumn, errors: list[str]) -> float | None:
    """The number in a cell; None, and an error, where there is none or it is nonsense."""
    if _NUMBER.fullmatch(text):
        value = float(text)
        if abs(value) * QUANTITIES[column.quantity].accepted[column.unit] <= VALUE_LIMIT:
            return value
        errors.append(f"{column.name}: {_shown(text)} {column.unit} is not plausible")
    elif not text:
        errors.append(f"{column.name}: empty")
    else:
        errors.append(f"{column.name}: {_shown(text)} is not a number")
    return None


def _shown(text: str) -> str:
    """Text of a cell as a message shows it."""
    return repr(text[:80]) if is_text(text) else "bytes that are not UTF-8"
