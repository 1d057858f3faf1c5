"""How a run with faults looks while it lasts: a picture on a terminal, plain lines elsewhere."""

import time
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.chaos.plan import Fault
from streams.demo.watcher import Observed

_FAULTS_SHOWN: Final = 12
_LINE_EVERY_S: Final = 10.0


class PlainChaos:
    """A line for every fault and every sentence, and one now and then on how far the loop is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_s = 0.0

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Print a line every few seconds."""
        del done
        now_s = time.monotonic()
        if now_s > self._told_s + _LINE_EVERY_S:
            self._told_s = now_s
            self._console.print(f"{note}: {_progress(seen)}")

    def notice(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text)

    def begun(self, fault: Fault, number: int, total: int) -> None:
        """Print what happens."""
        self._console.print(f"fault {number}/{total}: {_in_words(fault)}")

    def ended(self, fault: Fault) -> None:
        """Print that it is over."""
        self._console.print(f"over: {fault.kind}, {fault.target}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""


class LiveChaos:
    """A picture that is drawn anew: faults with their state, windows, commands."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._faults: list[tuple[int, int, Fault]] = []
        self._lasting: set[Fault] = set()

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Draw the present state."""
        del done
        table = Table("no.", "planned at", "fault", "to", "")
        for number, total, fault in self._faults[-_FAULTS_SHOWN:]:
            state = Text("now", style="red") if fault in self._lasting else Text("over", "green")
            row = (f"{number}/{total}", f"{fault.at_s:.1f} s", str(fault.kind), fault.target)
            table.add_row(*row, state)
        line = Text(f"{note}: {_progress(seen)}")
        self._live.update(Panel(Group(table, line), title=self._title))

    def notice(self, text: str) -> None:
        """A sentence above the picture."""
        self._live.console.print(text, style="dim")

    def begun(self, fault: Fault, number: int, total: int) -> None:
        """Show a fault as going on, where it lasts."""
        self._faults.append((number, total, fault))
        if fault.lasts_s:
            self._lasting.add(fault)

    def ended(self, fault: Fault) -> None:
        """Show it as over."""
        self._lasting.discard(fault)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


ChaosView = PlainChaos | LiveChaos


def _progress(seen: Observed) -> str:
    """How far the loop is."""
    commands = f"{len(seen.setpoints)} commands, {len(seen.unconfirmed)} unconfirmed"
    return f"{len(seen.windows)} windows, {seen.revisions} revisions, {commands}"


def _in_words(fault: Fault) -> str:
    lasts = f" for {fault.lasts_s:g} s" if fault.lasts_s else ""
    return f"{fault.kind}, {fault.target}{lasts}"
