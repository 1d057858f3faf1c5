"""Everything in Gridloom that reads bytes which somebody else wrote.

A target takes any bytes. It may refuse them with an error of Gridloom's own, or take them: it
raises nothing else, and checks what it promises about what it took.
"""

import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from confluent_kafka import Message
from influxdb_client.rest import ApiException
from rich.console import Console
from urllib3 import HTTPHeaderDict

from hardware.board_answers import Refused
from hardware.board_memory import BoardRecord, FileMemory, RamMemory
from hardware.gateway import Gateway, Unreadable, board_command
from hardware.relay_board import RelayBoard
from hardware.simulated_board import BoardClock, SimulatedBoard
from processors.aligning.scanning import SCAN_IN_C, key_of, scan_in_python
from processors.aligning.snapshot import restore, take_snapshot
from processors.dispatching.dispatcher import Dispatcher
from processors.gating.judging import judge
from processors.leasing.confirming import record_ack
from processors.leasing.issuing import lease_targets
from processors.planning.checking import check_case
from schemas.align_state import AlignPosition
from schemas.clock import PipelineClock
from schemas.control import GlobalStop
from schemas.dead_letter import DeadLetter
from schemas.dispatch_plan import DispatchPlan
from schemas.errors import GridloomError, HistorianError, ReplayError
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack, Setpoint
from schemas.settings import InfluxSettings, load_settings
from schemas.site_model import SiteModel, decode_site_model, parse_site_model
from schemas.site_window import MeterWindows, SiteWindow
from schemas.stage_state import ActuateState
from schemas.telemetry import Batch, Reading
from schemas.topics import ACKS, PLANS, SETPOINTS, SITE_WINDOWS, TOPICS, VERDICTS
from schemas.units import TelemetryKind
from schemas.verdict import Accepted, Verdict
from schemas.windows import WINDOW_MS
from streams.aligning.arriving import to_records
from streams.aligning.publishing import dead_letter
from streams.cases.planning import parse_planning_case
from streams.cases.reading import load_json, read_case
from streams.clocks import decode_clock
from streams.devices.client import decode_views
from streams.devices.messages import read_ack, read_telemetry
from streams.explaining.collecting import Way
from streams.explaining.identity import Decision, parse_decision
from streams.explaining.rendering import show_story
from streams.historians.influx_errors import explained
from streams.historians.influx_lines import LineMaker
from streams.historians.influx_tables import event_points, meter_points, site_points
from streams.historians.mapping import StoredMessage, to_point
from streams.kafka import TICK_HEADER
from streams.letters.exporting import as_record
from streams.letters.retrying import RetryRules, retry_of
from streams.letters.showing import show_letter, show_reasons, show_table
from streams.letters.stored import StoredLetter
from streams.replay.command import dead_letters
from streams.replay.encoding import Encoder
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from streams.site_files import read_site_file
from streams.stop_switch import says_stop
from streams.tracing.context import parse as parse_trace
from streams.tracing.readings import SampledReadings
from tests.support.aligning_scenarios import (
    CLOCK,
    SITE,
    T0,
    Sent,
    aligner_for,
    as_batch,
    meter_site,
)
from tests.support.golden_messages import CASES, golden, golden_bytes, golden_value


@dataclass(frozen=True)
class Target:
    """One reader of foreign bytes.

    Attributes:
        name: what it reads.
        seeds: good input.
        read: the reader.
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], object]

    def try_on(self, data: bytes) -> bool:
        """Whether it takes the bytes; an error that is not Gridloom's own goes through."""
        try:
            self.read(data)
        except GridloomError:
            return False
        return True


def _record(
    value: bytes, site: str = "", headers: list[tuple[str, str | bytes | None]] | None = None
) -> Message:
    """A record as its readers get it from Kafka."""
    return Message(
        topic="t",
        partition=0,
        offset=0,
        key=site.encode(),
        value=value,
        headers=headers or [],
        timestamp=(1, T0 + 60_000),
    )


TRACE: Final = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FIRST: Final = _record(b"", headers=[(TICK_HEADER, b"%d" % (T0 - 600_000))])
"""Before it there is no time, and a reading of 1970 would open every window since."""

TICK: Final = _record(b"", headers=[(TICK_HEADER, b"")])


GOOD: Final = Sent(0, "m1", 0, 1.0).to_bytes()
SCANNED: Final = {
    key_of((SITE, device, "active_power", "kW")): code for code, device in enumerate(("m1", "m2"))
}

ALIGNED: Final = meter_site({"id": "m1", "rated_kw": 10}, {"id": "m2", "rated_kw": 10})
"""Site of align's targets."""

SENT: Final = [Sent(0, "m1", 0, 1.0), Sent(0, "m2", 5_000, 2.0), Sent(0, "m1", 7_000, 3.0)]
MODEL: Final = parse_site_model(golden_value(SiteModel), "example")
NOW_MS: Final = golden(DispatchPlan).window_start_ms + WINDOW_MS
BOARD: Final = MODEL.relay_boards[0]
COMMAND: Final = board_command(golden(Setpoint), tick_ms=5, now_ms=NOW_MS)
DISPATCHER: Final = Dispatcher(MODEL)


def _decoder(kinds: tuple[type, ...]) -> Target:
    decoder: Decoder[msgspec.Struct] = Decoder(reduce(or_, kinds))

    def read(data: bytes) -> None:
        message = decoder.decode(data)
        again = encode(message)
        assert encode(decoder.decode(again)) == again

    name = "|".join(kind.__name__ for kind in kinds)
    return Target(name, tuple(golden_bytes(kind) for kind in kinds), read)


def _decoders() -> Iterator[Target]:
    """Every message, by itself where only the key tells it from others."""
    for spec in TOPICS:
        kinds = tuple(kind for kind in spec.messages if issubclass(kind, msgspec.Struct))
        tagged = all(kind.__struct_config__.tag_field for kind in kinds)
        for together in [kinds] if tagged and kinds else [(kind,) for kind in kinds]:
            yield _decoder(together)


def _align(data: bytes) -> None:
    """A record on every telemetry topic: its readings count, or are dead letters with reasons."""
    for clock in (CLOCK, PipelineClock(speed=0)):
        aligner = aligner_for(ALIGNED, clock)
        for kind in TelemetryKind:
            aligner.consume(kind, to_records([FIRST, _record(data), TICK]))
        emission = aligner.emit()
        assert aligner.counts.dead_lettered == len(emission.refused)
        assert aligner.counts.total or b"readings" in data
        for refused in emission.refused:
            assert refused.reading.errors
            letter = dead_letter(refused, 0)
            Decoder[DeadLetter](DeadLetter).decode(encode(letter))
            retry_of(StoredLetter(0, T0, letter), RetryRules(partitions=4, now_ms=T0))
        list(map(encode, (*emission.windows, *emission.meters)))
        list(take_snapshot(aligner))


def _scan(data: bytes) -> None:
    """A record for the quick scanner: it reads what the slow one reads, or leaves it alone."""
    quick = SCAN_IN_C or scan_in_python
    found = quick([data, GOOD], SCANNED, b"1.0", b"1.0")
    read = b"" if found[-1] else data
    assert found == scan_in_python([read, GOOD], SCANNED, b"1.0", b"1.0")


def _tick(data: bytes) -> None:
    """A header that says that an empty record carries time: it does, or the record is refused."""
    records = to_records([_record(b"", headers=[(TICK_HEADER, data)]), TICK])
    for clock in (CLOCK, PipelineClock(speed=0)):
        aligner = aligner_for(ALIGNED, clock)
        for kind in TelemetryKind:
            aligner.consume(kind, records)
        refused = len(aligner.emit().refused)
        assert refused == (0 if 0 in records.ticks else len(TelemetryKind))


def _restore(data: bytes) -> None:
    """Align's own state."""
    position = Decoder[AlignPosition](AlignPosition).decode(data)
    restore(aligner_for(ALIGNED), position, (), ())


def _gate(data: bytes) -> None:
    plan = Decoder[DispatchPlan](DispatchPlan).decode(data)
    for stopped in (False, True):
        verdict, state = judge(MODEL, None, plan, NOW_MS, stopped=stopped)
        encode(verdict)
        judge(MODEL, state, golden(DispatchPlan), NOW_MS, stopped=stopped)
        to_point(verdict)


def _actuate(data: bytes) -> None:
    verdict = Decoder[Verdict](Verdict).decode(data)
    setpoints, state = lease_targets(MODEL, None, verdict, NOW_MS, stopped=False)
    for setpoint in setpoints:
        encode(setpoint)
    encode(record_ack(state, golden(Ack)))


def _acknowledged(data: bytes) -> None:
    ack = Decoder[Ack](Ack).decode(data)
    encode(record_ack(golden(ActuateState), ack))


def _dispatch(data: bytes) -> None:
    window = Decoder[SiteWindow](SiteWindow).decode(data)
    plan, state = DISPATCHER.decide(None, window)
    assert state.site == MODEL.name
    if plan is not None:
        encode(plan)


def _stored(kind: Any, data: bytes) -> None:  # noqa: ANN401  a union of classes is not a type
    point = to_point(Decoder[StoredMessage](kind).decode(data))
    LineMaker().lines_of(point)


def _gateway(data: bytes) -> None:
    board = RelayBoard(BOARD, booted_ms=5, memory=RamMemory())
    clock = BoardClock(NOW_MS, boot_tick_ms=5, rate=1.0)
    gateway = Gateway(MODEL.name, BOARD.gateway, [SimulatedBoard(board, clock, MODEL.name)])
    answer = gateway.handle(data, NOW_MS)
    if isinstance(answer, Unreadable):
        assert answer.errors
    else:
        encode(answer)


def _board(data: bytes) -> None:
    board = RelayBoard(BOARD, booted_ms=5, memory=RamMemory())
    before = board.outputs
    answer = board.apply(data, 10)
    if isinstance(answer, Refused):
        assert answer.sentence
        assert board.outputs == before


def _in_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    """A reader of files, given bytes."""

    def read_bytes(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            read(path)

    return read_bytes


def _settings(path: Path) -> None:
    load_settings({"GRIDLOOM_CONFIG": str(path)})


def _replayed(path: Path) -> None:
    try:
        recording = load_recording([path], ReplayOptions(interval_s=900.0), lambda _: None)
    except ReplayError:
        return
    for letter in dead_letters(recording, "site-a"):
        assert letter.errors
        encode(letter)
    for sent in Encoder(recording, "site-a", 10, SampledReadings(2)).messages(0, len(recording)):
        aligner_for(ALIGNED).consume(TelemetryKind.METER, to_records([_record(sent.value)]))


def _explained(data: bytes) -> None:
    plan = golden(DispatchPlan)
    decision = Decision(plan.decision_id, plan.site, plan.window_start_ms)
    way = Way(decision, CLOCK)
    for topic in (SITE_WINDOWS, PLANS, VERDICTS, ACKS, SETPOINTS):
        way.take(topic.name, _record(data, plan.site))
    if way.plan is not None:
        show_story(way.story(way.plan, "test"))


def _letters(data: bytes) -> None:
    stored = StoredLetter(0, T0, Decoder[DeadLetter](DeadLetter).decode(data))
    retry_of(stored, RetryRules(partitions=4, now_ms=T0, fixes={"unit": "kW"}))
    console = Console(file=io.StringIO())
    console.print(show_letter(stored), show_table([stored]), show_reasons([stored]))
    assert not {"\x1b", "\x07"} & set(console.file.getvalue())  # type: ignore[attr-defined]
    json.dumps(as_record(stored))


def _clock(data: bytes) -> None:
    clock = decode_clock(data)
    if not clock.is_data_clock:
        clock.at(NOW_MS)


def _influx(data: bytes) -> None:
    text = data.decode(errors="replace")
    for read in (site_points, event_points):
        _refused(partial(read, text, "site-a"))
    _refused(partial(meter_points, text))


def _refused(read: Callable[[], object]) -> None:
    with suppress(HistorianError):
        read()


def _said(data: bytes) -> None:
    error = ApiException(status=503, reason="busy")
    error.body = data
    error.headers = HTTPHeaderDict({"Retry-After": data.decode(errors="replace")})
    assert explained(InfluxSettings(url="http://127.0.0.1:1"), error).message


def _remembered(path: Path) -> None:
    FileMemory(path).load()


def _named(data: bytes) -> None:
    parse_decision(data.decode(errors="replace"))


EXPLAINED: Final = (DispatchPlan, Accepted, Setpoint, Ack, SiteWindow)
RETRY_AFTER: Final = (
    b"Wed, 21 Oct 2026 07:28:00 GMT",
    b"Wed, 21 Oct 2026 07:28:00",
    b"Wed, 21 Oct 201844674407370955161626 07:28:00 GMT",
    b"5",
)
SITE_TOML: Final = b"""
name = "site-a"
capacity_kw = 50.5
[[meters]]
id = "m1"
rated_kw = 10
quantities = ["active_power", "energy_import"]
[[relay_boards]]
id = "b1"
gateway = "gw"
relays = [{output = 1, load_kw = 2.0, priority = 1, sheddable = false}]
[tariff]
currency = "EUR"
import_price_per_kwh = 0.3
"""
SETTINGS_TOML: Final = b"""
folder = "/tmp/x"
[kafka]
bootstrap_servers = "127.0.0.1:9092"
partitions = 4
[influxdb]
url = "http://127.0.0.1:8086"
timeout_s = 12.0
"""
METERS_CSV: Final = (
    b"time,device,active_power_kw,energy_import_kwh\n"
    b"2024-01-01T00:00:00Z,m1,1.5,100\n2024-01-01T00:15:00Z,m1,1.5,100.4\n"
    b"2024-01-01T00:30:00+01:00,m2,-7,\n,,,\n"
)
INFLUX_CSV: Final = (
    b",result,table,_time,_value,_field,device,quantity\r\n"
    b",_result,0,2024-01-01T00:00:00Z,0,revision,m1,active_power\r\n"
    b",_result,1,2024-01-01T00:00:00Z,m,status,m1,active_power\r\n"
    b",_result,2,2024-01-01T00:00:00Z,1.5,value,m1,active_power\r\n\r\n"
    b",error,reference\r\n,Failed,897\r\n"
)
SITE_CSV: Final = (
    b",result,table,_time,completeness,energy_import_kwh,energy_known,generation_kw,load_kw,"
    b"measured,missing,missing_rated_kw,missing_series,model_hash,relays,revision,valid,weather\r\n"
    b',_result,0,2024-01-01T00:00:00Z,complete,0.1,true,-1,5,3,0,0,"[""a""]",abc,[],0,1,{}\r\n'
)
NAIVE_CSV: Final = SITE_CSV.replace(b"00:00Z", b"00:00")
"""Times without an offset, as no InfluxDB writes them."""

HOME: Final = (CASES.parent / "planning" / "home" / "input.json").read_bytes()


def _planning_case(path: Path) -> None:
    """A planning case makes sense, or is refused with reasons; it is not solved here."""
    check_case(parse_planning_case(load_json(path), "case"))


CASE: Final = (CASES.parent / "dispatch" / "peak-105" / "input.json").read_bytes()


def targets() -> Iterable[Target]:
    """All of them."""
    telemetry = (golden_bytes(Reading), golden_bytes(Batch), as_batch(SENT), SENT[0].to_bytes())
    verdicts = tuple(map(golden_bytes, get_args(Verdict)))
    yield from _decoders()
    yield Target("align", telemetry, _align)
    yield Target("scan", telemetry, _scan)
    yield Target("align.state", (golden_bytes(AlignPosition),), _restore)
    yield Target("tick header", (b"", b"1700000000000"), _tick)
    yield Target("gate", (golden_bytes(DispatchPlan),), _gate)
    yield Target("actuate", verdicts, _actuate)
    yield Target("actuate acks", (golden_bytes(Ack),), _acknowledged)
    yield Target("dispatch", (golden_bytes(SiteWindow),), _dispatch)
    for kind in (SiteWindow, MeterWindows, DispatchPlan, Setpoint, Ack):
        yield Target(f"store {kind.__name__}", (golden_bytes(kind),), partial(_stored, kind))
    yield Target("store Verdict", verdicts, partial(_stored, Verdict))
    yield Target("gateway", (golden_bytes(Setpoint),), _gateway)
    yield Target("board", (encode(COMMAND),), _board)
    yield Target("board memory", (encode(BoardRecord()),), _in_file(_remembered, "b.json"))
    yield Target("clock", (golden_bytes(PipelineClock),), _clock)
    yield Target("trace", (TRACE,), parse_trace)
    yield Target("stop", (golden_bytes(GlobalStop),), says_stop)
    yield Target("site record", (golden_bytes(SiteModel),), partial(decode_site_model, origin="it"))
    yield Target("site file", (SITE_TOML,), _in_file(read_site_file, "site.toml"))
    yield Target("settings", (SETTINGS_TOML,), _in_file(_settings, "gridloom.toml"))
    yield Target("replay", (METERS_CSV,), _in_file(_replayed, "m.csv"))
    yield Target("planning case", (HOME,), _in_file(_planning_case, "case.json"))
    yield Target("case", (CASE,), _in_file(read_case, "case.json"))
    yield Target("device telemetry", telemetry, read_telemetry)
    yield Target("device ack", (golden_bytes(Ack),), read_ack)
    yield Target("device views", (b"[]",), partial(decode_views, address="here"))
    yield Target("explain", tuple(map(golden_bytes, EXPLAINED)), _explained)
    yield Target("decision id", (b"site-a.340000000.0123abcd",), _named)
    yield Target("dead letters", (golden_bytes(DeadLetter),), _letters)
    yield Target("InfluxDB rows", (INFLUX_CSV, SITE_CSV, NAIVE_CSV), _influx)
    yield Target("InfluxDB errors", (b'{"message":"busy"}', *RETRY_AFTER), _said)
