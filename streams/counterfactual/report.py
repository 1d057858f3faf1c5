"""What a comparison found, as JSON and as a table."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from rich.markup import escape
from rich.table import Table

from processors.accounting.metering import Figures, Floats, Prices, saving_percent
from processors.accounting.peak_hours import PeakHours
from schemas.windows import WINDOW_MS

CLAIMED_PERCENT: Final = 25.0
"""Reduction of peak-hour cost that document 001 projects [%] (S1-16)."""

WINDOWS_PER_QUARTER: Final = 900_000 // WINDOW_MS
"""Windows in a quarter of an hour."""

NO_CONTROL: Final = "no control"
STATIC: Final = "static rule"
STATIC_RETURNING: Final = "static rule that returns"
DISPATCH: Final = "dispatch"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One way of control, and what it led to.

    Attributes:
        control: its name.
        figures: as metered.
        peak_hour_saving_percent: by how much its peak-hour cost is below that without control
            [%]; the same for any price, so it needs none. None where that is 0.
        saving_percent: the same of the whole days' cost [%]; None also without prices.
        quarter_peaks_kw: greatest net power of one window in each quarter of an hour [kW].
    """

    control: str
    figures: Figures
    peak_hour_saving_percent: float | None
    saving_percent: float | None
    quarter_peaks_kw: tuple[float, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The same days, controlled in different ways; the first way is none.

    Attributes:
        site, source: what was simulated, and where its powers come from.
        dates: the days, ISO 8601.
        start_ms: start of the first [ms since the epoch].
        timezone: where they are days.
        windows: of 5 s, in all.
        stale_windows: those in which some meter's last reading no longer held, and was taken.
        scale: what the recorded base load was multiplied by [1].
        seed: of the plant's noise.
        catch_up: how much more than its rating a load draws while it makes up for what it
            missed, in parts of the rating [1].
        deferred: outputs whose loads do so; the others' are cut.
        threshold_kw, capacity_kw: limits [kW].
        prices: None where they are unknown.
        peak_hours: every day's.
        claimed_percent: what document 001 says of peak-hour cost [%].
        cases: one for each way of control.
        seconds_per_day: wall time per simulated day, by control [s].
    """

    site: str
    source: str
    dates: tuple[str, ...]
    start_ms: int
    timezone: str
    windows: int
    stale_windows: int
    scale: float
    seed: int
    catch_up: float
    deferred: tuple[str, ...]
    threshold_kw: float
    capacity_kw: float
    prices: Prices | None
    peak_hours: PeakHours
    claimed_percent: float
    cases: tuple[Case, ...]
    seconds_per_day: dict[str, float]

    def to_json(self) -> bytes:
        """As it is written to ``--report``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    def case(self, control: str) -> Case:
        """The case of one way of control.

        Raises:
            KeyError: there is none of this name.
        """
        return {case.control: case for case in self.cases}[control]


def make_case(control: str, figures: Figures, without: Figures, net_kw: Floats) -> Case:
    """A case beside the one without control; ``net_kw`` of each window, shape (n,) [kW]."""
    saved = None
    if figures.cost is not None and without.cost is not None:
        saved = saving_percent(without.cost, figures.cost)
    return Case(
        control=control,
        figures=figures,
        peak_hour_saving_percent=saving_percent(without.peak_hour_kwh, figures.peak_hour_kwh),
        saving_percent=saved,
        quarter_peaks_kw=tuple(quarter_peaks(net_kw).round(3).tolist()),
    )


def quarter_peaks(net_kw: Floats) -> Floats:
    """Greatest of every 180 windows, shape (n / 180,) [kW]; what is left over is a point, too."""
    return np.maximum.reduceat(net_kw, np.arange(0, len(net_kw), WINDOWS_PER_QUARTER))


def sheet_of(report: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heading and rows of the table: a column for each way of control."""
    money = "" if report.prices is None else f" [{report.prices.currency}]"
    rows: dict[str, Callable[[Case], str]] = {
        "peak [kW]": lambda c: f"{c.figures.peak_kw:.1f}",
        "windows over the threshold": lambda c: f"{c.figures.windows_over_threshold:,}",
        "energy over the threshold [kWh]": lambda c: f"{c.figures.kwh_over_threshold:.2f}",
        "energy over the capacity [kWh]": lambda c: f"{c.figures.kwh_over_capacity:.2f}",
        f"peak-hour cost{money}": lambda c: _money(c.figures.peak_hour_cost),
        "peak-hour cost, lower by [%]": lambda c: _percent(c.peak_hour_saving_percent),
        f"whole-day cost{money}": lambda c: _money(c.figures.cost),
        "whole-day cost, lower by [%]": lambda c: _percent(c.saving_percent),
        "energy not served [kWh]": lambda c: f"{c.figures.unserved_kwh:.1f}",
        "rebound [kWh]": lambda c: f"{c.figures.rebound_kwh:.1f}",
        "rebound, greatest [kW]": lambda c: f"{c.figures.rebound_kw:.1f}",
        "battery throughput [kWh]": lambda c: f"{c.figures.battery_throughput_kwh:.1f}",
    }
    told = [(name, *(tell(case) for case in report.cases)) for name, tell in rows.items()]
    switched = [
        (f"switches of {name}", *(f"{case.figures.switches[name]:,}" for case in report.cases))
        for name in report.cases[0].figures.switches
    ]
    return ("", *(case.control for case in report.cases)), [*told, *switched]


def as_table(report: Comparison) -> Table:
    """The table for a terminal."""
    heading, rows = sheet_of(report)
    table = Table(title=f"{report.site}, {len(report.dates)} days", caption=_caption(report))
    table.add_column(heading[0], style="bold")
    for name in heading[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def sentences_of(report: Comparison) -> list[str]:
    """What the table says of the claim, and what it rests on."""
    found = [
        f"{case.control} {_percent(case.peak_hour_saving_percent)} %"
        f" ({_percent(_unserved_percent(case))} % of the relay loads' energy not served)"
        for case in report.cases[1:]
    ]
    prices = report.prices
    tariff = (
        "no tariff is known: costs are unknown, their ratios are those of energy"
        if prices is None
        else f"{prices.per_kwh:g} {prices.currency}/kWh, in the peak hours"
        f" {prices.peak_per_kwh:g}; what is fed in earns nothing"
    )
    seconds = ", ".join(f"{name} {s:.1f}" for name, s in report.seconds_per_day.items())
    catching_up = f"{', '.join(report.deferred) or 'none'}, with {100 * report.catch_up:g} %"
    stale = (
        f"windows with a reading that is too old: {report.stale_windows:,} of {report.windows:,}"
    )
    return [
        *[stale] * (report.stale_windows > 0),
        f"document 001 claims {report.claimed_percent:g} % lower peak-hour cost; here: "
        + "; ".join(found),
        f"peak hours {report.peak_hours} in {report.timezone}; {tariff}",
        f"loads that catch up: {catching_up} more than their rating; all others are cut",
        f"simulated in seconds per day: {seconds}",
    ]


def _caption(report: Comparison) -> str:
    span = report.dates[0] if len(report.dates) == 1 else f"{report.dates[0]} to {report.dates[-1]}"
    limits = f"threshold {report.threshold_kw:g} kW, capacity {report.capacity_kw:g} kW"
    return f"{report.source}; {span}; base load x {report.scale:.4g}; {limits}"


def _unserved_percent(case: Case) -> float | None:
    demand_kwh = case.figures.demand_kwh
    return None if demand_kwh == 0 else 100 * case.figures.unserved_kwh / demand_kwh


def _money(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"
