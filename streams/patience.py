"""Tries again what a historian cannot do now, for as long as it takes."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from schemas.errors import HistorianAwayError

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
_TOLD_AGAIN_S: Final = 60.0


class Patience:
    """Repeats what fails with ``HistorianAwayError``, with longer and longer pauses.

    The log tells of a trouble when it begins, when it becomes another one, once a minute, and
    when it is over.

    Args:
        wait: waits so many seconds; False where the caller should give up instead.
        observe: told the reason of every try that failed.

    Attributes:
        trouble: why what is being tried now does not work, or None.
    """

    def __init__(
        self, wait: Callable[[float], bool], observe: Callable[[str], None] = lambda _: None
    ) -> None:
        self._wait = wait
        self._observe = observe
        self.trouble: str | None = None

    def until_done(self, attempt: Callable[[], T]) -> T | None:
        """What ``attempt`` returns in the end; None where the caller should give up.

        Raises:
            HistorianError: another try will not help.
        """
        trouble = _Trouble()
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                result = attempt()
            except HistorianAwayError as error:
                self._observe(error.reason)
                self.trouble = f"the historian does not answer: {error.reason}"
                trouble.tell(error)
                if not self._wait(max(pause_s, error.retry_after_s or 0.0)):
                    self.trouble = None
                    return None
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                self.trouble = None
                trouble.tell_end()
                return result


class _Trouble:
    """What went wrong so far, in one run of tries."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._told_s = 0.0
        self._reason = ""

    def tell(self, error: HistorianAwayError) -> None:
        """Log a failure, unless the same was logged a short while ago."""
        now_s = time.monotonic()
        if error.reason == self._reason and now_s < self._told_s + _TOLD_AGAIN_S:
            return
        self._reason, self._told_s = error.reason, now_s
        hint = f" (hint: {error.hint})" if error.hint else ""
        log.warning("%s; it is tried again, nothing is lost%s", error, hint)

    def tell_end(self) -> None:
        """Log that it works again, where it did not."""
        if self._reason:
            log.info("the historian answers again, after %.1f s", time.monotonic() - self._began_s)
