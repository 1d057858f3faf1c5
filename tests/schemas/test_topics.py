"""The topic map: names, partitions, and how long records stay."""

import re

import msgspec
import pytest

from schemas.dead_letter import DeadLetter
from schemas.messages import Message
from schemas.setpoint import Setpoint
from schemas.site_model import SiteModel
from schemas.telemetry import Batch, Reading
from schemas.topics import (
    ACKS,
    ALIGN_STATE,
    CLOCK,
    DATA_TOPICS,
    DEAD_LETTERS,
    DEAD_RETRIES,
    SETPOINTS,
    SITES,
    STOP,
    TELEMETRY,
    TOPICS,
    TopicSpec,
    setpoint_topic,
    telemetry_topic,
    topic_names,
)
from schemas.units import TelemetryKind

each_topic = pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: str(spec.name))
NOT_BY_SITE = (CLOCK, SITES, STOP, SETPOINTS, DEAD_LETTERS, DEAD_RETRIES)


def test_every_topic_stands_in_the_map_once() -> None:
    names = [spec.name for spec in TOPICS]
    assert len(set(names)) == len(names)


def test_meter_weather_and_relay_telemetry_each_have_a_topic() -> None:
    """D-3: each enters a Kafka topic, single readings and batches alike."""
    names = {kind: spec.name for kind, spec in TELEMETRY.items()}
    assert names == {kind: telemetry_topic(kind) for kind in TelemetryKind}
    assert names[TelemetryKind.METER] == "telemetry.meter"
    assert names[TelemetryKind.WEATHER] == "telemetry.weather"
    assert names[TelemetryKind.RELAY] == "telemetry.relay"
    assert all(spec.messages == (Reading, Batch) for spec in TELEMETRY.values())


def test_what_could_not_be_used_has_a_topic() -> None:
    """D-3: malformed records go to a dead-letter topic."""
    assert (DEAD_LETTERS.name, DEAD_LETTERS.messages) == ("dead.letters", (DeadLetter,))


def test_what_is_keyed_by_site_is_partitioned_by_site() -> None:
    """DESIGN decision 1: co-partitioned, one site in one partition number everywhere."""
    assert all(spec.per_site for spec in TOPICS if spec not in NOT_BY_SITE)
    assert not any(spec.per_site for spec in NOT_BY_SITE)


def test_a_topic_that_is_partitioned_by_site_has_the_site_in_its_key() -> None:
    """DESIGN decision 1: align.state holds whole partitions, and is written to by number."""
    by_site = [spec for spec in TOPICS if spec.per_site and spec is not ALIGN_STATE]
    assert {spec.key for spec in by_site} == {"site"}


def test_telemetry_is_stamped_by_the_broker_and_all_else_by_its_producer() -> None:
    """DESIGN "Time": replayed history under CreateTime vanishes within minutes."""
    for spec in TOPICS:
        stamp = "LogAppendTime" if spec in TELEMETRY.values() else "CreateTime"
        assert spec.config()["message.timestamp.type"] == stamp


@each_topic
def test_a_topic_is_either_compacted_or_kept_for_a_time(spec: TopicSpec) -> None:
    config = spec.config()
    if spec.compacted:
        assert config["cleanup.policy"] == "compact"
        assert "retention.ms" not in config
    else:
        assert config["cleanup.policy"] == "delete"
        assert int(config["retention.ms"]) >= 86_400_000


def test_state_is_compacted_and_what_happened_is_not() -> None:
    """DESIGN decision 2: state in compacted topics, and a stage's members consume the others."""
    compacted = {spec.name for spec in TOPICS if spec.compacted}
    assert compacted == {
        "pipeline.clock",
        "site.models",
        "control.stop",
        "align.state",
        "dispatch.state",
        "gate.state",
        "actuate.state",
    }
    assert {spec.name for spec in DATA_TOPICS} == {spec.name for spec in TOPICS} - compacted


def test_every_gateway_has_a_setpoint_topic_of_its_own() -> None:
    """D-5: each relay board consumes only its own commands."""
    assert setpoint_topic("gw-1") == "actuator.setpoints.gw-1"
    names = topic_names(["gw-1", "gw-2"])
    assert names["actuator.setpoints.gw-1"] is names["actuator.setpoints.gw-2"] is SETPOINTS
    assert SETPOINTS.messages == (Setpoint,)


def test_the_map_gives_concrete_names_only() -> None:
    names = topic_names(["gw-1"])
    assert len(names) == len(TOPICS)
    assert all(names[spec.name] is spec for spec in TOPICS if spec is not SETPOINTS)
    assert SETPOINTS.name not in names
    assert len(topic_names([])) == len(TOPICS) - 1


def test_every_concrete_name_is_one_that_kafka_takes() -> None:
    """With the longest name that a gateway may have."""
    for name in topic_names(["g" * 64, "gw_1.a-b"]):
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name)


@each_topic
def test_a_topic_carries_messages_that_somebody_writes_and_somebody_reads(spec: TopicSpec) -> None:
    """DESIGN decision 4: messages are msgspec Structs; the site model is checked by pydantic."""
    assert spec.messages
    assert all(issubclass(kind, Message) or kind is SiteModel for kind in spec.messages)
    assert spec.producers
    assert spec.consumers


def test_acknowledgements_go_back_over_one_topic_by_site() -> None:
    """D-5: command, state change and acknowledgement of a site are found together."""
    assert (ACKS.name, ACKS.key, ACKS.per_site) == ("actuator.acks", "site", True)


def test_a_topic_s_specification_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        ACKS.name = "acks"  # type: ignore[misc]
    assert msgspec.structs.replace(ACKS, name="acks").key == "site"
