"""What is said of a panel, and how its series look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from dashboards.grafana.datasources import Question

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
BLUE: Final = "blue"
PURPLE: Final = "purple"
GREY: Final = "#8e8e8e"

FULL_WIDTH: Final = 24
"""Columns of Grafana's grid."""

Steps = Sequence[tuple[float | None, str]]
"""Colours by the value that they begin at; the first begins at None."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a panel.

    Attributes:
        title: of the panel.
        description: what is shown, and its unit.
        empty: why there may be nothing to show.
        questions: what it asks, one query each.
        unit: Grafana's name of the unit; ``short`` for plain numbers.
        width: in columns of 24.
        height: in rows of 30 pixels.
    """

    title: str
    description: str
    empty: str
    questions: tuple[Question, ...]
    unit: str = "short"
    width: int = 12
    height: int = 8


@dataclass(frozen=True, slots=True)
class Look:
    """How a series, or a column, is called and drawn."""

    name: str
    colour: str = ""
    dashed: bool = False
    unit: str = ""
    width_px: int = 0

    def properties(self) -> list[DynamicConfigValue]:
        """As overrides of the field's settings."""
        found: dict[str, object] = {"displayName": self.name}
        if self.colour:
            found["color"] = {"mode": "fixed", "fixedColor": self.colour}
        if self.dashed:
            found["custom.lineStyle"] = {"fill": "dash", "dash": [8, 6]}
        if self.unit:
            found["unit"] = self.unit
        if self.width_px:
            found["custom.width"] = self.width_px
        return [DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]


Looks = dict[str, Look]
"""Looks by the name of the field in the answer."""


def states_of(texts: dict[str, tuple[str, str]]) -> ValueMapping:
    """Texts and colours by value."""
    options = {
        value: ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(texts.items())
    }
    return ValueMap(options=options)
