"""Single faults in a loop that runs on: fenced processes, aborts, doubled commands."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from deploy.supervisor import Crashed
from hardware.actuation_journal import ActuationJournal
from schemas.dispatch_plan import OutputState
from schemas.identity import DEFAULT_EPOCH, partition_of
from schemas.messages import encode
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.topics import PLANS, SITE_WINDOWS, setpoint_topic, telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS
from streams.chaos.comparing import Differences, published
from streams.chaos.runner import ChaosRunner
from streams.demo import audit
from streams.demo.runner import DemoRunner
from streams.field import BOARDS_FOLDER
from streams.historians.opening import configured_place
from streams.kafka import producer, transactional_producer
from streams.local_pipeline import StageProcesses
from tests.support.demo_run import SilentView, demo_runner

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

PATIENCE_S = 90.0
ONE_TRY_S = 15.0
MARK = "from-an-aborted-transaction"
BOARD, GATEWAY, OUTPUT = "board-1", "gw-1", 4


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRunner]:
    """The demo, running; every test leaves it whole."""
    runner = demo_runner(tmp_path_factory.mktemp("loop"), windows=1)
    with runner.pipeline:
        runner.start()
        runner.watch()
        yield runner


def until(loop: DemoRunner, reached: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline_s
        loop.turn("test")


def goes_on(loop: DemoRunner) -> None:
    """Wait for three more windows and their plans and verdicts."""
    seen = loop.watcher.seen
    newest_ms = max(seen.windows) + 3 * WINDOW_MS
    until(loop, lambda: max(seen.plans, default=0) >= newest_ms)
    until(loop, lambda: max(v.window_start_ms for v in seen.verdicts) >= newest_ms)


class Newcomer:
    """Another process of a stage, in the same slot."""

    def __init__(self, loop: DemoRunner, stage: str, name: str) -> None:
        self.log = loop.pipeline.folder / "logs" / name / f"{stage}.log"
        self.processes = StageProcesses(loop.pipeline.settings, self.log.parent, slot=0)
        self.processes.start([stage])

    @property
    def has_partitions(self) -> bool:
        """Whether it has taken over."""
        return "partitions [" in self.log.read_text()

    @property
    def has_crashed(self) -> bool:
        """Whether it ended by itself."""
        return any(isinstance(event, Crashed) for event in self.processes.poll())


@pytest.mark.parametrize(
    ("stage", "paused"), [("align", True), ("gate", False), ("actuate", True), ("store", False)]
)
def test_of_two_processes_in_one_slot_the_older_is_fenced_and_the_newer_goes_on(
    loop: DemoRunner,
    stage: str,
    paused: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A zombie, running or back from a pause, ends with a sentence; nothing of it is committed."""
    log = loop.pipeline.folder / "logs" / f"{stage}.log"
    before, pid = loop.crashes[stage], loop.pipeline.stages.pids[stage]
    lines = len(log.read_text().splitlines())
    if paused:
        os.kill(pid, signal.SIGSTOP)
    newer = Newcomer(loop, stage, f"newer-{stage}")
    try:
        if paused:
            until(loop, lambda: newer.has_partitions)
            goes_on(loop)
            os.kill(pid, signal.SIGCONT)
        until(loop, lambda: loop.crashes[stage] > before)
        # The older one is started again by its supervisor, and is the newer one now.
        until(loop, lambda: newer.has_crashed)
    finally:
        newer.processes.stop()
    for path, text in (
        (log, "\n".join(log.read_text().splitlines()[lines:])),
        (newer.log, newer.log.read_text()),
    ):
        assert "fenced" in text, path
        assert "Traceback" not in text, path
    goes_on(loop)


def aborted_records(loop: DemoRunner) -> dict[str, bytes]:
    """By topic, a record that would be acted on, were it committed."""
    seen, now_ms = loop.watcher.seen, loop.now_ms()
    window, plan = seen.windows[max(seen.windows)], seen.plans[max(seen.plans)]
    later_ms = max(seen.windows) + 2 * WINDOW_MS
    reading = {
        "type": "reading",
        "event_id": MARK,
        "site": "demo",
        "source": MARK,
        "device": loop.site.model.meters[0].id,
        "quantity": "active_power",
        "unit": "kW",
        "value": 5_000.0,
        "event_time_ms": now_ms,
    }
    return {
        telemetry_topic(TelemetryKind.METER): msgspec.json.encode(reading),
        SITE_WINDOWS.name: encode(
            msgspec.structs.replace(window, window_start_ms=later_ms, load_kw=5_000.0)
        ),
        PLANS.name: encode(msgspec.structs.replace(plan, decision_id=MARK, seq=plan.seq + 1)),
        setpoint_topic(GATEWAY): encode(setpoint(loop, seq=2**40, decision_id=MARK)),
    }


def setpoint(
    loop: DemoRunner, seq: int, decision_id: str = "by-hand", lease_ms: int = 600_000
) -> Setpoint:
    """A fresh command that switches an output of the board."""
    now_ms = loop.now_ms()
    newest = loop.watcher.seen.windows[max(loop.watcher.seen.windows)]
    is_on = next(relay.on for relay in newest.relays if relay.output == OUTPUT)
    return Setpoint(
        decision_id=decision_id,
        site="demo",
        gateway=GATEWAY,
        device=BOARD,
        seq=seq,
        epoch=DEFAULT_EPOCH,
        issued_ms=now_ms,
        valid_until_ms=now_ms + lease_ms,
        outputs=(OutputState(output=OUTPUT, on=not is_on),),
    )


def uncommitted(loop: DemoRunner, topic: str, partition: int) -> Iterator[bytes]:
    """Everything that lies on a partition, aborted transactions included."""
    consumer = Consumer(
        {
            "bootstrap.servers": loop.pipeline.settings.kafka.bootstrap_servers,
            "group.id": "test",
            "isolation.level": "read_uncommitted",
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    while (message := consumer.poll(5)) is not None:
        if isinstance(value := message.value(), bytes):
            yield value
    consumer.close()


def test_what_an_aborted_transaction_wrote_is_on_the_log_and_no_stage_acts_on_it(
    loop: DemoRunner,
) -> None:
    """Align, dispatch, gate, field and store read committed records only."""
    records = aborted_records(loop)
    kafka = loop.pipeline.settings.kafka
    site_partition = partition_of("demo", kafka.partitions)
    where = {topic: 0 if topic == setpoint_topic(GATEWAY) else site_partition for topic in records}
    client = transactional_producer(kafka, "test", 0)
    client.init_transactions(30)
    client.begin_transaction()
    for topic, value in records.items():
        client.produce(topic, key="demo", value=value, partition=where[topic])
    assert client.flush(30) == 0
    client.abort_transaction(30)
    goes_on(loop)
    assert records[PLANS.name] in uncommitted(loop, PLANS.name, where[PLANS.name])
    seen, now = loop.watcher.seen, published(kafka)
    assert all(window.load_kw < 1_000 for window in now.windows)
    assert all(abs(value or 0) < 1_000 for c in now.meters for value in c.values)
    assert MARK not in {plan.decision_id for plan in now.plans}
    assert MARK not in {verdict.decision_id for verdict in seen.verdicts}
    assert MARK not in {ack.decision_id for ack, _ in seen.acks}
    with configured_place(loop.pipeline.settings).open() as historian:
        assert historian.decision(MARK) == []


def answers(loop: DemoRunner, seq: int) -> list[Ack]:
    """What the board said to a sequence number."""
    return [ack for ack, _ in loop.watcher.seen.acks if (ack.device, ack.seq) == (BOARD, seq)]


def send(loop: DemoRunner, *setpoints: Setpoint) -> None:
    """Write commands for the gateway, as actuate does."""
    client = producer(loop.pipeline.settings.kafka, "test")
    for each in setpoints:
        client.produce(setpoint_topic(GATEWAY), key=BOARD, value=encode(each), partition=0)
    assert client.flush(30) == 0


def test_a_command_is_carried_out_once_though_its_gateway_dies_between_switch_and_answer(
    loop: DemoRunner,
) -> None:
    """DESIGN decision 7: it comes again, and the board refuses it."""
    journal = ActuationJournal(loop.pipeline.settings.home / BOARDS_FOLDER)
    memory = loop.pipeline.settings.home / BOARDS_FOLDER / f"{BOARD}.json"
    loop.pipeline.stages.finish("dispatch")  # nobody else commands meanwhile
    try:
        for _ in range(3):
            command = send_until_remembered(loop, memory)
            loop.pipeline.stages.kill("field")  # at the moment when the board has saved it
            last = last_answer(loop, command.seq)
            assert last.result is AckResult.APPLIED or last.reason is RefusalReason.DUPLICATE
    finally:
        loop.pipeline.stages.start(["dispatch"])
    assert audit.switches(journal.read()).repeated == 0


def newest_seq(loop: DemoRunner) -> int:
    """A sequence number beyond those of all windows that there can be yet."""
    return 16 * (loop.now_ms() // WINDOW_MS) + 1


def last_answer(loop: DemoRunner, seq: int) -> Ack:
    """What the board says last to a sequence number, once it says anything."""
    until(loop, lambda: bool(answers(loop, seq)))
    return answers(loop, seq)[-1]


def wait_for_present_windows(loop: DemoRunner) -> None:
    """Wait for a window that shows the board as it is now."""
    newest_ms = loop.now_ms() + 3 * WINDOW_MS
    until(loop, lambda: max(loop.watcher.seen.windows) >= newest_ms)


def send_until_remembered(loop: DemoRunner, memory: Path) -> Setpoint:
    """Command until the board remembers it: next, it switches and answers.

    On a busy machine a command may be under way for too long, and is refused: then a new one.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        wait_for_present_windows(loop)
        command = setpoint(loop, newest_seq(loop))
        send(loop, command)
        give_up_s = time.monotonic() + ONE_TRY_S
        while time.monotonic() < give_up_s:
            if f'"last_seq":{command.seq}' in memory.read_text():
                return command
    raise AssertionError("the board takes no command")


def test_doubled_and_reordered_commands_switch_nothing(loop: DemoRunner) -> None:
    """The board takes rising sequence numbers only."""
    wait_for_present_windows(loop)
    seq = newest_seq(loop)
    late, newer = setpoint(loop, seq, lease_ms=100_000), setpoint(loop, seq + 1)
    send(loop, newer, newer, late, newer, late)
    until(loop, lambda: len(answers(loop, seq + 1)) == 3 and len(answers(loop, seq)) == 2)
    assert [ack.result for ack in answers(loop, seq + 1)].count(AckResult.APPLIED) == 1
    assert {ack.reason for ack in answers(loop, seq)} == {RefusalReason.REORDERED}
    assert not any(ack.changed for ack in answers(loop, seq))


def test_in_the_end_nothing_is_lost_doubled_or_different(loop: DemoRunner) -> None:
    """After all that was done to it here, compared with an undisturbed align."""
    loop.drain()
    telemetry = audit.count_telemetry(loop.pipeline.settings.kafka)
    fates = audit.count_fates(loop.pipeline.settings.kafka)
    assert telemetry.readings == sum(msgspec.structs.astuple(fates))
    assert loop.account().report.duplicate_actuations == 0
    assert isinstance(loop.view, SilentView)
    assert ChaosRunner(loop, (), 0.0, loop.view).compare() == Differences()
