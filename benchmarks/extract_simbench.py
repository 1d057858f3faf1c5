# /// script
# requires-python = ">=3.11"
# dependencies = ["simbench==1.6.3", "numpy>=2.0", "polars>=1.30"]
# ///
"""Cut the demo's input out of SimBench: a year is searched, one week and the grid are kept.

Run it from the repository root; it writes `hardware/data/simbench_*`::

    PYTHONPATH=. uv run --no-project benchmarks/extract_simbench.py

It reads the data files that the `simbench` package carries, not its code. They name no time
zone, but their labels skip 27 March and repeat 30 October from 02:00 to 02:45: they are German
local time, which this script checks row by row before it turns them into UTC.
"""

import gzip
import json
from datetime import datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from polars import selectors as cs

from hardware.simbench_slice import DEMO, STEP_S, Powers, find_excerpt, net_kw

DATASET = "1-complete_data-mixed-all-0-sw"
GRID_CODE = "1-LV-urban6--0-sw"
SUBNET = "LV6.201"
ZONE = ZoneInfo("Europe/Berlin")
YEAR_START = datetime(2016, 1, 1, tzinfo=ZONE)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
WEEK_STEPS = 7 * 96
EXCERPT_STEPS = 20
DECIMALS = 4  # of a kW: 0.1 W
TARGET = Path(__file__).parents[1] / "hardware" / "data"


def read(name: str) -> pl.DataFrame:
    """Read one table of the data set as it is."""
    package = Path(str(distribution("simbench").locate_file("simbench")))
    path = package / "networks" / DATASET / f"{name}.csv"
    return pl.read_csv(path, separator=";", null_values="NULL", infer_schema_length=None)


def of_subnet(name: str) -> pl.DataFrame:
    """Read the rows of a table that belong to the grid."""
    return read(name).filter(subnet=SUBNET)


def utc_times(labels: pl.Series) -> pl.Series:
    """Return the UTC time of every row; stop where a label is not German local time."""
    last = YEAR_START + timedelta(seconds=STEP_S * (len(labels) - 1))
    local = pl.datetime_range(YEAR_START, last, f"{STEP_S}s", time_zone=str(ZONE), eager=True)
    if labels.to_list() != local.dt.strftime("%d.%m.%Y %H:%M").to_list():
        raise SystemExit("The time labels are not those of German local time.")
    return local.dt.convert_time_zone("UTC")


def meter_table() -> pl.DataFrame:
    """List loads and PV systems by the number in their SimBench name."""
    number = pl.col("id").str.extract(r"(\d+)$").cast(pl.Int64)
    loads = of_subnet("Load").select(
        number.alias("number"),
        meter_id=pl.format("L{}", number.cast(pl.String).str.zfill(3)),
        kind=pl.lit("load"),
        simbench_id="id",
        bus="node",
        rated_kw=(pl.col("pLoad") * 1000).round(6),
        rated_kvar=(pl.col("qLoad") * 1000).round(6),
        profile="profile",
    )
    pvs = of_subnet("RES").select(
        number.alias("number"),
        meter_id=pl.format("PV{}", number),
        kind=pl.lit("pv"),
        simbench_id="id",
        bus="node",
        rated_kw=(pl.col("pRES") * 1000).round(6),
        rated_kvar=(pl.col("qRES") * 1000.0).round(6),
        profile="profile",
    )
    return pl.concat([loads.sort("number"), pvs.sort("number")]).drop("number")


def year_of_power(meters: pl.DataFrame) -> pl.DataFrame:
    """Multiply profiles with ratings: `<meter>_kw` and `<meter>_kvar` over the whole year."""
    load, res = read("LoadProfile"), read("RESProfile")
    times = utc_times(load["time"])
    if not times.equals(utc_times(res["time"])):
        raise SystemExit("Loads and generation are not on one time axis.")
    columns = {"time_utc": times}
    for meter in meters.iter_rows(named=True):
        name, profile = meter["meter_id"], meter["profile"]
        if meter["kind"] == "load":
            columns[f"{name}_kw"] = load[f"{profile}_pload"] * meter["rated_kw"]
            columns[f"{name}_kvar"] = load[f"{profile}_qload"] * meter["rated_kvar"]
        else:
            columns[f"{name}_kw"] = -res[profile] * meter["rated_kw"]
    return pl.DataFrame(columns)


def matrix(power: pl.DataFrame, pattern: str) -> Powers:
    """Return the columns whose names match, shape (steps, columns)."""
    return np.asarray(power.select(pl.col(pattern)).to_numpy(), dtype=np.float64)


def monday_before(times: pl.Series, row: int) -> int:
    """Return the row of 00:00, German time, of the Monday on or before a row."""
    moment: datetime = times[row].astimezone(ZONE)
    monday = (moment - timedelta(days=moment.weekday())).replace(hour=0, minute=0)
    return times.to_list().index(monday)


def grid_tables() -> dict[str, pl.DataFrame]:
    """Collect the SimBench rows that describe the grid, with its one node on the MV side."""
    tables = {
        name: of_subnet(name) for name in ("Line", "Transformer", "Switch", "Load", "RES", "Node")
    }
    external = read("ExternalNet").filter(pl.col("subnet").str.starts_with(f"{SUBNET}_"))
    nodes = read("Node")
    tables["ExternalNet"] = external
    tables["Node"] = pl.concat(
        [nodes.filter(pl.col("id").is_in(external["node"].to_list())), tables["Node"]]
    )
    for name, users in (("LineType", "Line"), ("TransformerType", "Transformer")):
        tables[name] = read(name).filter(pl.col("id").is_in(tables[users]["type"].to_list()))
    places = tables["Node"]["coordID"].unique().to_list()
    tables["Coordinates"] = read("Coordinates").filter(pl.col("id").is_in(places))
    return tables


def write_grid(tables: dict[str, pl.DataFrame]) -> None:
    """Write the tables as one JSON object, a row a line so that a diff can be read."""
    parts = []
    for name in sorted(tables):
        rows = ",\n".join(f"  {json.dumps(row)}" for row in tables[name].iter_rows(named=True))
        parts.append(f'"{name}": [\n{rows}\n]')
    (TARGET / "simbench_grid.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


def write_week(week: pl.DataFrame) -> None:
    """Write the week rounded to 0.1 W; the same input gives the same bytes."""
    rounded = cs.float().round(DECIMALS)
    numbers = pl.when(rounded != 0).then(rounded).otherwise(0.0)  # or there would be -0.0
    text = week.with_columns(numbers, pl.col("time_utc").dt.strftime(TIME_FORMAT))
    packed = gzip.compress(text.write_csv().encode(), 9, mtime=0)
    (TARGET / "simbench_week.csv.gz").write_bytes(packed)


def figures(year: pl.DataFrame) -> tuple[int, dict[str, object]]:
    """Search the year: the week's first row, and what the source, unrounded, holds."""
    load_kw, pv_kw = matrix(year, r"^L\d+_kw$"), matrix(year, r"^PV\d+_kw$")
    base_kw = net_kw(load_kw, pv_kw)
    first, scale, excerpt_kw = best_excerpt(base_kw)
    week_row = monday_before(year["time_utc"], first)
    week = slice(week_row, week_row + WEEK_STEPS)
    hours = STEP_S / 3600
    return week_row, {
        "simbench": distribution("simbench").version,
        "grid": GRID_CODE,
        "week_start_utc": year["time_utc"][week_row].strftime(TIME_FORMAT),
        "week_load_kwh": round(float(load_kw[week].sum()) * hours, 3),
        "week_load_kvarh": round(float(matrix(year, r"^L\d+_kvar$")[week].sum()) * hours, 3),
        "week_pv_kwh": round(float(pv_kw[week].sum()) * hours, 3),
        "year_peak_of_base_kw": round(float(base_kw.max()), 3),
        "excerpts_searched": len(base_kw) - EXCERPT_STEPS + 1,
        "excerpt_first": first - week_row,
        "excerpt_start_utc": year["time_utc"][first].strftime(TIME_FORMAT),
        "excerpt_scale": round(scale, 6),
        "excerpt_base_kw": [round(float(kw), 3) for kw in excerpt_kw],
        "best_peak_of_loads_alone_kw": round(float(best_excerpt(load_kw.sum(axis=1))[2].max()), 3),
    }


def best_excerpt(base_kw: Powers) -> tuple[int, float, Powers]:
    """Return the first row, the factor and the scaled values of the best excerpt [kW]."""
    first, scale = find_excerpt(base_kw, EXCERPT_STEPS, DEMO)
    return first, scale, scale * base_kw[first : first + EXCERPT_STEPS]


def main() -> None:
    """Search the year, write the files, print what was found."""
    meters = meter_table()
    year = year_of_power(meters)
    week_row, found = figures(year)
    TARGET.mkdir(exist_ok=True)
    meters.write_csv(TARGET / "simbench_meters.csv")
    write_week(year.slice(week_row, WEEK_STEPS))
    write_grid(grid_tables())
    text = json.dumps(found, indent=1)
    (TARGET / "simbench_figures.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
