"""Who may do what in Kafka: a user for each part of Gridloom, with no more than it needs.

Derived from THE MAP: who produces to a topic may write it, who consumes it may read it. Kafka
denies all else. A role's user is named ``gridloom.<role>``, and its names of consumer groups and
transactions begin so, too.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

import msgspec

from schemas.topics import (
    DEVICES_APP,
    DEVICES_CHANGELOG,
    SETPOINTS,
    TOPICS,
    TopicSpec,
    setpoint_topic,
)

USER_PREFIX: Final = "gridloom."

READER: Final = "reader"
OPERATOR: Final = "operator"
REPLAY: Final = "replay"
LETTERS: Final = "dead-letters"
ADMIN: Final = "admin"
GATEWAY: Final = "<gateway>"
"""Stands for each gateway's name, as in the topic map."""

_SETPOINTS_PREFIX: Final = SETPOINTS.name.removesuffix(GATEWAY)


class Resource(StrEnum):
    """What a rule is about, in Kafka's words."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional_id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What may be done with it, in Kafka's words; all but ``create`` include ``describe``."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DESCRIBE = "describe"
    ALTER = "alter"


class Rule(msgspec.Struct, frozen=True):
    """One thing that a role may do.

    Attributes:
        resource: kind of what it is about.
        name: its name; with ``prefixed``, how its name begins.
        operations: what may be done with it.
        prefixed: whether all names that begin so are meant.
    """

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False

    @property
    def pattern(self) -> str:
        """The name, with a star where all names that begin so are meant."""
        return f"{self.name}*" if self.prefixed else self.name


class Role(msgspec.Struct, frozen=True):
    """A user of Kafka.

    Attributes:
        name: of the role.
        meaning: who it is, in a few words.
        rules: all that it may do.
    """

    name: str
    meaning: str
    rules: tuple[Rule, ...]

    @property
    def user(self) -> str:
        """Kafka's user."""
        return user_of(self.name)


_STAGES: Final = {
    "align": "stage `align`",
    "store": "stage `store`",
    "dispatch": "stage `dispatch`",
    "gate": "stage `gate`",
    "actuate": "stage `actuate`",
    "field": "the demo's simulated field: meters, boards, gateways",
    "devices": "stage `devices`",
}
_OTHERS: Final = {
    "replay": "`gridloom replay`",
    "meter": "your producer of meters' readings",
    "weather": "your producer of weather",
    "reader": "`explain`, `page`, `topics`, `doctor`: read only",
    "dead-letters": "`gridloom dead-letters`",
    "operator": "`gridloom stop`",
    "admin": "`up`, `declare`, `topics --apply`",
}

_PARTIES: Final[dict[str, tuple[str, ...]]] = {
    "align (ticks)": ("align",),
    "replay (ticks)": ("replay",),
    "boards": (GATEWAY, "field"),
    "gateways": (GATEWAY, "field"),
    "the gateway": (GATEWAY, "field"),
    "head-ends": ("meter",),
    "services": ("weather",),
    "explain": ("reader",),
    "up": ("admin",),
    "demo": ("admin",),
    "stop": ("operator",),
    "operators": ("dead-letters",),
}
"""Roles of those whom the map calls otherwise."""


def user_of(role: str) -> str:
    """Kafka's user of a role."""
    return USER_PREFIX + role


def gateway_role(gateway: str) -> str:
    """Name of a gateway's role."""
    return f"gateway.{gateway}"


def roles_named_by(party: str) -> tuple[str, ...]:
    """The roles of a producer or consumer that the map names."""
    return _PARTIES.get(party, (party,))


def roles(gateways: Iterable[str] = (GATEWAY,)) -> tuple[Role, ...]:
    """Every role, with one for each gateway.

    Args:
        gateways: their names; by default one that stands for all of them.
    """
    named = {**_STAGES, **_OTHERS}
    fixed = [Role(name, meaning, tuple(_rules(name))) for name, meaning in named.items()]
    return (*fixed, *(_gateway(name) for name in gateways))


def _gateway(name: str) -> Role:
    """Its own setpoints alone, in a consumer group of its own."""
    own = gateway_role(name)
    meaning = f"the boards behind gateway {name}, and itself"
    group = Rule(Resource.GROUP, user_of(own), (Operation.READ,))
    return Role(own, meaning, (*_map_rules(GATEWAY, name), group))


def _rules(role: str) -> Iterator[Rule]:
    of_topics = tuple(_map_rules(role))
    yield from of_topics
    prefix = f"{user_of(role)}."
    if role in _STAGES:
        yield Rule(Resource.GROUP, _GROUPS.get(role, user_of(role)), (Operation.READ,))
    if any(Operation.READ in rule.operations for rule in of_topics):
        # Whoever reads outside any group still has to name one.
        yield Rule(Resource.GROUP, prefix, (Operation.DESCRIBE,), prefixed=True)
    if role in _TRANSACTIONAL:
        yield Rule(Resource.TRANSACTIONAL_ID, prefix, (Operation.WRITE,), prefixed=True)
    yield from _EXTRA.get(role, ())


def _map_rules(role: str, gateway: str | None = None) -> Iterator[Rule]:
    """What the topic map says of a role."""
    for spec in TOPICS:
        operations = _operations(role, spec)
        if not operations:
            continue
        if spec is not SETPOINTS:
            yield Rule(Resource.TOPIC, spec.name, operations)
        elif gateway is None:
            yield Rule(Resource.TOPIC, _SETPOINTS_PREFIX, operations, prefixed=True)
        else:
            yield Rule(Resource.TOPIC, setpoint_topic(gateway), operations)


def _operations(role: str, spec: TopicSpec) -> tuple[Operation, ...]:
    reads = _is_among(role, spec.consumers) or (role in _SEE_ALL and _owner(spec) is None)
    writes = _is_among(role, spec.producers)
    wanted = (
        (Operation.READ, reads),
        (Operation.WRITE, writes),
        (Operation.CREATE, role == "admin" or (role == "field" and spec is SETPOINTS)),
        (Operation.DESCRIBE, role in _KNOW_ALL and not (reads or writes)),
    )
    return tuple(operation for operation, is_wanted in wanted if is_wanted)


def _is_among(role: str, parties: Iterable[str]) -> bool:
    return any(role in roles_named_by(party) for party in parties)


def _owner(spec: TopicSpec) -> str | None:
    """The stage that keeps its own state in a topic."""
    alone = spec.producers == spec.consumers and len(spec.producers) == 1
    return spec.producers[0] if alone and spec.producers[0] in _STAGES else None


_SEE_ALL: Final = frozenset({"reader", "admin"})
_KNOW_ALL: Final = _SEE_ALL | {"field", "replay"}
"""Whoever declares a site looks whether all topics are there."""

_TRANSACTIONAL: Final = frozenset({*filter(None, map(_owner, TOPICS)), "dead-letters"})
"""Whoever keeps state writes it together with its output."""

_GROUPS: Final = {"devices": DEVICES_APP}
"""Consumer groups of another name than the user's."""

_EXTRA: Final[dict[str, tuple[Rule, ...]]] = {
    # Faust names its own things.
    "devices": (
        Rule(Resource.TRANSACTIONAL_ID, f"{DEVICES_APP}-", (Operation.WRITE,), prefixed=True),
        Rule(
            Resource.TOPIC,
            DEVICES_CHANGELOG,
            (Operation.READ, Operation.WRITE, Operation.CREATE),
        ),
    ),
    # It looks whether stages are ready, and makes the rules of others.
    "admin": (
        Rule(Resource.GROUP, "gridloom", (Operation.DESCRIBE,), prefixed=True),
        Rule(Resource.CLUSTER, "kafka-cluster", (Operation.DESCRIBE, Operation.ALTER)),
    ),
}
