"""SQLite's errors as ours: what is wrong, what to do, and whether to try again."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import HistorianAwayError, HistorianError

# An extended code holds its primary code in the lowest byte.
_PRIMARY: Final = 0xFF

_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
"""Another process holds a lock."""

_REPLACE: Final = (
    "Move the file away together with its -wal and -shm files and let store write a new one:"
    " Kafka keeps the windows for as long as its retention says."
)

_EXPLANATIONS: Final = {
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full",
        "Make room on the disk. Nothing is lost: Kafka keeps what is not written.",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "Check the rights of the file and of its folder, and that nobody moved the file.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Check that its folder exists, and your rights to the folder and the file.",
    ),
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", _REPLACE),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _REPLACE),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        "Check the disk and its quota. Nothing is lost: Kafka keeps what is not written.",
    ),
}


@contextmanager
def historian_errors(path: Path) -> Iterator[None]:
    """Run the body; raise an error of ours where SQLite raises one about the file ``path``.

    Raises:
        HistorianAwayError: another process holds a lock.
        HistorianError: the file or the disk is unusable.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(path, error) from error


def _explained(path: Path, error: sqlite3.Error) -> HistorianError:
    """What ``error`` means for whoever runs the historian."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in _PASSING:
        return HistorianAwayError(
            f"historian {path} is locked by another process",
            hint="It is tried again. If it stays locked, find who has the file open.",
            reason="locked",
        )
    what, hint = _EXPLANATIONS.get(code, ("refuses", ""))
    return HistorianError(f"historian {path} {what} ({error})", hint=hint)
