"""Plain records become columns at once, in C; it reads them as the slow scanner does, or not."""

import json
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.aligning.scanning import SCAN_IN_C, Columns, key_of, scan, scan_in_python
from schemas.telemetry import Batch, Reading
from schemas.versions import version_of
from tests.support.aligning_scenarios import SITE, T0, Sent, as_batch
from tests.support.mutating import HOSTILE, mutated, with_every_oddity

GOOD = Sent(0, "m1", 0, 1.0).to_bytes()
BATCH = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m2", 7, -2.5)])
OTHERS = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m3", 0, 2.0)])
CODES = {
    key_of((SITE, device, "active_power", "kW")): code for code, device in enumerate(("m1", "m2"))
}
VERSIONS = str(version_of(Reading)).encode(), str(version_of(Batch)).encode()

in_c = pytest.mark.c


def both(values: Sequence[bytes]) -> tuple[Columns, Columns]:
    """What the two scanners make of records."""
    assert SCAN_IN_C is not None
    return (
        SCAN_IN_C(list(values), CODES, *VERSIONS),
        scan_in_python(list(values), CODES, *VERSIONS),
    )


def reads_alike(value: bytes) -> bool:
    """Whether C reads a record; if so, it reads the same as Python."""
    found, expected = both([value])
    if found[-1]:
        assert found[:-1] == (b"",) * 6
        return False
    assert found == expected
    return True


def with_value(text: str) -> bytes:
    return GOOD.replace(b'"value":1.0', f'"value":{text}'.encode())


def test_readings_come_as_columns() -> None:
    """Singles and batches, in the order of their records; ticks and unknown ones are the rest."""
    found = scan([GOOD, b"", BATCH, OTHERS, GOOD], CODES)
    assert found.place.tolist() == [0, 2, 2, 4]
    assert found.code.tolist() == [0, 0, 1, 0]
    assert found.time_ms.tolist() == [T0, T0, T0 + 7, T0]
    assert found.value.tolist() == [1.0, 1.0, -2.5, 1.0]
    ids = [found.event_ids[at] for at in range(4)]
    assert ids == [b"m1/0/1.0", b"m1/0/1.0", b"m2/7/-2.5", b"m1/0/1.0"]
    assert found.rest == [1, 3]


def test_nothing_to_read_is_empty_columns() -> None:
    found = scan([], CODES)
    assert (len(found.place), len(found.event_ids), found.rest) == (0, 0, [])
    assert found.value.dtype == np.float64


@in_c
@given(st.lists(st.sampled_from([GOOD, BATCH, OTHERS, b"", b"{"]), max_size=12))
def test_a_record_that_cannot_be_read_leaves_nothing_behind(values: list[bytes]) -> None:
    """D-3: a bad record spoils no other, wherever it stands."""
    found, expected = both(values)
    assert found == expected


@in_c
@pytest.mark.parametrize("good", [GOOD, BATCH])
@given(random=st.randoms(use_true_random=False))
def test_c_never_reads_anything_else_than_python(good: bytes, random: Random) -> None:
    reads_alike(mutated(good, random))


@in_c
@pytest.mark.parametrize("good", [GOOD, BATCH])
def test_c_never_reads_odd_fields_otherwise(good: bytes) -> None:
    for value in (*HOSTILE, *with_every_oddity(good)):
        reads_alike(value)


@in_c
@pytest.mark.parametrize("good", [GOOD, BATCH])
def test_c_reads_no_part_of_a_record(good: bytes) -> None:
    """Whatever it is cut off in, it does not read on."""
    assert reads_alike(good)
    for end in range(len(good)):
        assert not reads_alike(good[:end])
        assert not reads_alike(good[:end] + b"\0" + good[end:])


@in_c
@given(st.permutations(list(json.loads(GOOD).items())), st.sampled_from([None, 1]))
def test_c_reads_a_reading_however_it_is_written(
    fields: list[tuple[str, object]], indent: int | None
) -> None:
    """Other producers order and space their JSON as they like."""
    assert reads_alike(json.dumps(dict(fields), indent=indent).encode())


@in_c
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_c_reads_numbers_as_python_does(number: float) -> None:
    reads_alike(with_value(repr(number)))


@in_c
@given(st.integers(-(10**15), 10**15), st.integers(0, 15))
def test_c_reads_the_numbers_of_meters_exactly(digits: int, places: int) -> None:
    """At most fifteen digits, as meters and float64 have: to the last bit."""
    assert reads_alike(with_value(f"{digits / 10**places:.{places}f}"))


@in_c
@pytest.mark.parametrize(
    "text",
    ["01", "-", "+1", "1.", ".5", "1e3", "1E3", "0x1", "NaN", "-Infinity", "9" * 19, "null", '"1"'],
)
def test_c_leaves_other_numbers_alone(text: str) -> None:
    assert not reads_alike(with_value(text))


@in_c
@pytest.mark.parametrize(
    "value",
    [
        GOOD.replace(b"m1/0", rb"m1\u002f0"),
        GOOD.replace(b"m1/0", "zähler".encode()),
        GOOD.replace(b'"source"', b'"more":1,"source"'),
        GOOD.replace(b'"source"', b'"site":"site-a","source"'),
        GOOD.replace(b'"1.0"', b'"1.1"'),
        GOOD.replace(b'"reading"', b'"batch"'),
        GOOD.replace(b'"kW"', b'"kVA"'),
        GOOD + b"{}",
        BATCH.replace(b'"event_id"', b'"site":"site-a","readings":[],"event_id"'),
        b'{"readings":' + BATCH.split(b'"readings":')[1][:-1] + b"," + BATCH[1:],
        GOOD.replace(b'"m1"', b'"' + b"m" * 600 + b'"'),
    ],
)
def test_c_leaves_what_is_not_plain_alone(value: bytes) -> None:
    """Escapes, other alphabets, further or doubled fields, other versions, unknown addresses."""
    assert not reads_alike(value)


@in_c
def test_c_takes_bytes_only() -> None:
    assert SCAN_IN_C is not None
    with pytest.raises(TypeError, match="values must be bytes"):
        SCAN_IN_C([GOOD, "text"], CODES, *VERSIONS)  # type: ignore[list-item]  # that it is refused
