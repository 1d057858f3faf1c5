"""Which site the files belong to: declared on ``site.models``, in a TOML file, or derived."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from processors.aligning.series import series_of
from schemas.errors import ReplayError
from schemas.settings import KafkaSettings
from schemas.site_model import Name, SiteModel, decode_site_model, parse_site_model
from schemas.toml_files import read_toml
from schemas.topics import SITES
from schemas.units import TelemetryKind
from streams.kafka import read_table
from streams.replay.deriving import derive_site
from streams.replay.options import ReplayOptions
from streams.replay.recording import Recording
from streams.site_registry import declare_site

_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)
_ENDINGS: Final = frozenset({".csv", ".gz", ".parquet", ".pq", ".txt"})
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Site:
    """The site that is replayed to, and whether it had been declared before."""

    model: SiteModel
    declared: bool


def declare(
    settings: KafkaSettings,
    files: Sequence[Path],
    options: ReplayOptions,
    recording: Recording,
    note: Callable[[str], None],
) -> Site:
    """Find the site; declare it where it is not, so that its readings will be known.

    Raises:
        ReplayError: its name is no name, or no model can be derived from the files.
        ConfigurationError: the TOML file is no site model, or not the one that is declared.
        BrokerError: Kafka does not take it.
    """
    given = None if options.site_file is None else read_site_file(options.site_file)
    name = site_name(options, files, given)
    present = _present(settings, name)
    model = given or present or derive_site(name, recording)
    if given is not None or present is None:
        declare_site(settings, model)
    if given is None and present is None:
        note(f"site {name!r} is not declared: derived from the files, {_summary(model)}")
    _warn_of_unknown(model, recording, note)
    return Site(model, declared=present is not None)


def _present(settings: KafkaSettings, name: str) -> SiteModel | None:
    value = read_table(settings, SITES.name, client="replay").get(name)
    if value is None:
        return None
    return decode_site_model(value, f"site {name!r} on {SITES.name}")


def read_site_file(path: Path) -> SiteModel:
    """The site model in a TOML file.

    Raises:
        ConfigurationError: it cannot be read, or is no site model; names every wrong field.
    """
    return parse_site_model(read_toml(path, "site file"), f"site file {path}")


def site_name(options: ReplayOptions, files: Sequence[Path], given: SiteModel | None) -> str:
    """Name of the site: as given, or the first file's.

    Raises:
        ReplayError: it is no name, or two different ones are given.
    """
    if given is not None:
        if options.site not in {None, given.name}:
            message = f"--site says {options.site!r}, the site file {given.name!r}"
            raise ReplayError(message, hint="leave --site out")
        return given.name
    name = options.site if options.site is not None else name_from_file(files[0])
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        message = f"{name!r} is no name for a site"
        hint = "give --site NAME: letters, digits, '_', '.', '-'; first a letter or digit"
        raise ReplayError(message, hint=hint) from error


def name_from_file(path: Path) -> str:
    """A file's name without its endings, unfit characters replaced by dashes."""
    while path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    return re.sub("[^A-Za-z0-9_.-]+", "-", path.name).strip("_.-")[:64]


def _summary(model: SiteModel) -> str:
    meters, stations = len(model.meters), len(model.weather_stations)
    intervals = sorted({s.interval_s for s in (*model.meters, *model.weather_stations)})
    spacing = ", ".join(f"{interval_s:g}" for interval_s in intervals)
    return (
        f"{meters} meters rated {model.capacity_kw:g} kW together,"
        f" {stations} weather stations, every {spacing} s"
    )


def _warn_of_unknown(model: SiteModel, recording: Recording, note: Callable[[str], None]) -> None:
    """Tell of series that the site does not have: align will not accept their readings."""
    declared = {(spec.kind, spec.device, spec.quantity) for spec in series_of(model)}
    unknown = [
        f"{device} {quantity}"
        for kind, device, quantity in _sent_series(recording)
        if (kind, device, quantity) not in declared
    ]
    if unknown:
        shown = ", ".join([*unknown[:_SHOWN], *["..."] * (len(unknown) > _SHOWN)])
        note(
            f"warning: site {model.name!r} does not declare {len(unknown)} series of the files;"
            f" their readings will become dead letters: {shown}"
        )


def _sent_series(recording: Recording) -> Iterator[tuple[TelemetryKind, str, str]]:
    for track in recording.tracks:
        parsed = track.parsed
        columns = len(track.layout.values)
        for code in np.unique(parsed.device * columns + parsed.column).tolist():
            device, column = divmod(code, columns)
            value = track.layout.values[column]
            yield value.kind, parsed.devices[device], value.quantity
