"""Faults are rare, seeded and counted, and never touch what they must spare."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.faults import DEFAULT_SHARES, MAX_SHARE, FaultInjector, FaultKind, Sending
from schemas.errors import ConfigurationError, MessageError
from schemas.identity import reading_id
from schemas.messages import Decoder, encode
from schemas.telemetry import Reading
from schemas.units import QUANTITIES
from schemas.windows import LATENESS_MS, WINDOW_MS

T0_MS = 1_800_000_000_000
MALFORMED = {FaultKind.WRONG_TYPE, FaultKind.UNKNOWN_UNIT, FaultKind.BROKEN_JSON}
DECODER: Decoder[Reading] = Decoder(Reading)


def readings(count: int, start_ms: int = T0_MS) -> list[Reading]:
    return [
        Reading(
            event_id=reading_id("plant", f"m{k}", "active_power", start_ms),
            site="site",
            source="plant",
            device=f"m{k}",
            quantity="active_power",
            unit="kW",
            value=1.5,
            event_time_ms=start_ms,
        )
        for k in range(count)
    ]


def planned(kind: FaultKind) -> list[Sending]:
    """What is sent for 1,000 readings where only one kind of fault happens, to every tenth."""
    plan = FaultInjector(1, {kind: MAX_SHARE}).plan(readings(1_000), T0_MS + WINDOW_MS)
    return [sent for sent in plan if sent.fault is kind]


def delays_s(kind: FaultKind) -> list[float]:
    return [(sent.send_at_ms - T0_MS - WINDOW_MS) / 1000 for sent in planned(kind)]


def test_without_faults_everything_is_sent_as_it_is_and_at_once() -> None:
    good = readings(100)
    plan = FaultInjector(1, {}).plan(good, T0_MS)
    assert plan == [Sending(T0_MS, encode(reading)) for reading in good]


def test_shares_are_those_asked_for() -> None:
    plan = FaultInjector(1).plan(readings(100_000), T0_MS)
    counts = Counter(sent.fault for sent in plan)
    for kind, share in DEFAULT_SHARES.items():
        assert counts[kind] == pytest.approx(100_000 * share, rel=0.3)


def test_every_reading_is_sent_once_and_a_duplicate_twice() -> None:
    good = readings(5_000)
    plan = FaultInjector(1).plan(good, T0_MS)
    duplicates = sum(sent.fault is FaultKind.DUPLICATE for sent in plan)
    assert duplicates > 0
    assert len(plan) == len(good) + duplicates


def test_duplicate_is_the_same_to_the_byte() -> None:
    good = {encode(reading) for reading in readings(1_000)}
    plan = FaultInjector(1, {FaultKind.DUPLICATE: MAX_SHARE}).plan(readings(1_000), T0_MS)
    assert set(Counter(sent.value for sent in plan)) == good
    assert max(delays_s(FaultKind.DUPLICATE)) <= 2


def test_delayed_reading_comes_before_its_window_is_final() -> None:
    delays = delays_s(FaultKind.DELAYED)
    assert 1 <= min(delays) < max(delays) <= 15 < LATENESS_MS / 1000


def test_reordered_reading_comes_after_the_next_one_of_its_meter() -> None:
    delays = delays_s(FaultKind.REORDERED)
    assert WINDOW_MS / 1000 < min(delays) < max(delays) < 6


def test_reading_too_late_comes_when_its_window_has_been_final_for_a_while() -> None:
    assert min(delays_s(FaultKind.TOO_LATE)) >= LATENESS_MS / 1000 + 5


@pytest.mark.parametrize("kind", sorted(set(FaultKind) - MALFORMED))
def test_timing_faults_leave_the_content_alone(kind: FaultKind) -> None:
    good = {encode(reading) for reading in readings(1_000)}
    assert {sent.value for sent in planned(kind)} < good


@pytest.mark.parametrize("kind", [FaultKind.WRONG_TYPE, FaultKind.BROKEN_JSON])
def test_malformed_record_does_not_decode(kind: FaultKind) -> None:
    sent = planned(kind)
    assert sent
    for record in sent:
        with pytest.raises(MessageError):
            DECODER.decode(record.value)


def test_only_broken_json_is_no_json() -> None:
    for sent in planned(FaultKind.WRONG_TYPE):
        assert msgspec.json.decode(sent.value)["value"] == "1.5 kW"
    for sent in planned(FaultKind.BROKEN_JSON):
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(sent.value)


def test_unknown_unit_decodes_but_belongs_to_no_quantity() -> None:
    for sent in planned(FaultKind.UNKNOWN_UNIT):
        reading = DECODER.decode(sent.value)
        assert reading.unit not in QUANTITIES[reading.quantity].accepted


def test_spared_devices_arrive_untouched() -> None:
    shares = dict.fromkeys(FaultKind, MAX_SHARE)
    injector = FaultInjector(1, shares, spared={f"m{k}" for k in range(500)})
    plan = injector.plan(readings(1_000), T0_MS)
    spared = [sent for sent in plan if b'"m1"' in sent.value or b'"m499"' in sent.value]
    assert spared == [Sending(T0_MS, encode(readings(1_000)[k])) for k in (1, 499)]
    touched = injector.plan(readings(1_000)[500:], T0_MS)
    assert any(sent.fault for sent in touched)


@given(seed=st.integers(), cut=st.integers(0, 300))
def test_what_happens_to_a_reading_does_not_depend_on_its_company(seed: int, cut: int) -> None:
    injector = FaultInjector(seed, dict.fromkeys(FaultKind, 0.05))
    good = readings(300)
    whole = injector.plan(good, T0_MS)
    parts = injector.plan(good[:cut], T0_MS) + injector.plan(good[cut:], T0_MS)
    assert sorted(parts, key=lambda sent: sent.send_at_ms) == whole


def test_another_seed_makes_other_faults() -> None:
    first, second = (FaultInjector(seed).plan(readings(5_000), T0_MS) for seed in (1, 2))
    assert first != second


def test_shares_out_of_bounds_are_all_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        FaultInjector(1, {FaultKind.DELAYED: -0.1, FaultKind.TOO_LATE: 0.2})
    assert caught.value.problems == ("delayed: -0.1", "too-late: 0.2")
