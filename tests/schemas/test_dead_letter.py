"""Dead letters carry the original bytes through JSON, whatever they are."""

from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter, as_base64
from schemas.messages import Decoder, encode


@given(st.binary())
def test_the_original_bytes_come_out_of_a_dead_letter_as_they_went_in(original: bytes) -> None:
    """D-3; DESIGN decision 4: dead letters carry the original bytes."""
    letter = DeadLetter(
        stage="align",
        origin="telemetry.meter",
        partition=0,
        position=7,
        errors=("not JSON",),
        original_base64=as_base64(original),
    )
    decoder: Decoder[DeadLetter] = Decoder(DeadLetter)
    read = decoder.decode(encode(letter))
    assert b64decode(read.original_base64, validate=True) == original


def test_a_record_without_a_value_has_no_bytes() -> None:
    assert as_base64(None) == as_base64(b"") == ""


def test_a_dead_letter_counts_as_one_whole_record_unless_it_says_more() -> None:
    """DESIGN "Time" 7: an unparsable message or file row counts 1."""
    letter = DeadLetter(
        stage="replay", origin="a.csv", partition=-1, position=3, errors=(), original_base64=""
    )
    assert (letter.readings, letter.item, letter.site) == (1, -1, "")
