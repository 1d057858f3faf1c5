"""What of Faust's log is news."""

import logging

import pytest

from streams.faust_host.logs import AGAIN_S, News


def record(text: str, name: str = "aiokafka.client") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 1, text, (), None)


def test_a_broker_that_is_away_is_told_of_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("streams.faust_host.logs.time.monotonic", lambda: now_s[0])
    news = News()
    told = []
    for _ in range(400):
        told.append(news.filter(record("Unable connect to node with id 1")))
        now_s[0] += AGAIN_S / 100
    assert sum(told) == 4
    assert news.filter(record("another trouble"))


def test_what_we_log_ourselves_is_always_news() -> None:
    news = News()
    ours = record("dead letter: a defect", "streams.faust_host.agents")
    assert [news.filter(ours), news.filter(ours)] == [True, True]


def test_what_belongs_to_every_start_is_none() -> None:
    assert not News().filter(record("GroupCoordinatorNotAvailableError"))
