"""What is known of a device, and how a record of Kafka's log changes it; pure.

Two clocks meet here. *Pipeline time* is in the messages: when a state was observed. *Log time*
is the record's own stamp, in wall time: when it was heard. Within pipeline time the later
observation counts, except that one which nothing has confirmed for ``TRUST_MS`` of log time
gives way to any other: a board whose clock once ran into the future does not freeze its lamps.
"""

from typing import Final

import msgspec

from schemas.setpoint import Ack, AckResult, RefusalReason

TRUST_MS: Final = 30_000
"""How long an observation stands against ones that claim to be older [ms of log time]."""


class Lamp(msgspec.Struct, frozen=True, kw_only=True):
    """Last known state of one output.

    Attributes:
        output: number on the board, from 1.
        observed_ms: when the device saw it so [ms of pipeline time].
        heard_ms: when Kafka's log got it [ms of wall time].
    """

    output: int
    on: bool
    observed_ms: int
    heard_ms: int


class LastAck(msgspec.Struct, frozen=True, kw_only=True):
    """The newest acknowledgement in the log; fields as in :class:`schemas.setpoint.Ack`."""

    seq: int
    decision_id: str
    result: AckResult
    reason: RefusalReason | None
    acked_ms: int


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one device.

    Attributes:
        outputs: lamps by output number; an output that nobody told of has none.
        telemetry_ms: event time of the newest reading [ms of pipeline time]; None before one.
        heard_ms: when Kafka's log last got anything from it [ms of wall time].
        ack: its newest acknowledgement; None before one.
        applied, partial, refused: acknowledgements so far, by result.
    """

    site: str
    device: str
    outputs: tuple[Lamp, ...] = ()
    telemetry_ms: int | None = None
    heard_ms: int = 0
    ack: LastAck | None = None
    applied: int = 0
    partial: int = 0
    refused: int = 0

    @property
    def id(self) -> str:
        """Its key in the table: device names are unique within a site only."""
        return device_id(self.site, self.device)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record stands in its partition; ``logged_ms`` is its log time [ms]."""

    offset: int
    logged_ms: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A device in the table, with the last record of each topic that went into it.

    State and places are one value, written at once. So a record that is read again after a
    crash is recognised, and counts once whatever had been committed.
    """

    view: DeviceView
    telemetry: Place | None = None
    acks: Place | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one telemetry record tells about one device: (output, on, event time [ms])."""

    site: str
    device: str
    states: tuple[tuple[int, bool, int], ...]


def device_id(site: str, device: str) -> str:
    """Key of a device; neither name can contain the slash."""
    return f"{site}/{device}"


def with_report(row: Row | None, report: Report, place: Place) -> Row:
    """``row`` after a telemetry record; the same row where it has been counted before."""
    row = row or _new_row(report.site, report.device)
    if _counted(row.telemetry, place):
        return row
    newest_ms = max(time_ms for _, _, time_ms in report.states)
    view = msgspec.structs.replace(
        row.view,
        outputs=_merged(row.view.outputs, _lamps(report.states, place)),
        telemetry_ms=max(newest_ms, row.view.telemetry_ms or newest_ms),
        heard_ms=max(row.view.heard_ms, place.logged_ms),
    )
    return msgspec.structs.replace(row, view=view, telemetry=place)


def with_ack(row: Row | None, ack: Ack, place: Place) -> Row:
    """``row`` after an acknowledgement; the same row where it has been counted before."""
    row = row or _new_row(ack.site, ack.device)
    if _counted(row.acks, place):
        return row
    view = row.view
    states = tuple((state.output, state.on, ack.acked_ms) for state in ack.outputs)
    view = msgspec.structs.replace(
        view,
        outputs=_merged(view.outputs, _lamps(states, place)),
        heard_ms=max(view.heard_ms, place.logged_ms),
        ack=LastAck(
            seq=ack.seq,
            decision_id=ack.decision_id,
            result=ack.result,
            reason=ack.reason,
            acked_ms=ack.acked_ms,
        ),
        applied=view.applied + (ack.result is AckResult.APPLIED),
        partial=view.partial + (ack.result is AckResult.PARTIAL),
        refused=view.refused + (ack.result is AckResult.REFUSED),
    )
    return msgspec.structs.replace(row, view=view, acks=place)


def _new_row(site: str, device: str) -> Row:
    return Row(view=DeviceView(site=site, device=device))


def _counted(last: Place | None, place: Place) -> bool:
    """Whether the record is in already. A topic made anew counts from 0, but later in time."""
    return last is not None and place.offset <= last.offset and place.logged_ms <= last.logged_ms


def _lamps(states: tuple[tuple[int, bool, int], ...], place: Place) -> list[Lamp]:
    """The newest state of every output of one record."""
    return [
        Lamp(output=output, on=on, observed_ms=time_ms, heard_ms=place.logged_ms)
        for output, on, time_ms in sorted(states, key=lambda state: state[2])
    ]


def _merged(before: tuple[Lamp, ...], now: list[Lamp]) -> tuple[Lamp, ...]:
    """Lamps by output, each replaced where the new observation counts."""
    lamps = {lamp.output: lamp for lamp in before}
    for lamp in now:
        old = lamps.get(lamp.output)
        if old is None or _supersedes(lamp, old):
            lamps[lamp.output] = lamp
    return tuple(lamps[output] for output in sorted(lamps))


def _supersedes(new: Lamp, old: Lamp) -> bool:
    return new.observed_ms >= old.observed_ms or new.heard_ms - old.heard_ms > TRUST_MS
