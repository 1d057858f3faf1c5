"""What align published for each meter and window, in the form that its peers write."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from schemas.messages import Decoder
from schemas.settings import KafkaSettings
from schemas.site_window import MeterWindows, SeriesStatus
from schemas.topics import METER_WINDOWS
from streams.benchmarking.peers.means import Means, WindowMean
from streams.kafka import read_all

_WINDOWS: Final[Decoder[MeterWindows]] = Decoder(MeterWindows)


def published_means(settings: KafkaSettings) -> Means:
    """Everything on ``windows.meter``."""
    records = read_all(settings, METER_WINDOWS.name, range(settings.partitions), "bench")
    values = (value for record in records if isinstance(value := record.value(), bytes))
    return last_means(map(_WINDOWS.decode, values))


def last_means(chunks: Iterable[MeterWindows]) -> Means:
    """The last revision of each window; every meter has one reading in it."""
    means = Means()
    for chunk in chunks:
        for mean in _means(chunk):
            means.add(mean)
    means.doubled = 0  # revisions replace each other
    return means


def _means(chunk: MeterWindows) -> Iterator[WindowMean]:
    for series, value, status in zip(chunk.series, chunk.values, chunk.status, strict=True):
        yield WindowMean(
            device=series.device,
            window_start_ms=chunk.window_start_ms,
            mean=math.nan if value is None else value,
            count=int(status == SeriesStatus.MEASURED),
        )
