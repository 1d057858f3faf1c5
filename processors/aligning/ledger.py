"""Which revision of each open window was published last, and what it said."""

from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from processors.aligning.resampling import IntArray
from schemas.align_state import EmittedRevision, SiteLedger


def content_hash(value: IntArray, status: NDArray[np.int8]) -> str:
    """Hash of a site's window: equal content, equal hash."""
    known = np.where(status != 0, value, 0)
    return blake2b(known.tobytes() + status.tobytes(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Ledger:
    """Published revisions of one site's windows that are not final.

    Attributes:
        dirty_from_ms: earliest window that unseen readings may have changed [ms], or None.
        changed: whether it differs from what was last written to Kafka.
    """

    site: str
    emitted: dict[int, tuple[int, str]] = field(default_factory=dict)
    dirty_from_ms: int | None = None
    changed: bool = False

    def next_revision(self, start_ms: int, content: str) -> int | None:
        """Revision under which ``content`` is to be published; None where it is no news."""
        last = self.emitted.get(start_ms)
        if last is not None and last[1] == content:
            return None
        revision = 0 if last is None else last[0] + 1
        self.emitted[start_ms] = (revision, content)
        self.changed = True
        return revision

    def mark_dirty(self, from_ms: int) -> None:
        """Note that windows from ``from_ms`` on may have changed."""
        known = self.dirty_from_ms
        self.dirty_from_ms = from_ms if known is None else min(known, from_ms)

    def forget_before(self, border_ms: int) -> None:
        """Drop windows that are final."""
        final = [start for start in self.emitted if start < border_ms]
        for start in final:
            del self.emitted[start]
        self.changed = self.changed or bool(final)

    def to_message(self) -> SiteLedger:
        """As it is kept in Kafka."""
        emitted = (
            EmittedRevision(window_start_ms=start, revision=revision, content_hash=content)
            for start, (revision, content) in sorted(self.emitted.items())
        )
        return SiteLedger(site=self.site, emitted=tuple(emitted))

    @classmethod
    def from_message(cls, message: SiteLedger) -> "Ledger":
        """As it was kept in Kafka."""
        emitted = {e.window_start_ms: (e.revision, e.content_hash) for e in message.emitted}
        return cls(site=message.site, emitted=emitted)
