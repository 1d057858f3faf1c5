"""A demo run that tests can disturb: the real stages on a real Kafka, in a folder of their own."""

from pathlib import Path

from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from schemas.settings import Settings
from streams.chaos.plan import Fault
from streams.demo.runner import DemoOptions, DemoRunner
from streams.demo.watcher import Observed


class SilentView:
    """Shows nothing, keeps what it was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Nothing to show."""
        del seen, done, note

    def notice(self, text: str) -> None:
        """Keep a sentence."""
        self.notices.append(text)

    def begun(self, fault: Fault, number: int, total: int) -> None:
        """Nothing to show."""
        del fault, number, total

    def ended(self, fault: Fault) -> None:
        """Nothing to show."""
        del fault


def demo_runner(
    folder: Path, windows: int, speed: float = 10.0, *, cluster: bool = False
) -> DemoRunner:
    """A demo of the shipped slice, not started yet."""
    settings = Settings.model_validate({"folder": folder, "devices": {"port": 6166}})
    site = demo_site(load_slice())
    options = DemoOptions(windows, speed, cluster=cluster)
    return DemoRunner(settings, site, options, SilentView(), lambda: False)
