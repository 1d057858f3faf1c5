"""One in so many readings carries its trace from the producer on."""

import zlib

from streams.tracing.context import TraceContext, window_context


class SampledReadings:
    """Chooses the first reading, and from there on one in so many.

    Args:
        one_in: how many readings there are to each that is traced; 0: none is.
    """

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in
        self._seen = 0

    def context(
        self, site: str, time_ms: int, value: bytes, readings: int = 1
    ) -> TraceContext | None:
        """The span of a record that holds so many readings; None where none of them is chosen.

        It belongs to the trace of the window that its stamp ``time_ms`` [ms] lies in. So align,
        which begins that trace, need not look at the headers of readings.
        """
        if not self._one_in:
            return None
        next_chosen = -(-self._seen // self._one_in) * self._one_in
        self._seen += readings
        if next_chosen >= self._seen:
            return None
        return window_context(site, time_ms).child(f"reading {zlib.crc32(value)}")
