"""Faust's log: warnings only, and only those that tell something."""

import logging
from typing import Final

_NO_NEWS: Final = (
    # A new broker makes its topics of groups when it is first asked; it is asked again.
    "GroupCoordinatorNotAvailableError",
    "Marking the coordinator dead",
    # Reading waits until changes of the table are written.
    "producer buffer full",
    # Another worker came or went.
    "it is rebalancing",
    # After a rebalance Faust begins its transactions again, also those that are open.
    "TransactionState.IN_TRANSACTION -> TransactionState.IN_TRANSACTION",
)


_SOURCES: Final = ("faust", "mode", "aiokafka", "aiohttp", "streams.faust_host")
"""Loggers of Faust and what it stands on; it also logs for our subclasses of its services."""


def log_warnings() -> None:
    """Faust's warnings to where the process logs, or to stderr where it does not yet."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    for name in _SOURCES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return not any(phrase in text for phrase in _NO_NEWS)
