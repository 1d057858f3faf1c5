"""Publishing dashboards to a Grafana: the only place that knows the package ``grafana-api``.

That package is unmaintained since 2021; what it needs of Grafana's HTTP API (health, folders,
data sources, dashboards) is old and stable. Whatever goes wrong comes out as one sentence.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaException  # type: ignore[import-untyped]  # has no types
from grafana_api.grafana_face import GrafanaFace  # type: ignore[import-untyped]  # has no types
from grafana_foundation_sdk.models.dashboard import Dashboard
from msgspec import Struct

from dashboards.grafana.assembling import as_json
from dashboards.grafana.datasources import INFLUXDB, PROMETHEUS, Sources
from dashboards.grafana.provisioning import FOLDER, FOLDER_UID, all_dashboards
from dashboards.refusals import GrafanaError, away, not_grafana, refusal

_TIMEOUT_S: Final = 10.0
_MESSAGE: Final = "published by Gridloom"


class Grafana(Struct, frozen=True):
    """A Grafana and a token of a service account for it.

    ``url``: such as ``http://127.0.0.1:3000``, with a path where it is served below one.
    """

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Grafana({self.url!r})"  # no secret


class Published(Struct, frozen=True, kw_only=True):
    """A dashboard that is in Grafana now, as it was read back: ``url`` is where to look."""

    uid: str
    title: str
    version: int
    panels: int
    url: str


class Publication(Struct, frozen=True, kw_only=True):
    """What was published; ``notes``: what could not be made sure of, or is missing."""

    grafana_version: str
    folder: str
    dashboards: tuple[Published, ...]
    notes: tuple[str, ...]


def publish(
    grafana: Grafana, sources: Sources | None = None, *, overwrite: bool = True
) -> Publication:
    """Create or replace all dashboards in the folder "Gridloom", and read them back.

    Args:
        grafana: where, and as whom.
        sources: uids of its data sources.
        overwrite: replace what has the same uid, whoever changed it last.

    Raises:
        GrafanaError: it is away, refuses, is no Grafana, or keeps something else.
    """
    where = sources or Sources()
    with _client(grafana) as client:
        version = _version(client, grafana)
        notes = _source_notes(client, grafana, where)
        _ensure_folder(client, grafana)
        published = [
            _upsert(client, grafana, board, overwrite=overwrite) for board in all_dashboards(where)
        ]
    return Publication(
        grafana_version=version,
        folder=FOLDER,
        dashboards=tuple(published),
        notes=tuple(notes),
    )


@contextmanager
def _client(grafana: Grafana) -> Iterator[GrafanaFace]:
    """A client for a while."""
    parts = urlsplit(grafana.url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == -1:
        raise GrafanaError(
            f"{grafana.url!r} is not the address of a Grafana",
            hint="it looks like http://127.0.0.1:3000",
        )
    if not grafana.token or not grafana.token.isascii() or not grafana.token.isprintable():
        raise GrafanaError(
            "the Grafana token is empty or has characters that no token has",
            hint="make one: Administration, Service accounts, Add token (role Editor)",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    prefix = parts.path.strip("/")
    face = GrafanaFace(
        grafana.token,
        host=host,
        port=port,
        url_path_prefix=f"{prefix}/" if prefix else "",
        protocol=parts.scheme,
        timeout=_TIMEOUT_S,
    )
    try:
        yield face
    finally:
        face.api.s.close()


@contextmanager
def _saying(grafana: Grafana, doing: str) -> Iterator[None]:
    """Turn whatever a request raises into a sentence."""
    try:
        yield
    except GrafanaException as error:
        raise refusal(grafana.url, doing, int(error.status_code), error.response) from error
    except (ValueError, TypeError, KeyError) as error:
        # No JSON, or other JSON than Grafana's.
        raise not_grafana(grafana.url, doing) from error
    except OSError as error:
        raise away(grafana.url, error) from error


def _version(client: GrafanaFace, grafana: Grafana) -> str:
    """Which Grafana answers, if it is one."""
    doing = "asking for its health"
    try:
        with _saying(grafana, doing):
            health = client.api.GET("/health")
    except GrafanaError as error:
        if _status(error) == HTTPStatus.NOT_FOUND:
            raise not_grafana(grafana.url, doing) from error
        raise
    if not isinstance(health, dict) or "database" not in health:
        raise not_grafana(grafana.url, doing)
    return str(health.get("version", "unknown"))


def _source_notes(client: GrafanaFace, grafana: Grafana, sources: Sources) -> list[str]:
    """Which of the data sources are missing, or are of another kind."""
    try:
        with _saying(grafana, "listing its data sources"):
            present = {each["uid"]: each["type"] for each in client.datasource.list_datasources()}
    except GrafanaError as error:
        if not _is_forbidden(error):
            raise
        return ["its data sources were not checked: the token may not list them"]
    notes = []
    for kind in (INFLUXDB, PROMETHEUS):
        uid = sources.uid(kind)
        found = present.get(uid)
        if found is None:
            notes.append(f"there is no data source with the uid {uid} (of type {kind})")
        elif found != kind:
            notes.append(f"the data source {uid} is of type {found}, not {kind}")
    return notes


def _ensure_folder(client: GrafanaFace, grafana: Grafana) -> None:
    """Make our folder where there is none yet."""
    try:
        with _saying(grafana, "looking for the folder"):
            client.folder.get_folder(FOLDER_UID)
    except GrafanaError as error:
        if _status(error) != HTTPStatus.NOT_FOUND:
            raise
        with _saying(grafana, "making the folder"):
            client.folder.create_folder(FOLDER, FOLDER_UID)


def _upsert(
    client: GrafanaFace, grafana: Grafana, board: Dashboard, *, overwrite: bool
) -> Published:
    """Create or replace one dashboard, and read it back."""
    uid, title = str(board.uid), str(board.title)
    body = {
        "dashboard": json.loads(as_json(board)),
        "folderUid": FOLDER_UID,
        "message": _MESSAGE,
        "overwrite": overwrite,
    }
    with _saying(grafana, f"publishing {title!r}"):
        version = int(client.dashboard.update_dashboard(body)["version"])
    with _saying(grafana, f"reading {title!r} back"):
        kept = client.dashboard.get_dashboard(uid)
        found = Published(
            uid=kept["dashboard"]["uid"],
            title=kept["dashboard"]["title"],
            version=int(kept["dashboard"]["version"]),
            panels=len(kept["dashboard"]["panels"]),
            url=grafana.url.rstrip("/") + kept["meta"]["url"],
        )
    expected = Published(
        uid=uid, title=title, version=version, panels=len(board.panels or ()), url=found.url
    )
    if found != expected:
        raise GrafanaError(
            f"Grafana at {grafana.url} took the dashboard {title!r} and now has another one",
            problems=[f"published: {expected}", f"found: {found}"],
            hint="is somebody else publishing it at the same time?",
        )
    return found


def _status(error: GrafanaError) -> int | None:
    """The HTTP status behind an error, None where nothing answered."""
    cause = error.__cause__
    return int(cause.status_code) if isinstance(cause, GrafanaException) else None


def _is_forbidden(error: GrafanaError) -> bool:
    return _status(error) == HTTPStatus.FORBIDDEN
