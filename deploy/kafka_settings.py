"""Settings of the local broker: one small node that is broker and controller at once."""

from typing import Final

from deploy.ports import HOST

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
