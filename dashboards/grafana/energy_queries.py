"""What is asked about energy from the grid and what it costs."""

from typing import Final

from dashboards.grafana.flux import (
    LABELLED,
    WIDE,
    by_range,
    flux,
    read,
    thinned,
    where,
)

_ENERGY: Final = flux(
    by_range(),
    read("bucket"),
    where("site_window", "net_kw", "count"),
    WIDE,
    """
    |> filter(fn: (r) => exists r.net_kw)
    |> map(fn: (r) => ({
        _time: r._time,
        _value:
            if r.net_kw <= 0.0 then 0.0
            else r.net_kw * (if exists r.count then float(v: r.count) else 1.0) * 5.0 / 3600.0,
    }))
    |> window(every: 15m)
    |> sum()
    |> duplicate(column: "_start", as: "_time")
    |> group()
    """,
)
"""Every point stands for 5 s, every mean for as many windows as it counts."""

_NEWEST_PRICE: Final = flux(
    f"priced = {read()}",
    where("event", "price_per_kwh", "currency", tags={"kind": "plan"}),
    """
    |> last()
    prices = priced
        |> filter(fn: (r) => r._field == "price_per_kwh")
        |> findColumn(fn: (key) => true, column: "_value")
    currencies = priced
        |> filter(fn: (r) => r._field == "currency")
        |> findColumn(fn: (key) => true, column: "_value")
    """,
)
"""The newest price of a plan in the range and its currency, as lists that may be empty."""


def imported_energy() -> str:
    """Energy drawn from the grid per quarter of an hour [kWh], reckoned from the net load."""
    return flux(_ENERGY, '|> set(key: "_field", value: "from net load")', LABELLED)


def metered_energy() -> str:
    """The increase of the energy counters per quarter of an hour [kWh]."""
    return flux(
        by_range(),
        read("bucket"),
        where("site_window", "energy_import_kwh", "energy_known"),
        WIDE,
        # Means hold known energy only; a newer revision may know less than an older one.
        "|> filter(fn: (r) => exists r.energy_import_kwh)",
        "|> filter(fn: (r) => not exists r.energy_known or r.energy_known)",
        '|> rename(columns: {energy_import_kwh: "_value"})',
        thinned("sum", "15m", gaps=False),
        '|> set(key: "_field", value: "by counters")',
        LABELLED,
    )


def imported_cost() -> str:
    """What that energy costs at the newest known price of the range [currency]."""
    return flux(
        _NEWEST_PRICE,
        _ENERGY,
        """
        |> filter(fn: (r) => length(arr: prices) > 0)
        |> map(fn: (r) => ({r with _value: r._value * prices[0], _field: currencies[0]}))
        """,
        LABELLED,
    )
