"""What a stage's process is told: all that it needs, and no secret of another's."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.kafka_users import KafkaUsers
from schemas.settings import InfluxSettings, KafkaSettings, Settings, load_settings
from streams.stage_environment import stage_environment
from streams.stage_registry import STAGES

INFLUXDB = InfluxSettings(
    url="http://127.0.0.1:8086",
    token_file=Path("/run/store.token"),
    read_token_file=Path("/run/reader.token"),
)
SETTINGS = Settings(folder=Path("/srv/gridloom"), influxdb=INFLUXDB)


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ``gridloom.toml`` is found."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("stage", STAGES)
def test_on_a_secured_kafka_every_stage_is_a_user_of_its_own(stage: str, tmp_path: Path) -> None:
    told = load_settings(stage_environment(SETTINGS, stage, KafkaUsers(tmp_path)))
    assert told.kafka.security_protocol == "sasl_ssl"
    assert told.kafka.username == f"gridloom.{stage}"
    assert told.kafka.password_file == tmp_path / "security" / f"gridloom.{stage}.password"


@pytest.mark.parametrize("stage", STAGES)
def test_only_store_is_told_of_the_historian_s_tokens(stage: str) -> None:
    variables = stage_environment(SETTINGS, stage)
    variables = {"GRIDLOOM_INFLUXDB__TOKEN": "of-the-parent", **variables}
    influxdb = load_settings(variables).influxdb
    tokens = (influxdb.token_file, influxdb.read_token_file)
    if stage == "store":
        assert tokens == (INFLUXDB.token_file, INFLUXDB.read_token_file)
    else:
        assert (*tokens, influxdb.token) == (None, None, None)


def test_users_of_another_kafka_are_not_those_of_an_open_local_one(tmp_path: Path) -> None:
    """What the file says of the configured Kafka does not hold for the local one."""
    text = '[kafka]\nsecurity_protocol = "sasl_ssl"\nusername = "u"\npassword = "p"\n'
    Path("gridloom.toml").write_text(text, encoding="utf-8")
    local = load_settings({}).kafka.in_plain_text("127.0.0.1:29092")
    variables = stage_environment(Settings(folder=tmp_path, kafka=local), "align")
    assert load_settings(variables).kafka == local


def test_a_password_in_the_settings_does_not_go_into_the_environment() -> None:
    kafka = KafkaSettings(security_protocol="sasl_ssl", username="u", password=SecretStr("hunter2"))
    variables = stage_environment(Settings(kafka=kafka), "align")
    assert "hunter2" not in " ".join(variables.values())
    assert "GRIDLOOM_KAFKA__PASSWORD" not in variables
