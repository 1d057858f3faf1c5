"""Publishing, against a server that keeps to Grafana's documented HTTP API."""

import json
import socket
from collections.abc import Iterator

import pytest

from dashboards.grafana.datasources import Sources
from dashboards.publishing import Grafana, publish
from dashboards.refusals import GrafanaError
from tests.support.grafana_server import TOKEN, GrafanaServer, grafana_server

SAVE = "POST /api/dashboards/db"
READ_BACK = "GET /api/dashboards/uid/gridloom-operations"
UIDS = ["gridloom-operations", "gridloom-pipeline", "gridloom-devices"]


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    """A server that has nothing but its data sources."""
    with grafana_server() as running:
        yield running


def _refused(server: GrafanaServer, asked: str, status: int, said: object) -> GrafanaError:
    """What publishing says when one request is answered so."""
    server.overrides[asked] = (status, said)
    with pytest.raises(GrafanaError) as caught:
        publish(Grafana(server.url, TOKEN))
    assert TOKEN not in str(caught.value)
    return caught.value


def test_all_dashboards_are_in_our_folder_afterwards(server: GrafanaServer) -> None:
    """D-6: created through grafana-api, and returned by the API."""
    done = publish(Grafana(server.url, TOKEN))
    assert done.grafana_version == "11.6.0"
    assert done.notes == ()
    assert [board.uid for board in done.dashboards] == UIDS
    assert all(board.url.startswith(f"{server.url}/d/") for board in done.dashboards)
    assert server.folders == {"gridloom": "Gridloom"}
    assert {kept["folder"] for kept in server.boards.values()} == {"gridloom"}
    panels = {uid: len(kept["dashboard"]["panels"]) for uid, kept in server.boards.items()}
    assert panels == {board.uid: board.panels for board in done.dashboards}


def test_publishing_again_makes_new_versions_of_the_same_dashboards(server: GrafanaServer) -> None:
    publish(Grafana(server.url, TOKEN))
    done = publish(Grafana(f"{server.url}/", TOKEN))
    assert [board.version for board in done.dashboards] == [2, 2, 2]
    assert list(server.boards) == UIDS
    assert server.seen.count("POST /api/folders") == 1


def test_a_grafana_below_a_path_is_found_there(server: GrafanaServer) -> None:
    server.overrides["GET /grafana/api/health"] = (503, {"message": "starting"})
    with pytest.raises(GrafanaError, match="answered 503"):
        publish(Grafana(f"{server.url}/grafana", TOKEN))


def test_data_sources_that_are_missing_or_of_another_kind_are_told(server: GrafanaServer) -> None:
    server.sources = [{"uid": "gridloom-influxdb", "type": "postgres", "name": "x"}]
    done = publish(Grafana(server.url, TOKEN))
    assert done.notes == (
        "the data source gridloom-influxdb is of type postgres, not influxdb",
        "there is no data source with the uid gridloom-prometheus (of type prometheus)",
    )


def test_its_own_data_sources_are_taken_where_they_are_named(server: GrafanaServer) -> None:
    server.sources = [{"uid": "a", "type": "influxdb"}, {"uid": "b", "type": "prometheus"}]
    done = publish(Grafana(server.url, TOKEN), Sources("a", "b"))
    assert done.notes == ()
    assert "gridloom-influxdb" not in json.dumps(list(server.boards.values()))


def test_a_token_that_may_not_list_data_sources_can_publish(server: GrafanaServer) -> None:
    """An editor's token may save dashboards, and list no data sources."""
    server.overrides["GET /api/datasources"] = (403, {"message": "Permissions needed"})
    done = publish(Grafana(server.url, TOKEN))
    assert len(done.dashboards) == 3
    assert done.notes == ("its data sources were not checked: the token may not list them",)


def test_a_wrong_token_is_told(server: GrafanaServer) -> None:
    with pytest.raises(GrafanaError, match="answered 401 while listing its data sources") as caught:
        publish(Grafana(server.url, "glsa_another"))
    assert "Service accounts" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "said", "words", "hint"),
    [
        (400, {"message": "Cannot save provisioned dashboard"}, "provisioned", "from files"),
        (401, {"message": "Expired API key"}, "(Expired API key)", "revoked"),
        (403, {"message": "Access denied"}, "(Access denied)", "role Editor"),
        (404, {"message": "Not found"}, "(Not found)", "path"),
        (409, {"message": "conflict"}, "(conflict)", "remove or rename"),
        (412, {"message": "changed", "status": "version-mismatch"}, ": version-mismatch)", "over"),
        (429, {"message": "slow down"}, "(slow down)", "again in a minute"),
        (500, {"message": "database is locked"}, "(database is locked)", "log"),
        (502, b"<html>bad gateway</html>", "'", "log"),
        (418, [], "'", ""),
    ],
)
def test_whatever_saving_is_answered_becomes_a_sentence(
    server: GrafanaServer, status: int, said: object, words: str, hint: str
) -> None:
    error = _refused(server, SAVE, status, said)
    assert error.message.startswith(f"Grafana at {server.url} answered {status} while publishing")
    assert words in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("GET /api/health", 200, b"<html>log in</html>"),
        ("GET /api/health", 200, {"status": "UP"}),
        ("GET /api/health", 200, ["database"]),
        ("GET /api/health", 404, b"404 page not found"),
        ("GET /api/datasources", 200, {"data": []}),
        (SAVE, 200, {"status": "success"}),
        (READ_BACK, 200, {"meta": {}}),
        (SAVE, 400, b"no message"),
    ],
)
def test_what_is_no_grafana_is_told_apart(
    server: GrafanaServer, asked: str, status: int, said: object
) -> None:
    error = _refused(server, asked, status, said)
    assert "is not a Grafana" in error.message
    assert error.hint


def test_nobody_there_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(GrafanaError, match="cannot be reached: connection refused") as caught:
            publish(Grafana(url, TOKEN))
    assert "does it run" in caught.value.hint


@pytest.mark.parametrize("url", ["", "grafana", "ftp://grafana", "http://", "http://a:b", "//x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(GrafanaError, match="is not the address of a Grafana"):
        publish(Grafana(url, TOKEN))


@pytest.mark.parametrize("token", ["", "two\nlines", "söcret"])
def test_what_can_be_no_token_is_not_sent(server: GrafanaServer, token: str) -> None:
    with pytest.raises(GrafanaError, match="token is empty or has characters"):
        publish(Grafana(server.url, token))
    assert server.seen == []


def test_without_overwriting_what_others_changed_stays(server: GrafanaServer) -> None:
    publish(Grafana(server.url, TOKEN))
    with pytest.raises(GrafanaError, match=r"answered 412 .*version-mismatch") as caught:
        publish(Grafana(server.url, TOKEN), overwrite=False)
    assert "overwriting" in caught.value.hint
    assert {kept["version"] for kept in server.boards.values()} == {1}


def test_a_dashboard_that_is_another_when_read_back_is_told(server: GrafanaServer) -> None:
    server.meddles = True
    with pytest.raises(GrafanaError, match="now has another one") as caught:
        publish(Grafana(server.url, TOKEN))
    assert "version=1" in caught.value.problems[0]
    assert "version=2" in caught.value.problems[1]


def test_a_folder_of_that_name_under_another_uid_is_told(server: GrafanaServer) -> None:
    server.folders["theirs"] = "Gridloom"
    with pytest.raises(GrafanaError, match="answered 412 while making the folder"):
        publish(Grafana(server.url, TOKEN))


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(Grafana("http://x", TOKEN))
