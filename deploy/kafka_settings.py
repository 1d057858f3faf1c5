"""Settings of a local broker: a small node that is broker and controller at once."""

from dataclasses import dataclass, field
from typing import Final

from deploy.ports import HOST
from schemas.settings import SCRAM

_SERVER_PROPERTIES: Final = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT

# Relative to the working folder: this list would split an absolute path at its commas.
log.dirs=data

# Topics are made from the topic map, never by a misspelt name.
auto.create.topics.enable=false
# A first consumer gets its partitions at once.
group.initial.rebalance.delay.ms=0

# Every node holds a replica of everything, in few partitions; all but one have to have taken it.
min.insync.replicas={in_sync}
offsets.topic.replication.factor={nodes}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={nodes}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={nodes}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4

# A broker that was killed can come back after 3 s, not 9: so long its former self counts as alive.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

# The default of 128 MiB is a quarter of the heap.
log.cleaner.dedupe.buffer.size=16777216
"""

_PLAIN_TEXT: Final = """
listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT
"""

_SECURED: Final = """
listener.security.protocol.map=CONTROLLER:SSL,CLIENT:SASL_SSL

# Who has no access rule may do nothing; these may do everything.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users={super_users}

# Clients prove who they are by SCRAM; the controller listens to the broker's certificate alone.
sasl.enabled.mechanisms={mechanism}
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.client.{mechanism_prefix}.sasl.jaas.config={login}
listener.name.controller.ssl.client.auth=required

ssl.enabled.protocols=TLSv1.3,TLSv1.2
ssl.keystore.type=PKCS12
ssl.keystore.location={key_store}
ssl.keystore.password={key_store_password}
ssl.key.password={key_store_password}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
"""


@dataclass(frozen=True, slots=True)
class SecuredBy:
    """What a secured broker needs to know; paths are relative to its working folder.

    Attributes:
        super_users: principals that may do everything.
        user, password: by which the broker knows itself.
        key_store, key_store_password: its certificate and key.
        authority: certificate that vouches for the broker.
    """

    super_users: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    key_store: str
    key_store_password: str = field(repr=False)
    authority: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node among its like.

    Attributes:
        number: its own, from 1.
        controller_ports: of all nodes, in the order of their numbers.
    """

    number: int
    controller_ports: tuple[int, ...]

    @property
    def controller_port(self) -> int:
        """Where its controller listens."""
        return self.controller_ports[self.number - 1]


def server_properties(
    port: int,
    controller_port: int,
    secured: SecuredBy | None = None,
    node: Node | None = None,
) -> str:
    """The broker's properties file; its data go to ``data`` in its working folder.

    Args:
        port: where clients connect.
        controller_port: where its controller listens.
        secured: by TLS, users and access rules; by default everybody may do everything. The
            text then holds passwords.
        node: which one of several it is; by default it is alone.
    """
    node = node or Node(1, (controller_port,))
    nodes = len(node.controller_ports)
    voters = (f"{n}@{HOST}:{at}" for n, at in enumerate(node.controller_ports, start=1))
    text = _SERVER_PROPERTIES.format(
        host=HOST,
        port=port,
        controller_port=controller_port,
        number=node.number,
        voters=",".join(voters),
        nodes=nodes,
        in_sync=max(1, nodes - 1),
    )
    return text + (_PLAIN_TEXT if secured is None else _security_properties(secured))


def _security_properties(secured: SecuredBy) -> str:
    login = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required"
        f' username="{secured.user}" password="{secured.password}";'
    )
    return _SECURED.format(
        super_users=";".join(secured.super_users),
        mechanism=SCRAM,
        mechanism_prefix=SCRAM.lower(),
        login=login,
        key_store=secured.key_store,
        key_store_password=secured.key_store_password,
        authority=secured.authority,
    )
