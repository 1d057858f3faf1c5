"""Which revision of each open window was published last, and what it said."""

from dataclasses import dataclass, field

from schemas.align_state import EmittedRevision, SiteLedger


@dataclass(slots=True)
class Ledger:
    """Published revisions of one site's windows that are not final.

    Attributes:
        emitted: revision and content hash by the window's start [ms].
        changed: whether it differs from what was last written to Kafka.
    """

    site: str
    emitted: dict[int, tuple[int, str]] = field(default_factory=dict)
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
