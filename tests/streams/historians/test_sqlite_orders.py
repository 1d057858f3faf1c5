"""Whatever the order, the duplicates and the batching: the content is the same."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from schemas.site_window import SeriesName
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.sqlite import SqliteHistorian
from tests.support import historian_messages as given

_SERIES = given.names(4)


@st.composite
def _logs(draw: st.DrawFn) -> list[StoredMessage]:
    """Some revisions of some windows of two sites, chunks of differing composition."""
    windows = st.integers(0, 2)
    revisions = st.integers(0, 3)
    sites = st.sampled_from(["a", "b"])
    subsets = st.lists(st.sampled_from(_SERIES), unique=True, min_size=1)
    log: list[StoredMessage] = [
        given.site_window(*draw(st.tuples(windows, revisions, sites)))
        for _ in range(draw(st.integers(0, 6)))
    ]
    for _ in range(draw(st.integers(0, 6))):
        window, revision, site = draw(st.tuples(windows, revisions, sites))
        log += [_one(window, revision, site, name) for name in draw(subsets)]
    log += [given.plan(window) for window in draw(st.lists(windows))]
    return log


def _one(window: int, revision: int, site: str, name: SeriesName) -> StoredMessage:
    """One series; its value follows from window, revision, site and name alone."""
    number = _SERIES.index(name)
    full = given.chunk(window, revision, site, _SERIES)
    return type(full)(
        site=site,
        window_start_ms=full.window_start_ms,
        revision=revision,
        chunk=0,
        series=(name,),
        values=(full.values[number],),
        status=full.status[number],
    )


def _content(messages: list[StoredMessage], at_once: int) -> str:
    """Fingerprint of a new historian after ``messages``."""
    with TemporaryDirectory() as folder, SqliteHistorian(Path(folder) / "h.sqlite") as historian:
        for first in range(0, len(messages), at_once):
            historian.write([to_point(message) for message in messages[first : first + at_once]])
        return historian.fingerprint()


@settings(max_examples=60)
@for_all(data=st.data(), log=_logs(), at_once=st.integers(1, 8))
def test_any_order_and_duplication_of_revisions_gives_the_same_content(
    data: st.DataObject, log: list[StoredMessage], at_once: int
) -> None:
    """D-4: idempotent; a late retry never overwrites a newer revision."""
    again = data.draw(st.lists(st.sampled_from(log))) if log else []
    shuffled = data.draw(st.permutations([*log, *again]))
    assert _content(shuffled, at_once) == _content(log, len(log) or 1)
