"""Every metric carries its process's labels, and says nothing that it does not know."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics.registry import StageRegistry


def shown(registry: StageRegistry) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample as Prometheus would read it."""
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


OURS = {("stage", "align"), ("slot", "3")}


def test_every_sample_carries_stage_and_slot() -> None:
    registry = StageRegistry("align", 3)
    registry.counter("a_total", "A.", "things", {"kind": ()}).labels("x").inc(2)
    registry.histogram("b_seconds", "B.", [1.0]).observe(0.5)
    registry.info("c", "C.", {"version": "1"})
    registry.table("d", "D.", "s", ["partition"], lambda: {("0",): 1.5})
    samples = shown(registry)
    assert all(labels >= OURS for _, labels in samples)
    assert samples["a_total", frozenset(OURS | {("kind", "x")})] == 2
    assert samples["b_seconds_bucket", frozenset(OURS | {("le", "1.0")})] == 1
    assert samples["c_info", frozenset(OURS | {("version", "1")})] == 1
    assert samples["d", frozenset(OURS | {("partition", "0")})] == 1.5


def test_restricted_queries_carry_the_labels_too() -> None:
    """``/metrics?name[]=...`` goes another way through the client."""
    registry = StageRegistry("align", 3)
    registry.counter("a_total", "A.", "things").inc()
    (metric,) = registry.restricted_registry(["a_total"]).collect()
    assert [dict(OURS) for _ in metric.samples] == [sample.labels for sample in metric.samples]


def test_label_values_that_are_known_beforehand_begin_at_0() -> None:
    """Without a 0 before it, the first event would be no increase for Prometheus."""
    registry = StageRegistry("align", 3)
    registry.counter("a_total", "A.", "things", {"kind": ("x", "y"), "late": ("no", "yes")})
    assert list(shown(registry).values()) == [0.0] * 4


def test_what_a_table_does_not_know_is_not_shown() -> None:
    """Unknown is not zero."""
    registry = StageRegistry("align", 3)
    known: dict[tuple[str, ...], float] = {("0",): 1.0, ("1",): 2.0}
    registry.table("d", "D.", "s", ["partition"], lambda: known)
    assert len(shown(registry)) == 2
    del known["0",]
    assert list(shown(registry).values()) == [2.0]


def test_two_registries_share_nothing() -> None:
    one, other = StageRegistry("align", 0), StageRegistry("align", 1)
    one.counter("a_total", "A.", "things").inc()
    other.counter("a_total", "A.", "things")
    assert list(shown(one).values()) == [1.0]
    assert list(shown(other).values()) == [0.0]
