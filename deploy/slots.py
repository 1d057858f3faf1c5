"""Numbers for equal processes that share a folder: each takes the lowest that is free.

Processes of one stage tell themselves apart by their slot, in the consumer group and in
transactions. Replicas of a container all get the same command; with a folder in common they
need no more.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from schemas.errors import StackError

MOST_SLOTS: Final = 64
"""More processes than a topic has partitions would have nothing to do."""


class SlotClaim:
    """A slot of ``stage``, held until this process ends, however it ends.

    It is a lock on a file, which the program that this process becomes keeps (``os.exec*``).
    It holds between containers that mount the folder from the same machine's disk.

    Args:
        folder: where slots are claimed; made where it does not exist.
        stage: whose slots they are.

    Raises:
        StackError: the folder cannot be written, or all slots are taken.
    """

    def __init__(self, folder: Path, stage: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            claims = (_claimed(folder / f"{stage}.{slot}", slot) for slot in range(MOST_SLOTS))
            claim = next((claim for claim in claims if claim), None)
        except OSError as error:
            message = f"{stage} cannot claim a slot in {folder}"
            raise StackError(message, problems=[str(error)]) from error
        if claim is None:
            message = f"all {MOST_SLOTS} slots of {stage} in {folder} are taken"
            raise StackError(message)
        self.slot, self._fd = claim

    def release(self) -> None:
        """Let others have the slot; the file stays, since removing it would race."""
        os.close(self._fd)


def _claimed(path: Path, slot: int) -> tuple[int, int] | None:
    """The slot with the file descriptor that holds it, or None where somebody else does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    os.set_inheritable(fd, True)  # noqa: FBT003  its parameter has no name to be given by
    return slot, fd
