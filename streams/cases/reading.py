"""Cases for ``gridloom dispatch``: one site, one window, and what is remembered, in a file.

::

    {"site": {...}, "window": {"load_kw": 95.0, ...}, "state": {...}}

``site``
    A site model, as ``schemas.site_model.SiteModel`` describes it.
``window``
    A ``SiteWindow``; ``load_kw`` [kW] is required, and everything else has a default: no
    generation, complete, nothing missing, revision 0, ``site`` and ``model_hash`` of the site
    above, the window after the one in ``state`` or else the first one of the epoch. A relay
    output that ``relays`` does not name is unknown. A record of ``windows.site`` fits as it is.
``state``
    A ``DispatchState``, optional: a record of ``dispatch.state``, or what the command printed
    with ``--json`` for the window before.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.errors import ConfigurationError
from schemas.messages import UNREADABLE
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness, SiteWindow
from schemas.stage_state import DispatchState
from schemas.windows import WINDOW_MS
from streams.cases.checking import problems_of

_PARTS: Final = ("site", "window", "state")
_HINT: Final = (
    'the least case is {"site": {...}, "window": {"load_kw": 95.0}};'
    " `gridloom dispatch --help` tells more"
)


@dataclass(frozen=True, slots=True)
class Case:
    """What one decision is made of; ``state`` is None where nothing is remembered."""

    model: SiteModel
    window: SiteWindow
    state: DispatchState | None


def read_case(path: Path) -> Case:
    """The case in a JSON file.

    Raises:
        ConfigurationError: it cannot be read, or names every wrong field.
    """
    return parse_case(load_json(path), f"case {path}")


def load_json(path: Path) -> object:
    """What stands in a JSON file.

    Raises:
        ConfigurationError: it cannot be read, or is no JSON.
    """
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, *UNREADABLE) as error:
        message = f"case {path} cannot be read: {error}"
        raise ConfigurationError(message) from error


def parse_case(data: object, origin: str) -> Case:
    """The case in parsed JSON.

    Raises:
        ConfigurationError: with every wrong field; ``origin`` says where it came from.
    """
    problems: list[str] = []
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"{origin} is not a JSON object", hint=_HINT)
    problems += [f"{n}: unknown (known are: {', '.join(_PARTS)})" for n in data.keys() - {*_PARTS}]
    model = _model(data, problems)
    state = _state(data, problems)
    window = _window(data, model, state, problems)
    if model is not None and window is not None:
        problems += _contradictions(model, window, state)
    if problems or model is None or window is None:
        raise ConfigurationError(f"{origin} is no dispatch case", problems=problems, hint=_HINT)
    return Case(model, window, state)


def _model(data: Mapping[str, Any], problems: list[str]) -> SiteModel | None:
    if "site" not in data:
        problems.append("site: required, but missing")
        return None
    try:
        return parse_site_model(data["site"], "site")
    except ConfigurationError as error:
        problems += [f"site.{problem}" for problem in error.problems]
        return None


def _state(data: Mapping[str, Any], problems: list[str]) -> DispatchState | None:
    """The remembered state; None where it is absent, or wrong."""
    if data.get("state") is None:
        return None
    found = list(problems_of(data["state"], DispatchState, "state"))
    problems += found
    return None if found else msgspec.convert(data["state"], DispatchState)


def _window(
    data: Mapping[str, Any],
    model: SiteModel | None,
    state: DispatchState | None,
    problems: list[str],
) -> SiteWindow | None:
    """The window with its defaults; None where something is wrong with it."""
    given = data.get("window")
    filled = {**_defaults(model, state), **given} if isinstance(given, Mapping) else given
    found = ["window: required, but missing"] if "window" not in data else []
    found = found or list(problems_of(filled, SiteWindow, "window"))
    problems += found
    return None if found else msgspec.convert(filled, SiteWindow)


def _defaults(model: SiteModel | None, state: DispatchState | None) -> dict[str, object]:
    """Every field of a window but its load."""
    return {
        "site": "" if model is None else model.name,
        "window_start_ms": 0 if state is None else state.last_window_ms + WINDOW_MS,
        "revision": 0,
        "model_hash": "" if model is None else model.model_hash,
        "completeness": Completeness.COMPLETE.value,
        "generation_kw": 0.0,
        "energy_import_kwh": None,
        "measured": 0,
        "valid": 0,
        "missing": 0,
        "missing_rated_kw": 0.0,
        "missing_series": [],
        "relays": [],
        "weather": {},
    }


def _contradictions(
    model: SiteModel, window: SiteWindow, state: DispatchState | None
) -> Iterator[str]:
    """Where the parts of a case do not fit together."""
    if window.site != model.name:
        yield f"window.site: {window.site!r} is not the site {model.name!r}"
    if window.model_hash != model.model_hash:
        yield f"window.model_hash: this site's is {model.model_hash}; leave it out to take that"
    if window.revision != 0:
        yield f"window.revision: dispatch decides on revision 0, not {window.revision}"
    if window.window_start_ms < 0 or window.window_start_ms % WINDOW_MS:
        yield f"window.window_start_ms: {window.window_start_ms} is not the start of a window"
    yield from _output_problems(model, window)
    if state is not None:
        yield from _state_problems(model, window, state)


def _output_problems(model: SiteModel, window: SiteWindow) -> Iterator[str]:
    known = {(board.id, relay.output) for board in model.relay_boards for relay in board.relays}
    named = Counter((relay.device, relay.output) for relay in window.relays)
    for (device, output), times in named.items():
        if (device, output) not in known:
            yield f"window.relays: the site has no output {output} of {device}"
        if times > 1:
            yield f"window.relays: output {output} of {device} stands {times} times"


def _state_problems(model: SiteModel, window: SiteWindow, state: DispatchState) -> Iterator[str]:
    if state.site != model.name:
        yield f"state.site: {state.site!r} is not the site {model.name!r}"
    if window.window_start_ms <= state.last_window_ms:
        yield (
            f"window.window_start_ms: {window.window_start_ms} is not after"
            f" state.last_window_ms {state.last_window_ms}"
        )
