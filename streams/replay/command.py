"""``gridloom replay``: files in, telemetry out."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.clock import PipelineClock
from schemas.dead_letter import DeadLetter, as_base64
from schemas.errors import ReplayError
from schemas.identity import partition_of
from schemas.messages import encode
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from schemas.windows import iso_utc
from streams.clocks import read_clock, wall_ms
from streams.replay.encoding import Encoder
from streams.replay.fitting import check_clock, rebase_shift_ms, warn_of_passed_time
from streams.replay.loading import SHOWN_ROWS, load_recording
from streams.replay.options import Progress, ReplayOptions, ReplayReport
from streams.replay.playing import Player
from streams.replay.recording import Recording
from streams.replay.sending import Sender, require_layout
from streams.replay.site import Site, declare
from streams.stages import StopRequest
from streams.tracing import SampledReadings

_STAGE: Final = "replay"
_LONGEST_ORIGINAL: Final = 500_000
"""Bytes of a bad row that fit into a record, which holds them in base 64."""


def replay(
    files: Sequence[Path], settings: Settings, options: ReplayOptions, progress: Progress
) -> ReplayReport:
    """Send the readings of meter and weather files to the telemetry topics.

    On the data clock everything is sent at once, with ticks that carry the file's time; on a
    running clock each reading is sent when its time has come. Ctrl-C and SIGTERM end it in
    order, with a report of what was sent. A second replay sends the same event ids.

    Raises:
        ReplayError: a file, the site or the clock does not fit; nothing was sent.
        ConfigurationError: the site file is wrong, or the site is declared otherwise.
        BrokerError: Kafka is away, lacks a topic, or did not take a record.
    """
    if not files:
        message = "there is no file to replay"
        raise ReplayError(message)
    recording = load_recording(files, options, progress.note)
    _tell_bad_rows(recording, progress)
    require_layout(settings.kafka)
    clock = read_clock(settings.kafka)
    check_clock(clock, clock.at(wall_ms()), recording, options, settings)
    site = declare(settings.kafka, files, options, recording, progress.note)
    if clock.is_data_clock:
        partition = partition_of(site.model.name, settings.kafka.partitions)
        warn_of_passed_time(settings.kafka, partition, recording, progress.note)
    return _play(recording, site, clock, settings, options, progress)


def _play(
    recording: Recording,
    site: Site,
    clock: PipelineClock,
    settings: Settings,
    options: ReplayOptions,
    progress: Progress,
) -> ReplayReport:
    """Send bad rows as dead letters, then the readings; report."""
    name = site.model.name
    began_s = time.monotonic()
    sender = Sender(settings.kafka)
    for letter in dead_letters(recording, name):
        sender.send(DEAD_LETTERS.name, encode(letter), key=name)
    shift_ms = 0
    if options.rebase:
        shift_ms = rebase_shift_ms(clock, wall_ms(), recording.first_ms)
        recording = recording.shifted(shift_ms)
        progress.note(f"the file's time is shifted: it begins at {iso_utc(recording.first_ms)}")
    encoder = Encoder(
        recording, name, options.batch, SampledReadings(settings.tracing.readings_one_in)
    )
    player = Player(recording, name, settings.kafka.partitions, encoder, sender, progress)
    progress.start(len(recording))
    with _stop_request() as stop:
        if clock.is_data_clock:
            player.play_on_data_clock(stop)
        else:
            player.play_in_time(clock, stop)
        sender.flush()
    seconds = time.monotonic() - began_s
    sent = player.readings
    return ReplayReport(
        files=tuple(str(track.path) for track in recording.tracks),
        site=name,
        declared=site.declared,
        rows=recording.rows,
        bad_rows=len(recording.bad_rows),
        readings=sent,
        ticks=player.ticks,
        first_ms=int(recording.time_ms[0]) if sent else None,
        last_ms=int(recording.time_ms[sent - 1]) if sent else None,
        shift_ms=shift_ms,
        interrupted=sent < len(recording),
        seconds=seconds,
        readings_per_s=sent / seconds,
    )


@contextmanager
def _stop_request() -> Iterator[StopRequest]:
    """Termination signals are a request while this lasts; only the main thread gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield StopRequest().listen()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_bad_rows(recording: Recording, progress: Progress) -> None:
    bad = recording.bad_rows
    for track, row in bad[:SHOWN_ROWS]:
        progress.note(f"{track.path.name}, {track.counts} {row}")
    if len(bad) > SHOWN_ROWS:
        progress.note(f"... and {len(bad) - SHOWN_ROWS} more bad rows")


def dead_letters(recording: Recording, site: str) -> Iterator[DeadLetter]:
    """One dead letter for each bad row; however much of it is bad, it counts 1."""
    for track, row in recording.bad_rows:
        original = row.text.encode("utf-8", "surrogateescape")
        cut = len(original) > _LONGEST_ORIGINAL
        yield DeadLetter(
            stage=_STAGE,
            origin=track.path.name,
            partition=-1,
            position=row.position,
            errors=(*row.errors, *[f"cut: the row has {len(original)} bytes"] * cut),
            original_base64=as_base64(original[:_LONGEST_ORIGINAL]),
            site=site,
        )
