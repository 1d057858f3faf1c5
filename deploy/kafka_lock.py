"""Which jars make a Kafka broker, each pinned by version and content.

``kafka_jars.json`` maps a Maven coordinate to the SHA-256 of its jar. ``python -m
deploy.kafka_lock`` writes it anew from ``ENDPOINT``: for a new Kafka version, change that first.
"""

from pathlib import Path
from typing import Final

from deploy.jars import read_lock, write_lock

KAFKA_VERSION: Final = "4.1.1"
"""Version of Apache Kafka that the local stack runs."""

ENDPOINT: Final = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        # Without a pin of its own jgo settles for kafka-clients 3.8.0, which fails at start.
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
        "org.slf4j:slf4j-simple:1.7.36",
    )
)
"""The broker and its logging, as jgo names them."""

LOCK_PATH: Final = Path(__file__).with_name("kafka_jars.json")


def locked_jars() -> dict[str, str]:
    """Every jar of the broker: ``group:artifact:version`` to SHA-256 in hexadecimal."""
    return read_lock(LOCK_PATH)


if __name__ == "__main__":
    write_lock(LOCK_PATH, ENDPOINT)
