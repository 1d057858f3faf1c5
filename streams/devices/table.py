"""The table of devices: folds Faust's events into it, and reads it for the web view."""

from collections import Counter
from typing import Any, Final

import msgspec
from faust.types import EventT

from schemas.errors import MessageError
from schemas.identity import partition_of
from schemas.messages import encode
from streams.devices.messages import read_ack, read_telemetry
from streams.devices.view import DeviceView, Place, Row, device_id, with_ack, with_report
from streams.faust_host.transport import TrackedTable
from streams.kafka import TICK_HEADER

_ROW: Final = msgspec.json.Decoder(Row)


class DeviceTable:
    """Rows of the devices whose sites' partitions this worker has.

    Args:
        rows: the Faust table, device id to encoded :class:`Row`.
        partitions: how many partitions the topics and the changelog have each.

    Attributes:
        passed_over: what was not used since the start: records or readings that are
            ``malformed``, and records ``misplaced`` in a partition that is not their site's.
    """

    def __init__(self, rows: TrackedTable, partitions: int) -> None:
        self._rows = rows
        self._partitions = partitions
        self.passed_over: Counter[str] = Counter(malformed=0, misplaced=0)

    def take_telemetry(self, event: EventT[Any]) -> None:
        """Fold a ``telemetry.relay`` record; never raises for what it holds."""
        if TICK_HEADER in event.headers:
            return
        try:
            reports, bad = read_telemetry(event.message.value)
        except MessageError:
            self.passed_over["malformed"] += 1
            return
        self.passed_over["malformed"] += bad
        if not reports or not self._is_placed(reports[0].site, event):
            return
        for report in reports:
            key = device_id(report.site, report.device)
            self._put(key, with_report(self._row(key), report, _place(event)))

    def take_ack(self, event: EventT[Any]) -> None:
        """Fold an ``actuator.acks`` record; never raises for what it holds."""
        try:
            ack = read_ack(event.message.value)
        except MessageError:
            self.passed_over["malformed"] += 1
            return
        if self._is_placed(ack.site, event):
            key = device_id(ack.site, ack.device)
            self._put(key, with_ack(self._row(key), ack, _place(event)))

    def views(self) -> list[DeviceView]:
        """The devices of this worker's partitions, by id.

        Faust's memory store keeps rows of partitions that have moved to another worker; they
        are left out here.
        """
        mine = {place.partition for place in self._rows.app.consumer.assignment()}
        views = [_ROW.decode(value).view for value in self._rows.values()]
        here = [view for view in views if partition_of(view.site, self._partitions) in mine]
        return sorted(here, key=lambda view: view.id)

    def _row(self, key: str) -> Row | None:
        value = self._rows.get(key.encode())
        return None if value is None else _ROW.decode(value)

    def _put(self, key: str, row: Row) -> None:
        self._rows[key.encode()] = encode(row)

    def _is_placed(self, site: str, event: EventT[Any]) -> bool:
        placed = event.message.partition == partition_of(site, self._partitions)
        self.passed_over["misplaced"] += not placed
        return placed


def _place(event: EventT[Any]) -> Place:
    """Where the event's record stands; Faust has its time in seconds."""
    return Place(offset=event.message.offset, logged_ms=round(event.message.timestamp * 1000))
