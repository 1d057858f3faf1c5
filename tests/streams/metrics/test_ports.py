"""Which process shows its metrics where, and what Prometheus is told of it."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams.metrics import free_base_port, port_of, targets
from streams.stage_registry import STAGES


def settings(host: str = "127.0.0.1", port: int = 9400) -> Settings:
    return Settings.model_validate({"metrics": {"host": host, "port": port}})


def test_stages_follow_each_other_from_the_base_port() -> None:
    ports = [port_of(settings(), stage) for stage in STAGES]
    assert ports == list(range(9400, 9400 + len(STAGES)))


@given(st.integers(1, 60_000))
def test_no_two_processes_share_a_port(base: int) -> None:
    ports = [port_of(settings(port=base), stage, slot) for stage in STAGES for slot in range(64)]
    assert len(set(ports)) == len(ports)


def test_port_0_means_no_metrics() -> None:
    assert port_of(settings(port=0), "align") is None
    assert targets(settings(port=0), STAGES) == []


def test_targets_name_place_stage_and_slot() -> None:
    assert targets(settings(), ["gate", "align"]) == [
        {"targets": ["127.0.0.1:9403"], "labels": {"stage": "gate", "slot": "0"}},
        {"targets": ["127.0.0.1:9400"], "labels": {"stage": "align", "slot": "0"}},
    ]


@pytest.mark.parametrize(
    ("host", "place"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("box", "box")],  # noqa: S104
)
def test_a_target_is_an_address_that_can_be_connected_to(host: str, place: str) -> None:
    (target,) = targets(settings(host), ["align"])
    assert target["targets"] == [f"{place}:9400"]


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="unknown stage aline"):
        targets(settings(), ["align", "aline"])


def test_a_free_base_port_has_a_free_port_for_every_stage() -> None:
    base = free_base_port()
    held = [socket.create_server(("127.0.0.1", base + place)) for place in range(len(STAGES))]
    for server in held:
        server.close()
