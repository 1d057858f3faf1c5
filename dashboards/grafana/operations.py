"""The operations dashboard: what a site draws, what was decided, and what it was worth."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana import energy_queries as energies
from dashboards.grafana import event_queries as events
from dashboards.grafana import figure_queries as figures
from dashboards.grafana import series_queries as series
from dashboards.grafana import window_queries as windows
from dashboards.grafana.assembling import Section, assembled, marks, site_variable
from dashboards.grafana.datasources import Sources
from dashboards.grafana.looks import (
    BLUE,
    FULL_WIDTH,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    About,
    Look,
    Looks,
    Steps,
    states_of,
)
from dashboards.grafana.panels import (
    Panel,
    bars,
    figure,
    rows_table,
    state_timeline,
    time_series,
)

UID: Final = "gridloom-operations"

_FORECAST_LOOKS: Final[Looks] = {
    "uncontrolled_kw": Look("forecast peak without control", ORANGE, dashed=True),
    "expected_kw": Look("forecast peak under the plan", PURPLE, dashed=True),
    "threshold_kw": Look("threshold", RED),
}
_POWER_LOOKS: Final[Looks] = {
    "net_kw": Look("net load", BLUE),
    "net_kw_max": Look("greatest net load", "light-blue"),
    "load_kw": Look("load", GREY),
    "generation_kw": Look("generation", GREEN),
}
RELAY_STATES: Final = states_of({"0": ("off", GREY), "1": ("on", GREEN)})
RELAY_STEPS: Final[Steps] = ((None, GREY), (0.001, YELLOW), (1.0, GREEN))
"""Between off and on: it switched within the interval."""

_COMPLETENESS: Final = states_of(
    {"0": ("complete", GREEN), "1": ("degraded", YELLOW), "2": ("blind", RED)}
)
_COMPLETENESS_STEPS: Final[Steps] = ((None, GREEN), (1.0, YELLOW), (2.0, RED))
_COMPLETENESS_TEXTS: Final = states_of(
    {
        "complete": ("complete", GREEN),
        "degraded": ("degraded", YELLOW),
        "blind": ("blind", RED),
    }
)


def operations(sources: Sources) -> Dashboard:
    """The dashboard of one site."""
    board = assembled(
        UID,
        "Gridloom: operations",
        "Net load against its threshold, decisions and what they were worth, of one site.",
        (
            Section("Key figures", _key_figures(sources)),
            Section("Power", _power(sources)),
            Section("Decisions", _decisions(sources)),
            Section("Energy and cost", _energy(sources)),
        ),
    )
    board.with_variable(site_variable(sources))
    board.annotation(marks("Switching", events.switching_marks(), PURPLE, sources))
    return board.annotation(marks("Refusals", events.refusal_marks(), RED, sources))


def _key_figures(sources: Sources) -> list[Panel]:
    """The figures of requirement S1-12, and how much is known."""
    peak = About(
        "Predicted peak load (look-ahead)",
        "Greatest power [kW] that the newest plan foresees, without control and under the plan,"
        " beside its threshold. It looks ahead as far as the site's model says (lookahead_s, 30 s"
        " unless set). A blind plan foresees nothing.",
        "no plan in this range",
        (figures.predicted_peak(),),
        "kwatt",
        9,
        5,
    )
    commands = About(
        "Optimisation commands sent today",
        "Setpoints that command a change, counted since midnight (dashboard's time zone) of the"
        " newest window's day. Renewals of a lease do not count.",
        "no windows in this range",
        (figures.commands_today(),),
        "none",
        5,
        5,
    )
    savings = About(
        "Energy cost savings today (estimate)",
        "What the plans of the newest window's day that the gate let through avoid [currency of"
        " the tariff]: (forecast without control - forecast under the plan) x 5 s x price. An"
        " estimate by the look-ahead, gross of rebound: what was shed may be drawn later.",
        "unknown: no plan in this range, or no price in the site's tariff",
        (figures.savings_today(),),
        "none",
        5,
        5,
    )
    newest = About(
        "Newest window",
        "Completeness of the newest window: complete, degraded (something required is missing),"
        " or blind (more than half of the rated power is missing).",
        "no windows in this range",
        (windows.newest_completeness(),),
        "none",
        5,
        5,
    )
    return [
        figure(peak, sources, _FORECAST_LOOKS),
        figure(commands, sources, {"commands": Look("commands")}),
        figure(savings, sources, steps=((None, GREEN),)).decimals(2),
        figure(newest, sources, states=[_COMPLETENESS_TEXTS], fields="/^completeness$/"),
    ]


def _power(sources: Sources) -> list[Panel]:
    """What the site draws, what is foreseen, what is known, what is switched."""
    net = About(
        "Net load, threshold and look-ahead",
        "Load, generation (negative) and their sum, the net load [kW], from aligned windows; the"
        " threshold that dispatch holds the site under; and per plan the peak that its look-ahead"
        " sees, without control and under the plan (these three of the last 24 h at most). Beyond"
        " 6 h it shows means, and the greatest net load within each.",
        "no windows in this range; beyond 6 h: no means (gridloom historian downsample)",
        (windows.powers(), events.forecasts()),
        "kwatt",
        FULL_WIDTH,
        11,
    )
    completeness = About(
        "Completeness of windows",
        "The worst window of each interval: green complete, yellow degraded, red blind; a gap is"
        " an interval without windows. At most the last 6 h of the range. No unit.",
        "no windows in the last 6 h of this range",
        (windows.completeness(),),
        "none",
        FULL_WIDTH,
        4,
    )
    relays = About(
        "Relay states",
        "State of every relay output by telemetry: green on, grey off, yellow where it switched"
        " within the interval; a gap where it is unknown. No unit.",
        "no relay states in this range; beyond 6 h: no means (gridloom historian downsample)",
        (series.relay_states(),),
        "none",
        FULL_WIDTH,
        6,
    )
    return [
        time_series(net, sources, {**_POWER_LOOKS, **_FORECAST_LOOKS}),
        state_timeline(completeness, sources, [_COMPLETENESS], _COMPLETENESS_STEPS),
        state_timeline(relays, sources, [RELAY_STATES], RELAY_STEPS),
    ]


def _decisions(sources: Sources) -> list[Panel]:
    """What was commanded and confirmed, and why."""
    commands = About(
        "Commands and confirmations",
        "Setpoints sent, by kind, and acknowledgements by readback, by result: number per"
        " interval.",
        "no setpoints in this range",
        (events.commands_and_confirmations(),),
        "short",
        FULL_WIDTH,
    )
    newest = About(
        "Newest decisions",
        "The newest twenty plans of the last 6 h of the range: status, the gate's verdict, powers"
        " [kW], outputs switched, and the reasons. `gridloom explain` tells a decision's whole way"
        " by its id.",
        "no plans in the last 6 h of this range",
        (events.newest_decisions(),),
        "short",
        FULL_WIDTH,
        10,
    )
    looks = {
        "time": Look("window", unit="dateTimeAsIso", width_px=170),
        "load_kw": Look("net load", unit="kwatt", width_px=95),
        "uncontrolled_kw": Look("without control", unit="kwatt", width_px=125),
        "expected_kw": Look("under the plan", unit="kwatt", width_px=120),
        "threshold_kw": Look("threshold", unit="kwatt", width_px=95),
        "switched_on": Look("on", width_px=50),
        "switched_off": Look("off", width_px=50),
        "decision_id": Look("decision"),
    }
    return [
        bars(commands, sources),
        rows_table(newest, sources, looks),
    ]


def _energy(sources: Sources) -> list[Panel]:
    """What was drawn, and what that costs."""
    energy = About(
        "Energy from the grid",
        "Energy drawn per quarter of an hour [kWh], reckoned from the net load where it is"
        " positive.",
        "no windows in this range; beyond 6 h: no means (gridloom historian downsample)",
        (energies.imported_energy(),),
        "kwatth",
        8,
    )
    metered = About(
        "Energy by counters",
        "Increase of the meters' energy counters per quarter of an hour [kWh].",
        "no energy counters in this range: no meter of the site sends energy_import",
        (energies.metered_energy(),),
        "kwatth",
        8,
    )
    cost = About(
        "Cost of energy from the grid",
        "Energy reckoned from the net load, times the newest known price of the range [currency"
        " of the tariff per quarter of an hour].",
        "unknown: no windows in this range, or no price in the site's tariff",
        (energies.imported_cost(),),
        "none",
        8,
    )
    return [
        bars(energy, sources),
        bars(metered, sources),
        bars(cost, sources).decimals(2),
    ]
