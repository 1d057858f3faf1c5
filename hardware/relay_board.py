"""A simulated ESP12F relay board: what its firmware does with commands, leases and power loss.

A board trusts nothing that reaches it. A command is refused, and then nothing at all changes,
for the first of these reasons that holds:

malformed, foreign, fenced, duplicate, reordered, stale, expired, unknown output.

Every output declares the state that it returns to (``on_lease_end``). What a command leases is
the *departure* from that state. The board counts a lease on its own clock, which may be wrong
about the hour and a little about the second; so the lease is relative, and the time in transit
is bounded by an echo of the board's own clock.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from hardware.board_answers import Applied, BoardAnswer, Refused
from hardware.board_memory import BoardMemory, BoardRecord
from hardware.leases import Leases
from schemas.dispatch_plan import OutputState
from schemas.errors import MessageError
from schemas.identity import reading_id
from schemas.messages import Decoder
from schemas.setpoint import BoardCommand, RefusalReason
from schemas.site_model import Relay
from schemas.site_model import RelayBoard as BoardModel
from schemas.telemetry import Batch, BatchItem
from schemas.units import relay_quantity

MAX_TRANSIT_MS: Final = 10_000
"""A command that echoes an older clock than this has been under way for too long [ms]."""

MAX_TTL_MS: Final = 7 * 86_400_000
"""Longest lease [ms], as in the site model; a longer one is a mistake."""

_DECODER: Final[Decoder[BoardCommand]] = Decoder(BoardCommand)


_Refusal = tuple[RefusalReason, str]


class RelayBoard:
    """One relay board from power-on to power-off; a new object is a board that has rebooted.

    It boots with every output in its declared state: off where the output holds its state and
    the memory does not say that it was on. Any departure from that needs a fresh command.

    Args:
        model: the board's outputs.
        booted_ms: the board's clock at power-on [ms]. Best a random number, so that a command
            that echoes the clock of before a reboot never looks fresh.
        memory: what outlives a loss of power.
        max_transit_ms: longest time that a command may be under way [ms].
        welded: outputs whose contact is stuck in the state that they boot in.
    """

    def __init__(
        self,
        model: BoardModel,
        *,
        booted_ms: int,
        memory: BoardMemory,
        max_transit_ms: int = MAX_TRANSIT_MS,
        welded: Collection[int] = (),
    ) -> None:
        self._model = model
        self._relays = {r.output: r for r in sorted(model.relays, key=lambda r: r.output)}
        self._booted_ms = booted_ms
        self._memory = memory
        self._max_transit_ms = max_transit_ms
        self._welded = frozenset(welded)
        self._saved = memory.load()
        self._last_seq = self._saved.last_seq
        self._on = {o: _boot_state(r, self._saved) for o, r in self._relays.items()}
        self._leases = Leases(model, booted_ms)
        self._last_stamp_ms = -1

    @property
    def device(self) -> str:
        """The board's id."""
        return self._model.id

    @property
    def model(self) -> BoardModel:
        """What the site model says of the board."""
        return self._model

    @property
    def outputs(self) -> tuple[OutputState, ...]:
        """Every output as read back, by number."""
        return tuple(OutputState(output=output, on=on) for output, on in self._on.items())

    def apply(self, command: bytes | BoardCommand, now_ms: int) -> BoardAnswer:
        """Carry a command out as a whole, or refuse it as a whole.

        Args:
            command: as it came from the network, or decoded.
            now_ms: the board's own clock [ms].

        Raises:
            ConfigurationError: the memory cannot be written; then nothing was switched.
        """
        try:
            decoded = _DECODER.decode(command) if isinstance(command, bytes) else command
        except MessageError as error:
            return self._refused((RefusalReason.MALFORMED, "; ".join(error.problems)), now_ms)
        refusal = self._addressed(decoded) or self._sequenced(decoded)
        refusal = refusal or self._timely(decoded, now_ms) or self._known(decoded)
        return self._refused(refusal, now_ms) if refusal else self._obey(decoded, now_ms)

    def tick(self, now_ms: int) -> tuple[int, ...]:
        """Return outputs whose lease has ended to their declared state; say which changed.

        Each returns at the first tick at which it is due. A command that comes before that
        tick cancels the return: nothing switches twice within a moment.

        Args:
            now_ms: the board's own clock [ms].
        """
        returned = self._leases.pop_due(now_ms)
        for output in returned:
            self._on[output] = self._relays[output].on_lease_end == "on"
        return returned

    def telemetry(self, site: str, event_time_ms: int) -> Batch:
        """Report every output's state: 1 is on, 0 is off.

        Args:
            site: the site that the board belongs to.
            event_time_ms: pipeline time [ms since the epoch]. A report that is not later than
                the one before is stamped 1 ms after it, so that no two states share a stamp.
        """
        stamp_ms = max(event_time_ms, self._last_stamp_ms + 1)
        self._last_stamp_ms = stamp_ms
        items = (self._item(state, stamp_ms) for state in self.outputs)
        return Batch(site=site, source=self.device, readings=tuple(items))

    def _item(self, state: OutputState, stamp_ms: int) -> BatchItem:
        quantity = relay_quantity(state.output)
        return BatchItem(
            event_id=reading_id(self.device, self.device, quantity, stamp_ms),
            device=self.device,
            quantity=quantity,
            unit="on",
            value=float(state.on),
            event_time_ms=stamp_ms,
        )

    def _addressed(self, command: BoardCommand) -> _Refusal | None:
        """Why the command is no command, or none for this board, or from a deposed issuer."""
        if problems := _nonsense(command):
            return RefusalReason.MALFORMED, "; ".join(problems)
        if command.device != self.device:
            return RefusalReason.FOREIGN, f"it is for {command.device}, this is {self.device}"
        if command.epoch < self._saved.epoch:
            seen = f"epoch {command.epoch} is lower than {self._saved.epoch}"
            return RefusalReason.FENCED, seen
        # Even a command refused below proves that its issuer has taken over.
        if command.epoch > self._saved.epoch:
            self._save(msgspec.structs.replace(self._saved, epoch=command.epoch))
        return None

    def _sequenced(self, command: BoardCommand) -> _Refusal | None:
        """Why the command is not newer than the last one applied."""
        if command.seq == self._last_seq:
            return RefusalReason.DUPLICATE, f"seq {command.seq} was already applied"
        if command.seq < self._last_seq:
            late = f"seq {command.seq} comes after {self._last_seq}"
            return RefusalReason.REORDERED, late
        return None

    def _timely(self, command: BoardCommand, now_ms: int) -> _Refusal | None:
        """Why the command comes too late, or cannot have been answered to this board's clock."""
        age_ms = now_ms - command.tick_ms
        if command.tick_ms < self._booted_ms or not 0 <= age_ms <= self._max_transit_ms:
            echo = f"it echoes {command.tick_ms} ms; the clock runs from {self._booted_ms} ms"
            return RefusalReason.STALE, f"{echo} and is at {now_ms} ms"
        if command.ttl_ms <= 0:
            return RefusalReason.EXPIRED, f"its lease of {command.ttl_ms} ms is over"
        return None

    def _known(self, command: BoardCommand) -> _Refusal | None:
        """Which outputs of the command the board does not have."""
        unknown = sorted({state.output for state in command.outputs} - self._on.keys())
        if not unknown:
            return None
        return RefusalReason.UNKNOWN_OUTPUT, f"there is no output {', '.join(map(str, unknown))}"

    def _refused(self, refusal: _Refusal, now_ms: int) -> Refused:
        reason, sentence = refusal
        return Refused(reason=reason, sentence=sentence, outputs=self.outputs, tick_ms=now_ms)

    def _obey(self, command: BoardCommand, now_ms: int) -> Applied:
        wanted = {s.output: s.on for s in command.outputs if s.output not in self._welded}
        changed = tuple(sorted(o for o, on in wanted.items() if on != self._on[o]))
        after = self._on | wanted
        if changed:
            holding = (o for o, r in self._relays.items() if r.on_lease_end == "hold")
            held_on = tuple(o for o in holding if after[o])
            # Before switching: a board that loses power in between must not switch again.
            self._save(BoardRecord(last_seq=command.seq, epoch=command.epoch, held_on=held_on))
        self._last_seq = command.seq
        self._on = after
        for state in command.outputs:
            on, end_ms = after[state.output], now_ms + command.ttl_ms
            self._leases.renew(state.output, on=on, end_ms=end_ms)
        return Applied(outputs=self.outputs, changed=changed, tick_ms=now_ms)

    def _save(self, record: BoardRecord) -> None:
        self._memory.save(record)
        self._saved = record


def _boot_state(relay: Relay, record: BoardRecord) -> bool:
    """Whether ``relay`` is on right after power-on."""
    if relay.on_lease_end == "hold":
        return relay.output in record.held_on
    return relay.on_lease_end == "on"


def _nonsense(command: BoardCommand) -> list[str]:
    """What no issuer can have meant, whatever the board."""
    numbers = [state.output for state in command.outputs]
    checks = {
        f"seq {command.seq} is negative": command.seq < 0,
        f"epoch {command.epoch} is negative": command.epoch < 0,
        f"a lease of {command.ttl_ms} ms is longer than {MAX_TTL_MS} ms": (
            command.ttl_ms > MAX_TTL_MS
        ),
        "an output is named twice": len(set(numbers)) < len(numbers),
    }
    return [sentence for sentence, wrong in checks.items() if wrong]
