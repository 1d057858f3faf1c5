"""One trace from window to acknowledgement, on a real Kafka and real processes."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from confluent_kafka import Message

from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from schemas.messages import Decoder
from schemas.setpoint import Ack
from schemas.settings import Settings
from schemas.topics import ACKS, METER_WINDOWS, PLANS, SITE_WINDOWS, TELEMETRY, VERDICTS
from streams.demo.runner import DemoOptions, DemoRunner
from streams.kafka import TICK_HEADER, read_all
from streams.tracing import TraceContext, context_in, decision_trace_id
from tests.support.collector import Collector, Span, collector
from tests.support.demo_run import SilentView

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

ONE_IN = 10
STEPS = {
    "gridloom.align": "window",
    "gridloom.dispatch": "plan",
    "gridloom.gate": "verdict",
    "gridloom.actuate": "command",
    "gridloom.field": "ack",
}
"""What each stage does in a trace."""

_ACK: Decoder[Ack] = Decoder(Ack)


class TracedRun:
    """A demo that has ended: its records with their traces, and what the collector got."""

    def __init__(self, settings: Settings, collecting: Collector) -> None:
        kafka = settings.kafka
        topics = (SITE_WINDOWS, METER_WINDOWS, PLANS, VERDICTS, ACKS, *TELEMETRY.values())
        self.records: dict[str, list[Message]] = {
            spec.name: list(read_all(kafka, spec.name, range(kafka.partitions))) for spec in topics
        }
        self.collecting = collecting

    def traces(self, topic: str) -> list[TraceContext | None]:
        """What the headers of a topic's records say."""
        return [context_in(record) for record in self.records[topic]]

    def by_trace(self) -> dict[str, list[Span]]:
        """Spans by the trace that they belong to."""
        found: dict[str, list[Span]] = defaultdict(list)
        for span in self.collecting.spans:
            found[span.trace_id].append(span)
        return found


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedRun]:
    """A short run of all stages, drained, so that every command has its answer."""
    with collector() as collecting:
        settings = Settings.model_validate(
            {
                "folder": tmp_path_factory.mktemp("traced"),
                "historian": {"kind": "sqlite"},
                "tracing": {"endpoint": collecting.endpoint, "readings_one_in": ONE_IN},
            }
        )
        options = DemoOptions(12, speed=10.0)
        site = demo_site(load_slice())
        runner = DemoRunner(settings, site, options, SilentView(), lambda: False)
        with runner.pipeline:
            runner.start()
            runner.watch()
            runner.drain()
            runner.pipeline.stages.stop()  # hands over the last spans
            yield TracedRun(runner.pipeline.settings, collecting)


def test_one_trace_leads_from_window_to_acknowledgement(traced: TracedRun) -> None:
    """Issue 5, build 5: OpenTelemetry trace context in Kafka headers, through every stage."""
    whole = 0
    for spans in traced.by_trace().values():
        by_id = {span.span_id: span for span in spans}
        for ack in (span for span in spans if span.name == "ack"):
            way = [ack]
            while way[-1].parent_id:
                way.append(by_id[way[-1].parent_id])
            assert {span.service: span.name for span in way} == STEPS
            decisions = {span.attributes.get("gridloom.decision_id") for span in way[:-1]}
            assert len(decisions) == 1
            whole += 1
    assert whole == len(traced.records[ACKS.name]) > 0


def test_every_record_of_the_way_carries_its_trace(traced: TracedRun) -> None:
    for topic in (SITE_WINDOWS.name, METER_WINDOWS.name, PLANS.name, VERDICTS.name, ACKS.name):
        assert None not in traced.traces(topic)
    for record, trace in zip(traced.records[ACKS.name], traced.traces(ACKS.name), strict=True):
        value = record.value()
        assert isinstance(value, bytes)
        assert trace is not None
        assert trace.trace_id == decision_trace_id(_ACK.decode(value).decision_id)


def test_one_reading_in_so_many_begins_where_it_was_measured(traced: TracedRun) -> None:
    """Sampled at the producer; its trace is that of the window that align makes of it."""
    readings, with_trace = 0, 0
    for spec in TELEMETRY.values():
        for record in traced.records[spec.name]:
            if TICK_HEADER not in dict(record.headers() or ()):
                readings += 1
                with_trace += context_in(record) is not None
    assert readings / ONE_IN - 1 <= with_trace <= readings / ONE_IN + 1
    spans = traced.by_trace()
    sent = [span for one in spans.values() for span in one if span.name == "reading"]
    assert len(sent) == with_trace
    parents = {span.span_id for one in spans.values() for span in one if span.name == "window"}
    assert sum(span.parent_id in parents for span in sent) >= len(sent) / 2  # the rest came late
