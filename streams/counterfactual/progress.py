"""How far a comparison is, and whether to go on."""

from collections.abc import Iterator
from typing import Final, Protocol

from schemas.errors import GridloomError

EVERY: Final = 720
"""Windows after which progress is told and a stop is looked for: an hour of the site."""


class CancelledError(GridloomError):
    """The comparison was asked to stop."""


class Progress(Protocol):
    """Where a comparison tells how far it is, and asks whether to go on."""

    def start(self, doing: str, windows: int) -> None:
        """Something begins that goes through so many windows."""

    def advance(self, windows: int) -> bool:
        """So many windows of it are done; True asks to stop."""


def watched(windows: int, progress: Progress) -> Iterator[int]:
    """The numbers of all windows, with ``progress`` told in between.

    Raises:
        CancelledError: it asked to stop.
    """
    for number in range(windows):
        if number % EVERY == 0 and progress.advance(number):
            message = "the comparison was stopped"
            raise CancelledError(message)
        yield number
    progress.advance(windows)
