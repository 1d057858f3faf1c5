"""Progress bars of commands: shown while a body lasts, whatever ends it."""

from types import TracebackType
from typing import Self

from rich.progress import Progress


class Bar:
    """A bar on the terminal while the body of a ``with`` lasts.

    Args:
        bar: what is shown.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
