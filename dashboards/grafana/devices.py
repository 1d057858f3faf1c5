"""The devices dashboard: what each device was told, what it answered, what it draws."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana import event_queries as events
from dashboards.grafana import series_queries as series
from dashboards.grafana import window_queries as windows
from dashboards.grafana.assembling import Section, assembled, device_variable, site_variable
from dashboards.grafana.datasources import Sources
from dashboards.grafana.looks import (
    FULL_WIDTH,
    GREEN,
    RED,
    YELLOW,
    About,
    Look,
)
from dashboards.grafana.operations import RELAY_STATES, RELAY_STEPS
from dashboards.grafana.panels import (
    Panel,
    rows_table,
    state_timeline,
    time_series,
)

UID: Final = "gridloom-devices"


def devices(sources: Sources) -> Dashboard:
    """The dashboard of the devices of one site."""
    board = assembled(
        UID,
        "Gridloom: devices",
        "Commands and answers, states, power and missing data of the devices of one site.",
        (
            Section("Control", _control(sources)),
            Section("Measurements", _measurements(sources)),
        ),
    )
    return board.with_variable(site_variable(sources)).with_variable(device_variable(sources))


def _control(sources: Sources) -> list[Panel]:
    """What devices were told, and what they did."""
    newest = About(
        "Last command and answer",
        "Per device of the range: kind and time of the last setpoint, result and time of the last"
        " acknowledgement, and whether it answers that setpoint.",
        "no device was commanded in this range",
        (events.newest_by_device(),),
        "short",
        14,
    )
    answers = About(
        "Answers by result",
        "Acknowledgements per device and result over the range [number].",
        "no device answered in this range",
        (events.answers_by_device(),),
        "short",
        10,
    )
    relays = About(
        "Relay states",
        "State of every output of the chosen boards by telemetry: green on, grey off, yellow"
        " where it switched within the interval; a gap where it is unknown. No unit.",
        "no relay states of the chosen devices in this range; beyond 6 h: no means"
        " (gridloom historian downsample)",
        (series.relay_states(series.DEVICES),),
        "none",
        FULL_WIDTH,
    )
    looks = {
        "told": Look("last setpoint"),
        "told_at": Look("issued", unit="dateTimeAsIso"),
        "answered": Look("last answer"),
        "answered_at": Look("answered", unit="dateTimeAsIso"),
    }
    return [
        rows_table(newest, sources, looks),
        rows_table(answers, sources),
        state_timeline(relays, sources, [RELAY_STATES], RELAY_STEPS),
    ]


def _measurements(sources: Sources) -> list[Panel]:
    """What devices measure, and what is missing of it."""
    powers = About(
        "Active power by device",
        "Active power [kW] of the chosen devices; of more than twelve, those with the greatest"
        " mean. Consumption positive, generation negative. Beyond 3 h it shows means.",
        "no power of the chosen devices in this range; beyond 3 h: no means"
        " (gridloom historian downsample)",
        (series.powers_by_device(),),
        "kwatt",
        FULL_WIDTH,
        11,
    )
    states = About(
        "Series by status",
        "How many series of the site were measured, held over from an earlier reading (valid), and"
        " missing [series]; of the last 6 h of the range at most.",
        "no windows in the last 6 h of this range",
        (windows.series_by_status(),),
    )
    missing = About(
        "Missing series",
        "Series of the chosen devices that were missing, the longest first, and for how long"
        " [windows of 5 s]; of the last 6 h of the range at most.",
        "nothing missing, or no windows, in the last 6 h of this range",
        (series.missing_series(),),
    )
    looks = {
        "measured": Look("measured", GREEN),
        "valid": Look("valid", YELLOW),
        "missing": Look("missing", RED),
    }
    return [
        time_series(powers, sources),
        time_series(states, sources, looks, stacked=True),
        rows_table(missing, sources, {"windows_missing": Look("windows missing")}),
    ]
