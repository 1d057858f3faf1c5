"""Whether a broker answers, asked without a word on the terminal."""

import socket
from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_CONNECT_TIMEOUT_S: Final = 0.5
_METADATA_TIMEOUT_S: Final = 2.0


def answers(host: str, port: int, security: Mapping[str, str]) -> bool:
    """Whether a broker at ``host:port`` answers a metadata request with at least one broker.

    A client is made only where something listens: librdkafka complains about every refusal.
    ``security``: see ``KafkaSettings.client_security``.
    """
    try:
        socket.create_connection((host, port), _CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    admin = AdminClient({"bootstrap.servers": f"{host}:{port}", "log_level": 0, **security})
    try:
        return bool(admin.list_topics(timeout=_METADATA_TIMEOUT_S).brokers)
    except KafkaException:
        return False
