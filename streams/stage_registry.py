"""Every stage by name, and how to run one in this process."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from schemas.errors import ConfigurationError
from schemas.settings import Settings

if TYPE_CHECKING:
    from streams.metrics import StageMetrics

STAGES: Final = {
    "align": "telemetry to 5-second windows, exactly once",
    "store": "windows and decisions to the historian",
    "dispatch": "a plan for every window",
    "gate": "a verdict on every plan",
    "actuate": "accepted plans to leased setpoints",
    "field": "the demo's simulated plant and relay boards",
    "devices": "the device view: table and web page (Faust)",
}
"""Stages and what each does."""


Runner = Callable[[Settings, int, "StageMetrics"], None]
"""Runs one stage, given its settings, its slot and its metrics, until it is asked to stop."""


def check_stages(names: list[str]) -> None:
    """Make sure that every name is a stage.

    Raises:
        ConfigurationError: naming every one that is not.
    """
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        message = f"unknown stage {', '.join(unknown)}"
        raise ConfigurationError(message, hint=f"stages are: {', '.join(STAGES)}")


def run_stage(name: str, settings: Settings, slot: int = 0) -> None:
    """Run one stage in this process until it is asked to stop, and show its metrics meanwhile.

    Modules are imported here, so that a process holds only what its own stage needs.
    """
    from streams.metrics import serve

    check_stages([name])
    metrics = serve(settings, name, slot)
    _RUNNERS[name](settings, slot, metrics)
    metrics.spans.close()


def _run_class(module: str, cls: str) -> Runner:
    def run(settings: Settings, slot: int, metrics: "StageMetrics") -> None:
        getattr(import_module(module), cls)(settings, slot, metrics).run()

    return run


def _run_decider(module: str, cls: str) -> Runner:
    def run(settings: Settings, slot: int, metrics: "StageMetrics") -> None:
        from streams.site_stage import SiteStage

        decider = getattr(import_module(module), cls)(settings, metrics)
        SiteStage(settings.kafka, decider, slot, metrics).run()

    return run


def _run_devices(settings: Settings, slot: int, metrics: "StageMetrics") -> None:
    from streams.devices.running import run_devices

    del slot
    run_devices(settings, metrics)


_RUNNERS: Final[dict[str, Runner]] = {
    "align": _run_class("streams.align", "AlignStage"),
    "store": _run_class("streams.store", "StoreStage"),
    "dispatch": _run_decider("streams.dispatch", "DispatchDecider"),
    "gate": _run_decider("streams.gate", "GateDecider"),
    "actuate": _run_decider("streams.actuate", "ActuateDecider"),
    "field": _run_class("streams.field", "FieldStage"),
    "devices": _run_devices,
}
