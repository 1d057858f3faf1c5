"""From readings to messages: single ones, or batches of one file's readings."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import msgspec

from schemas.identity import reading_id
from schemas.messages import encode
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.topics import telemetry_topic
from streams.replay.recording import Recording
from streams.tracing import Headers, SampledReadings


class Outgoing(msgspec.Struct, frozen=True):
    """A message for a topic, how many readings it holds, and the headers that go with it."""

    topic: str
    value: bytes
    readings: int
    headers: Headers


class Encoder:
    """Makes the messages of a recording.

    Args:
        recording: its readings.
        site: site that they belong to.
        batch: most readings of a message; 1 makes single readings.
        traced: chooses the readings that carry a trace.
    """

    def __init__(
        self, recording: Recording, site: str, batch: int, traced: SampledReadings
    ) -> None:
        self._traced = traced
        self._recording = recording
        self._site = site
        self._batch = batch
        self._sources = [track.source for track in recording.tracks]
        self._topics = [telemetry_topic(track.layout.kind) for track in recording.tracks]

    def messages(self, low: int, high: int) -> Iterator[Outgoing]:
        """Messages with the readings numbered from ``low`` up to, not including, ``high``."""
        single = self._batch == 1
        yield from self._readings(low, high) if single else self._batches(low, high)

    def _readings(self, low: int, high: int) -> Iterator[Outgoing]:
        for track, item in self._items(low, high):
            reading = Reading(
                event_id=item.event_id,
                site=self._site,
                source=self._sources[track],
                device=item.device,
                quantity=item.quantity,
                unit=item.unit,
                value=item.value,
                event_time_ms=item.event_time_ms,
            )
            yield self._outgoing(track, encode(reading), item.event_time_ms, 1)

    def _batches(self, low: int, high: int) -> Iterator[Outgoing]:
        for track, of_track in groupby(self._items(low, high), key=itemgetter(0)):
            items = tuple(item for _, item in of_track)
            for first in range(0, len(items), self._batch):
                part = items[first : first + self._batch]
                batch = Batch(site=self._site, source=self._sources[track], readings=part)
                yield self._outgoing(track, encode(batch), part[0].event_time_ms, len(part))

    def _outgoing(self, track: int, value: bytes, time_ms: int, readings: int) -> Outgoing:
        trace = self._traced.context(self._site, time_ms, value, readings)
        return Outgoing(self._topics[track], value, readings, trace.headers if trace else ())

    def _items(self, low: int, high: int) -> Iterator[tuple[int, BatchItem]]:
        """Readings with the number of their file."""
        recording = self._recording
        columns = (
            recording.track, recording.device, recording.column, recording.time_ms, recording.value
        )  # fmt: skip  # the columns as they are unpacked below
        lists = [column[low:high].tolist() for column in columns]
        for number, device_number, column_number, time_ms, value in zip(*lists, strict=True):
            track = recording.tracks[number]
            device = track.parsed.devices[device_number]
            column = track.layout.values[column_number]
            yield (
                number,
                BatchItem(
                    event_id=reading_id(self._sources[number], device, column.quantity, time_ms),
                    device=device,
                    quantity=column.quantity,
                    unit=column.unit,
                    value=value,
                    event_time_ms=time_ms,
                ),
            )
