"""`gridloom dead-letters`: find what was refused, look at it, send it again, export it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.errors import ConfigurationError
from schemas.roles import LETTERS
from schemas.settings import KafkaSettings
from streams.cli.connection import connected_settings
from streams.cli.console import err, out, say
from streams.cli.times import past_ms

if TYPE_CHECKING:
    from streams.letters.retrying import Kept, RetryRules, Sending
    from streams.letters.sending import Resender
    from streams.letters.stored import Filter, StoredLetter

EXIT_NOTHING_SENT = 1
_LISTED = 50

dead_letters = typer.Typer(
    help="What could not be used: find it, look at it, send it again, export it.",
    no_args_is_help=True,
)

Ids = Annotated[list[int] | None, typer.Argument(metavar="ID", help="letters, as listed")]
Stage = Annotated[str | None, typer.Option(help="stage that refused it")]
Origin = Annotated[str | None, typer.Option(help="topic or file that it came from")]
Site = Annotated[str | None, typer.Option(help="site that it names")]
Partition = Annotated[int | None, typer.Option(help="partition that it came from; -1: a file")]
Reason = Annotated[str | None, typer.Option(help="text that a reason contains")]
_TIME = {"parser": past_ms, "metavar": "TIME"}
Since = Annotated[int | None, typer.Option(help="written since: a time, or 30m, 2h, 7d", **_TIME)]
Until = Annotated[int | None, typer.Option(help="written until", **_TIME)]
Limit = Annotated[int | None, typer.Option(min=1, help="the newest so many")]


@dead_letters.command("list")
def list_letters(
    stage: Stage = None,
    origin: Origin = None,
    site: Site = None,
    partition: Partition = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    by_reason: Annotated[bool, typer.Option("--by-reason", help="counts by reason")] = False,
) -> None:
    """List dead letters, the newest last; or count them by reason."""
    from streams.letters.showing import show_reasons, show_table

    wanted = _filter(stage, origin, site, partition, reason, since, until)
    letters = _letters(connected_settings(LETTERS).kafka, wanted, limit)
    if by_reason:
        out.print(show_reasons(letters))
        return
    newest = deque(letters, limit or _LISTED)
    out.print(show_table(newest))
    if limit is None and len(newest) == _LISTED:
        say(f"the newest {_LISTED}; --limit shows more, --by-reason counts all")


@dead_letters.command(no_args_is_help=True)
def show(letter: Annotated[int, typer.Argument(metavar="ID", help="as listed")]) -> None:
    """Show everything about a letter, its original included."""
    from streams.letters.showing import show_letter
    from streams.letters.stored import Filter

    found = [*_letters(connected_settings(LETTERS).kafka, Filter(numbers=frozenset({letter})))]
    _require_found([letter], [stored.number for stored in found])
    out.print(show_letter(found[0]), soft_wrap=True)


@dead_letters.command()
def retry(
    ids: Ids = None,
    stage: Stage = None,
    origin: Origin = None,
    site: Site = None,
    partition: Partition = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    fix: Annotated[
        list[str] | None, typer.Option(help="FIELD=VALUE: change a field before, as in unit=kW")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be sent")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    again: Annotated[bool, typer.Option("--again", help="also what was sent again before")] = False,
    late: Annotated[bool, typer.Option("--late", help="also what align can only count")] = False,
) -> None:
    """Send the originals of letters again, where they are telemetry.

    A reading of a batch goes as a reading of its own. Twice is harmless: the same device, quantity
    and time is the same reading.
    """
    from streams.letters.retrying import RetryRules
    from streams.letters.sending import Resender
    from streams.letters.showing import show_retry

    wanted = _filter(stage, origin, site, partition, reason, since, until, ids or ())
    if wanted.is_open and limit is None:
        message = "it is not said which letters"
        raise ConfigurationError(message, hint="name some, or give a filter such as --since 1h")
    settings = connected_settings(LETTERS).kafka
    rules = RetryRules(
        partitions=settings.partitions,
        now_ms=_pipeline_ms(settings),
        fixes=_fixes(fix or ()),
        again=again,
        late=late,
    )
    resender = None if dry_run else Resender(settings)
    sendings, kept = _planned(_letters(settings, wanted, limit), rules)
    letters = [each.stored for each in sendings] + [each.stored for each in kept]
    _require_found(wanted.numbers, [stored.number for stored in letters])
    for line in show_retry(sendings, kept):
        out.print(line, soft_wrap=True)
    if not sendings:
        out.print("nothing to send")
        raise typer.Exit(EXIT_NOTHING_SENT if kept else 0)
    if resender is not None and (yes or typer.confirm(f"send {len(sendings)} again?", abort=True)):
        _send(resender, sendings)


@dead_letters.command(no_args_is_help=True)
def export(
    file: Annotated[Path, typer.Argument(help="new file: .jsonl or .csv")],
    stage: Stage = None,
    origin: Origin = None,
    site: Site = None,
    partition: Partition = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
) -> None:
    """Write letters and their originals into a file."""
    from streams.letters.exporting import export as write

    wanted = _filter(stage, origin, site, partition, reason, since, until)
    letters = _letters(connected_settings(LETTERS).kafka, wanted, limit)
    with Progress(TextColumn("{task.completed:,} letters"), console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        written = write(_counted(letters, lambda: bar.advance(task)), file)
    out.print(f"{written:,} letters in {file}", markup=False, soft_wrap=True)


def _filter(
    stage: str | None,
    origin: str | None,
    site: str | None,
    partition: int | None,
    reason: str | None,
    since_ms: int | None,
    until_ms: int | None,
    numbers: Iterable[int] = (),
) -> "Filter":
    """The options as a filter."""
    from streams.letters.stored import Filter

    return Filter(
        numbers=frozenset(numbers),
        stage=stage,
        origin=origin,
        site=site,
        partition=partition,
        reason=reason,
        since_ms=since_ms,
        until_ms=until_ms,
    )


def _letters(
    settings: KafkaSettings, wanted: "Filter", limit: int | None = None
) -> Iterable["StoredLetter"]:
    """The letters that are meant, oldest first, of them the newest ``limit``."""
    from streams.letters.stored import read_letters

    letters = read_letters(settings, wanted)
    return letters if limit is None else deque(letters, limit)


def _require_found(named: Iterable[int], found: Iterable[int]) -> None:
    """Make sure that every letter that was named is there.

    Raises:
        ConfigurationError: naming those that are not, or that a filter leaves out.
    """
    missing = sorted({*named} - {*found})
    if missing:
        message = f"there is no such dead letter: {', '.join(map(str, missing))}"
        raise ConfigurationError(message, hint="`gridloom dead-letters list` gives their ids")


def _pipeline_ms(settings: KafkaSettings) -> int | None:
    """Pipeline time now [ms]; None on the data clock."""
    from streams.clocks import read_clock, wall_ms

    clock = read_clock(settings)
    return None if clock.is_data_clock else clock.at(wall_ms())


def _fixes(texts: Iterable[str]) -> dict[str, Any]:
    """New values of fields: JSON where it is some, otherwise text.

    Raises:
        ConfigurationError: a text is no ``FIELD=VALUE``.
    """
    from streams.letters.retrying import fix_of

    return dict(fix_of(text) for text in texts)


def _planned(
    letters: Iterable["StoredLetter"], rules: "RetryRules"
) -> tuple[list["Sending"], list["Kept"]]:
    """What of the letters is sent again, and what is not."""
    from streams.letters.retrying import Sending, retry_of

    outcomes = [retry_of(stored, rules) for stored in letters]
    sendings = [each for each in outcomes if isinstance(each, Sending)]
    return sendings, [each for each in outcomes if not isinstance(each, Sending)]


def _send(resender: "Resender", sendings: list["Sending"]) -> None:
    """Send with a bar; Ctrl-C ends it between two transactions."""
    from streams.stages import StopRequest

    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("", total=len(sendings))
        sent = resender.send(sendings, lambda n: bar.advance(task, n), StopRequest().listen())
    left = len(sendings) - sent
    out.print(f"{sent:,} letters are sent again" + (f", {left:,} are left" if left else ""))


def _counted(
    letters: Iterable["StoredLetter"], advance: Callable[[], None]
) -> Iterator["StoredLetter"]:
    """The letters, each told as it passes."""
    for stored in letters:
        advance()
        yield stored


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(dead_letters, name="dead-letters")
