"""What a relay board remembers without power.

Flash wears out: a sector of an ESP8266's bears 10,000 to 100,000 erasures. A board that gets a
command every 5 s would write 17,280 times a day, so it saves only where forgetting could do
harm: before it switches, and when it sees a higher epoch. A renewal that switches nothing costs
no write, and even if the board forgets it, no sequence number can switch anything twice: the
first command that does switch is saved before it acts.
"""

import os
from pathlib import Path
from typing import Final, Protocol

import msgspec

from schemas.errors import ConfigurationError
from schemas.messages import UNREADABLE


class BoardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that a board keeps.

    Attributes:
        last_seq: sequence number of the last command known to have been applied, or -1.
        epoch: greatest fencing epoch seen.
        held_on: outputs that hold their state and were on.
    """

    last_seq: int = -1
    epoch: int = 0
    held_on: tuple[int, ...] = ()


class BoardMemory(Protocol):
    """Non-volatile memory of one board."""

    def load(self) -> BoardRecord:
        """Return what was saved last; the default record where nothing was."""

    def save(self, record: BoardRecord) -> None:
        """Replace what is kept; on return it outlives a loss of power."""


class RamMemory:
    """Memory that outlives the board, but not the process.

    Attributes:
        saves: how often the board wrote: its wear.
    """

    def __init__(self) -> None:
        self._record = BoardRecord()
        self.saves = 0

    def load(self) -> BoardRecord:
        """Return what was saved last."""
        return self._record

    def save(self, record: BoardRecord) -> None:
        """Keep ``record``."""
        self._record = record
        self.saves += 1


_DECODER: Final = msgspec.json.Decoder(BoardRecord)


class FileMemory:
    """Memory in a small JSON file that is never half written.

    Args:
        path: the file; one board each. Its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> BoardRecord:
        """Return what the file holds; the default record where there is no file.

        Raises:
            ConfigurationError: the file cannot be read. A board that forgot its sequence
                number would obey old commands, so it must not start with an empty memory.
        """
        try:
            return _DECODER.decode(self._path.read_bytes())
        except FileNotFoundError:
            return BoardRecord()
        except (OSError, *UNREADABLE) as error:
            raise ConfigurationError(
                f"The board memory {self._path} cannot be read: {error}.",
                hint="Delete the file once no command to this board can still be under way.",
            ) from error

    def save(self, record: BoardRecord) -> None:
        """Replace the file's content in one step.

        Raises:
            ConfigurationError: the folder cannot be written to.
        """
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(msgspec.json.encode(record))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise ConfigurationError(
                f"The board memory {self._path} cannot be written: {error}.",
                hint="The folder must exist, have room, and be writable.",
            ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
