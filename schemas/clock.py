"""The pipeline clock: how the time of Kafka's log maps to the time of the grid."""

from typing import Annotated

import msgspec

from schemas.messages import Message


class PipelineClock(Message, frozen=True, kw_only=True):
    """``event_origin + speed x (append - append_origin)``; kept on ``pipeline.clock``.

    Attributes:
        event_origin_ms: pipeline time at the origin [ms since the epoch].
        append_origin_ms: wall-clock (log append) time at the origin [ms since the epoch].
        speed: seconds of pipeline time per second of wall time; 0 is the *data clock*, on
            which time advances only by the ticks that a replay writes.
    """

    event_origin_ms: int = 0
    append_origin_ms: int = 0
    speed: Annotated[float, msgspec.Meta(ge=0)] = 1.0

    @property
    def is_data_clock(self) -> bool:
        """Whether time comes from the data's own ticks."""
        return self.speed == 0.0

    def at(self, append_ms: int) -> int:
        """Pipeline time [ms] of a log append time [ms]; meaningless on the data clock."""
        return self.event_origin_ms + round(self.speed * (append_ms - self.append_origin_ms))

    def append_time_of(self, event_ms: int) -> int:
        """Log append time [ms] at which the pipeline time is ``event_ms``.

        Raises:
            ZeroDivisionError: on the data clock, where there is no such time.
        """
        return self.append_origin_ms + round((event_ms - self.event_origin_ms) / self.speed)


WALL_CLOCK = PipelineClock()
"""Real time, as real devices need it."""
