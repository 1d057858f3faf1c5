"""Settings: one file, the environment above it, and no key that goes unnoticed."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from schemas.errors import ConfigurationError
from schemas.settings import NOT_SETTINGS, InfluxSettings, KafkaSettings, Settings, load_settings

VARIABLES = {
    "GRIDLOOM_FOLDER": ("/var/lib/gridloom", "folder", Path("/var/lib/gridloom")),
    "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": ("a:1,b:2", "kafka.bootstrap_servers", "a:1,b:2"),
    "GRIDLOOM_KAFKA__PARTITIONS": ("12", "kafka.partitions", 12),
    "GRIDLOOM_KAFKA__REPLICATION_FACTOR": ("3", "kafka.replication_factor", 3),
    "GRIDLOOM_KAFKA__SECURITY_PROTOCOL": ("ssl", "kafka.security_protocol", "ssl"),
    "GRIDLOOM_KAFKA__CA_FILE": ("/run/ca.pem", "kafka.ca_file", Path("/run/ca.pem")),
    "GRIDLOOM_KAFKA__USERNAME": ("gridloom.gate", "kafka.username", "gridloom.gate"),
    "GRIDLOOM_KAFKA__PASSWORD": ("p-1", "kafka.password", SecretStr("p-1")),
    "GRIDLOOM_KAFKA__PASSWORD_FILE": ("/run/p", "kafka.password_file", Path("/run/p")),
    "GRIDLOOM_ALIGN__MAX_AHEAD_S": ("7.5", "align.max_ahead_s", 7.5),
    "GRIDLOOM_ALIGN__COMMIT_INTERVAL_MS": ("50", "align.commit_interval_ms", 50),
    "GRIDLOOM_ALIGN__SNAPSHOT_INTERVAL_S": ("5", "align.snapshot_interval_s", 5.0),
    "GRIDLOOM_ALIGN__TICK_INTERVAL_MS": ("100", "align.tick_interval_ms", 100),
    "GRIDLOOM_ALIGN__DORMANT_AFTER_S": ("3600", "align.dormant_after_s", 3600.0),
    "GRIDLOOM_ALIGN__MAX_OPEN_READINGS": ("3600", "align.max_open_readings", 3600),
    "GRIDLOOM_HISTORIAN__KIND": ("sqlite", "historian.kind", "sqlite"),
    "GRIDLOOM_HISTORIAN__PATH": ("other.sqlite", "historian.path", Path("other.sqlite")),
    "GRIDLOOM_INFLUXDB__URL": ("http://db:8086", "influxdb.url", "http://db:8086"),
    "GRIDLOOM_INFLUXDB__ORG": ("grid", "influxdb.org", "grid"),
    "GRIDLOOM_INFLUXDB__BUCKET": ("plant", "influxdb.bucket", "plant"),
    "GRIDLOOM_INFLUXDB__TOKEN": ("t-1", "influxdb.token", SecretStr("t-1")),
    "GRIDLOOM_INFLUXDB__TOKEN_FILE": ("/run/t", "influxdb.token_file", Path("/run/t")),
    "GRIDLOOM_INFLUXDB__READ_TOKEN": ("t-2", "influxdb.read_token", SecretStr("t-2")),
    "GRIDLOOM_INFLUXDB__READ_TOKEN_FILE": ("/run/r", "influxdb.read_token_file", Path("/run/r")),
    "GRIDLOOM_INFLUXDB__TIMEOUT_S": ("30", "influxdb.timeout_s", 30.0),
    "GRIDLOOM_METRICS__HOST": ("127.0.0.2", "metrics.host", "127.0.0.2"),
    "GRIDLOOM_METRICS__PORT": ("0", "metrics.port", 0),
    "GRIDLOOM_LOGGING__LEVEL": ("debug", "logging.level", "debug"),
    "GRIDLOOM_LOGGING__FORMAT": ("text", "logging.format", "text"),
    "GRIDLOOM_TRACING__ENDPOINT": ("http://box:4318", "tracing.endpoint", "http://box:4318"),
    "GRIDLOOM_TRACING__READINGS_ONE_IN": ("7", "tracing.readings_one_in", 7),
    "GRIDLOOM_DEVICES__HOST": ("0.0.0.0", "devices.host", "0.0.0.0"),  # noqa: S104  a value
    "GRIDLOOM_DEVICES__PORT": ("8080", "devices.port", 8080),
}
"""Every variable: a value for it, the key that it sets, and what the key then holds."""

SECURED = {
    "GRIDLOOM_KAFKA__SECURITY_PROTOCOL": "sasl_ssl",
    "GRIDLOOM_KAFKA__USERNAME": "somebody",
    "GRIDLOOM_KAFKA__PASSWORD": "hunter2",
}
"""Without a protocol that has users, a user and its certificate are refused."""

NEED_SECURITY = ("ca_file", "username", "password", "password_file")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that no other ``gridloom.toml`` is found."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder: Path, text: str, name: str = "gridloom.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _keys(settings: BaseModel, prefix: str = "") -> dict[str, Any]:
    """Every key with its value."""
    found: dict[str, Any] = {}
    for name, value in settings:
        if isinstance(value, BaseModel):
            found |= _keys(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _problem_places(variables: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError, match=r"settings \(.* are wrong") as caught:
        load_settings(variables)
    return sorted(problem.split(": ")[0] for problem in caught.value.problems)


def test_without_a_file_and_variables_everything_has_its_default() -> None:
    assert load_settings({}) == Settings()


def test_every_key_has_its_variable() -> None:
    """S1-7: constants are configurable."""
    assert {key for _, key, _ in VARIABLES.values()} == _keys(Settings()).keys()


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_sets_its_key_and_no_other(name: str) -> None:
    text, key, value = VARIABLES[name]
    others = SECURED if key.removeprefix("kafka.") in NEED_SECURITY else {}
    before = _keys(load_settings(others))
    assert _keys(load_settings({**others, name: text})) == before | {key: value}


def test_the_file_in_the_working_folder_is_read(working_folder: Path) -> None:
    _write(working_folder, "[kafka]\npartitions = 8\n[devices]\nport = 7000\n")
    settings = load_settings({})
    assert (settings.kafka.partitions, settings.devices.port) == (8, 7000)


def test_the_file_that_a_variable_names_takes_its_place(working_folder: Path) -> None:
    _write(working_folder, "[kafka]\npartitions = 8\n")
    path = _write(working_folder, "[kafka]\nreplication_factor = 3\n", "other.toml")
    kafka = load_settings({"GRIDLOOM_CONFIG": str(path)}).kafka
    assert (kafka.partitions, kafka.replication_factor) == (4, 3)


def test_the_environment_stands_above_the_file_key_by_key(working_folder: Path) -> None:
    _write(working_folder, 'folder = "a"\n[kafka]\npartitions = 8\nreplication_factor = 3\n')
    settings = load_settings({"GRIDLOOM_KAFKA__PARTITIONS": "16", "GRIDLOOM_FOLDER": "b"})
    assert (settings.kafka.partitions, settings.kafka.replication_factor) == (16, 3)
    assert settings.folder == Path("b")


def test_the_process_s_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDLOOM_DEVICES__PORT", "6070")
    assert load_settings().devices.port == 6070


def test_every_unknown_key_and_variable_is_named_at_once(working_folder: Path) -> None:
    _write(working_folder, "partitions = 8\n[kafka]\npartition = 8\n[align]\nmax_ahead_s = 0\n")
    variables = {"GRIDLOOM_ALIGN__LATENESS_S": "30", "GRIDLOOM_PORT": "1", "HOME": "/root"}
    assert _problem_places(variables) == [
        "align.lateness_s",
        "align.max_ahead_s",
        "kafka.partition",
        "partitions",
        "port",
    ]


@pytest.mark.parametrize("name", sorted(NOT_SETTINGS - {"GRIDLOOM_CONFIG"}))
def test_a_variable_of_the_tests_is_no_setting(name: str) -> None:
    assert load_settings({name: "anything"}) == Settings()


@pytest.mark.parametrize(
    "names",
    [
        ("GRIDLOOM_KAFKA", "GRIDLOOM_KAFKA__PARTITIONS"),
        ("GRIDLOOM_KAFKA__PARTITIONS", "GRIDLOOM_KAFKA"),
    ],
)
def test_a_value_for_a_whole_section_is_refused_in_any_order(names: tuple[str, str]) -> None:
    assert _problem_places(dict.fromkeys(names, "3")) == ["kafka.(plain value)"]


def test_a_value_for_a_whole_section_is_refused_in_the_file_too(working_folder: Path) -> None:
    _write(working_folder, "kafka = 3\n")
    assert _problem_places({}) == ["kafka"]
    assert _problem_places({"GRIDLOOM_KAFKA__PARTITIONS": "3"}) == ["kafka.(plain value)"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GRIDLOOM_KAFKA__PARTITIONS", "0"),
        ("GRIDLOOM_KAFKA__PARTITIONS", "four"),
        ("GRIDLOOM_ALIGN__MAX_AHEAD_S", "inf"),
        ("GRIDLOOM_ALIGN__TICK_INTERVAL_MS", "9"),
        ("GRIDLOOM_HISTORIAN__KIND", "csv"),
        ("GRIDLOOM_DEVICES__PORT", "65536"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, text: str) -> None:
    key = VARIABLES[name][1]
    with pytest.raises(ConfigurationError, match=rf"{key}: .* \(got '{text}'\)"):
        load_settings({name: text})


@pytest.mark.parametrize("name", ["missing.toml", ""])
def test_a_named_file_that_does_not_exist_is_an_error(name: str, working_folder: Path) -> None:
    path = working_folder / name
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        load_settings({"GRIDLOOM_CONFIG": str(path)})
    assert str(path) in caught.value.message


@pytest.mark.parametrize("content", [b"[kafka\n", b'folder = "\xff"\n'])
def test_a_file_that_is_not_toml_is_an_error(content: bytes, working_folder: Path) -> None:
    (working_folder / "gridloom.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"gridloom\.toml cannot be read"):
        load_settings({})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().kafka.partitions = 8  # type: ignore[misc]


def test_files_lie_in_gridloom_s_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    settings = load_settings({"GRIDLOOM_FOLDER": "~/grid", "GRIDLOOM_HISTORIAN__PATH": "h.sqlite"})
    assert settings.home == Path("/home/operator/grid")
    assert settings.historian_path == Path("/home/operator/grid/h.sqlite")
    elsewhere = load_settings({"GRIDLOOM_HISTORIAN__PATH": "/srv/h.sqlite"})
    assert elsewhere.historian_path == Path("/srv/h.sqlite")


def test_influxdb_is_the_historian_where_its_address_is_configured() -> None:
    """DESIGN decision 5: SQLite is the default when no InfluxDB is configured."""
    assert not load_settings({}).uses_influxdb
    configured = {"GRIDLOOM_INFLUXDB__URL": "http://db:8086"}
    assert load_settings(configured).uses_influxdb
    assert not load_settings({**configured, "GRIDLOOM_HISTORIAN__KIND": "sqlite"}).uses_influxdb


def test_a_secret_is_not_shown_with_the_settings() -> None:
    settings = load_settings({"GRIDLOOM_INFLUXDB__TOKEN": "very-secret"})
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in settings.model_dump_json()
    assert settings.influxdb.store_secret() == "very-secret"


def test_a_secret_in_a_file_stands_above_the_one_in_the_settings(tmp_path: Path) -> None:
    path = _write(tmp_path, "from-file\n", "token")
    influxdb = InfluxSettings(token=SecretStr("plain"), token_file=path)
    assert influxdb.store_secret() == "from-file"
    assert influxdb.reader_secret() == "from-file"


def test_secrets_are_not_shown_by_what_is_said_about_wrong_settings(working_folder: Path) -> None:
    """Nor is one whose key was misspelt, or that is a number."""
    _write(working_folder, "[kafka]\nusername = 3\npassword = 424242\n[influxdb]\ntoken = 515151\n")
    variables = {"GRIDLOOM_KAFKA__PASSWRD": "hunter2", "GRIDLOOM_PASSWORD": "hunter2"}
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**variables, "GRIDLOOM_KAFKA__SECURITY_PROTOCOL": "ssl"})
    told = str(caught.value)
    places = ("kafka.username", "kafka.password", "influxdb.token", "kafka.passwrd", "password")
    assert all(f"- {place}: " in told for place in places)
    assert not any(secret in told for secret in ("hunter2", "424242", "515151"))


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ({"SECURITY_PROTOCOL": "sasl_plaintext"}, ["security_protocol"]),
        ({"SECURITY_PROTOCOL": "sasl_ssl"}, ["password_file", "username"]),
        ({"SECURITY_PROTOCOL": "sasl_ssl", "PASSWORD": "p"}, ["username"]),
        ({"SECURITY_PROTOCOL": "ssl", "USERNAME": "u", "PASSWORD": "p"}, ["password", "username"]),
        (
            {"CA_FILE": "/ca", "USERNAME": "u", "PASSWORD": "p", "PASSWORD_FILE": "/p"},
            ["ca_file", "password", "password_file", "username"],
        ),
    ],
)
def test_keys_of_kafka_that_do_not_fit_together_are_all_named(
    variables: dict[str, str], wrong: list[str]
) -> None:
    """Passwords do not travel in the clear, and nobody believes to be safe who is not."""
    given = {f"GRIDLOOM_KAFKA__{name}": value for name, value in variables.items()}
    assert _problem_places(given) == [f"kafka.{key}" for key in wrong]


def test_clients_of_kafka_are_told_who_they_are(tmp_path: Path) -> None:
    path = _write(tmp_path, "from-file\n", "password")
    variables = {**SECURED, "GRIDLOOM_KAFKA__CA_FILE": "/run/ca.pem"}
    kafka = load_settings({**variables, "GRIDLOOM_KAFKA__PASSWORD_FILE": str(path)}).kafka
    assert kafka.client_security() == {
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": "/run/ca.pem",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "somebody",
        "sasl.password": "from-file",
    }
    plain = kafka.in_plain_text("127.0.0.1:9092")
    assert plain == KafkaSettings()
    assert plain.client_security() == {"security.protocol": "plaintext"}


def test_a_variable_that_is_set_to_nothing_switches_a_secret_off(working_folder: Path) -> None:
    _write(working_folder, '[influxdb]\ntoken = "t"\nread_token_file = "/r"\n')
    nothing = ("GRIDLOOM_INFLUXDB__TOKEN", "GRIDLOOM_INFLUXDB__READ_TOKEN_FILE")
    assert load_settings(dict.fromkeys(nothing, "")) == Settings()


def test_readers_use_their_own_token_where_there_is_one() -> None:
    influxdb = InfluxSettings(token=SecretStr("writes"), read_token=SecretStr("reads"))
    assert (influxdb.store_secret(), influxdb.reader_secret()) == ("writes", "reads")


@pytest.mark.parametrize(
    ("influxdb", "said"),
    [
        (InfluxSettings(), "there is no .influxdb. token"),
        (InfluxSettings(token_file=Path("/nowhere/token")), "/nowhere/token cannot be read"),
    ],
)
def test_a_secret_that_is_not_there_is_asked_for_by_name(
    influxdb: InfluxSettings, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        influxdb.store_secret()
