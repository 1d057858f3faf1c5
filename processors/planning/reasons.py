"""Why every device does what it does, step by step: a code, and a sentence with its figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.planning.arrays import Floats, vector, within
from processors.planning.deferrables import allowed_steps, planned_kwh
from schemas.planning_case import (
    Battery,
    Deferrable,
    Device,
    FixedLoad,
    Generator,
    Horizon,
    Session,
    Solar,
)
from schemas.planning_result import Because, PlanReason

_TINY_KW: Final = 1e-6
_TINY_KWH: Final = 1e-6
_TINY_SOC: Final = 1e-6

_SENTENCES: Final = {
    PlanReason.FORECAST: "nobody controls it: forecast {power}",
    PlanReason.ABSENT: "not there, or not allowed to run",
    PlanReason.SERVED: "has all that it asked for",
    PlanReason.MUST_RUN: "{power}: what it still needs takes all the time that is left",
    PlanReason.CHEAP: "{power}: energy costs {price} here, {range} over the horizon",
    PlanReason.WAITS: "waits: energy costs {price} here, {range} over the horizon",
    PlanReason.LIMITED: "{power}: {limits} leaves no more room; energy costs {price} with it",
    PlanReason.DISCHARGES_DEAR: "{power}: energy costs {price} here, {range} over the horizon",
    PlanReason.FULL: "{power}: full, nothing more can be stored",
    PlanReason.EMPTY: "at its lowest state of charge: nothing can be taken from it",
    PlanReason.IDLE: "rests: at {price} no difference of prices pays for losses and wear",
    PlanReason.ALL_AVAILABLE: "{power}: generates all that is available",
    PlanReason.NOTHING_AVAILABLE: "nothing to generate",
    PlanReason.CURTAILED: "{power}: more is worth {price} here",
    PlanReason.CHEAPER_THAN_GRID: "{power}: its energy is worth {price} here",
    PlanReason.AT_MINIMUM: "{power}: its least output; stopping would cost more, or is not allowed",
    PlanReason.TOO_DEAR: "off: energy is worth {price} here, less than it costs to generate",
}

_Rule = tuple[NDArray[np.bool_], PlanReason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a device does, and what energy is worth where it stands.

    Attributes:
        horizon: the steps.
        power_kw: what it does, (steps,) [kW].
        price: what one more kWh at the device would cost, (steps,) [currency/kWh].
        binding: the limits above it that bind in some step, and in which, (steps,) each.
        soc: of a battery, before the first step and after each, (steps + 1,).
    """

    horizon: Horizon
    power_kw: Floats
    price: Floats
    binding: dict[str, NDArray[np.bool_]]
    soc: Floats

    @property
    def limited(self) -> NDArray[np.bool_]:
        """Whether a limit above it binds, (steps,)."""
        limited = np.zeros(self.power_kw.size, dtype=np.bool_)
        for binds in self.binding.values():
            limited = limited | binds
        return limited


def reasons_of(device: Device, situation: Situation) -> Iterator[Because]:
    """The reasons of all steps, in order; steps in a row with the same reason are one."""
    codes = _codes(device, situation)
    powers_kw, prices = situation.power_kw.tolist(), situation.price.tolist()
    horizon_prices = _span(prices, ".4g")
    changes = [at for at in range(1, len(codes)) if codes[at] is not codes[at - 1]]
    for first, end in zip([0, *changes], [*changes, len(codes)], strict=True):
        text = _SENTENCES[codes[first]].format(
            power=f"{_span(powers_kw[first:end], 'g')} kW",
            price=_span(prices[first:end], ".4g"),
            range=horizon_prices,
            limits=" and ".join(
                name for name, binds in situation.binding.items() if binds[first:end].any()
            ),
        )
        yield Because(from_step=first, to_step=end, code=codes[first], text=text)


def _span(values: list[float], form: str) -> str:
    """Values as their range, or the one that they all are."""
    low, high = (format(round(each, 6) + 0.0, form) for each in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _codes(device: Device, situation: Situation) -> list[PlanReason]:
    """The reason of each step, (steps,)."""
    match device:
        case FixedLoad():
            return _chosen(situation, [], PlanReason.FORECAST)
        case Solar():
            return _solar_codes(device, situation)
        case Generator():
            return _generator_codes(device, situation)
        case Battery():
            return _battery_codes(situation, device)
        case Session():
            span = (device.arrival_step, device.departure_step)
            return _served_codes(situation, span, device.max_kw, device.energy_kwh)
        case Deferrable():
            span, wanted = (
                allowed_steps(device, situation.horizon),
                planned_kwh(device, situation.horizon),
            )
            return _served_codes(situation, span, device.power_kw, wanted)


def _chosen(situation: Situation, rules: list[_Rule], otherwise: PlanReason) -> list[PlanReason]:
    """The first rule that holds in each step."""
    codes = [*(code for _, code in rules), otherwise]
    steps = situation.power_kw.size
    holding = np.array([*(holds for holds, _ in rules), np.ones(steps, dtype=np.bool_)])
    return [codes[at] for at in holding.argmax(axis=0)]


def _solar_codes(device: Solar, situation: Situation) -> list[PlanReason]:
    available_kw = vector(device.available_kw, situation.horizon.steps)
    rules = [
        (available_kw <= _TINY_KW, PlanReason.NOTHING_AVAILABLE),
        (available_kw + situation.power_kw > _TINY_KW, PlanReason.CURTAILED),
    ]
    return _chosen(situation, rules, PlanReason.ALL_AVAILABLE)


def _generator_codes(device: Generator, situation: Situation) -> list[PlanReason]:
    output_kw = -situation.power_kw
    at_least = (output_kw <= device.min_kw + _TINY_KW) & (output_kw > _TINY_KW)
    rules = [
        (output_kw <= _TINY_KW, PlanReason.TOO_DEAR),
        (at_least, PlanReason.AT_MINIMUM),
    ]
    return _chosen(situation, rules, PlanReason.CHEAPER_THAN_GRID)


def _battery_codes(situation: Situation, device: Battery) -> list[PlanReason]:
    power_kw, before, after = situation.power_kw, situation.soc[:-1], situation.soc[1:]
    could_do_more = (power_kw < device.max_charge_kw - _TINY_KW) & (
        power_kw > -device.max_discharge_kw + _TINY_KW
    )
    rests = np.abs(power_kw) <= _TINY_KW
    rules = [
        (np.minimum(before, after) >= device.max_soc - _TINY_SOC, PlanReason.FULL),
        (rests & (before <= device.min_soc + _TINY_SOC), PlanReason.EMPTY),
        (could_do_more & situation.limited, PlanReason.LIMITED),
        (rests, PlanReason.IDLE),
        (power_kw > 0, PlanReason.CHEAP),
    ]
    return _chosen(situation, rules, PlanReason.DISCHARGES_DEAR)


def _served_codes(
    situation: Situation, span: tuple[int, int], most_kw: float, wanted_kwh: float
) -> list[PlanReason]:
    """Of a device that wants some energy within a span of steps."""
    power_kw, step_h = situation.power_kw, situation.horizon.step_h
    allowed = within([span], situation.horizon.steps)[0] > 0
    got_kwh = step_h * (np.cumsum(power_kw) - power_kw)
    lacking_kwh = wanted_kwh - got_kwh
    left_kwh = step_h * most_kw * np.cumsum(allowed[::-1])[::-1]
    runs = power_kw > _TINY_KW
    rules = [
        (~allowed, PlanReason.ABSENT),
        (~runs & (lacking_kwh <= _TINY_KWH), PlanReason.SERVED),
        ((power_kw < most_kw - _TINY_KW) & situation.limited, PlanReason.LIMITED),
        (runs & (lacking_kwh >= left_kwh - _TINY_KWH), PlanReason.MUST_RUN),
        (runs, PlanReason.CHEAP),
    ]
    return _chosen(situation, rules, PlanReason.WAITS)
