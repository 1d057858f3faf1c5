"""What the process of a stage is told by its environment: where things are, and its own secrets.

Secrets themselves stay in their files, and no stage is told of another's.
"""

from pathlib import Path
from typing import Final

from deploy.kafka_users import KafkaUsers
from schemas.roles import user_of
from schemas.settings import PREFIX, InfluxSettings, KafkaSettings, Settings

_WRITES_HISTORIAN: Final = "store"


def stage_environment(
    settings: Settings, stage: str, users: KafkaUsers | None = None
) -> dict[str, str]:
    """What a stage must know besides what it reads from the same file and environment.

    Args:
        settings: where everything is.
        stage: which one.
        users: of a local Kafka, where it has any; otherwise all stages are the configured user.
    """
    kafka = settings.kafka if users is None else users.as_user(settings.kafka, user_of(stage))
    return {
        f"{PREFIX}FOLDER": str(settings.home),
        f"{PREFIX}DEVICES__PORT": str(settings.devices.port),
        f"{PREFIX}METRICS__HOST": settings.metrics.host,
        f"{PREFIX}METRICS__PORT": str(settings.metrics.port),
        f"{PREFIX}TRACING__ENDPOINT": settings.tracing.endpoint,
        f"{PREFIX}TRACING__READINGS_ONE_IN": str(settings.tracing.readings_one_in),
        f"{PREFIX}HISTORIAN__KIND": settings.historian.kind,
        **_of_kafka(kafka),
        **_of_influxdb(settings.influxdb, stage),
    }


def _of_kafka(kafka: KafkaSettings) -> dict[str, str]:
    """Every key is set, and so takes the place of what is configured for another Kafka."""
    prefix = f"{PREFIX}KAFKA__"
    # A password that stands in the settings is read by the stage itself.
    own_password = {} if kafka.password else {f"{prefix}PASSWORD": ""}
    return {
        f"{prefix}BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        f"{prefix}SECURITY_PROTOCOL": kafka.security_protocol,
        f"{prefix}CA_FILE": _text(kafka.ca_file),
        f"{prefix}USERNAME": kafka.username,
        f"{prefix}PASSWORD_FILE": _text(kafka.password_file),
        **own_password,
    }


def _of_influxdb(influxdb: InfluxSettings, stage: str) -> dict[str, str]:
    prefix = f"{PREFIX}INFLUXDB__"
    place = {
        f"{prefix}URL": influxdb.url,
        f"{prefix}ORG": influxdb.org,
        f"{prefix}BUCKET": influxdb.bucket,
    }
    files = {
        f"{prefix}TOKEN_FILE": influxdb.token_file,
        f"{prefix}READ_TOKEN_FILE": influxdb.read_token_file,
    }
    if stage == _WRITES_HISTORIAN:
        return place | {name: str(path) for name, path in files.items() if path is not None}
    hidden = (*files, f"{prefix}TOKEN", f"{prefix}READ_TOKEN")
    return place | dict.fromkeys(hidden, "")


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)
