"""The global stop: a file on this machine and a record in Kafka; either one stops commands.

The file works when Kafka does not; the record reaches machines that do not share the file.
Gate and actuate look before every command. Nothing has to be sent for loads to be safe: leases
lapse and every output returns to its declared state.
"""

import getpass
import logging
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from schemas.control import GlobalStop
from schemas.errors import GridloomError, MessageError
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.topics import STOP
from streams.clocks import wall_ms
from streams.kafka import producer, read_table, reader, require_topics

log = logging.getLogger(__name__)

FILE_NAME = "STOP"
STOP_KEY = "stop"
_DECODER: Decoder[GlobalStop] = Decoder(GlobalStop)


class StopSwitch:
    """Tells whether commands are stopped; asking it is cheap.

    What the topic says is known before the first question. A record that cannot be read stops:
    somebody meant something by it.
    """

    def __init__(self, settings: Settings, stage: str) -> None:
        self._file = stop_file(settings)
        self._consumer: Consumer = reader(settings.kafka, f"{stage}.stop", end_marks=False)
        # From the present end on: an older order must not pass for the newest, even briefly.
        _, end = self._consumer.get_watermark_offsets(TopicPartition(STOP.name, 0), timeout=10)
        self._consumer.assign([TopicPartition(STOP.name, 0, end)])
        newest = read_table(settings.kafka, STOP.name, client=f"{stage}.stop").get(STOP_KEY)
        self._recorded = newest is not None and says_stop(newest)

    def is_on(self) -> bool:
        """Whether the file is there or the newest record says stop."""
        for message in self._consumer.consume(100, timeout=0):
            value = message.value()
            if message.error() is None and isinstance(value, bytes):
                self._recorded = says_stop(value)
        return self._recorded or self._file.exists()

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def says_stop(value: bytes) -> bool:
    """Whether a record on ``control.stop`` stops; what cannot be read does."""
    try:
        return _DECODER.decode(value).stopped
    except MessageError as error:
        log.error("commands are stopped: %s", error)  # noqa: TRY400  a sentence, no traceback
        return True


def stop_file(settings: Settings) -> Path:
    """The file whose presence stops all commands of stages that use this folder."""
    return settings.home / FILE_NAME


def set_stop(
    settings: Settings, *, stopped: bool, reason: str, folders: Iterable[Path] = ()
) -> str:
    """Switch the global stop on or off; returns what an operator should know.

    Args:
        settings: whose folder and Kafka are meant.
        stopped: on, or off again.
        reason: for the record.
        folders: further folders whose stages are meant, such as those of local stacks.
    """
    for folder in {settings.home, *folders}:
        _set_file(folder / FILE_NAME, stopped=stopped, reason=reason)
    order = GlobalStop(stopped=stopped, by=getpass.getuser(), reason=reason, at_ms=wall_ms())
    try:
        require_topics(settings.kafka, [STOP.name])
        client = producer(settings.kafka, "stop")
        client.produce(STOP.name, key=STOP_KEY, value=encode(order))
        reached = client.flush(10) == 0
    except GridloomError:
        reached = False
    where = "by file and by Kafka" if reached else "by file only: Kafka does not answer"
    return f"commands are {'stopped' if stopped else 'released'} {where} ({settings.home})"


def _set_file(file: Path, *, stopped: bool, reason: str) -> None:
    if stopped:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(reason + "\n", encoding="utf-8")
    else:
        file.unlink(missing_ok=True)
