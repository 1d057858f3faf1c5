"""How an event of the log becomes a line: JSON for programs, text for a terminal."""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from typing import Final, Literal, get_args

from confluent_kafka import Message

Field = Literal[
    "decision_id",
    "site",
    "window_start_ms",
    "seq",
    "gateway",
    "device",
    "topic",
    "partition",
    "offset",
    "trace_id",
]
"""What an event may be about, besides its text; the same names as in messages."""

FIELDS: Final[tuple[Field, ...]] = get_args(Field)


def about(**fields: str | int | None) -> dict[str, str | int]:
    """Fields of an event, for ``extra=`` of a logger's methods; what is None is left out.

    Raises:
        ValueError: a field has a name that no line shows.
    """
    if unknown := fields.keys() - set(FIELDS):
        message = f"no such fields of a log line: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    return {name: value for name, value in fields.items() if value is not None}


def about_record(message: Message, site: str | None = None) -> dict[str, str | int]:
    """Fields that say where a Kafka record stands, and whose it is where that is known."""
    return about(
        site=site or None,
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
    )


class JsonLines(logging.Formatter):
    """One JSON object per line: ``time`` (UTC), ``level``, ``stage``, ``slot``, ``event``.

    Fields that the event is about follow. ``logger`` names who told it, ``error`` holds a
    traceback where there is one.
    """

    def __init__(self, stage: str, slot: int) -> None:
        super().__init__()
        self._stage, self._slot = stage, slot

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": utc_text(record.created),
            "level": record.levelname,
            "stage": self._stage,
            "slot": self._slot,
            "event": record.getMessage(),
            **dict(_fields(record)),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = "".join(traceback.format_exception(record.exc_info[1]))
        # ASCII: some readers also end lines at what Unicode calls a line separator.
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """The same for people: time, level, stage and slot, text, and fields as ``name=value``."""

    def __init__(self, stage: str, slot: int) -> None:
        super().__init__()
        self._who = f"{stage}.{slot}" if slot else stage

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it where there is one."""
        text = _on_one_line(record.getMessage())
        head = f"{utc_text(record.created)} {record.levelname} {self._who}: {text}"
        fields = "".join(f" {name}={_on_one_line(str(value))}" for name, value in _fields(record))
        if not (record.exc_info and record.exc_info[1]):
            return f"{head}{fields}"
        error = "".join(traceback.format_exception(record.exc_info[1]))
        return f"{head}{fields}\n{error.rstrip()}"


def utc_text(created_s: float) -> str:
    """A time [s since the epoch] in UTC, to the millisecond."""
    whole_s, thousandths = divmod(round(created_s * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole_s))}.{thousandths:03d}Z"


def _on_one_line(text: str) -> str:
    """Text from outside may hold anything; it forges no lines and moves no cursor."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    for name in FIELDS:
        if name in record.__dict__:
            yield name, record.__dict__[name]
