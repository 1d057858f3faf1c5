"""Trying again: for as long as it takes, without a flood of log lines, and not against orders."""

import logging
from collections.abc import Iterator

import pytest

from schemas.errors import HistorianAwayError, HistorianError
from streams import patience
from streams.patience import Patience


class Flaky:
    """Fails with each of these errors in turn, then succeeds."""

    def __init__(self, *errors: HistorianError) -> None:
        self._errors: Iterator[HistorianError] = iter(errors)

    def __call__(self) -> str:
        for error in self._errors:
            raise error
        return "done"


def _away(reason: str = "away", retry_after_s: float | None = None) -> HistorianAwayError:
    return HistorianAwayError(f"it is {reason}", reason=reason, retry_after_s=retry_after_s)


def test_it_is_done_in_the_end_and_every_failure_is_observed() -> None:
    pauses: list[float] = []
    seen: list[str] = []

    def wait(pause_s: float) -> bool:
        pauses.append(pause_s)
        return True

    trying = Patience(wait, seen.append)
    assert trying.until_done(Flaky(_away(), _away("busy", 3.0), _away())) == "done"
    assert pauses == [0.1, 3.0, 0.4]
    assert seen == ["away", "busy", "away"]


def test_what_another_try_cannot_help_is_not_tried_again() -> None:
    with pytest.raises(HistorianError, match="broken"):
        Patience(lambda _: True).until_done(Flaky(HistorianError("broken")))


def test_it_gives_up_where_waiting_says_so() -> None:
    flaky = Flaky(_away(), _away())
    assert Patience(lambda _: False).until_done(flaky) is None
    assert Patience(lambda _: True).until_done(flaky) == "done"


def test_a_trouble_is_logged_when_it_begins_changes_and_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = [*(_away() for _ in range(50)), *(_away("busy") for _ in range(50))]
    with caplog.at_level(logging.INFO):
        Patience(lambda _: True).until_done(Flaky(*errors))
    told = [record.getMessage().split(";")[0].split(",")[0] for record in caplog.records]
    assert told == ["it is away", "it is busy", "the historian answers again"]


def test_a_long_trouble_is_logged_again_after_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_TOLD_AGAIN_S", 0.0)
    Patience(lambda _: True).until_done(Flaky(_away(), _away()))
    assert len(caplog.records) == 2


def test_what_works_at_once_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Patience(lambda _: True).until_done(Flaky()) == "done"
    assert caplog.records == []
