"""The one tree of errors that Gridloom raises.

::

    GridloomError
    ├── ConfigurationError      settings or a site model that make no sense
    ├── MessageError            a message that cannot be understood, with every reason
    ├── PlanningError           a case that the solver has no answer for
    ├── ReplayError             a file that cannot be replayed
    ├── StackError              a local server that does not start, or stops
    ├── BrokerError             Kafka that is away, or a topic that does not exist
    └── HistorianError          the time-series database refuses
        └── HistorianAwayError  it is away, or busy: another try may help

Every error carries a sentence for the person who reads it and, where there is one, a
``hint`` that says what to do. The command line prints both and no traceback.
"""

from collections.abc import Iterable


class GridloomError(Exception):
    """Base of all errors that Gridloom raises on purpose.

    Args:
        message: what is wrong, in one sentence.
        hint: what the reader can do about it; empty where nothing can be said.
        problems: every single thing that is wrong, where there can be several.
    """

    def __init__(self, message: str, *, hint: str = "", problems: Iterable[str] = ()) -> None:
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        super().__init__("\n  - ".join((message, *self.problems)))


class ConfigurationError(GridloomError):
    """Settings or a site model are wrong; ``problems`` names every wrong field."""


class MessageError(GridloomError):
    """A message cannot be understood; ``problems`` names every wrong field."""


class PlanningError(GridloomError):
    """The solver has no plan for a case that makes sense."""


class ReplayError(GridloomError):
    """A file cannot be replayed: it is missing, empty, or has the wrong columns."""


class StackError(GridloomError):
    """A local server did not start, or did not stop."""


class BrokerError(GridloomError):
    """Kafka cannot be reached, or does not hold what is asked for."""


class HistorianError(GridloomError):
    """The historian refuses what it is given, or cannot be used at all."""


class HistorianAwayError(HistorianError):
    """The historian is away, starting, busy or locked: try the same again later.

    Args:
        message, hint, problems: as of every error.
        reason: in one word, the same for the same trouble; metrics count by it.
        retry_after_s: how long the historian wants to be left alone [s]; None: it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problems: Iterable[str] = (),
        reason: str = "away",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, problems=problems)
        self.reason = reason
        self.retry_after_s = retry_after_s
