"""Whatever case a file holds, solved: one window of relay outputs, or the hours to come."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import RenderableType
from rich.text import Text

from schemas.planning_case import PlanningCase
from streams.cases.charts import bars_of, terminal_bars, write_page
from streams.cases.planning import is_planning_case, parse_planning_case, plan_case
from streams.cases.planning_charts import terminal_plan, write_plan_page
from streams.cases.planning_tables import show_result
from streams.cases.reading import Case, load_json, parse_case
from streams.cases.solving import show_solution, solve


@dataclass(frozen=True, slots=True)
class Answer:
    """A solved case.

    Attributes:
        json: all of it, for programs.
        words: all of it, for the terminal.
        chart: a chart for the terminal, of a width in characters.
        write_page: writes the chart as an HTML page.
    """

    json: bytes
    words: RenderableType
    chart: Callable[[int], Text]
    write_page: Callable[[Path], None]


def answer_case(path: Path) -> Answer:
    """The answer to the case in a JSON file; one with a horizon is a planning case.

    Raises:
        ConfigurationError: it cannot be read, or names every wrong field.
        PlanningError: the solver has no answer.
    """
    data, origin = load_json(path), f"case {path}"
    if is_planning_case(data):
        return answer_planning_case(parse_planning_case(data, origin), origin)
    return _decided(parse_case(data, origin))


def answer_planning_case(case: PlanningCase, origin: str) -> Answer:
    """The answer to a planning case; ``origin`` says where it came from.

    Raises:
        ConfigurationError: the case makes no sense; names every wrong field.
        PlanningError: the solver has no answer.
    """
    result = plan_case(case, origin)
    return Answer(
        json=msgspec.json.format(msgspec.json.encode(result), indent=2),
        words=show_result(case, result),
        chart=lambda width: terminal_plan(case, result, width=width),
        write_page=lambda page: write_plan_page(page, case, result),
    )


def _decided(case: Case) -> Answer:
    solution = solve(case)
    bars = bars_of(solution.plan)
    return Answer(
        json=solution.to_json(),
        words=show_solution(solution),
        chart=lambda width: terminal_bars(bars, width=width),
        write_page=lambda page: write_page(page, bars),
    )
