"""Whether windows arrive: what a historian that is only read can tell of the pipeline before it."""

from dataclasses import dataclass, replace

from dashboards.page.notices import Service


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """How windows of a site arrive.

    Attributes:
        newest_ms: start of the newest window [ms].
        since_s: when it was first seen [s].
        looked_s: when it was last looked for a newer one [s].
        moved: whether it was seen to follow another one.
    """

    newest_ms: int
    since_s: float
    looked_s: float
    moved: bool


class Progress:
    """Compares the newest window of every site from look to look; dates do not count.

    Args:
        offline_after_s: no new window for so long [s] means that the service is offline.
    """

    def __init__(self, offline_after_s: float) -> None:
        self._offline_after_s = offline_after_s
        self._arrivals: dict[str, _Arrivals] = {}

    def judge(self, site: str, newest_ms: int, now_s: float) -> tuple[Service, float]:
        """What is known of the service, and for how long no new window came [s].

        Args:
            site: the site's name.
            newest_ms: start of its newest window now [ms since the epoch].
            now_s: a clock that never runs backwards [s].
        """
        before = self._arrivals.get(site)
        if before is None or before.newest_ms != newest_ms:
            # A long time without a look says nothing of when in it windows came.
            moved = before is not None and now_s - before.looked_s <= self._offline_after_s
            seen = _Arrivals(newest_ms, now_s, now_s, moved=moved)
        else:
            seen = replace(before, looked_s=now_s)
        self._arrivals[site] = seen
        silent_s = now_s - seen.since_s
        if silent_s > self._offline_after_s:
            return Service.OFFLINE, silent_s
        return (Service.LIVE if seen.moved else Service.WAITING), silent_s
