"""Identities that can be recomputed: partitions, decisions, sequence numbers, events."""

import zlib
from typing import Final

from schemas.windows import WINDOW_MS, window_index

SEQ_PER_WINDOW: Final = 16
"""Sequence numbers that one window has: 0 for its plan, the rest for overrides in it."""

DEFAULT_EPOCH: Final = 1
"""Fencing epoch of setpoints until a lead broker is elected."""


def partition_of(site: str, partitions: int) -> int:
    """Partition that holds all of ``site``: librdkafka's default, CRC-32 of the key."""
    return zlib.crc32(site.encode()) % partitions


def decision_id(site: str, window_start_ms: int, model_hash: str) -> str:
    """Identity of the decision about one window: the same whenever it is recomputed."""
    return f"{site}.{window_index(window_start_ms)}.{model_hash[:8]}"


def parse_decision_id(identity: str) -> tuple[str, int, str]:
    """Site, window start [ms] and model hash (8 digits) of a decision id.

    Raises:
        ValueError: the text is not a decision id.
    """
    site, index, model_hash = identity.rsplit(".", 2)
    return site, int(index) * WINDOW_MS, model_hash


def setpoint_seq(window_start_ms: int, override: int = 0) -> int:
    """Sequence number of the setpoints of a window; ``override`` counts from 1 within it."""
    if not 0 <= override < SEQ_PER_WINDOW:
        message = f"override {override} is not within 0..{SEQ_PER_WINDOW - 1}"
        raise ValueError(message)
    return SEQ_PER_WINDOW * window_index(window_start_ms) + override


def reading_id(source: str, device: str, quantity: str, event_time_ms: int) -> str:
    """Event id of a reading by what it measures: re-sending gives the same id."""
    return f"{source}/{device}/{quantity}/{event_time_ms}"
