"""What a decision's story says in words, whatever became of it."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from schemas.clock import PipelineClock
from schemas.setpoint import Ack, AckResult, RefusalReason
from schemas.site_window import Completeness
from schemas.verdict import Accepted, Rejected
from streams.explaining.historian_source import HistorianSource
from streams.explaining.identity import parse_decision
from streams.explaining.rendering import show_story
from streams.explaining.story import Story
from streams.historians.mapping import to_point
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import open_reader
from tests.streams.cli.chain import START_MS, Chain, Sent, site

CLOCK = PipelineClock(event_origin_ms=START_MS, append_origin_ms=1_790_000_000_000, speed=10)

Tell = Callable[[Chain, int], str]


@pytest.fixture
def story_of(tmp_path: Path) -> Callable[[Chain, int], Story]:
    """The story of a chain's decision about one window, by way of a historian."""

    def read(chain: Chain, index: int) -> Story:
        path = tmp_path / "historian.sqlite"
        historian = SqliteHistorian(path)
        historian.write([to_point(record.message) for record in chain.records])
        historian.close()
        with open_reader(path) as reader:
            answer = HistorianSource(reader).find(parse_decision(chain.decision(index)))
        assert isinstance(answer, Story)
        return answer

    return read


@pytest.fixture
def tell(story_of: Callable[[Chain, int], Story]) -> Tell:
    """The same in words, as a wide terminal shows it."""

    def shown(chain: Chain, index: int) -> str:
        console = Console(width=200, record=True, file=StringIO())
        console.print(show_story(story_of(chain, index)))
        return console.export_text()

    return shown


def answered(record: Sent, ack: Ack) -> Sent:
    """The record of an acknowledgement with another content."""
    return Sent(record.log_ms, record.topic, record.key, ack)


def test_a_site_in_mode_observe_says_that_nothing_is_commanded(tmp_path: Path, tell: Tell) -> None:
    """DESIGN decision 9."""
    chain = Chain(site(mode="observe"), CLOCK, tmp_path).run([95.0])
    text = tell(chain, 0)
    assert "observed: the site is in mode observe, nothing is commanded" in text
    assert text.rstrip().endswith("Nothing was commanded.")


def test_a_rejected_plan_says_every_reason(tmp_path: Path, tell: Tell) -> None:
    chain = Chain(site(), CLOCK, tmp_path)
    chain.step(chain.window(0, 95.0), stopped=True)
    (verdict,) = [each.message for each in chain.records if isinstance(each.message, Rejected)]
    text = tell(chain, 0)
    assert "rejected: global-stop" in text
    assert all(sentence in text for sentence in verdict.sentences)
    assert "setpoint" not in text


def test_a_blind_window_says_what_is_missing_and_which_targets_are_renewed(
    tmp_path: Path, tell: Tell
) -> None:
    """DESIGN time 6: the gate renews the last accepted setpoints, with an alert."""
    chain = Chain(site(), CLOCK, tmp_path).run([95.0])
    blind = replace(
        chain.window(1, 300.0),
        completeness=Completeness.BLIND,
        missing=2,
        missing_rated_kw=70.0,
        missing_series=("m1/active_power", "m2/active_power"),
    )
    chain.step(blind)
    text = tell(chain, 1)
    assert "missing 70 kW of rated power: m1/active_power, m2/active_power" in text
    assert "alert: the window is blind" in text
    assert f"renewed: site depot is blind: {chain.decision(0)} stays in force" in text
    assert "None" not in text


def test_an_unsent_command_is_explained_not_invented(tmp_path: Path, tell: Tell) -> None:
    text = tell(Chain(site(), CLOCK, tmp_path).run([80.0, 80.0]), 1)
    assert "accepted: board-1" in text
    assert "No command was needed, or none was sent" in text


def test_an_unknown_output_is_told_as_unknown(tmp_path: Path, tell: Tell) -> None:
    """Missing is a value: never off, never on."""
    chain = Chain(site(), CLOCK, tmp_path)
    window = chain.window(0, 95.0)
    unread = replace(window.relays[2], on=None)
    chain.step(replace(window, relays=(*window.relays[:2], unread, window.relays[3])))
    text = tell(chain, 0)
    assert "board-1/3 unknown: not commanded; it counts 0.0 kW [unknown-state]" in text
    assert "alert: state unknown, not commanded: output 3 of board-1" in text


def test_a_plan_without_a_verdict_says_so(tmp_path: Path, tell: Tell) -> None:
    chain = Chain(site(), CLOCK, tmp_path).run([95.0])
    chain.records = [r for r in chain.records if not isinstance(r.message, Accepted | Ack)]
    text = tell(chain, 0)
    assert "none: the gate has not judged this plan" in text
    assert "there is no verdict yet" in text


def test_a_device_that_has_not_answered_is_named(tmp_path: Path, tell: Tell) -> None:
    chain = Chain(site(), CLOCK, tmp_path).run([95.0])
    chain.records = [record for record in chain.records if not isinstance(record.message, Ack)]
    text = tell(chain, 0)
    assert "none from board-1 so far" in text
    assert text.rstrip().endswith("Not confirmed by board-1.")


@pytest.mark.parametrize(
    ("result", "reason", "told", "confirmed"),
    [
        (AckResult.PARTIAL, None, "partial", False),
        (AckResult.REFUSED, RefusalReason.STALE, "refused (stale)", False),
        (AckResult.REFUSED, RefusalReason.DUPLICATE, "refused (duplicate)", True),
    ],
)
def test_only_a_device_that_did_it_has_confirmed_it(
    tmp_path: Path,
    tell: Tell,
    result: AckResult,
    reason: RefusalReason | None,
    told: str,
    *,
    confirmed: bool,
) -> None:
    """State is believed only from acknowledgements; a duplicate was applied before."""
    chain = Chain(site(), CLOCK, tmp_path).run([95.0])
    chain.records = [
        answered(record, replace(record.message, result=result, reason=reason))
        if isinstance(record.message, Ack)
        else record
        for record in chain.records
    ]
    text = tell(chain, 0)
    assert f"board-1: {told}; reads" in text
    assert ("Not confirmed by board-1." in text) is not confirmed
    assert ("Confirmed by 1 device(s)." in text) is confirmed
