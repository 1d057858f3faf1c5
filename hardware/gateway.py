"""The gateway: brings setpoints to its boards, and what the boards did back as acknowledgements.

Setpoints end at an absolute pipeline time, commands after a relative time on the board's own
clock. The gateway alone knows both, so it alone converts.
"""

import logging
from collections.abc import Iterable
from typing import Final, Protocol, assert_never

import msgspec

from hardware.board_answers import Applied, BoardAnswer, Refused
from schemas.dispatch_plan import OutputState
from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack, AckResult, BoardCommand, RefusalReason, Setpoint

_LOG: Final = logging.getLogger(__name__)
_DECODER: Final[Decoder[Setpoint]] = Decoder(Setpoint)


class Board(Protocol):
    """What a gateway needs of a board, simulated or real."""

    @property
    def device(self) -> str:
        """The board's id."""

    @property
    def tick_ms(self) -> int:
        """The board's own clock as it last reported it [ms]."""

    def readback(self) -> tuple[OutputState, ...]:
        """Every output as last read back."""

    def send(self, command: bytes, now_ms: int) -> BoardAnswer:
        """Carry an encoded ``BoardCommand`` to the board and its answer back.

        ``now_ms`` is pipeline time [ms]: only a simulated board derives its clock from it.
        """


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A setpoint that cannot be read names no device to answer for: it is a dead letter.

    Attributes:
        errors: everything that is wrong with it.
    """

    errors: tuple[str, ...]


class Gateway:
    """One gateway of one site.

    Args:
        site: the site.
        name: the gateway, as setpoints name it.
        boards: the boards that it reaches.
    """

    def __init__(self, site: str, name: str, boards: Iterable[Board]) -> None:
        self._site = site
        self._name = name
        self._boards = {board.device: board for board in boards}

    def handle(self, value: bytes | None, now_ms: int) -> Ack | Unreadable:
        """Carry out one setpoint as it came from Kafka; ``now_ms`` is pipeline time [ms].

        The same setpoint may come any number of times: the board refuses all but the first.
        """
        try:
            setpoint = _DECODER.decode(value)
        except MessageError as error:
            return Unreadable(errors=(error.message, *error.problems))
        return self.carry_out(setpoint, now_ms)

    def carry_out(self, setpoint: Setpoint, now_ms: int) -> Ack:
        """Bring ``setpoint`` to its board, unless it can be refused before; acknowledge it."""
        answer = self._answer(setpoint, now_ms)
        if isinstance(answer, Refused):
            _LOG.warning("%s refused %s: %s", setpoint.device, setpoint.seq, answer.sentence)
        return _acknowledge(setpoint, answer, now_ms)

    def _answer(self, setpoint: Setpoint, now_ms: int) -> BoardAnswer:
        board = self._boards.get(setpoint.device)
        if board is None or (setpoint.site, setpoint.gateway) != (self._site, self._name):
            sentence = f"it is for {setpoint.gateway} of {setpoint.site}, this is {self._name}"
            return _refuse(RefusalReason.FOREIGN, sentence)
        if setpoint.powers:
            sentence = "a relay board has no power to set"
            return _refuse(RefusalReason.MALFORMED, sentence, board)
        if setpoint.valid_until_ms <= now_ms:
            sentence = f"its lease ended at {setpoint.valid_until_ms} ms, it is {now_ms} ms"
            return _refuse(RefusalReason.EXPIRED, sentence, board)
        command = board_command(setpoint, tick_ms=board.tick_ms, now_ms=now_ms)
        return board.send(encode(command), now_ms)


def board_command(setpoint: Setpoint, *, tick_ms: int, now_ms: int) -> BoardCommand:
    """Turn a setpoint into what goes over the wire.

    Args:
        setpoint: what to do until an absolute time.
        tick_ms: the board's own clock as it last reported it [ms].
        now_ms: pipeline time [ms].
    """
    return BoardCommand(
        device=setpoint.device,
        seq=setpoint.seq,
        epoch=setpoint.epoch,
        ttl_ms=setpoint.valid_until_ms - now_ms,
        tick_ms=tick_ms,
        outputs=setpoint.outputs,
    )


def _refuse(reason: RefusalReason, sentence: str, board: Board | None = None) -> Refused:
    """Refuse in the place of ``board``, with what it last said of itself."""
    outputs, tick_ms = (board.readback(), board.tick_ms) if board else ((), 0)
    return Refused(reason=reason, sentence=sentence, outputs=outputs, tick_ms=tick_ms)


def _acknowledge(setpoint: Setpoint, answer: BoardAnswer, now_ms: int) -> Ack:
    """Say what the board did; partial where an output reads back other than commanded.

    The event id is the same whenever it is built again. It holds the reason of a refusal, so
    that a refused duplicate does not hide the acknowledgement of the original.
    """
    changed: tuple[int, ...] = ()
    reason = None
    match answer:
        case Refused():
            result, reason = AckResult.REFUSED, answer.reason
        case Applied():
            obeyed = set(setpoint.outputs) <= set(answer.outputs)
            result, changed = (AckResult.APPLIED if obeyed else AckResult.PARTIAL), answer.changed
        case _:
            assert_never(answer)
    identity = (setpoint.site, setpoint.device, str(setpoint.seq), result, *filter(None, [reason]))
    return Ack(
        event_id="/".join(identity),
        decision_id=setpoint.decision_id,
        site=setpoint.site,
        gateway=setpoint.gateway,
        device=setpoint.device,
        seq=setpoint.seq,
        epoch=setpoint.epoch,
        result=result,
        reason=reason,
        outputs=answer.outputs,
        changed=changed,
        acked_ms=now_ms,
    )
