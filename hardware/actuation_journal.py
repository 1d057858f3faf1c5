"""What the boards of a field really switched, as an auditor would have written it down.

An acknowledgement may get lost between the board and Kafka, and with it the only trace of a
command that was carried out. The journal stands beside the board: it has every switch that
outlived the process, acknowledged or not. Nothing in control reads it.
"""

from pathlib import Path
from typing import Final

from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack

FILE_NAME: Final = "actuations.jsonl"
_ACK: Final[Decoder[Ack]] = Decoder(Ack)


class ActuationJournal:
    """A file with a line for every answer that says that something switched.

    Args:
        folder: of the boards; must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def note(self, answer: Ack) -> None:
        """Write down an answer, where it says that an output changed."""
        if answer.changed:
            with self._path.open("ab", buffering=0) as file:
                file.write(encode(answer) + b"\n")  # one write: whole lines outlive a kill

    def read(self) -> list[Ack]:
        """Everything that was written down; a line that a kill has cut off does not count."""
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        return [answer for line in lines for answer in _decoded(line)]


def _decoded(line: bytes) -> list[Ack]:
    try:
        return [_ACK.decode(line)]
    except MessageError:
        return []
