"""When each reading is sent: as fast as possible between ticks, or when its time has come."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.topics import TELEMETRY
from schemas.windows import LATENESS_MS, WINDOW_MS, window_start
from streams.clocks import wall_ms
from streams.kafka import TICK_HEADER
from streams.replay.encoding import Encoder
from streams.replay.options import Progress
from streams.replay.recording import Recording
from streams.replay.sending import Sender
from streams.stages import StopRequest

TICK_EVERY_MS: Final = 1_000
"""Ticks are at least this far apart in the file's time [ms]."""

_LONGEST_WAIT_S: Final = 0.1


def final_tick_ms(end_ms: int) -> int:
    """The last tick [ms]: with it every window that the recording fills is closed and final.

    The last such window holds the last millisecond before ``end_ms``. Revision 0 appears
    ``close_delay_ms`` after its end, but it is final only after ``LATENESS_MS``, which is
    longer on the data clock. Time goes no further than that, or a file that goes on where this
    one ends would come too late: its first window is final 5 s after this tick.
    """
    return window_start(end_ms - 1) + WINDOW_MS + LATENESS_MS


class Player:
    """Plays a recording; ``readings`` and ``ticks`` count what was handed to Kafka.

    Args:
        recording: what to play.
        site: site that it belongs to.
        partitions: of every telemetry topic.
        encoder: makes its messages.
        sender: takes the records.
        progress: told of every stamp that was sent.
    """

    def __init__(
        self,
        recording: Recording,
        site: str,
        partitions: int,
        encoder: Encoder,
        sender: Sender,
        progress: Progress,
    ) -> None:
        self.readings = 0
        self.ticks = 0
        self._recording = recording
        self._site = site
        self._partitions = partitions
        self._partition = partition_of(site, partitions)
        self._encoder = encoder
        self._sender = sender
        self._progress = progress

    def play_on_data_clock(self, stop: StopRequest) -> None:
        """Send everything; a tick goes before the readings of its stamp, one more at the end.

        When it is stopped the last tick is left out: then the rest can still be replayed.
        """
        last_tick_ms = -TICK_EVERY_MS
        for time_ms, low, high in self._stamps():
            if stop:
                return
            if time_ms - last_tick_ms >= TICK_EVERY_MS:
                self._tick(time_ms)
                last_tick_ms = time_ms
            self._send(low, high)
        self._tick(final_tick_ms(self._recording.end_ms))

    def play_in_time(self, clock: PipelineClock, stop: StopRequest) -> None:
        """Send every reading when the pipeline clock reaches its stamp."""
        for time_ms, low, high in self._stamps():
            due_ms = clock.append_time_of(time_ms)
            while not stop and (left_ms := due_ms - wall_ms()) > 0:
                self._sender.wait(min(left_ms / 1000, _LONGEST_WAIT_S))
            if stop:
                return
            self._send(low, high)

    def _stamps(self) -> Iterator[tuple[int, int, int]]:
        """Every distinct stamp [ms], and the numbers ``[low, high)`` of its readings."""
        times = self._recording.time_ms
        starts = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
        ends = np.append(starts[1:], len(times))
        return zip(times[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)

    def _send(self, low: int, high: int) -> None:
        for message in self._encoder.messages(low, high):
            self._sender.send(
                message.topic,
                message.value,
                key=self._site,
                partition=self._partition,
                headers=dict(message.headers) or None,
            )
            self.readings += message.readings
        self._progress.advance(high - low)

    def _tick(self, time_ms: int) -> None:
        """Let every partition of every telemetry topic know the time."""
        header: dict[str, str | bytes | None] = {TICK_HEADER: str(time_ms).encode()}
        for spec in TELEMETRY.values():
            for partition in range(self._partitions):
                self._sender.send(spec.name, None, partition=partition, headers=header)
                self.ticks += 1
