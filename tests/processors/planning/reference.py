"""The published cases of ``E_opt/dispatch_cases.json.gz`` as planning cases.

Powers become kW and energies kWh; prices stay what they are per kWh, or become so.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from schemas.planning_case import (
    Battery,
    Deferrable,
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    Session,
    SharedLimit,
    Solar,
)

Entry = dict[str, Any]

IDS = (
    *(
        f"emhass_{month}_d{day}{battery}"
        for month in ("feb2022", "may2022")
        for day in range(3)
        for battery in ("", "_batt")
    ),
    "flexmeasures_day2_lossless",
    "flexmeasures_day2_rte99",
    "pypsa_uc_basic",
    "pypsa_uc_startup",
    "ada_tou_tiny",
    "ada_infeasible_rate",
    "ev_2019-03-05_cap60",
    "ev_2019-03-07_cap50",
    "ev_2019-03-09_cap40",
)
"""Every entry, so that tests can be collected where there is no reference data."""


@cache
def entries(folder: Path) -> dict[str, Entry]:
    """All entries by id."""
    packed = (folder / "E_opt" / "dispatch_cases.json.gz").read_bytes()
    return {entry["id"]: entry for entry in json.loads(gzip.decompress(packed))}


def case_of(entry: Entry) -> PlanningCase:
    """An entry as a planning case."""
    match entry["kind"]:
        case "home_deferrable_milp" | "home_deferrable_battery_milp":
            return _home(entry)
        case "battery_arbitrage":
            return _arbitrage(entry)
        case "uc":
            return _commitment(entry)
        case "ev_schedule":
            return _schedule(entry)
        case "ev_lp":
            return _charging(entry)
        case kind:
            raise ValueError(kind)


def _thousandth(values: list[float]) -> tuple[float, ...]:
    return tuple(value / 1000 for value in values)


def _home(entry: Entry) -> PlanningCase:
    limit_kw = entry["grid_max_w"] / 1000
    battery = entry.get("battery")
    return PlanningCase(
        horizon=Horizon(steps=len(entry["buy"]), step_s=3600 * entry["dt_h"]),
        grid=GridConnection(
            import_price_per_kwh=tuple(entry["buy"]),
            export_price_per_kwh=tuple(entry["sell"]),
            max_import_kw=limit_kw,
            max_export_kw=limit_kw,
        ),
        loads=(FixedLoad(id="house", power_kw=_thousandth(entry["p_load_w"])),),
        solar=(Solar(id="pv", available_kw=_thousandth(entry["p_pv_w"]), curtailable=False),),
        batteries=() if battery is None else (_home_battery(battery),),
        deferrables=tuple(
            Deferrable(
                id=f"load-{number}",
                power_kw=each["power_w"] / 1000,
                hours=float(each["hours"]),
                interruptible=each["interruptible"],
                modulated=not each["on_off"],
            )
            for number, each in enumerate(entry["deferrable"])
        ),
    )


def _home_battery(battery: Entry) -> Battery:
    return Battery(
        id="battery",
        capacity_kwh=battery["cap"] / 1000,
        max_charge_kw=battery["p_max"] / 1000,
        max_discharge_kw=battery["p_max"] / 1000,
        soc=battery["soc0"],
        min_soc=battery["soc_min"],
        max_soc=battery["soc_max"],
        min_final_soc=battery["soc_end"],
        charge_efficiency=battery["eff_c"],
        discharge_efficiency=battery["eff_d"],
    )


def _arbitrage(entry: Entry) -> PlanningCase:
    """The capacity is not given; 5 MWh makes shares of the states of charge in MWh."""
    battery, capacity_mwh = entry["battery"], 5.0
    prices = _thousandth(entry["price_eur_mwh"])
    return PlanningCase(
        horizon=Horizon(steps=len(prices), step_s=3600 * entry["dt_h"]),
        grid=GridConnection(import_price_per_kwh=prices, export_price_per_kwh=prices),
        batteries=(
            Battery(
                id="battery",
                capacity_kwh=1000 * capacity_mwh,
                max_charge_kw=1000.0 * battery["power_mw"],
                max_discharge_kw=1000.0 * battery["power_mw"],
                soc=battery["soc0_mwh"] / capacity_mwh,
                min_soc=battery["soc_min_mwh"] / capacity_mwh,
                max_soc=battery["soc_max_mwh"] / capacity_mwh,
                roundtrip_efficiency=float(battery["roundtrip_eff"]),
            ),
        ),
    )


def _commitment(entry: Entry) -> PlanningCase:
    """An island; PyPSA takes a generator as on before unless ``up_time_before`` is 0."""
    return PlanningCase(
        horizon=Horizon(steps=len(entry["load"]), step_s=3600.0),
        grid=GridConnection(max_import_kw=0.0, max_export_kw=0.0),
        loads=(FixedLoad(id="load", power_kw=tuple(map(float, entry["load"]))),),
        generators=tuple(
            Generator(
                id=each["name"],
                max_kw=float(each["p_nom"]),
                min_kw=each["p_min_pu"] * each["p_nom"],
                price_per_kwh=float(each["mc"]),
                start_cost=float(each.get("start_up_cost", 0)),
                was_on=each.get("up_time_before", 1) > 0,
            )
            for each in entry["gens"]
        ),
    )


def _schedule(entry: Entry) -> PlanningCase:
    kw_per_a = entry["voltage"] / 1000
    prices = tuple(entry["price"]) if "price" in entry else 0.0
    sessions = tuple(
        Session(
            id=f"session-{number}",
            arrival_step=each["a"],
            departure_step=each["d"],
            energy_kwh=each["kwh"],
            max_kw=entry["evse_max_a"] * kw_per_a,
        )
        for number, each in enumerate(entry["sessions"])
    )
    horizon = Horizon(steps=entry["n_steps"], step_s=60.0 * entry["period_min"])
    return _garage(horizon, prices, sessions, entry["site_limit_a"] * kw_per_a)


def _charging(entry: Entry) -> PlanningCase:
    sessions = tuple(
        Session(
            id=each["session_id"],
            arrival_step=each["a"],
            departure_step=each["d"],
            energy_kwh=each["kwh"],
            max_kw=each["max_kw"],
        )
        for each in entry["sessions"]
    )
    horizon = Horizon(steps=entry["n_steps"], step_s=60.0 * entry["dt_min"])
    return _garage(horizon, tuple(entry["price_usd_kwh"]), sessions, float(entry["site_cap_kw"]))


def _garage(
    horizon: Horizon,
    prices: float | tuple[float, ...],
    sessions: tuple[Session, ...],
    limit_kw: float,
) -> PlanningCase:
    names = tuple(session.id for session in sessions)
    return PlanningCase(
        horizon=horizon,
        grid=GridConnection(import_price_per_kwh=prices),
        sessions=sessions,
        limits=(SharedLimit(id="site", max_kw=limit_kw, members=names),),
    )
