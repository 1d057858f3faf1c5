"""Which columns of a file hold device, time and values, and which of the values are sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import ReplayError
from schemas.units import TelemetryKind
from streams.replay.column_names import (
    DEVICE,
    DEVICE_NAMES,
    TIME,
    TIME_NAMES,
    VALUE_NAMES,
    Override,
    kind_of,
)

POWER: Final = "active_power"
"""What is sent of a meter unless more is asked for."""

_SHOWN_COLUMNS: Final = 20
_NOT_SAID: Final = Override()


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column of values: where it is (from 0), its name, and what it holds in which unit."""

    index: int
    name: str
    kind: TelemetryKind
    quantity: str
    unit: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What is read from a file, and where it stands.

    Attributes:
        kind: telemetry that it goes to.
        width: number of columns.
        device: index of the device column, or None where the user names the one device.
        time: index of the time column.
        values: what is sent of each row.
    """

    kind: TelemetryKind
    width: int
    device: int | None
    time: int
    values: tuple[ValueColumn, ...]


def recognise(
    header: Sequence[str],
    overrides: Mapping[str, Override],
    quantities: Sequence[str],
    *,
    device_given: bool,
) -> Layout:
    """Find device, time and values among the columns of a file.

    Args:
        header: column names.
        overrides: what the user says of some of them; columns that are not there are ignored.
        quantities: what the user wants to be sent; empty: active power, or all of weather.
        device_given: whether the user names the device of files without a device column.

    Raises:
        ReplayError: naming the columns found, and everything that is wanted and not there.
    """
    problems: list[str] = []
    device = _role(header, overrides, DEVICE, DEVICE_NAMES, problems)
    time = _role(header, overrides, TIME, TIME_NAMES, problems)
    if time is None:
        problems.append(f"no time column: name it {_or(TIME_NAMES)}, or give --column NAME=time")
    if device is None and not device_given:
        problems.append(f"no device column: name it {_or(DEVICE_NAMES)}, or give --device NAME")
    values = _chosen(_values(header, overrides), overrides, quantities, problems)
    problems += _ambiguous(values)
    if len({value.kind for value in values}) > 1:
        problems.append("both meter and weather values: choose one kind with --quantity")
    if problems or time is None:
        shown = ", ".join([*header[:_SHOWN_COLUMNS], *["..."] * (len(header) > _SHOWN_COLUMNS)])
        message = f"the columns do not fit; found: {shown}"
        raise ReplayError(message, problems=problems)
    return Layout(values[0].kind, len(header), device, time, tuple(values))


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _role(
    header: Sequence[str],
    overrides: Mapping[str, Override],
    role: str,
    names: Sequence[str],
    problems: list[str],
) -> int | None:
    """Index of the device or time column; the user's word counts more than a name."""
    said = [i for i, name in enumerate(header) if overrides.get(name, _NOT_SAID).role == role]
    found = said or [
        i for i, name in enumerate(header) if name.lower() in names and name not in overrides
    ]
    if len(found) > 1:
        columns = ", ".join(header[i] for i in found)
        problems.append(f"several {role} columns, {columns}: choose with --column NAME={role}")
    return found[0] if found else None


def _values(header: Sequence[str], overrides: Mapping[str, Override]) -> list[ValueColumn]:
    """Every column whose quantity is known; the user's word on a quantity settles it."""
    said: list[ValueColumn] = []
    known: list[ValueColumn] = []
    for index, name in enumerate(header):
        override = overrides.get(name)
        if override is None:
            quantity, unit = VALUE_NAMES.get(name.lower(), ("", ""))
        else:
            quantity, unit = override.quantity, override.unit
        kind = kind_of(quantity)
        if kind is not None:
            column = ValueColumn(index, name, kind, quantity, unit)
            (known if override is None else said).append(column)
    settled = {value.quantity for value in said}
    return said + [value for value in known if value.quantity not in settled]


def _chosen(
    values: list[ValueColumn],
    overrides: Mapping[str, Override],
    quantities: Sequence[str],
    problems: list[str],
) -> list[ValueColumn]:
    """What of the known columns is sent."""
    if not values:
        example = "kw, load_w, kvar, v, i, energy_kwh or temp_c"
        problems.append(f"no value column, as {example}: give --column NAME=QUANTITY:UNIT")
        return []
    there = {value.quantity for value in values}
    kinds = {value.kind for value in values}
    main = TelemetryKind.METER if TelemetryKind.METER in kinds else TelemetryKind.WEATHER
    wanted = set(quantities)
    # Of several files, each heeds only the wishes that can concern it.
    if not wanted & there and main not in map(kind_of, quantities):
        said = {override.quantity for override in overrides.values()}
        wanted = there if main is TelemetryKind.WEATHER else {POWER} | (said & there)
    chosen = [value for value in values if value.quantity in wanted]
    if not chosen:
        text = f"no {' or '.join(sorted(wanted))}: choose from {', '.join(sorted(there))}"
        problems.append(f"{text} with --quantity")
    return chosen


def _ambiguous(values: Iterable[ValueColumn]) -> list[str]:
    """One sentence for every quantity that several columns hold."""
    columns: dict[str, list[str]] = {}
    for value in values:
        columns.setdefault(value.quantity, []).append(value.name)
    return [
        f"several {quantity} columns, {', '.join(names)}: choose with --column NAME={quantity}:UNIT"
        for quantity, names in columns.items()
        if len(names) > 1
    ]
