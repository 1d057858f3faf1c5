"""Letters on the terminal: everything of them, and nothing that a terminal obeys."""

from dataclasses import replace

from rich.console import Console, RenderableType

from schemas.messages import encode
from streams.letters.retrying import Kept, RetryRules, Sending, retry_of
from streams.letters.showing import show_letter, show_reasons, show_retry, show_table
from tests.support.letters import READING, retried, stored


def _text(*shown: RenderableType) -> str:
    console = Console(width=200, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        for each in shown:
            console.print(each)
    return capture.get()


def test_a_table_has_a_line_for_every_letter() -> None:
    again = replace(stored(number=8, errors=("first", "second"), item=2), retry=retried(8))
    lines = _text(show_table([stored(number=7), again])).splitlines()
    assert len(lines) == 3
    assert "7" in lines[1]
    assert "telemetry.meter[1]@42, item 2" in lines[2]
    assert "first (and 1 more) sent again" in lines[2]


def test_reasons_are_counted_by_letters_and_readings() -> None:
    many = stored(number=9, errors=("unit: 'hp' is not one of kW, W, MW for active_power",))
    text = _text(show_reasons([stored(number=7), many, stored(number=8, errors=("empty",))]))
    assert [line.split()[:3] for line in text.splitlines()[1:]] == [
        ["2", "2", "9"],
        ["1", "1", "8"],
    ]
    assert "unit: … is not one of kW, W, MW for active_power" in text


def test_a_letter_shows_its_original_laid_out_where_it_is_json() -> None:
    text = _text(show_letter(replace(stored(b'{"a":[1]}', source="he"), retry=retried())))
    assert '{\n  "a": [\n    1\n  ]\n}' in text
    assert "telemetry.meter[1]@42" in text
    assert "by ada" in text


def test_nothing_foreign_reaches_the_terminal_as_a_command() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\r\u202e"
    letter = stored(evil.encode(), errors=(evil,), site=evil, source=evil, origin=evil)
    text = _text(show_letter(letter), show_table([letter]), show_reasons([letter]))
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert r"\x1b[2J" in text


def test_a_retry_says_what_goes_where_and_what_does_not() -> None:
    outcomes = [
        retry_of(letter, RetryRules(partitions=4))
        for letter in (stored(encode(READING)), stored(b"no", 8), stored(b"no", 9))
    ]
    sendings = [each for each in outcomes if isinstance(each, Sending)]
    kept = [each for each in outcomes if isinstance(each, Kept)]
    text = _text(*show_retry(sendings, kept))
    assert "1 letters, 1 readings, to telemetry.meter[" in text
    assert "not sent: 2 letters, such as 8: it cannot be read" in text
