"""Settings: one TOML file, overridden by the environment; unknown keys are refused.

``gridloom.toml`` in the working folder, or the file that ``GRIDLOOM_CONFIG`` names. Every key
has an environment variable: ``[kafka] bootstrap_servers`` is
``GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS``.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from schemas.errors import ConfigurationError
from schemas.site_model import INVALID, explain_validation
from schemas.toml_files import read_toml
from schemas.topics import DEFAULT_PARTITIONS

PREFIX: Final = "GRIDLOOM_"
NOT_SETTINGS: Final = frozenset(
    {"GRIDLOOM_CONFIG", "GRIDLOOM_DATA", "GRIDLOOM_REQUIRE", "GRIDLOOM_CONTAINERS"}
)
"""Variables with the prefix that are not settings: the file's name, and the tests' own."""

SLOT_PORTS: Final = 20
"""Ports of metrics from one slot of a stage to the next: more than there are stages."""

SCRAM: Final = "SCRAM-SHA-512"
"""How users of Kafka prove who they are: the password itself does not travel."""

Port = Annotated[int, Field(ge=1, le=65_535)]


def _or_none(value: object) -> object:
    """None for a variable that is set to nothing: so one is switched off for another process."""
    return None if value == "" else value


OptionalFile = Annotated[Path | None, BeforeValidator(_or_none)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_or_none)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KafkaSettings(_Section):
    """Where Kafka is, and who we are to it.

    ``bootstrap_servers``: host:port list. ``partitions``: of every topic that is keyed by site.
    ``replication_factor``: of topics that Gridloom creates. ``security_protocol``: ``plaintext``,
    ``ssl`` (encrypted) or ``sasl_ssl`` (encrypted, and the user proves who it is by
    SCRAM-SHA-512). ``ca_file``: certificates in PEM that vouch for the brokers; without it, those
    that this machine trusts. ``username``, ``password``: of ``sasl_ssl``. ``password_file``: file
    that holds the password instead.
    """

    bootstrap_servers: str = "127.0.0.1:9092"
    partitions: Annotated[int, Field(ge=1, le=10_000)] = DEFAULT_PARTITIONS
    replication_factor: Annotated[int, Field(ge=1, le=9)] = 1
    # In this order: each key below is checked against those above it.
    security_protocol: Literal["plaintext", "ssl", "sasl_ssl"] = "plaintext"
    ca_file: OptionalFile = None
    username: Annotated[str, Field(validate_default=True)] = ""
    password: OptionalSecret = None
    password_file: Annotated[OptionalFile, Field(validate_default=True)] = None

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("security_protocol") == "plaintext":
            message = "only ssl and sasl_ssl check certificates, not security_protocol plaintext"
            raise ValueError(message)
        return value

    @field_validator("username", "password", "password_file")
    @classmethod
    def _check_user(cls, value: object, info: ValidationInfo) -> object:
        protocol = info.data.get("security_protocol")
        if value and protocol in {"plaintext", "ssl"}:
            message = f"only sasl_ssl has users, not security_protocol {protocol}"
            raise ValueError(message)
        if not value and protocol == "sasl_ssl" and not _may_lack(info):
            message = "security_protocol sasl_ssl needs it"
            raise ValueError(message)
        return value

    def in_plain_text(self, bootstrap_servers: str) -> Self:
        """The same for a Kafka at another place that asks nobody who it is."""
        off = {"ca_file": None, "username": "", "password": None, "password_file": None}
        place = {"bootstrap_servers": bootstrap_servers, "security_protocol": "plaintext"}
        return self.model_copy(update={**off, **place})

    def password_secret(self) -> str:
        """The user's password.

        Raises:
            ConfigurationError: there is none, or its file cannot be read.
        """
        return _secret("kafka", "password", self.password, self.password_file)

    def client_security(self) -> dict[str, str]:
        """TLS and user in the words of librdkafka's settings.

        Raises:
            ConfigurationError: the password's file cannot be read.
        """
        config: dict[str, str] = {"security.protocol": self.security_protocol}
        if self.ca_file is not None:
            config["ssl.ca.location"] = str(self.ca_file.expanduser())
        if self.security_protocol == "sasl_ssl":
            config["sasl.mechanism"] = SCRAM
            config["sasl.username"] = self.username
            config["sasl.password"] = self.password_secret()
        return config


class AlignSettings(_Section):
    """How align works.

    ``max_ahead_s``: a reading further in the future is dead-lettered [s].
    ``commit_interval_ms``: time between transactions [ms]. ``snapshot_interval_s``: time
    between full snapshots of its state [s]. ``tick_interval_ms``: time between ticks [ms].
    ``dormant_after_s``: a site without any known value for so long has no more windows [s].
    ``max_open_readings``: with more readings of open windows in a partition, topics that are far
    ahead of the others wait.
    """

    max_ahead_s: Annotated[float, Field(gt=0)] = 60.0
    commit_interval_ms: Annotated[int, Field(ge=10)] = 100
    snapshot_interval_s: Annotated[float, Field(gt=0)] = 10.0
    tick_interval_ms: Annotated[int, Field(ge=10)] = 200
    dormant_after_s: Annotated[float, Field(gt=0)] = 600.0
    max_open_readings: Annotated[int, Field(ge=1)] = 1_000_000


class HistorianSettings(_Section):
    """Where aligned data are kept.

    ``kind``: ``auto`` takes InfluxDB where ``[influxdb] url`` is set (a local stack also where
    an influxd is cached), and else the SQLite file. ``path``: SQLite file; relative to
    ``folder``.
    """

    kind: Literal["auto", "sqlite", "influxdb"] = "auto"
    path: Path = Path("historian.sqlite")


class InfluxSettings(_Section):
    """The InfluxDB 2 that serves as the historian, and who we are to it.

    ``url``: such as ``http://127.0.0.1:8086``; empty: none. ``org``: organisation.
    ``bucket``: of the 5-second points; ``<bucket>_1m`` and ``<bucket>_15m`` hold what is
    downsampled. ``token``: of the role store, which may write and read. ``token_file``: file
    that holds it instead. ``read_token``: of everyone else, who may only read.
    ``read_token_file``: file that holds it instead. ``timeout_s``: of one request [s].
    """

    url: str = ""
    org: str = "gridloom"
    bucket: str = "gridloom"
    token: OptionalSecret = None
    token_file: OptionalFile = None
    read_token: OptionalSecret = None
    read_token_file: OptionalFile = None
    # Longer than the 10 s after which influxd gives a write up by itself: what we abandon
    # cannot land later, on top of a newer revision.
    timeout_s: Annotated[float, Field(gt=0)] = 12.0

    def store_secret(self) -> str:
        """The token that may write.

        Raises:
            ConfigurationError: there is none, or its file cannot be read.
        """
        return _secret("influxdb", "token", self.token, self.token_file)

    def reader_secret(self) -> str:
        """The token that may read; where there is none of its own, the one that may write.

        Raises:
            ConfigurationError: there is neither, or the file cannot be read.
        """
        if self.read_token is None and self.read_token_file is None:
            return self.store_secret()
        return _secret("influxdb", "read_token", self.read_token, self.read_token_file)


class MetricsSettings(_Section):
    """Where every stage shows its Prometheus metrics.

    ``host``: what they listen on. ``port``: of the first stage; the others follow in the order
    of the stages, further slots 20 higher each; 0: no metrics.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_000)] = 9400


class LoggingSettings(_Section):
    """What stages log, to stderr (``up``, ``run`` and ``demo`` keep it in files).

    ``level``: of the least important lines: ``debug`` tells of every decision, ``info`` of
    those that switch something or are refused. ``format``: ``json``, an object per line;
    ``text``; ``auto``: text on a terminal, else JSON.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class TracingSettings(_Section):
    """Traces in Kafka headers (W3C ``traceparent``), and where their spans go.

    ``endpoint``: of an OpenTelemetry collector that takes OTLP over HTTP, such as
    ``http://127.0.0.1:4318``; empty: headers travel, spans are not sent. ``readings_one_in``:
    of so many readings, ``replay`` and ``field`` mark one; 0: none.
    """

    endpoint: str = ""
    readings_one_in: Annotated[int, Field(ge=0)] = 1_000

    @field_validator("endpoint")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            message = "an endpoint begins with http:// or https://"
            raise ValueError(message)
        return value


class DevicesSettings(_Section):
    """The device view's web server."""

    host: str = "127.0.0.1"
    port: Port = 6066


class Settings(_Section):
    """All settings. ``folder``: where Gridloom keeps files of its own."""

    folder: Path = Path("~/.local/share/gridloom")
    kafka: KafkaSettings = KafkaSettings()
    align: AlignSettings = AlignSettings()
    historian: HistorianSettings = HistorianSettings()
    influxdb: InfluxSettings = InfluxSettings()
    metrics: MetricsSettings = MetricsSettings()
    logging: LoggingSettings = LoggingSettings()
    tracing: TracingSettings = TracingSettings()
    devices: DevicesSettings = DevicesSettings()

    @property
    def home(self) -> Path:
        """``folder`` with ``~`` resolved."""
        return self.folder.expanduser()

    @property
    def uses_influxdb(self) -> bool:
        """Whether the configured historian is InfluxDB."""
        if self.historian.kind == "auto":
            return bool(self.influxdb.url)
        return self.historian.kind == "influxdb"

    @property
    def historian_path(self) -> Path:
        """The SQLite historian's file."""
        return self.home / self.historian.path


def load_settings(environment: dict[str, str] | None = None) -> Settings:
    """Settings from the TOML file and the environment.

    Args:
        environment: variables to use in place of the process's own.

    Raises:
        ConfigurationError: naming every key and value that is wrong.
    """
    variables = dict(os.environ) if environment is None else environment
    path = Path(variables.get("GRIDLOOM_CONFIG", "gridloom.toml"))
    from_file = _read_toml(path, required="GRIDLOOM_CONFIG" in variables)
    merged = _merged(from_file, _from_environment(variables))
    try:
        return Settings.model_validate(merged)
    except INVALID as error:
        message = f"settings ({path} and {PREFIX}* variables) are wrong"
        raise ConfigurationError(message, problems=explain_validation(error)) from error


def _may_lack(info: ValidationInfo) -> bool:
    """Whether the key may be empty although there is a user: a password stands in one of two."""
    return info.field_name == "password" or info.data.get("password") is not None


def _secret(section: str, name: str, value: SecretStr | None, path: Path | None) -> str:
    """A secret of a section, from its file where one is named."""
    if path is not None:
        try:
            return path.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            message = f"[{section}] {name}_file: {path} cannot be read: {error}"
            raise ConfigurationError(message) from error
    if value is not None:
        return value.get_secret_value()
    variable = f"{PREFIX}{section}__{name}".upper()
    message = f"there is no [{section}] {name}"
    hint = f"name a file that holds it: [{section}] {name}_file; or set {variable}"
    raise ConfigurationError(message, hint=hint)


def _read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    """Parsed TOML; empty where an optional file does not exist."""
    if not path.exists() and not required:
        return {}
    return read_toml(path, "settings file")


def _from_environment(variables: dict[str, str]) -> dict[str, Any]:
    """Nested settings from ``GRIDLOOM_SECTION__KEY`` variables."""
    nested: dict[str, Any] = {}
    for name, value in variables.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        nested = _merged(nested, {section: {key: value} if key else value})
    return nested


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """``upper`` laid over ``lower``, section by section."""
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key, value)
        is_section = isinstance(below, dict) or isinstance(value, dict)
        result[key] = {**_keys_of(below), **_keys_of(value)} if is_section else value
    return result


def _keys_of(section: object) -> dict[str, Any]:
    """A section's keys; a plain value in its place stays among them, to be refused."""
    return section if isinstance(section, dict) else {"(plain value)": section}
