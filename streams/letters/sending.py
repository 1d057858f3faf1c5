"""Sends letters' originals again; each goes with the note of its retry, or neither is there."""

import getpass
from collections.abc import Callable, Sequence
from typing import Final

from schemas.dead_letter import Retry
from schemas.messages import encode
from schemas.settings import KafkaSettings
from schemas.topics import DEAD_RETRIES, TELEMETRY
from streams.clocks import wall_ms
from streams.kafka import require_topics
from streams.letters.retrying import Sending
from streams.letters.stored import CLIENT
from streams.metrics import StageMetrics
from streams.stages import StopRequest
from streams.transactions import Output, Transactions

AT_ONCE: Final = 500
"""Letters of one transaction (ours)."""


class Resender:
    """The one retry that runs: making another ends it, so that no two send the same letter.

    Read the letters after it is made: then every earlier retry is known.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        require_topics(settings, [DEAD_RETRIES.name, *(spec.name for spec in TELEMETRY.values())])
        self._transactions = Transactions(settings, CLIENT, 0, StageMetrics(CLIENT))
        self._by = getpass.getuser()

    def send(
        self, sendings: Sequence[Sending], advance: Callable[[int], None], stop: StopRequest
    ) -> int:
        """Send again, until asked to stop; says how many letters were sent.

        Raises:
            BrokerError: Kafka did not take some; those before them are sent.
        """
        sent = 0
        while sent < len(sendings) and not stop:
            part = sendings[sent : sent + AT_ONCE]
            self._transactions.commit([each for sending in part for each in self._outputs(sending)])
            sent += len(part)
            advance(len(part))
        return sent

    def _outputs(self, sending: Sending) -> tuple[Output, Output]:
        """The record, and the note that it was sent."""
        note = Retry(
            letter=sending.stored.number,
            topic=sending.topic,
            partition=sending.partition,
            by=self._by,
            at_ms=wall_ms(),
            fixes=sending.fixes,
        )
        return (
            Output(sending.topic, sending.key, sending.value, sending.partition),
            Output(DEAD_RETRIES.name, str(note.letter), encode(note)),
        )
