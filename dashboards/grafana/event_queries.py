"""What is asked of the decisions: forecasts, commands, confirmations, reasons.

Plan and verdict of one decision have the same time to the nanosecond, so one pivot joins them.
"""

from typing import Final

from dashboards.grafana.flux import (
    LABELLED,
    SINCE,
    Tags,
    at_most,
    flux,
    read,
    thinned,
    where,
)
from dashboards.grafana.series_queries import DEVICES

_PLAN_AND_VERDICT: Final = ("plan", "verdict")
_COMMAND_AND_ACK: Final = ("setpoint", "ack")
_JOINED: Final = """
    |> group(columns: ["site", "kind", "_field"])
    |> pivot(rowKey: ["_time"], columnKey: ["kind", "_field"], valueColumn: "_value")
"""
_EXCHANGE: Final[Tags] = {"kind": _COMMAND_AND_ACK, "device": DEVICES}
_LIST: Final = """
    list = (json) => strings.replaceAll(
        v: regexp.replaceAllString(r: /["\\[\\]]/, v: json, t: ""), t: ",", u: ", ",
    )
"""
"""A list of codes in words."""


def forecasts() -> str:
    """Per plan, what its look-ahead sees [kW]; the greatest per interval, of the last 24 h.

    The peak without control, ``uncontrolled_kw``, and under the plan, ``expected_kw``, and the
    threshold, ``threshold_kw``.
    """
    fields = ("uncontrolled_kw", "expected_kw", "threshold_kw")
    return flux(
        at_most("24h"),
        read(during=SINCE),
        where("event", *fields, tags={"kind": "plan"}),
        thinned("max", "v.windowPeriod"),
        LABELLED,
    )


def commands_and_confirmations() -> str:
    """Setpoints by kind and acknowledgements by result, counted per interval."""
    return flux(
        read(),
        where("event", "outcome", tags={"kind": _COMMAND_AND_ACK}),
        '|> group(columns: ["kind", "_value"])',
        """
        |> map(fn: (r) => ({_time: r._time, _value: 1, _field:
            (if r.kind == "ack" then "acknowledged: " else "sent: ") + r._value
        }))
        |> group(columns: ["_field"])
        """,
        thinned("sum", "v.windowPeriod", gaps=False),
        LABELLED,
    )


def newest_decisions() -> str:
    """The newest twenty plans with verdict and reasons, the newest first."""
    return flux(
        _IMPORTS,
        _LIST,
        at_most("6h"),
        read(during=SINCE),
        where("event", *_DECISION_FIELDS, tags={"kind": _PLAN_AND_VERDICT}),
        "|> tail(n: 20)",
        _JOINED,
        """
        |> group()
        |> filter(fn: (r) => exists r.plan_outcome)
        |> sort(columns: ["_time"], desc: true)
        |> limit(n: 20)
        |> map(fn: (r) => ({
            time: date.truncate(t: r._time, unit: 5s),
            plan: r.plan_outcome,
            verdict: if exists r.verdict_outcome then r.verdict_outcome else "none yet",
            load_kw: r.plan_load_kw,
            uncontrolled_kw: r.plan_uncontrolled_kw,
            expected_kw: r.plan_expected_kw,
            threshold_kw: r.plan_threshold_kw,
            switched_on: r.plan_switched_on,
            switched_off: r.plan_switched_off,
            reasons: list(json: r.plan_reasons),
            refusals: if exists r.verdict_reasons then list(json: r.verdict_reasons) else "",
            decision_id: r.plan_decision_id,
        }))
        """,
    )


def switching_marks() -> str:
    """A mark for every plan that switches something: what, and the verdict; of the last 6 h."""
    fields = ("outcome", "reasons", "switched_on", "switched_off")
    return flux(
        _IMPORTS,
        _LIST,
        at_most("6h"),
        read(during=SINCE),
        where("event", *fields, tags={"kind": _PLAN_AND_VERDICT}),
        _JOINED,
        """
        |> group()
        |> filter(fn: (r) => r.plan_switched_on > 0 or r.plan_switched_off > 0)
        |> map(fn: (r) => ({
            time: date.truncate(t: r._time, unit: 5s),
            text: "switches " + string(v: r.plan_switched_on) + " on, "
                + string(v: r.plan_switched_off) + " off: " + list(json: r.plan_reasons),
            tags: "decision," + (if exists r.verdict_outcome then r.verdict_outcome else "open"),
        }))
        """,
    )


def refusal_marks() -> str:
    """A mark for every verdict that rejects a plan, or renews the last one; of the last 6 h."""
    return flux(
        _IMPORTS,
        _LIST,
        at_most("6h"),
        read(during=SINCE),
        where("event", "outcome", "reasons", tags={"kind": "verdict"}),
        _JOINED,
        """
        |> group()
        |> filter(fn: (r) => r.verdict_outcome == "rejected" or r.verdict_outcome == "renewed")
        |> map(fn: (r) => ({
            time: date.truncate(t: r._time, unit: 5s),
            text: r.verdict_outcome + " " + list(json: r.verdict_reasons),
            tags: "verdict," + r.verdict_outcome,
        }))
        """,
    )


def newest_by_device() -> str:
    """Per device: the last setpoint, the last acknowledgement, and whether they belong together."""
    return flux(
        read(),
        where(
            "event", "outcome", "at_ms", "seq", tags={"kind": _COMMAND_AND_ACK, "device": DEVICES}
        ),
        """
        |> last()
        |> group(columns: ["site", "kind", "_field"])
        |> pivot(rowKey: ["device"], columnKey: ["kind", "_field"], valueColumn: "_value")
        |> group()
        |> filter(fn: (r) => exists r.setpoint_seq or exists r.ack_seq)
        |> map(fn: (r) => ({
            device: r.device,
            told: r.setpoint_outcome,
            told_at: r.setpoint_at_ms,
            answered: r.ack_outcome,
            answered_at: r.ack_at_ms,
            confirmed: if exists r.ack_seq and r.ack_seq == r.setpoint_seq then "yes" else "no",
        }))
        |> sort(columns: ["device"])
        """,
    )


def answers_by_device() -> str:
    """Per device, its acknowledgements by result, counted over the range."""
    return flux(
        read(),
        where("event", "outcome", tags={"kind": "ack", "device": DEVICES}),
        """
        |> group(columns: ["device", "_value"])
        |> map(fn: (r) => ({device: r.device, answer: r._value, one: 1}))
        |> group(columns: ["device", "answer"])
        |> sum(column: "one")
        |> group()
        |> pivot(rowKey: ["device"], columnKey: ["answer"], valueColumn: "one")
        |> sort(columns: ["device"])
        """,
    )


_IMPORTS: Final = 'import "date"\nimport "regexp"\nimport "strings"'
_DECISION_FIELDS: Final = (
    "outcome",
    "reasons",
    "load_kw",
    "uncontrolled_kw",
    "expected_kw",
    "threshold_kw",
    "switched_on",
    "switched_off",
    "decision_id",
)
