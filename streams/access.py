"""Makes users and access rules in a Kafka, as the roles want them."""

from collections.abc import Iterable, Sequence
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from deploy.kafka_users import ADMIN_USER, KafkaUsers
from schemas.errors import BrokerError
from schemas.roles import Operation, Resource, Role, Rule, roles
from schemas.settings import KafkaSettings
from streams.kafka import admin
from streams.site_registry import SiteRegistry

SCRAM_ITERATIONS: Final = 4096
"""The least that Kafka takes: passwords of 48 random bytes are not guessed anyway."""

_TIMEOUT_S: Final = 30.0
_ANY_HOST: Final = "*"

_RESOURCES: Final = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,  # librdkafka's name for it
}


def declared_roles(settings: KafkaSettings) -> tuple[Role, ...]:
    """Every role, with those of the gateways of all declared sites.

    Raises:
        BrokerError: the sites cannot be read.
    """
    registry = SiteRegistry(settings, "access")
    gateways = {name for model in registry.all().values() for name in model.gateways}
    registry.close()
    return roles(sorted(gateways))


def ensure_access(settings: KafkaSettings, wanted: Iterable[Role]) -> int:
    """Make the roles' rules where they are missing; says how many rules there are.

    Rules that Kafka has besides stay.

    Raises:
        BrokerError: naming every rule that Kafka refuses.
    """
    bindings = [each for role in wanted for rule in role.rules for each in _bindings(role, rule)]
    client = admin(settings)  # kept until the answers are there
    answers = client.create_acls(bindings, request_timeout=_TIMEOUT_S)
    problems = []
    for binding, answer in answers.items():
        try:
            answer.result()
        except KafkaException as error:
            problems.append(f"{binding.principal}, {binding.name}: {error.args[0].str()}")
    if problems:
        message = "Kafka does not take the access rules"
        hint = "it needs an authorizer, and [kafka] username a user who may alter the cluster"
        raise BrokerError(message, hint=hint, problems=dict.fromkeys(problems))
    return len(bindings)


def ensure_users(settings: KafkaSettings, users: KafkaUsers, wanted: Sequence[Role]) -> None:
    """Give the roles' users of a local Kafka the passwords in their files, made where missing.

    Raises:
        BrokerError: Kafka refuses.
        StackError: a file cannot be written.
    """
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(role.user, scram, users.password(role.user).encode())
        for role in wanted
        if role.user != ADMIN_USER  # who has one already, and is asking
    ]
    client: AdminClient = admin(settings)
    try:
        for answer in client.alter_user_scram_credentials(changes).values():
            answer.result(_TIMEOUT_S)
    except KafkaException as error:
        message = f"Kafka does not take the users: {error.args[0].str()}"
        raise BrokerError(message) from error


def _bindings(role: Role, rule: Rule) -> Iterable[AclBinding]:
    pattern = ResourcePatternType.PREFIXED if rule.prefixed else ResourcePatternType.LITERAL
    return [
        AclBinding(
            _RESOURCES[rule.resource],
            rule.name,
            pattern,
            f"User:{role.user}",
            _ANY_HOST,
            _operation(operation),
            AclPermissionType.ALLOW,
        )
        for operation in rule.operations
    ]


def _operation(operation: Operation) -> AclOperation:
    return AclOperation[operation.name]
