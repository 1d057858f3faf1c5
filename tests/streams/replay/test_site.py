"""Which site the files belong to, and what they tell of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError, ReplayError
from schemas.site_model import Role, SiteModel
from streams.replay.deriving import derive_site
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from streams.replay.site import name_from_file, read_site_file, site_name
from tests.support.replay_kafka import Told

Write = Callable[[str, str], Path]


def derived(*paths: Path, quantities: tuple[str, ...] = (), device: str = "station") -> SiteModel:
    options = ReplayOptions(quantities=quantities, device=device)
    return derive_site("home", load_recording(paths, options, Told().note))


def test_a_meter_is_rated_at_its_greatest_power_rounded_up(write: Write) -> None:
    rows = "a,2024-01-15T00:00Z,40\na,2024-01-15T00:15Z,-110\nb,2024-01-15T00:00Z,2300\n"
    model = derived(write("m.csv", "device,ts,load_w\n" + rows))
    assert {m.id: (m.rated_kw, m.role) for m in model.meters} == {
        "a": (0.2, Role.LOAD),
        "b": (2.3, Role.LOAD),
    }
    assert model.capacity_kw == 2.5


def test_a_meter_that_never_reads_power_still_has_a_rating(write: Write) -> None:
    rows = "a,2024-01-15T00:00Z,0\na,2024-01-15T00:15Z,0\n"
    (meter,) = derived(write("m.csv", "device,ts,kw\n" + rows)).meters
    assert (meter.rated_kw, meter.role) == (0.1, Role.LOAD)


def test_a_meter_that_only_generates_is_generation(write: Write) -> None:
    """A missing load counts with its rating, a missing generator with 0."""
    rows = "pv,2024-01-15T00:00Z,0\npv,2024-01-15T00:15Z,-4.96\n"
    (meter,) = derived(write("m.csv", "device,ts,kw\n" + rows)).meters
    assert (meter.rated_kw, meter.role) == (5.0, Role.GENERATION)


def test_a_meter_without_power_is_information(write: Write) -> None:
    rows = "a,2024-01-15T00:00Z,230\na,2024-01-15T00:15Z,231\n"
    model = derived(write("m.csv", "device,ts,v\n" + rows), quantities=("voltage",))
    assert (model.meters[0].role, model.meters[0].quantities) == (Role.INFORMATION, ("voltage",))


def test_intervals_come_from_the_files_and_hold_for_two(write: Write) -> None:
    stamps = [("a", "00:00"), ("a", "00:15"), ("b", "00:00"), ("b", "00:01")]
    rows = "".join(f"{device},2024-01-15T{time}Z,1\n" for device, time in stamps)
    model = derived(write("m.csv", "device,ts,kw\n" + rows))
    assert {m.id: (m.interval_s, m.held_s) for m in model.meters} == {
        "a": (900, 1800),
        "b": (60, 120),
    }


def test_a_weather_file_becomes_a_station(write: Write) -> None:
    rows = "2024-01-15T00:00Z,4,80\n2024-01-15T01:00Z,5,81\n"
    (station,) = derived(write("w.csv", "ts,temp_c,rh_pct\n" + rows)).weather_stations
    assert (station.id, station.interval_s) == ("station", 3600)
    assert station.quantities == ("air_temperature", "relative_humidity")


def test_a_device_in_two_files_is_one_device(write: Write) -> None:
    first = write("a.csv", "device,ts,kw\nm,2024-01-15T00:00Z,1\nm,2024-01-15T00:01Z,2\n")
    second = write("b.csv", "device,ts,kw\nm,2024-01-16T00:00Z,3.3\nm,2024-01-16T00:15Z,2\n")
    (meter,) = derived(first, second).meters
    assert (meter.rated_kw, meter.interval_s) == (3.3, 900)


def test_a_device_without_any_reading_is_not_part_of_the_site(write: Write) -> None:
    rows = "a,2024-01-15T00:00Z,1\na,2024-01-15T00:15Z,1\nb,2024-01-15T00:00Z,\nb,never,1\n"
    model = derived(write("m.csv", "device,ts,kw\n" + rows))
    assert [meter.id for meter in model.meters] == ["a"]


def test_powers_that_no_site_has_hint_at_a_wrong_unit(write: Write) -> None:
    rows = "a,2024-01-15T00:00Z,4400\na,2024-01-15T00:30Z,4300\n"
    with pytest.raises(ReplayError, match="rated_kw") as caught:
        derived(write("m.csv", "device,ts,load_mw\n" + rows))
    assert "--column" in caught.value.hint


def test_a_device_cannot_be_meter_and_station_at_once(write: Write) -> None:
    meters = write("m.csv", "ts,kw\n2024-01-15T00:00Z,1\n2024-01-15T00:15Z,1\n")
    weather = write("w.csv", "ts,temp_c\n2024-01-15T00:00Z,1\n2024-01-15T00:15Z,1\n")
    with pytest.raises(ReplayError, match="device named twice: station"):
        derived(meters, weather)


def test_the_site_is_named_after_the_first_file() -> None:
    files = [Path("data/My meters (May).csv.gz"), Path("other.csv")]
    assert site_name(ReplayOptions(), files, None) == "My-meters-May"
    assert site_name(ReplayOptions(site="home"), files, None) == "home"


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda t: t != "."))
def test_a_name_from_a_file_is_a_name_or_is_asked_for(text: str) -> None:
    path = Path(f"{text}.csv")
    if any(letter.isascii() and letter.isalnum() for letter in name_from_file(path)):
        name = site_name(ReplayOptions(), [path], None)
        assert SiteModel(name=name, capacity_kw=1).name == name
    else:
        with pytest.raises(ReplayError, match="no name for a site"):
            site_name(ReplayOptions(), [path], None)


def test_a_name_that_cannot_be_a_key_is_refused() -> None:
    with pytest.raises(ReplayError, match="no name for a site"):
        site_name(ReplayOptions(site="my home"), [Path("a.csv")], None)


def test_the_site_file_names_the_site(write: Write) -> None:
    path = write(
        "site.toml", 'name = "home"\ncapacity_kw = 10\n[[meters]]\nid = "m"\nrated_kw = 3\n'
    )
    model = read_site_file(path)
    files = [Path("a.csv")]
    assert site_name(ReplayOptions(), files, model) == "home"
    assert site_name(ReplayOptions(site="home"), files, model) == "home"
    with pytest.raises(ReplayError, match="'other', the site file 'home'"):
        site_name(ReplayOptions(site="other"), files, model)


def test_a_wrong_site_file_names_every_wrong_field(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_site_file(write("site.toml", 'name = "home"\ncapacity_kw = -1\ncolour = "red"\n'))
    assert len(caught.value.problems) == 2
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_site_file(write("bad.toml", "name = home"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_site_file(tmp_path / "none.toml")
