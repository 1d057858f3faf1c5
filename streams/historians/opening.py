"""Which historian is meant, and how it is opened.

The InfluxDB client takes a second to load: whoever uses SQLite does without it.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError
from schemas.settings import InfluxSettings, Settings
from streams.historians.protocol import Historian, HistorianReader
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import open_reader


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """An SQLite historian, at ``path``."""

    path: Path

    @property
    def name(self) -> str:
        """What and where it is, in words."""
        return f"historian {self.path}"

    def open(self) -> HistorianReader:
        """A reader of it.

        Raises:
            HistorianAwayError: there is none yet, or it is locked.
            HistorianError: it cannot be read.
        """
        return open_reader(self.path)


@dataclass(frozen=True, slots=True)
class InfluxPlace:
    """A historian in an InfluxDB."""

    settings: InfluxSettings

    @property
    def name(self) -> str:
        """What and where it is, in words."""
        return f"InfluxDB {self.settings.url}, bucket {self.settings.bucket}"

    def open(self) -> HistorianReader:
        """A reader of it.

        Raises:
            HistorianAwayError: nothing answers, or not now.
            HistorianError: it is no InfluxDB 2, or token, organisation or bucket are wrong.
            ConfigurationError: there is no token, or its file cannot be read.
        """
        from streams.historians.influx_reader import open_influx_reader

        return open_influx_reader(self.settings)


Place = SqlitePlace | InfluxPlace
"""Where a historian is; match it with ``assert_never``."""


def configured_place(settings: Settings) -> Place:
    """The historian that the settings name; an SQLite file may not exist yet.

    Raises:
        ConfigurationError: it is to be InfluxDB, and no address is given.
    """
    if not settings.uses_influxdb:
        return SqlitePlace(settings.historian_path)
    if settings.influxdb.url:
        return InfluxPlace(settings.influxdb)
    message = "[historian] kind is influxdb, but there is no [influxdb] url"
    raise ConfigurationError(message, hint="it looks like http://127.0.0.1:8086")


def open_historian(settings: Settings) -> Historian:
    """The configured historian, to be written to.

    Raises:
        HistorianAwayError: it is away, or locked.
        HistorianError: it cannot be used.
        ConfigurationError: the settings do not say enough.
    """
    place = configured_place(settings)
    if isinstance(place, SqlitePlace):
        return SqliteHistorian(place.path)
    from streams.historians.influx import InfluxHistorian

    return InfluxHistorian(place.settings)
