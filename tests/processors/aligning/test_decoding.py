"""Records become readings one by one, and what is wrong with one is said."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.aligning.decoding import decode
from processors.aligning.records import Records
from schemas.telemetry import RawBatch
from tests.support.aligning_scenarios import SITE, Sent, as_batch

GOOD = Sent(0, "m1", 0, 1.0).to_bytes()
BATCH = as_batch([Sent(0, "m1", 0, 1.0), Sent(0, "m2", 0, 2.0)])
BAD = GOOD.replace(b'"value":1.0', b'"value":"much"')
UNKNOWN = GOOD.replace(b'"kW"', b'"horses"')


def records(*values: bytes) -> Records:
    return Records.of(list(range(10, 10 + len(values))), [0] * len(values), list(values))


@given(st.lists(st.sampled_from([GOOD, BATCH, BAD, UNKNOWN]), max_size=12))
def test_every_record_is_decoded_whatever_stands_beside_it(values: list[bytes]) -> None:
    """D-3: a bad record spoils no other, wherever it stands."""
    decoded = decode(records(*values), range(len(values)))
    singles = [at for at, value in enumerate(values) if value in (GOOD, UNKNOWN)]
    batches = [at for at, value in enumerate(values) if value == BATCH]
    bad = [at for at, value in enumerate(values) if value == BAD]
    places, addresses = decoded.places(), list(decoded.addresses())
    assert sorted(places[: len(singles)]) == singles
    assert places[len(singles) :] == [at for at in batches for _ in range(2)]
    assert [refused.offset - 10 for refused in decoded.refused] == bad
    assert len(addresses) == len(decoded.readings())
    for place, (_, _, _, unit) in zip(places, addresses, strict=True):
        assert (unit == "horses") == (values[place] == UNKNOWN)


def test_a_unit_that_nobody_knows_is_left_for_the_judge() -> None:
    """It is a readable reading; only the series' model can say what is wrong with it."""
    decoded = decode(records(UNKNOWN), [0])
    assert list(decoded.addresses()) == [(SITE, "m1", "active_power", "horses")]


@pytest.mark.parametrize("index", [0, 1, 2, 3, 4])
def test_a_refused_reading_has_its_own_bytes(index: int) -> None:
    """Dead letters carry the original, of a batch the one reading."""
    decoded = decode(records(BATCH, GOOD, BATCH), [0, 1, 2])
    refused = decoded.refuse(index, ("no",))
    items = [bytes(raw) for raw in msgspec.json.decode(BATCH, type=RawBatch).readings]
    originals = [GOOD, *items, *items]
    places = [(11, -1), (10, 0), (10, 1), (12, 0), (12, 1)]
    assert refused.original == originals[index]
    assert (refused.offset, refused.item) == places[index]
