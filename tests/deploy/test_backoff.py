from hypothesis import given
from hypothesis import strategies as st

from deploy.backoff import Backoff

SHORT_RUNS_S = st.lists(st.floats(0.0, 29.9), min_size=1, max_size=40)


def test_delays_double_from_half_a_second_to_thirty_seconds() -> None:
    backoff = Backoff()
    delays_s = [backoff.delay_after(0.1) for _ in range(9)]
    assert delays_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@given(SHORT_RUNS_S)
def test_delays_of_short_runs_never_shrink_and_stay_within_bounds(runs_s: list[float]) -> None:
    backoff = Backoff()
    delays_s = [backoff.delay_after(run_s) for run_s in runs_s]
    assert delays_s == sorted(delays_s)
    assert delays_s[0] == 0.5
    assert delays_s[-1] <= 30.0


@given(SHORT_RUNS_S, st.floats(30.0, 1e6))
def test_a_long_run_starts_the_row_anew(runs_s: list[float], long_run_s: float) -> None:
    backoff = Backoff()
    for run_s in runs_s:
        backoff.delay_after(run_s)
    assert backoff.delay_after(long_run_s) == 0.5
    assert backoff.delay_after(0.0) == 1.0


def test_bounds_can_be_chosen() -> None:
    backoff = Backoff(first_s=2.0, limit_s=3.0, reset_after_s=10.0)
    assert [backoff.delay_after(run_s) for run_s in (9.9, 9.9, 9.9, 10.0)] == [2.0, 3.0, 3.0, 2.0]
