"""Roles: derived from the topic map, and no role can do what is another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.roles import (
    Operation,
    Resource,
    Role,
    Rule,
    gateway_role,
    roles,
    roles_named_by,
)
from schemas.topics import (
    ACKS,
    ALIGN_STATE,
    DEVICES_CHANGELOG,
    SITE_WINDOWS,
    STOP,
    TELEMETRY,
    TOPICS,
    setpoint_topic,
    topic_names,
)
from schemas.units import TelemetryKind
from streams.stage_registry import STAGES

GATEWAYS = ("gw-1", "gw-2", "gw-1.b")
ROLES = {role.name: role for role in roles(GATEWAYS)}
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)

READ, WRITE, CREATE = Operation.READ, Operation.WRITE, Operation.CREATE


def covers(rule: Rule, resource: Resource, name: str) -> bool:
    """Whether a rule is about a thing, as Kafka matches names."""
    matches = name.startswith(rule.name) if rule.prefixed else name == rule.name
    return rule.resource is resource and matches


def may(role: Role, operation: Operation, name: str, resource: Resource = Resource.TOPIC) -> bool:
    """Whether a role may do something."""
    return any(covers(rule, resource, name) and operation in rule.operations for rule in role.rules)


def who_may(operation: Operation, name: str, resource: Resource = Resource.TOPIC) -> set[str]:
    """Names of all roles that may do something."""
    return {role.name for role in ROLES.values() if may(role, operation, name, resource)}


def topics_of(role: str, operation: Operation) -> set[str]:
    """Every topic that a role may do something with."""
    names = [*topic_names(GATEWAYS), DEVICES_CHANGELOG]
    return {name for name in names if may(ROLES[role], operation, name)}


def test_everybody_whom_the_topic_map_names_is_a_role() -> None:
    known = {role.name for role in roles()} | {"<gateway>"}
    for spec in TOPICS:
        for party in (*spec.producers, *spec.consumers):
            assert set(roles_named_by(party)) <= known, party


def test_every_stage_is_a_role() -> None:
    assert ROLES.keys() >= STAGES.keys()


@pytest.mark.parametrize("kind", [TelemetryKind.METER, TelemetryKind.WEATHER])
def test_a_producer_can_only_write_its_telemetry_topic(kind: TelemetryKind) -> None:
    """Issue "Security": an ACL per role."""
    (rule,) = ROLES[kind.value].rules
    assert rule == Rule(Resource.TOPIC, TELEMETRY[kind].name, (WRITE,))


def test_a_gateway_reads_its_own_setpoints_and_writes_answers_and_telemetry() -> None:
    role = gateway_role("gw-1")
    relay, asset = (TELEMETRY[kind].name for kind in (TelemetryKind.RELAY, TelemetryKind.ASSET))
    assert topics_of(role, READ) == {setpoint_topic("gw-1")}
    assert topics_of(role, WRITE) == {ACKS.name, relay, asset}
    assert not topics_of(role, CREATE)


@given(NAMES, NAMES)
def test_no_gateway_has_a_part_in_another_one_s_setpoints_or_group(own: str, other: str) -> None:
    """Whatever their names: a name may begin with another's."""
    role = roles([own])[-1]
    names = ((Resource.TOPIC, setpoint_topic(other)), (Resource.GROUP, f"gridloom.gateway.{other}"))
    for resource, name in names:
        assert may(role, READ, name, resource) is (own == other)


def test_commands_are_written_by_actuate_alone_and_the_stop_by_operators_alone() -> None:
    assert who_may(WRITE, setpoint_topic("gw-1")) == {"actuate"}
    assert who_may(WRITE, STOP.name) == {"operator"}
    assert who_may(WRITE, SITE_WINDOWS.name) == {"align"}


def test_a_stage_s_state_is_its_own() -> None:
    states = [spec for spec in TOPICS if spec.name.endswith(".state")]
    assert ALIGN_STATE in states
    for spec in states:
        stage = spec.name.removesuffix(".state")
        assert who_may(READ, spec.name) == who_may(WRITE, spec.name) == {stage}


def test_only_the_admin_makes_topics_and_rules() -> None:
    """The simulated field makes its own gateway's topic, and Faust its changelog."""
    assert who_may(Operation.ALTER, "kafka-cluster", Resource.CLUSTER) == {"admin"}
    for name in topic_names(()):
        assert who_may(CREATE, name) == {"admin"}
    assert who_may(CREATE, setpoint_topic("gw-1")) == {"admin", "field"}
    assert who_may(CREATE, DEVICES_CHANGELOG) == {"devices"}


@pytest.mark.parametrize("stage", ["align", "dispatch", "gate", "actuate"])
def test_transactions_and_groups_are_the_stage_s_own(stage: str) -> None:
    """A zombie is fenced by its transactional id: nobody else may use it."""
    transaction, group = f"gridloom.{stage}.0", f"gridloom.{stage}"
    assert who_may(WRITE, transaction, Resource.TRANSACTIONAL_ID) == {stage}
    assert who_may(READ, group, Resource.GROUP) == {stage}


def test_readers_write_nothing_and_operators_read_nothing() -> None:
    assert not topics_of("reader", WRITE) | topics_of("reader", CREATE)
    assert topics_of("reader", READ) >= {SITE_WINDOWS.name, setpoint_topic("gw-2")}
    assert not topics_of("operator", READ)
