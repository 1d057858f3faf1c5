"""Planning cases for ``gridloom dispatch``: the hours to come of a site, in a file.

::

    {"horizon": {"steps": 96}, "grid": {...}, "batteries": [{...}], ...}

``docs/reference/planning.md`` describes every field; ``schemas.planning_case`` is the source.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from processors.planning.planner import Planner
from schemas.errors import ConfigurationError
from schemas.planning_case import PlanningCase
from schemas.planning_result import PlanningResult
from streams.cases.checking import problems_of

_HINT: Final = "docs/reference/planning.md describes every field, with a complete example"


def is_planning_case(data: object) -> bool:
    """Whether parsed JSON is meant as a planning case: it has a horizon."""
    return isinstance(data, Mapping) and "horizon" in data


def parse_planning_case(data: object, origin: str) -> PlanningCase:
    """The planning case in parsed JSON.

    Raises:
        ConfigurationError: with every field of a wrong type; ``origin`` says where it came from.
    """
    if problems := [each.removeprefix(".") for each in problems_of(data, PlanningCase, "")]:
        message = f"{origin} is no planning case"
        raise ConfigurationError(message, problems=problems, hint=_HINT)
    return msgspec.convert(data, PlanningCase)


def plan_case(case: PlanningCase, origin: str) -> PlanningResult:
    """The plan of a case.

    Raises:
        ConfigurationError: the case makes no sense; ``problems`` names every wrong field.
        PlanningError: the solver has no answer.
    """
    try:
        return Planner().plan(case)
    except ConfigurationError as error:
        message = f"{origin} is no planning case"
        raise ConfigurationError(message, problems=error.problems, hint=_HINT) from error
