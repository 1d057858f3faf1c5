"""Settings of the local broker: one small node that is broker and controller at once."""

import random
import socket
from typing import Final

from schemas.errors import StackError

HOST: Final = "127.0.0.1"
"""The local broker listens on the loopback interface only."""

_FREE_PORTS: Final = range(20_000, 32_000)
"""Below the ports that systems hand out to outgoing connections: none is taken by chance."""

_SERVER_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT

# Relative to the working folder: this list would split an absolute path at its commas.
log.dirs=data

# Topics are made from the topic map, never by a misspelt name.
auto.create.topics.enable=false
# A first consumer gets its partitions at once.
group.initial.rebalance.delay.ms=0

# One node holds one replica of everything, in few partitions.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# A broker that was killed can come back after 3 s, not 9: so long its former self counts as alive.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

# The default of 128 MiB is a quarter of the heap.
log.cleaner.dedupe.buffer.size=16777216
"""


def server_properties(port: int, controller_port: int) -> str:
    """The broker's properties file; its data go to ``data`` in its working folder."""
    return _SERVER_PROPERTIES.format(host=HOST, port=port, controller_port=controller_port)


def require_free(port: int) -> None:
    """Make sure that nothing listens on a port.

    Raises:
        StackError: something does, or the port may not be used.
    """
    try:
        _bind(port)
    except OSError as error:
        raise StackError(
            f"Kafka cannot listen on port {port}: {(error.strerror or str(error)).lower()}.",
            hint="Choose another port, or stop the program that uses this one.",
        ) from error


def free_port(*, besides: int | None = None) -> int:
    """A port that nothing listens on, other than ``besides``.

    Raises:
        StackError: there is none.
    """
    for port in random.sample(_FREE_PORTS, len(_FREE_PORTS)):
        try:
            _bind(port)
        except OSError:
            continue
        if port != besides:
            return port
    raise StackError(f"No port from {_FREE_PORTS[0]} to {_FREE_PORTS[-1]} is free.")


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As Kafka does: connections of a broker that just stopped do not block its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
