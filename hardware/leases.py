"""Leases on departures: which outputs of a board must return to their declared state, and when."""

from zlib import crc32

from schemas.site_model import RelayBoard as BoardModel


class Leases:
    """The leases of one board, one per departed output, on the board's own clock.

    Outputs return the most important first, ``restore_stagger_s`` apart and shifted by an
    offset of the board's own, so that neither one board nor many make a mass restore a peak.

    Args:
        model: the board's outputs and their declared states.
        booted_ms: the board's clock at power-on [ms].
    """

    def __init__(self, model: BoardModel, booted_ms: int) -> None:
        self._priority = {relay.output: relay.priority for relay in model.relays}
        self._declared = {relay.output: relay.on_lease_end for relay in model.relays}
        self._stagger_ms = round(1000 * model.restore_stagger_s)
        # Stable per board, so that boards which lose their gateway together do not return so.
        self._offset_ms = crc32(model.id.encode()) % max(self._stagger_ms, 1)
        self._last_return_ms = booted_ms - self._stagger_ms
        self._end_ms: dict[int, int] = {}

    def renew(self, output: int, *, on: bool, end_ms: int) -> None:
        """Lease ``output`` until ``end_ms`` if being ``on`` is a departure; else end its lease.

        An output that holds its state never departs from it.
        """
        self._end_ms.pop(output, None)
        declared = self._declared[output]
        if declared != "hold" and on != (declared == "on"):
            self._end_ms[output] = end_ms

    def pop_due(self, now_ms: int) -> tuple[int, ...]:
        """Take out the outputs that return now, the most important first.

        However late this is called, returns are never closer together than the stagger.
        """
        due = []
        for output in sorted(self._end_ms, key=self._return_order):
            earliest_ms = self._last_return_ms + self._stagger_ms
            if now_ms < max(self._end_ms[output] + self._offset_ms, earliest_ms):
                break
            del self._end_ms[output]
            self._last_return_ms = now_ms
            due.append(output)
        return tuple(due)

    def _return_order(self, output: int) -> tuple[int, int, int]:
        return self._end_ms[output], self._priority[output], output
