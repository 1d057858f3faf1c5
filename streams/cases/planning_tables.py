"""A planning result in words: status, costs, a table of steps, prices of limits, reasons."""

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.planning_case import Horizon, PlanningCase
from schemas.planning_result import Because, DeviceSchedule, LimitPrice, PlanningResult
from schemas.windows import iso_utc

MOST_COLUMNS: Final = 8
"""Devices that the table shows one by one; of more, the sum of each kind."""

MOST_TOLD: Final = 20
"""Devices whose reasons are told on the terminal."""

Columns = dict[str, tuple[float, ...]]


def show_result(case: PlanningCase, result: PlanningResult) -> RenderableType:
    """The whole result."""
    return Group(
        *_headline(result),
        *(Text(f"cannot hold: {each.text}; {each.remedy} would", "red") for each in result.unmet),
        Text("power in kW: consumption, charging and import are positive"),
        _step_table(case.horizon, result),
        _cost_table(result),
        *_limit_lines(case.horizon, result.binding),
        *_reason_lines(case.horizon, result.schedules),
    )


def _headline(result: PlanningResult) -> Iterator[Text]:
    gap = f", a cheaper plan may save {result.gap:.4f}" if result.gap else ""
    cost = f"cost {result.total_cost:.4f}, highest import {result.peak_kw:.3f} kW"
    yield Text(f"{result.status}: {cost}{gap}", style="bold")


def columns_of(result: PlanningResult) -> Columns:
    """Power of every device, or of every kind where there are many devices, (steps,) [kW]."""
    if len(result.schedules) <= MOST_COLUMNS:
        return {each.device: each.power_kw for each in result.schedules}
    sums: Columns = {}
    for each in result.schedules:
        before = sums.get(each.kind, (0.0,) * len(each.power_kw))
        sums[each.kind] = tuple(a + b for a, b in zip(before, each.power_kw, strict=True))
    return sums


def _step_table(horizon: Horizon, result: PlanningResult) -> Table:
    """A row for each step; steps in a row that are all alike share one."""
    columns = columns_of(result)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("from", "price", "grid", *columns):
        table.add_column(heading, justify="right", overflow="fold", min_width=6)
    rows = [
        (f"{price:.4f}", *(f"{power_kw:.2f}" for power_kw in powers_kw))
        for price, *powers_kw in zip(
            result.price_per_kwh, result.grid_kw, *columns.values(), strict=True
        )
    ]
    for step, row in enumerate(rows):
        if step == 0 or row != rows[step - 1]:
            table.add_row(time_of(horizon, step), *row)
    return table


def _cost_table(result: PlanningResult) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=False)
    for name in result.costs.__struct_fields__:
        if part := getattr(result.costs, name):
            table.add_row(name.replace("_", " "), f"{part:.4f}")
    table.add_row("cost in all", f"{result.total_cost:.4f}", style="bold")
    return table


def _limit_lines(horizon: Horizon, binding: tuple[LimitPrice, ...]) -> Iterator[Text]:
    """The limits that bind: in how many steps, and the highest price."""
    by_limit: dict[str, list[LimitPrice]] = {}
    for each in binding:
        by_limit.setdefault(each.limit, []).append(each)
    for limit, found in by_limit.items():
        dearest = max(found, key=lambda each: each.price_per_kwh)
        yield Text(
            f"limit {limit} binds in {len(found)} steps; one more kWh through it would save up to"
            f" {dearest.price_per_kwh:.4f} (at {time_of(horizon, dearest.step)})"
        )


def _reason_lines(horizon: Horizon, schedules: tuple[DeviceSchedule, ...]) -> Iterator[Text]:
    """Every device with its reasons."""
    if len(schedules) > MOST_TOLD:
        yield Text(f"--json has the reasons of all {len(schedules)} devices", style="dim")
        return
    for each in schedules:
        yield Text(each.device, style="bold")
        yield from (_reason_line(horizon, reason) for reason in each.reasons)


def _reason_line(horizon: Horizon, reason: Because) -> Text:
    span = f"{time_of(horizon, reason.from_step)} to {time_of(horizon, reason.to_step)}"
    return Text(f"  {span}  {reason.text} [{reason.code}]")


def time_of(horizon: Horizon, step: int) -> str:
    """When a step begins: the time of day (UTC), or without a start the time since then."""
    since_ms = round(step * horizon.step_s * 1000)
    if horizon.start_ms:
        return iso_utc(horizon.start_ms + since_ms)[5:16].replace("T", " ")
    minutes = since_ms // 60_000
    return f"{minutes // 60}:{minutes % 60:02d}"
