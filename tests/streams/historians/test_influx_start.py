"""What a wrong setting, or another server, gives at start: one sentence and a hint."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest

from schemas.errors import ConfigurationError, HistorianAwayError, HistorianError
from schemas.settings import InfluxSettings
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_reader import InfluxReader, open_influx_reader
from tests.support.influx import InfluxBucket

Opener = Callable[[InfluxSettings], InfluxReader]


@contextmanager
def _served(server: TCPServer) -> Iterator[str]:
    """Address of a server that answers while the body runs."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _another(status: int, headers: Mapping[str, str]) -> TCPServer:
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class _Mumbles(StreamRequestHandler):
    """Speaks another protocol than HTTP."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"-ERR unknown command\r\n")


def _settings(url: str, **changes: str) -> InfluxSettings:
    return InfluxSettings.model_validate({"url": url, "token": "t", "timeout_s": 5.0, **changes})


STRANGERS = {
    "InfluxDB 1": (204, {"X-Influxdb-Version": "1.8.10"}, "InfluxDB 1.8.10, and Gridloom needs"),
    "InfluxDB 3": (200, {"X-Influxdb-Version": "v3.2.1"}, "InfluxDB 3.2.1, and Gridloom needs"),
    "a web server": (200, {}, "is no InfluxDB"),
    "a web server without the page": (404, {}, "answers|does not know"),
    "a redirection": (301, {"Location": "http://127.0.0.1:1/"}, "answers 301"),
}


@pytest.mark.parametrize("opener", [InfluxHistorian, open_influx_reader])
@pytest.mark.parametrize(("status", "headers", "told"), STRANGERS.values(), ids=STRANGERS)
def test_another_server_is_named_for_what_it_is(
    opener: Opener, status: int, headers: dict[str, str], told: str
) -> None:
    with (
        _served(_another(status, headers)) as url,
        pytest.raises(HistorianError, match=told) as caught,
    ):
        opener(_settings(url))
    assert not isinstance(caught.value, HistorianAwayError)
    assert caught.value.hint


def test_a_server_that_speaks_no_http_is_no_influxdb() -> None:
    with (
        _served(TCPServer(("127.0.0.1", 0), _Mumbles)) as url,
        pytest.raises(HistorianError, match="is no InfluxDB") as caught,
    ):
        open_influx_reader(_settings(url))
    assert not isinstance(caught.value, HistorianAwayError)


@pytest.mark.parametrize("url", ["127.0.0.1:8086", "http://", "ftp://127.0.0.1:1", "http://[::1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(HistorianError, match="is no address") as caught:
        open_influx_reader(_settings(url))
    assert not isinstance(caught.value, HistorianAwayError)
    assert "8086" in caught.value.hint


def test_a_server_that_is_not_there_is_waited_for() -> None:
    with pytest.raises(HistorianAwayError, match="no InfluxDB answers at http"):
        InfluxHistorian(_settings("http://127.0.0.1:1"))


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(ConfigurationError, match="no \\[influxdb\\] token"):
        InfluxHistorian(InfluxSettings(url="http://127.0.0.1:1"))


WRONG = {
    "token": ({"token": "wrong", "read_token": "wrong"}, "does not let us use", "token_file"),
    "bucket": ({"bucket": "nowhere"}, 'bucket "nowhere" not found', "historian setup"),
    "organisation": ({"org": "nobody"}, 'organization name "nobody" not found', "historian setup"),
}


@pytest.mark.influxdb
@pytest.mark.parametrize("opener", [InfluxHistorian, open_influx_reader])
@pytest.mark.parametrize(("changes", "told", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_told_at_once(
    influx_bucket: InfluxBucket, opener: Opener, changes: dict[str, str], told: str, hint: str
) -> None:
    settings = InfluxSettings.model_validate(influx_bucket.settings.model_dump() | changes)
    with pytest.raises(HistorianError, match=told) as caught:
        opener(settings)
    assert not isinstance(caught.value, HistorianAwayError)
    assert hint in caught.value.hint


@pytest.mark.influxdb
def test_a_token_that_may_only_read_does_not_do_for_store(influx_bucket: InfluxBucket) -> None:
    changes = {"token": influx_bucket.tokens.reader}
    settings = InfluxSettings.model_validate(influx_bucket.settings.model_dump() | changes)
    with pytest.raises(HistorianError, match="insufficient permissions for write"):
        InfluxHistorian(settings)


@pytest.mark.influxdb
def test_a_reader_cannot_write(influx_bucket: InfluxBucket) -> None:
    with open_influx_reader(influx_bucket.settings) as reader:
        assert not hasattr(reader, "write")
        assert reader.about.startswith("InfluxDB 2.7")
        assert reader.about.endswith("keeps points for ever")
