"""The reference page of all metrics, made from the metrics themselves."""

from typing import Final

from schemas.clock import WALL_CLOCK
from streams.clocks import wall_ms
from streams.metrics.aligning import AlignMetrics
from streams.metrics.committing import TransactionMetrics
from streams.metrics.deciding import ActuateMetrics, DispatchMetrics, GateMetrics
from streams.metrics.lateness import LatenessMetrics
from streams.metrics.registry import MetricSpec, StageRegistry
from streams.metrics.stage import Hop, StageMetrics
from streams.metrics.storing import HistorianMetrics
from streams.metrics.supervising import SupervisorMetrics
from streams.reference_docs.fields import codes_of
from streams.reference_docs.wording import table
from streams.stage_registry import STAGES

_HEAD: Final = """\
# Metrics

<!-- Made by `python -m streams.reference_docs`: change the code instead. -->

Every stage shows its metrics to Prometheus at `/metrics` (and whether it is alive and ready at
`/healthz` and `/readyz`), on `[metrics] host` and a port of its
own: `[metrics] port`, plus the stage's place in the order below (from 0), plus 20 for every
further slot. A port that is taken is logged, and the stage runs on.

{stages}.

All metrics carry the labels `stage` and `slot`; scrape them with `honor_labels: true`. Counters
begin at 0 with every start of a process. What is unknown is not shown. A histogram has `_bucket`,
`_sum` and `_count`. Besides these there are `process_*`: memory, CPU time, start and open files.
"""


def page() -> str:
    """The page, in Markdown."""
    blocks = [_HEAD.format(stages=", ".join(STAGES))]
    blocks += [f"## {title}\n\n{_rows(specs)}\n" for title, specs in groups().items()]
    hops = table(["`hop`", "From and to"], [(f"`{hop}`", text) for hop, text in codes_of(Hop)])
    return "\n".join([*blocks, f"## Hops\n\n{hops}\n"])


def groups() -> dict[str, list[MetricSpec]]:
    """Every metric, by the stages that have it."""
    common, aligning = StageMetrics("stage"), StageMetrics("stage")
    AlignMetrics(aligning, WALL_CLOCK, wall_ms)
    LatenessMetrics(aligning.registry)
    found = {
        "Every stage": common.registry.specs,
        "Align": aligning.registry.specs[len(common.registry.specs) :],
    }
    for title, kind in (
        ("Align, dispatch, gate and actuate", TransactionMetrics),
        ("Store", HistorianMetrics),
        ("Dispatch", DispatchMetrics),
        ("Gate", GateMetrics),
        ("Actuate", ActuateMetrics),
    ):
        registry = StageRegistry("stage", 0)
        kind(registry)
        found[title] = registry.specs
    supervising = StageMetrics("stage")
    SupervisorMetrics(supervising, tuple)
    found["Whoever supervises stages"] = supervising.registry.specs[len(common.registry.specs) :]
    return found


def _rows(specs: list[MetricSpec]) -> str:
    return table(
        ["Metric", "Type", "Labels", "Unit", "Meaning"],
        [
            (
                f"`{spec.name}`",
                spec.kind,
                ", ".join(f"`{label}`" for label in spec.labels),
                spec.unit,
                spec.meaning,
            )
            for spec in specs
        ],
    )
