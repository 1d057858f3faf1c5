"""Faust's log: warnings only, those that tell something, and none of them again and again."""

import logging
import time
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

AGAIN_S: Final = 60.0
"""The same text is told once in so long [s]: without a broker there are hundreds a second."""


def log_warnings() -> None:
    """Faust's warnings to where the process logs, or to stderr where it does not yet."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    for name in _SOURCES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(News())


class News(logging.Filter):
    """Lets through what tells something that was not just told."""

    def __init__(self) -> None:
        super().__init__()
        self._told_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is news; our own always are."""
        text = record.getMessage()
        if any(phrase in text for phrase in _NO_NEWS):
            return False
        if not record.name.startswith(_SOURCES[:-1]):
            return True
        now_s = time.monotonic()
        self._told_s = {told: at_s for told, at_s in self._told_s.items() if now_s < at_s + AGAIN_S}
        return self._told_s.setdefault(text, now_s) == now_s
