"""The page over a real InfluxDB shows what it shows over a file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboards.page.notices import Service
from schemas.settings import InfluxSettings
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_reader import open_influx_reader
from streams.historians.mapping import to_point
from streams.historians.protocol import HistorianReader
from streams.historians.sqlite_reader import open_reader
from streams.page.feed import Feed
from streams.page.looks import Look, Snapshot
from tests.support.influx import InfluxBucket
from tests.support.page_history import BERLIN, make_history

pytestmark = pytest.mark.influxdb

HOUR_MS = 3_600_000


def look(open_historian: Callable[[], HistorianReader]) -> Look:
    """What a page shows at its first look."""
    return Feed(open_historian, BERLIN, 15.0, lambda: 0.0).look(None, HOUR_MS)


def look_at_influxdb(settings: InfluxSettings) -> Look:
    return look(lambda: open_influx_reader(settings))


def shown_of(seen: Look) -> Snapshot:
    assert seen.notice is None
    assert seen.snapshot is not None
    return seen.snapshot


def test_both_historians_show_the_same(influx_bucket: InfluxBucket, tmp_path: Path) -> None:
    """S1-12: the page reads either historian; figures, windows and events are equal."""
    history = make_history(tmp_path / "boards")
    path = tmp_path / "historian.sqlite"
    history.write(path)
    with InfluxHistorian(influx_bucket.settings) as historian:
        assert not historian.write([to_point(each.message) for each in history.chain.records])
    in_file = shown_of(look(lambda: open_reader(path)))
    in_influxdb = shown_of(look_at_influxdb(influx_bucket.settings))
    assert in_influxdb.windows == in_file.windows
    assert in_influxdb.events == in_file.events
    assert len(in_influxdb.events) == len(history.events)
    assert in_influxdb.figures == in_file.figures
    assert in_influxdb.figures.commands == history.commands_today(BERLIN)
    assert (in_influxdb.site, in_influxdb.first_ms) == (in_file.site, in_file.first_ms)
    assert "InfluxDB" in in_influxdb.source


def test_a_wrong_token_is_told(influx_bucket: InfluxBucket) -> None:
    """Bad input: a sentence and a hint, and the token itself nowhere."""
    wrong = influx_bucket.settings.model_copy(update={"read_token": SecretStr("not-the-token")})
    seen = look_at_influxdb(wrong)
    assert (seen.service, seen.snapshot) == (Service.OFFLINE, None)
    assert seen.notice is not None
    assert "token" in f"{seen.notice.sentence} {seen.notice.hint}"
    assert "not-the-token" not in f"{seen.notice}"


def test_an_empty_bucket_is_waited_for(influx_bucket: InfluxBucket) -> None:
    seen = look_at_influxdb(influx_bucket.settings)
    assert (seen.service, seen.snapshot) == (Service.WAITING, None)
    assert seen.notice is not None
    assert "no window yet" in seen.notice.sentence


def test_an_influxdb_that_does_not_answer_is_told() -> None:
    """S1-12: offline, with the address that was asked."""
    nowhere = InfluxSettings(url="http://127.0.0.1:1", read_token=SecretStr("any"), timeout_s=2.0)
    seen = look_at_influxdb(nowhere)
    assert seen.service is Service.OFFLINE
    assert seen.notice is not None
    assert "127.0.0.1:1" in seen.notice.sentence
