"""The three key figures of requirement S1-12, reckoned from stored events alone.

A day runs from midnight to midnight in the time zone of the dashboard; today is the day of the
newest window in the dashboard's range, so that a replayed day has its figures, too.
"""

from typing import Final

from dashboards.grafana.flux import LABELLED, flux, read, where

_TODAY: Final = flux(
    """
    import "date"
    import "timezone"
    zone = "${__timezone}"
    option location = timezone.location(name: if zone == "utc" then "UTC" else zone)
    newest = """
    + read(),
    where("site_window", "net_kw"),
    """
    |> last()
    ends = newest |> findColumn(fn: (key) => true, column: "_time")
    end = if length(arr: ends) > 0 then ends[0] else v.timeRangeStart
    midnight = date.truncate(t: end, unit: 1d)
    after = date.add(d: 5s, to: end)
    """,
)
"""Names ``newest``, the newest window, and today's ``midnight`` and ``after``, its end."""

_SO_FAR: Final = "|> range(start: midnight, stop: after)"


def predicted_peak() -> str:
    """The newest plan's forecast peak without control and under the plan, and its threshold [kW].

    Its horizon is the look-ahead of the site's model. A blind plan foresees nothing.
    """
    return flux(
        read(),
        where("event", "uncontrolled_kw", "expected_kw", "threshold_kw", tags={"kind": "plan"}),
        """
        |> last()
        |> group(columns: ["site"])
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
        |> group()
        |> sort(columns: ["_time"], desc: true)
        |> limit(n: 1)
        |> drop(columns: ["site"])
        """,
    )


def commands_today() -> str:
    """How many setpoints of today command a change; renewals of a lease do not count."""
    return flux(
        _TODAY,
        f"commands = {read(during=_SO_FAR)}",
        where("event", "outcome", tags={"kind": "setpoint"}),
        """
        |> filter(fn: (r) => r._value == "command")
        |> map(fn: (r) => ({_time: end, _value: 1, _field: "commands"}))
        none = newest
        |> map(fn: (r) => ({_time: end, _value: 0, _field: "commands"}))
        union(tables: [none, commands])
        |> group(columns: ["_time", "_field"])
        |> sum()
        """,
        LABELLED,
    )


def savings_today() -> str:
    """What today's plans that were let through saved [currency]; named by the currency.

    The sum of ``max(0, uncontrolled - expected) x 5/3600 h x price`` over the plans that the gate
    accepted or renewed and that foresaw anything. Where one of them has no price, or there are
    several currencies, it is unknown and there is no row. Without any such plan it is 0, if the
    newest plan has a price.
    """
    fields = ("uncontrolled_kw", "expected_kw", "price_per_kwh", "currency", "outcome")
    return flux(
        _TODAY,
        f"decisions = {read(during=_SO_FAR)}",
        where("event", *fields, tags={"kind": ("plan", "verdict")}),
        """
        |> group(columns: ["site", "kind", "_field"])
        |> pivot(rowKey: ["_time"], columnKey: ["kind", "_field"], valueColumn: "_value")
        |> group()
        |> filter(fn: (r) => exists r.plan_outcome)
        foreseen = decisions
        |> filter(fn: (r) =>
            (r.verdict_outcome == "accepted" or r.verdict_outcome == "renewed")
                and exists r.plan_uncontrolled_kw and exists r.plan_expected_kw
        )
        |> map(fn: (r) => ({
            counts: true,
            price: r.plan_price_per_kwh,
            currency: r.plan_currency,
            kwh:
                if r.plan_uncontrolled_kw > r.plan_expected_kw
                then (r.plan_uncontrolled_kw - r.plan_expected_kw) * 5.0 / 3600.0
                else 0.0,
        }))
        last = decisions
        |> last(column: "plan_outcome")
        |> filter(fn: (r) => exists r.plan_price_per_kwh)
        |> map(fn: (r) => ({
            counts: false,
            price: r.plan_price_per_kwh,
            currency: r.plan_currency,
            kwh: 0.0,
        }))
        union(tables: [foreseen, last])
        |> reduce(
            identity: {amount: 0.0, known: true, counted: 0, currency: "", fallback: ""},
            fn: (r, accumulator) => ({
                amount: accumulator.amount + (if exists r.price then r.kwh * r.price else 0.0),
                known: accumulator.known and (not r.counts or (exists r.price
                    and (accumulator.counted == 0 or accumulator.currency == r.currency))),
                counted: accumulator.counted + (if r.counts then 1 else 0),
                currency: if r.counts and exists r.currency then r.currency
                    else accumulator.currency,
                fallback: if r.counts then accumulator.fallback else r.currency,
            }),
        )
        |> filter(fn: (r) => r.known)
        |> map(fn: (r) => ({
            _time: end,
            _value: r.amount,
            _field: if r.counted > 0 then r.currency else r.fallback,
        }))
        """,
    )
