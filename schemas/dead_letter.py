"""Dead letters: what could not be used, with where it came from and every reason."""

from base64 import b64encode

from schemas.messages import Message


class DeadLetter(Message, frozen=True, kw_only=True):
    """A record, a reading of a batch, or a file row that was refused.

    Attributes:
        stage: which part of Gridloom refused it.
        origin: topic or file it came from.
        partition: Kafka partition, or -1 for a file.
        position: Kafka offset, or line number in the file.
        item: index within a batch message, or -1 for the whole record.
        readings: how many readings it counts for.
        errors: everything that is wrong with it.
        original_base64: the original bytes.
        site: the site that it names, or empty where it names none.
        source: of a batch's item: the batch's source, or empty where it is not known (1.1).
    """

    schema_version: str = "1.1"
    stage: str
    origin: str
    partition: int
    position: int
    item: int = -1
    readings: int = 1
    errors: tuple[str, ...]
    original_base64: str
    site: str = ""
    source: str = ""


class Retry(Message, frozen=True, kw_only=True):
    """That a dead letter was sent again; topic ``dead.retries``, in the transaction of the sending.

    Attributes:
        letter: the letter's offset on ``dead.letters``.
        topic: where its original was sent.
        partition: the partition there.
        by: who asked for it.
        at_ms: when [ms of wall time].
        fixes: what was changed before, as ``field=value``.
    """

    letter: int
    topic: str
    partition: int
    by: str
    at_ms: int
    fixes: tuple[str, ...] = ()


def as_base64(original: bytes | None) -> str:
    """Original bytes as they are carried in a dead letter."""
    return b64encode(original or b"").decode()
