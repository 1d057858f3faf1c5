"""Dead letters for the terminal: a table, counts by reason, one letter, a retry to be."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.messages import UNREADABLE
from schemas.windows import iso_utc
from streams.letters.retrying import Kept, Sending
from streams.letters.stored import StoredLetter

_WIDTH: Final = 16
"""Columns that a field's name takes."""

_SHOWN_BYTES: Final = 64_000


def show_table(letters: Iterable[StoredLetter]) -> RenderableType:
    """One line a letter."""
    table = _table("id", "written", "stage", "origin", "site", "readings")
    table.add_column("first reason", overflow="fold")
    for stored in letters:
        letter = stored.letter
        first, more = (*letter.errors, "")[0], len(letter.errors) - 1
        reason = Text(printable(first))
        if more > 0:
            reason.append(f" (and {more} more)", "dim")
        if stored.retry is not None:
            reason.append(" sent again", "green")
        table.add_row(
            str(stored.number), _second(stored.written_ms), letter.stage,
            printable(place_of(stored)), printable(letter.site), str(letter.readings), reason,
        )  # fmt: skip  # one row of the table
    return table


def show_reasons(letters: Iterable[StoredLetter]) -> RenderableType:
    """Letters and readings by kind of reason, most letters first; a letter may have several."""
    counts: Counter[str] = Counter()
    readings: Counter[str] = Counter()
    example: dict[str, int] = {}
    for stored in letters:
        for kind in stored.kinds_of_reason:
            counts[kind] += 1
            readings[kind] += stored.letter.readings
            example[kind] = stored.number
    table = _table("letters", "readings", "newest id")
    table.add_column("reason", overflow="fold")
    for kind, number in counts.most_common():
        table.add_row(
            f"{number:,}", f"{readings[kind]:,}", str(example[kind]), Text(printable(kind))
        )
    return table


def show_letter(stored: StoredLetter) -> RenderableType:
    """Everything about one letter."""
    letter = stored.letter
    lines = [
        _line("written", f"{iso_utc(stored.written_ms)} by {letter.stage}"),
        _line("from", place_of(stored)),
        _line("site", letter.site or "it names none"),
        *([_line("source", letter.source)] if letter.source else []),
        _line("counts for", f"{letter.readings} readings"),
        *(_line("reason", error) for error in letter.errors),
    ]
    if stored.retry is not None:
        fixes = "".join(f", with {fix}" for fix in stored.retry.fixes)
        told = f"{iso_utc(stored.retry.at_ms)} by {stored.retry.by}{fixes}"
        lines.append(_line("sent again", told))
    heading = Text(f"dead letter {stored.number}", style="bold")
    return Group(
        heading, *lines, Text("original:", style="dim"), Text(printable(original_text(stored)))
    )


def show_retry(sendings: Sequence[Sending], kept: Sequence[Kept]) -> Iterator[RenderableType]:
    """What a retry sends, and what it does not."""
    places = Counter((each.topic, each.partition) for each in sendings)
    for (topic, partition), letters in sorted(places.items()):
        own = [each for each in sendings if (each.topic, each.partition) == (topic, partition)]
        readings = sum(each.readings for each in own)
        yield Text(f"{letters:,} letters, {readings:,} readings, to {topic}[{partition}]")
    for sentence, letters in Counter(each.sentence for each in kept).most_common():
        first = next(each.stored.number for each in kept if each.sentence == sentence)
        which = f"letter {first}" if letters == 1 else f"{letters:,} letters, such as {first}"
        yield Text(printable(f"not sent: {which}: {sentence}"), style="yellow")


def place_of(stored: StoredLetter) -> str:
    """Where a letter's original stands."""
    letter = stored.letter
    if letter.partition < 0:
        return f"{letter.origin}:{letter.position}"
    item = f", item {letter.item}" if letter.item >= 0 else ""
    return f"{letter.origin}[{letter.partition}]@{letter.position}{item}"


def original_text(stored: StoredLetter) -> str:
    """The original: laid out where it is JSON, otherwise as text, or what can be told of it."""
    original = stored.original
    if not original:
        return "(nothing)"
    shown, left = original[:_SHOWN_BYTES], len(original) - _SHOWN_BYTES
    rest = f"\n... and {left:,} more bytes" if left > 0 else ""
    try:
        return msgspec.json.format(msgspec.json.encode(msgspec.json.decode(shown))).decode()
    except (*UNREADABLE, OverflowError):
        return shown.decode(errors="backslashreplace") + rest


def printable(text: str) -> str:
    """Foreign text without what a terminal would obey."""
    shown = (c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
    return "".join(shown)


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in titles:
        table.add_column(title, no_wrap=title not in {"origin", "site"}, overflow="fold")
    return table


def _line(name: str, text: str) -> Text:
    return Text(f"{name:{_WIDTH}}", style="dim").append(printable(text), style="default")


def _second(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
