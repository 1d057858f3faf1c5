"""From files to readings in time order, and to bad rows with every reason."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ReplayError
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from streams.replay.recording import Recording
from tests.support.replay_kafka import Told

Write = Callable[[str, str], Path]

MIDNIGHT = datetime(2024, 1, 15, tzinfo=UTC)
MIDNIGHT_MS = 1_705_276_800_000
TWO_GOOD = "m1,2024-01-15T00:00:00Z,1\nm1,2024-01-15T00:01:00Z,2\n"


def load(*paths: Path, told: Told | None = None, **options: object) -> Recording:
    chosen = ReplayOptions(**options)  # type: ignore[arg-type]  # the options under test
    return load_recording(paths, chosen, (told or Told()).note)


def readings_of(recording: Recording) -> list[tuple[str, int, float]]:
    """Device, time after midnight [s], value."""
    tracks = recording.tracks
    return [
        (tracks[t].parsed.devices[d], (ms - MIDNIGHT_MS) // 1000, value)
        for t, d, ms, value in zip(
            recording.track.tolist(),
            recording.device.tolist(),
            recording.time_ms.tolist(),
            recording.value.tolist(),
            strict=True,
        )
    ]


def errors_of(recording: Recording) -> dict[int, tuple[str, ...]]:
    return {row.position: row.errors for _, row in recording.bad_rows}


def test_offsets_are_heeded_and_times_without_one_are_utc(write: Write, told: Told) -> None:
    aware = "m1,2024-01-15T01:00:00+01:00,1\nm1,2024-01-14T19:01:00-0500,2\n"
    recording = load(write("a.csv", "device,ts,kw\n" + aware), told=told)
    assert readings_of(recording) == [("m1", 0, 1.0), ("m1", 60, 2.0)]
    assert told.notes == []
    naive = "m1,2024-01-15 00:00:00,1\nm1,2024-01-15T00:01:00.000Z,2\n"
    recording = load(write("b.csv", "device,ts,kw\n" + naive), told=told)
    assert readings_of(recording) == [("m1", 0, 1.0), ("m1", 60, 2.0)]
    assert told.notes == ["b.csv: times without an offset are taken as UTC"]


@pytest.mark.parametrize(
    ("row", "errors"),
    [
        ("m1,2024-01-15T00:00:00Z,", ["kw: empty"]),
        ("m1,2024-01-15T00:00:00Z,abc", ["kw: 'abc' is not a number"]),
        ("m1,2024-01-15T00:00:00Z,nan", ["kw: 'nan' is not a number"]),
        ("m1,2024-01-15T00:00:00Z,-inf", ["kw: '-inf' is not a number"]),
        ("m1,2024-01-15T00:00:00Z,1_000", ["kw: '1_000' is not a number"]),
        ("m1,2024-01-15T00:00:00Z,1e999", ["kw: '1e999' kW is not plausible"]),
        ("m1,,1", ["time: empty"]),
        ("m1,yesterday,1", ["time: 'yesterday' is not an ISO 8601 time"]),
        ("m1,1705276800,1", ["time: '1705276800' is not an ISO 8601 time"]),
        ("m1,1960-01-15T00:00:00Z,1", ["time: 1960-01-15T00:00:00Z is not after 1970 began"]),
        (",2024-01-15T00:00:00Z,1", ["device: empty"]),
        ("m1,2024-01-15T00:00:00Z,1,5", ["4 cells, where the header has 3"]),
        ("m1,2024-01-15T00:00:00Z", ["2 cells, where the header has 3"]),
        ('"m1,2024-01-15T00:00:00Z,1', ["not a CSV row: its quotes do not fit"]),
        (",never,", ["device: empty", "time: 'never' is not an ISO 8601 time", "kw: empty"]),
    ],
)
def test_a_bad_row_says_everything_that_is_wrong(write: Write, row: str, errors: list[str]) -> None:
    recording = load(write("a.csv", f"device,ts,kw\n{TWO_GOOD}{row}\n"))
    assert errors_of(recording) == {4: tuple(errors)}
    assert recording.bad_rows[0][1].text == row
    assert (recording.rows, len(recording)) == (3, 2)


def test_a_device_must_have_a_name_that_a_site_can_hold(write: Write) -> None:
    recording = load(write("a.csv", f"device,ts,kw\n{TWO_GOOD}m 1,2024-01-15,1\n"))
    (error,) = errors_of(recording)[4]
    assert error.startswith("device: 'm 1' is no name (letters, digits")


def test_bytes_that_are_not_utf_8_spoil_their_own_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"device,ts,kw\nZ\xe4hler,2024-01-15,1\n" + TWO_GOOD.encode())
    recording = load(path)
    (error,) = errors_of(recording)[2]
    assert error.startswith("device: bytes that are not UTF-8")
    assert len(recording) == 2


def test_the_good_values_of_a_bad_row_are_kept(write: Write) -> None:
    text = "device,ts,temp_c,rh_pct\nw,2024-01-15T00:00Z,,50\nw,2024-01-15T01:00Z,4,51\n"
    recording = load(write("a.csv", text))
    assert errors_of(recording) == {2: ("temp_c: empty",)}
    assert sorted(readings_of(recording)) == [
        ("w", 0, 50.0),
        ("w", 3600, 4.0),
        ("w", 3600, 51.0),
    ]


def test_zero_is_a_reading_and_an_empty_cell_is_none(write: Write) -> None:
    text = (
        "device,ts,kw\nm1,2024-01-15T00:00Z,0\nm1,2024-01-15T00:01Z,\nm1,2024-01-15T00:02Z,-0.0\n"
    )
    assert readings_of(load(write("a.csv", text))) == [("m1", 0, 0.0), ("m1", 120, 0.0)]


def test_parquet_nulls_are_bad_rows_and_nan_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    stamps = [MIDNIGHT + timedelta(minutes=n) for n in range(4)]
    pl.DataFrame(
        {"device": ["m1"] * 4, "ts": stamps, "kw": [1.5, None, float("nan"), 2.5]}
    ).write_parquet(path)
    recording = load(path)
    assert readings_of(recording) == [("m1", 0, 1.5), ("m1", 180, 2.5)]
    assert errors_of(recording) == {2: ("kw: empty",), 3: ("kw: 'nan' is not a number",)}


def test_parquet_times_with_a_zone_and_without_are_read(tmp_path: Path, told: Told) -> None:
    local = [datetime(2024, 1, 15, 1), datetime(2024, 1, 15, 2)]  # noqa: DTZ001  naive on purpose
    frame = pl.DataFrame({"device": ["m1"] * 2, "ts": local, "kw": [1.0, 2.0]})
    zoned = frame.with_columns(pl.col("ts").dt.replace_time_zone("Europe/Berlin"))
    zoned.write_parquet(tmp_path / "zoned.parquet")
    frame.write_parquet(tmp_path / "naive.parquet")
    assert readings_of(load(tmp_path / "zoned.parquet", told=told))[0] == ("m1", 0, 1.0)
    assert told.notes == []
    assert readings_of(load(tmp_path / "naive.parquet", told=told))[0] == ("m1", 3600, 1.0)
    assert len(told.notes) == 1


def test_a_file_of_which_no_row_can_be_used_is_refused(write: Write) -> None:
    rows = "".join(f"m1,{day}.1.2024,1\n" for day in range(1, 31))
    with pytest.raises(ReplayError, match="none of its 30 rows can be used") as caught:
        load(write("a.csv", "device,ts,kw\n" + rows))
    assert len(caught.value.problems) == 10
    assert caught.value.problems[0].startswith("line 2: time: '1.1.2024'")


def test_a_file_with_a_header_only_is_refused(write: Write) -> None:
    with pytest.raises(ReplayError, match="none of its 0 rows"):
        load(write("a.csv", "device,ts,kw\n"))


def test_all_files_that_cannot_be_replayed_are_named_at_once(write: Write, tmp_path: Path) -> None:
    good = write("a.csv", "device,ts,kw\n" + TWO_GOOD)
    with pytest.raises(ReplayError, match="2 of 3 files") as caught:
        load(good, write("b.csv", "x,y\n1,2\n"), tmp_path / "c.csv")
    assert ["b.csv" in caught.value.problems[0], "c.csv" in caught.value.problems[1]] == [True] * 2


def test_a_description_of_a_column_that_is_not_there_is_refused(write: Write) -> None:
    with pytest.raises(ReplayError, match="no file has a column P"):
        load(write("a.csv", "device,ts,kw\n" + TWO_GOOD), columns=("P=voltage:V",))


def test_files_are_played_together_in_time_order(write: Write) -> None:
    first = write("a.csv", "device,ts,kw\n" + TWO_GOOD)
    weather = "ts,temp_c\n2024-01-15T00:00:30Z,5\n2024-01-15T00:00:00Z,4\n"
    recording = load(first, write("b.csv", weather), device="station")
    assert readings_of(recording) == [
        ("m1", 0, 1.0),
        ("station", 0, 4.0),
        ("station", 30, 5.0),
        ("m1", 60, 2.0),
    ]


def device_lines(device: str, *seconds: int) -> str:
    return "".join(f"{device},{(MIDNIGHT + timedelta(seconds=s)).isoformat()},1\n" for s in seconds)


def test_the_interval_is_each_devices_most_common_spacing(write: Write) -> None:
    text = "device,ts,kw\n" + device_lines("m1", 0, 60, 120, 600, 660)
    text += device_lines("m2", 900, 0, 1800, 1800, 9000) + device_lines("m3", 7)
    (track,) = load(write("a.csv", text)).tracks
    assert dict(zip(track.parsed.devices, track.interval_ms.tolist(), strict=True)) == {
        "m1": 60_000,
        "m2": 900_000,
        "m3": 60_000,
    }


def test_an_interval_that_no_two_stamps_tell_must_be_given(write: Write) -> None:
    path = write("a.csv", "device,ts,kw\n" + device_lines("m1", 0) + device_lines("m2", 0))
    with pytest.raises(ReplayError, match="cannot be told") as caught:
        load(path)
    assert "--interval" in caught.value.hint
    assert load(path, interval_s=5).end_ms == MIDNIGHT_MS + 5_000


@pytest.mark.parametrize(
    ("end_stamped", "known_at_end", "intervals"),
    [(False, False, 0), (True, False, -1), (False, True, 1), (True, True, 0)],
)
def test_stamps_move_by_the_devices_own_interval(
    write: Write, *, end_stamped: bool, known_at_end: bool, intervals: int
) -> None:
    text = "device,ts,kw\n" + device_lines("m1", 3600, 3660) + device_lines("m2", 3600, 4500)
    recording = load(write("a.csv", text), end_stamped=end_stamped, known_at_end=known_at_end)
    moved = {(device, second) for device, second, _ in readings_of(recording)}
    assert moved == {
        ("m1", 3600 + 60 * intervals),
        ("m1", 3660 + 60 * intervals),
        ("m2", 3600 + 900 * intervals),
        ("m2", 4500 + 900 * intervals),
    }
    assert recording.end_ms == MIDNIGHT_MS + 1000 * (4500 + 900 * (1 + intervals))


def test_options_that_make_no_sense_are_named_at_once() -> None:
    with pytest.raises(ReplayError) as caught:
        ReplayOptions(batch=0, interval_s=float("nan"), quantities=("power",))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "batch",
        "interval",
        "quantity",
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["m1", "m2", "m-3.x"]),
            st.datetimes(
                datetime(1990, 1, 1),  # noqa: DTZ001  the zone is drawn apart
                datetime(2090, 1, 1),  # noqa: DTZ001
                timezones=st.integers(-14 * 60, 14 * 60).map(
                    lambda minutes: timezone(timedelta(minutes=minutes))
                ),
            ),
            st.floats(-1e9, 1e9) | st.none(),
        ),
        min_size=1,
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, datetime, float | None]],
) -> None:
    path = tmp_path_factory.mktemp("file") / "a.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["device", "ts", "kw"])
        writer.writerows([d, t.isoformat(), "" if v is None else repr(v)] for d, t, v in rows)
    good = [
        (d, (t - MIDNIGHT) // timedelta(milliseconds=1) + MIDNIGHT_MS, v)
        for d, t, v in rows
        if v is not None
    ]
    if not good:
        with pytest.raises(ReplayError):
            load(path, interval_s=5)
        return
    recording = load(path, interval_s=5)
    assert all(a <= b for a, b in pairwise(recording.time_ms.tolist()))
    devices = np.array(recording.tracks[0].parsed.devices)[recording.device].tolist()
    read = zip(devices, recording.time_ms.tolist(), recording.value.tolist(), strict=True)
    assert sorted(read) == sorted(good)
    assert list(errors_of(recording)) == [
        line for line, row in enumerate(rows, start=2) if row[2] is None
    ]
