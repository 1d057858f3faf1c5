"""How a run looks while it lasts: a live picture on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.dispatch_plan import DispatchPlan
from schemas.site_model import SiteModel
from schemas.site_window import SiteWindow
from streams.demo.charts import terminal_chart
from streams.demo.watcher import Observed

_CHART_HEIGHT = 16
_REASONS_SHOWN = 5
_LINES_PER_RUN = 12
_LAMPS = {True: "[green]● on[/]", False: "[red]○ off[/]", None: "[yellow]? unknown[/]"}


class PlainView:
    """One line now and then, for logs and pipes."""

    def __init__(self, console: Console, windows: int) -> None:
        self._console = console
        self._total = windows
        self._shown = -1
        self._note = ""

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Print a line when a twelfth more is done, or something else begins."""
        part = _LINES_PER_RUN * done // self._total
        if part == self._shown and note == self._note:
            return
        self._shown, self._note = part, note
        newest = seen.windows[max(seen.windows)] if seen.windows else None
        load = "" if newest is None else f", {newest.net_kw:.1f} kW"
        self._console.print(f"{note}: {done}/{self._total} windows{load}")

    def notice(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""


class LiveView:
    """A picture that is drawn anew: load, windows, lamps, decisions, throughput, progress."""

    def __init__(self, console: Console, model: SiteModel, windows: int, title: str) -> None:
        self._model = model
        self._total = windows
        self._title = title
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._began_s = time.monotonic()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def notice(self, text: str) -> None:
        """A sentence above the picture."""
        self._live.console.print(text, style="dim")

    def show(self, seen: Observed, done: int, note: str) -> None:
        """Draw the present state."""
        newest = seen.windows[max(seen.windows)] if seen.windows else None
        columns = Table.grid(padding=(0, 3), expand=True)
        columns.add_row(self._lamps(newest), self._counts(seen))
        picture = Group(self._chart(seen), columns, _reasons(seen), self._progress(done, note))
        self._live.update(Panel(picture, title=self._title))

    def _chart(self, seen: Observed) -> Text:
        power = [window.net_kw for _, window in sorted(seen.windows.items())]
        return terminal_chart(
            power or [0.0],
            self._model.threshold_kw,
            self._model.capacity_kw,
            width=max(40, self._console.width - 6),
            height=_CHART_HEIGHT,
        )

    def _lamps(self, newest: SiteWindow | None) -> Table:
        table = Table("relay", "load", "state", title="Relays", title_justify="left")
        states = {} if newest is None else {(r.device, r.output): r.on for r in newest.relays}
        for board in self._model.relay_boards:
            for relay in board.relays:
                lamp = _LAMPS[states.get((board.id, relay.output))]
                name = f"{board.id}/{relay.output} {relay.label}"
                table.add_row(name, f"{relay.load_kw:.0f} kW", lamp)
        return table

    def _counts(self, seen: Observed) -> Table:
        kinds = Counter(str(window.completeness) for window in seen.windows.values())
        readings = sum(w.measured + w.valid for w in seen.windows.values())
        rate = readings / max(1e-9, time.monotonic() - self._began_s)
        table = Table.grid(padding=(0, 2))
        table.add_row("windows", ", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "none")
        table.add_row("revisions", str(seen.revisions))
        table.add_row("decisions", f"{len(seen.plans)}, {seen.rejected} refused by the gate")
        table.add_row("commands", f"{len(seen.setpoints)}, {len(seen.unconfirmed)} unconfirmed")
        table.add_row("series values", f"{rate:,.0f} per second")
        return table

    def _progress(self, done: int, note: str) -> Table:
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._total, completed=done, width=40)
        grid.add_row(bar, f"{done}/{self._total} windows: {note}")
        return grid


def _reasons(seen: Observed) -> Table:
    """The newest decisions that switched something, with their reasons."""
    table = Table("decision", "output", "why", title="Decisions", title_justify="left")
    switching = [plan for _, plan in sorted(seen.plans.items()) if _switched(plan)]
    for plan in switching[-_REASONS_SHOWN:]:
        for output in plan.outputs:
            if output.on != output.was_on:
                name = f"{output.device}/{output.output} {'on' if output.on else 'off'}"
                table.add_row(plan.decision_id, name, output.sentence)
    return table


def _switched(plan: DispatchPlan) -> bool:
    return any(output.on != output.was_on for output in plan.outputs)
