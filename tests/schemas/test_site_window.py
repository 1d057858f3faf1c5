"""Meter windows as they are written: names that are JSON already change no byte."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import encode
from schemas.site_window import MeterWindows, RawMeterWindows, SeriesName, as_raw
from schemas.versions import version_of

NAMES = st.lists(st.builds(SeriesName, device=st.text(), quantity=st.text()), max_size=4)
VALUES = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=4)


@given(NAMES, VALUES)
def test_names_that_are_json_already_are_written_like_others(
    names: list[SeriesName], values: list[float | None]
) -> None:
    plain = MeterWindows(
        site="s",
        window_start_ms=5_000,
        revision=1,
        chunk=2,
        series=tuple(names),
        values=tuple(values),
        status="mvx",
    )
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    raw = RawMeterWindows(**(fields | {"series": as_raw(names)}))
    assert encode(raw) == encode(plain)


def test_the_raw_view_has_the_version_and_the_fields_of_meter_windows() -> None:
    assert version_of(RawMeterWindows) == version_of(MeterWindows)
    assert RawMeterWindows.__struct_fields__ == MeterWindows.__struct_fields__
