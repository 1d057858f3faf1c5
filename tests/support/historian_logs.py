"""Logs of several sites as store reads them, and everything that can be asked of a historian."""

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.identity import decision_id, setpoint_seq
from schemas.site_window import Completeness, RelayWindow, SeriesName
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.points import EventKind, EventPoint, Measurement, MeterPoints, SitePoint
from streams.historians.protocol import HistorianReader
from tests.support import historian_messages as given
from tests.support.historian_messages import start_of

Stored = SitePoint | MeterPoints | EventPoint

ODD_NAMES: Final = (
    "a.b-c_d",
    "Köln Süd",
    "x,y=z w",
    '"quoted"',
    "${r.site}",
    "site",
    "\N{MUSICAL SYMBOL G CLEF}",
)
"""Names that a tag can hold; those of a site model are tamer."""

_NAMES: Final = st.sampled_from(ODD_NAMES)
_FLOATS: Final = st.floats(-1e9, 1e9, allow_subnormal=False)
_QUANTITIES: Final = st.sampled_from(["active_power", "voltage", "relay_1"])
_SERIES: Final = st.builds(SeriesName, device=_NAMES, quantity=_QUANTITIES)


def whole_log() -> list[StoredMessage]:
    """Two sites for a minute: revisions, gaps, late events, energy that becomes unknown."""
    log: list[StoredMessage] = []
    for window in range(12):
        for site in ("feeder-1", "feeder-2"):
            log += [given.site_window(window, 0, site), given.chunk(window, 0, site)]
        log += [given.plan(window), given.verdict(window), given.setpoint(window)]
        if window > 2:
            log += _late(window - 2)
    log += [given.ack(window) for window in range(12)]
    return log


def _late(window: int) -> list[StoredMessage]:
    """What a late reading makes of an earlier window: revision 1 gains energy, 2 loses it."""
    gained = replace(given.site_window(window, 1), energy_import_kwh=0.25)
    lost = replace(given.site_window(window, 2), energy_import_kwh=None)
    names = given.names(3)
    first = replace(given.chunk(window, 1, series=names), values=(1.5, 2.5, 0.0), status="mvm")
    gone = replace(given.chunk(window, 2, series=names), values=(1.5, None, None), status="mxx")
    return [gained, first, lost, gone]


@st.composite
def points(draw: st.DrawFn) -> list[Stored]:
    """A log of some sites, in the order that partitions keep: revisions of a window rise."""
    log: list[Stored] = []
    revisions: dict[tuple[str, str, int], int] = {}
    for _ in range(draw(st.integers(1, 12))):
        site, window = draw(_NAMES), draw(st.integers(0, 3))
        kind = draw(st.sampled_from(["site", "meters", "event"]))
        revision = revisions.get((kind, site, window), -1) + draw(st.integers(0, 2))
        revisions[kind, site, window] = max(revision, 0)
        if kind == "site":
            log.append(draw(_site_points(site, window, revisions[kind, site, window])))
        elif kind == "meters":
            log.append(draw(_meters(site, window, revisions[kind, site, window])))
        else:
            log.append(draw(_events(site, window)))
    return _without_doubles(log)


def _without_doubles(log: Sequence[Stored]) -> list[Stored]:
    """Of points with the same identity and revision the first; a log has no two that differ."""
    kept: dict[object, Stored] = {}
    for point in log:
        kept.setdefault(_identity(point), point)
    return list(kept.values())


def _identity(point: Stored) -> object:
    """What tells a point, or a revision of one, from all others."""
    if isinstance(point, EventPoint):
        return point.site, point.kind, point.device, event_slot(point)
    return type(point), point.site, point.window_start_ms, point.revision


def event_slot(point: EventPoint) -> tuple[int, str]:
    """What tells events of one site, kind and device apart."""
    by_decision = {EventKind.PLAN, EventKind.VERDICT}
    return point.window_start_ms, point.decision_id if point.kind in by_decision else point.key


@st.composite
def _site_points(draw: st.DrawFn, site: str, window: int, revision: int) -> SitePoint:
    relays = st.builds(
        RelayWindow,
        device=_NAMES,
        output=st.integers(1, 16),
        on=st.none() | st.booleans(),
        load_kw=st.none() | _FLOATS,
    )
    counts = st.integers(0, 2**40)
    return SitePoint(
        site=site,
        window_start_ms=start_of(window),
        revision=revision,
        model_hash=draw(texts()),
        completeness=draw(st.sampled_from(Completeness)),
        load_kw=draw(_FLOATS),
        generation_kw=draw(_FLOATS),
        energy_import_kwh=draw(st.none() | _FLOATS),
        measured=draw(counts),
        valid=draw(counts),
        missing=draw(counts),
        missing_rated_kw=draw(_FLOATS),
        missing_series=tuple(draw(st.lists(_NAMES, max_size=3))),
        relays=tuple(draw(st.lists(relays, max_size=3))),
        weather=draw(st.dictionaries(_NAMES, _FLOATS, max_size=3)),
    )


@st.composite
def _meters(draw: st.DrawFn, site: str, window: int, revision: int) -> MeterPoints:
    series = tuple(draw(st.lists(_SERIES, unique=True, max_size=6)))
    known = [draw(st.sampled_from("mvx")) for _ in series]
    return MeterPoints(
        site=site,
        window_start_ms=start_of(window),
        revision=revision,
        series=series,
        values=tuple(None if letter == "x" else draw(_FLOATS) for letter in known),
        status="".join(known),
    )


@st.composite
def _events(draw: st.DrawFn, site: str, window: int) -> EventPoint:
    kind = draw(st.sampled_from(EventKind))
    site_wide = kind in {EventKind.PLAN, EventKind.VERDICT}
    model_hash = draw(st.sampled_from(["0123abcd", "ffffffff"]))
    override = draw(st.integers(0, 15))
    seq = setpoint_seq(start_of(window), override)
    device = None if site_wide else draw(_NAMES)
    keys = {
        EventKind.SETPOINT: f"gw-1/{device}/1/{seq}",
        EventKind.ACK: f"{device}/{seq}/{draw(texts())}",
    }
    identity = decision_id(site, start_of(window), model_hash)
    return EventPoint(
        site=site,
        kind=kind,
        key=keys.get(kind, identity),
        window_start_ms=start_of(window),
        at_ms=draw(st.none() | st.integers(0, 2**50)),
        decision_id=identity,
        device=device,
        seq=seq,
        outcome=draw(texts()),
        reasons=tuple(draw(st.lists(texts(), max_size=2))),
        switched_on=draw(st.none() | st.integers(0, 16)),
        switched_off=draw(st.none() | st.integers(0, 16)),
        load_kw=draw(st.none() | _FLOATS),
        uncontrolled_kw=draw(st.none() | _FLOATS),
        expected_kw=draw(st.none() | _FLOATS),
        threshold_kw=draw(st.none() | _FLOATS),
        violation_kw=draw(st.none() | _FLOATS),
        body=draw(texts()),
        price_per_kwh=draw(st.none() | _FLOATS),
        currency=draw(st.none() | st.sampled_from(["EUR", "CHF"])),
    )


def texts() -> st.SearchStrategy[str]:
    """Any text that JSON can bring, but for the carriage return, which InfluxDB's CSV swallows."""
    odd = st.sampled_from(
        ['"', "\\", "\\\\", '\\"', "\n", ",", "=", " ", "\t", "#", "\x00", "\x1f"]
    )
    usual = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
    return st.lists(usual | odd, max_size=12).map("".join)


def answers(historian: HistorianReader, sites: Sequence[str]) -> dict[str, Any]:
    """What the historian answers to every query there is, by question."""
    first, last = start_of(0), start_of(20)
    told: dict[str, Any] = {
        "sites": historian.sites(),
        "measured": historian.measured_meter_windows(),
        **{f"count {each}": historian.count(each) for each in Measurement},
    }
    for site in sites:
        series = historian.series(site)
        events = historian.events(site, first, last)
        told[f"{site} series"] = series
        told[f"{site} measured"] = historian.measured_meter_windows(site)
        told[f"{site} windows"] = historian.site_windows(site, first, last)
        told[f"{site} meters"] = historian.meter_windows(site, first, last)
        told[f"{site} some"] = historian.meter_windows(site, first, last, series[::2])
        told[f"{site} events"] = events
        for span in ((0, 2**62), (first + 1, last), (start_of(1), start_of(2) + 1), (last, first)):
            told[f"{site} {span}"] = (
                historian.site_windows(site, *span),
                historian.meter_windows(site, *span),
                historian.events(site, *span),
            )
        for kind in EventKind:
            told[f"{site} {kind}"] = historian.events(site, first, last, [kind])
        for identity in sorted({event.decision_id for event in events}):
            told[f"{site} {identity}"] = historian.decision(identity)
    return told


def sites_of(log: Sequence[Stored]) -> list[str]:
    """The sites in a log."""
    return sorted({point.site for point in log})


def stored(log: Sequence[StoredMessage]) -> list[Stored]:
    """Points of messages."""
    return [to_point(message) for message in log]
