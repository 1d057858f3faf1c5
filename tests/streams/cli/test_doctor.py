"""`gridloom doctor`: what is installed, reachable, missing, and whether the demo could run."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from deploy.influx_build import INFLUXD_VERSION
from deploy.influx_provisioning import Retention
from deploy.local_influx import LocalInflux
from deploy.local_kafka import LocalKafka
from schemas.settings import Settings
from schemas.topics import topic_names
from streams.doctoring.findings import Finding, Health
from streams.doctoring.machine import (
    declared_requirements,
    examine_machine,
    packages,
    room,
)
from streams.doctoring.services import examine_services
from streams.finding import LocalStack
from streams.historians.sqlite import SqliteHistorian
from tests.streams.cli.conftest import Gridloom
from tests.support.influx import new_bucket

NOWHERE = "127.0.0.1:1"


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def report_of(text: str) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Whether the demo can run, and the findings by name."""
    report = json.loads(text)
    return report["demo_can_run"], {each["name"]: each for each in report["findings"]}


def test_on_this_machine_the_demo_can_run(gridloom: Gridloom, tmp_path: Path) -> None:
    """Its packages, its Java and its Kafka are those that the other tests run on."""
    examined = gridloom("doctor", "--json")
    can_run, findings = report_of(examined.stdout)
    assert (examined.returncode, can_run) == (0, True), examined.stdout
    assert findings["Java"]["detail"].startswith("openjdk version")
    for name in ("confluent-kafka", "cvxpy", "faust-streaming", "highspy", "msgspec"):
        assert f"{name} " in findings["packages"]["detail"]
    assert findings["folder"]["detail"].startswith(str(tmp_path))
    assert findings["local stack"]["health"] == "absent"
    assert "the demo needs none of them" in findings["optional parts"]["detail"]
    assert findings["historian"]["detail"].startswith("SQLite: ")
    assert "`up` and `demo` use " in findings["local historian"]["detail"]


def test_what_stops_the_demo_is_named_with_what_to_do(gridloom: Gridloom, tmp_path: Path) -> None:
    """A fresh machine without a network, and a folder that cannot be made."""
    (tmp_path / "file").touch()
    proxy = f"http://{NOWHERE}"
    examined = gridloom(
        "doctor",
        folder=tmp_path / "file" / "home",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        HTTPS_PROXY=proxy,
        https_proxy=proxy,
    )
    assert examined.returncode == 1
    text = " ".join(examined.stdout.split())
    assert "not fetched yet, and Maven Central does not answer" in text
    assert f"copy {tmp_path}/cache/gridloom/kafka-" in text.replace("\n", "")
    assert "cannot be written: Not a directory set GRIDLOOM_FOLDER" in text
    assert text.endswith("The demo cannot run: see what is wrong.")


def test_wrong_settings_are_a_finding_not_the_end_of_the_examination(gridloom: Gridloom) -> None:
    examined = gridloom("doctor", "--json", GRIDLOOM_KAFKA__PARTITIONS="many")
    can_run, findings = report_of(examined.stdout)
    assert (examined.returncode, can_run) == (1, False)
    assert "kafka.partitions: Input should be a valid integer" in findings["settings"]["detail"]
    assert findings["Java"]["health"] == "ok"


def test_a_package_that_is_missing_or_too_old_is_named() -> None:
    found = by_name(packages(["msgspec>=0.1", "no-such-package-here>=1", "numpy>=999"]))
    assert found["packages"].detail.startswith("msgspec ")
    assert (
        found["no-such-package-here"].detail == "not installed, needed is no-such-package-here>=1"
    )
    assert found["numpy"].detail.endswith(", needed is numpy>=999")
    assert found["numpy"].blocks_demo
    assert "make env" in found["numpy"].hint


def test_the_packages_looked_at_are_those_that_the_project_declares() -> None:
    names = {text.split(">")[0].split("<")[0] for text in declared_requirements()}
    assert {"confluent-kafka", "cvxpy", "faust-streaming", "typer"} <= names


def test_a_full_disk_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert room(tmp_path / "home").health is Health.OK
    monkeypatch.setattr("streams.doctoring.machine.NEEDED_BYTES", 1 << 62)
    finding = room(tmp_path / "home")
    assert finding.blocks_demo
    assert "make room" in finding.hint


def test_examining_makes_no_file(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path / "home")
    examine_machine(settings)
    examine_services(settings)
    assert list(tmp_path.iterdir()) == []


def test_a_historian_is_told_with_its_size_and_a_broken_one_with_what_to_do(
    tmp_path: Path,
) -> None:
    settings = Settings(folder=tmp_path)
    assert "does not exist yet" in by_name(examine_services(settings))["historian"].detail
    SqliteHistorian(settings.historian_path).close()
    found = by_name(examine_services(settings))["historian"]
    assert (found.health, found.detail.split(", ")[-1]) == (Health.OK, "0 site windows")
    (tmp_path / "local").mkdir()
    with sqlite3.connect(tmp_path / "local" / "historian.sqlite") as foreign:
        foreign.execute("CREATE TABLE other (x)")
    foreign.close()
    broken = by_name(examine_services(settings))["further historian"]
    assert (broken.health, broken.blocks_demo) == (Health.WRONG, False)
    assert "another application" in broken.detail


@pytest.mark.influxdb
def test_the_influxdb_in_use_is_told_with_its_version_bucket_and_retention(
    tmp_path: Path, influx: LocalInflux
) -> None:
    bucket = new_bucket(influx, Retention(raw_days=30))
    settings = Settings(folder=tmp_path, influxdb=bucket.settings)
    found = by_name(examine_services(settings))
    told = f"at {bucket.url}, bucket {bucket.bucket} keeps points for 30 days, 0 site windows"
    assert found["historian"].health is Health.OK
    assert found["historian"].detail.startswith(f"InfluxDB {INFLUXD_VERSION}")
    assert found["historian"].detail.endswith(told.removeprefix("at "))
    assert found["local historian"].detail == "`up` and `run` use the configured InfluxDB"
    bucket.delete()


@pytest.mark.parametrize(
    ("section", "told", "hint"),
    [
        ({"url": "http://127.0.0.1:1", "token": "t"}, "no InfluxDB answers", "Check that it runs"),
        ({"url": "http://127.0.0.1:1"}, "there is no [influxdb] token", "token_file"),
        ({"url": "", "token": "t"}, "there is no [influxdb] url", "http://127.0.0.1:8086"),
    ],
    ids=["away", "no token", "no address"],
)
def test_an_influxdb_that_cannot_be_used_is_wrong_with_what_to_do(
    tmp_path: Path, section: dict[str, str], told: str, hint: str
) -> None:
    sections = {"influxdb": section, "historian": {"kind": "influxdb"}}
    settings = Settings.model_validate({"folder": tmp_path, **sections})
    found = by_name(examine_services(settings))["historian"]
    assert (found.health, found.blocks_demo) == (Health.WRONG, False)
    assert told in found.detail
    assert hint in found.hint


@pytest.mark.parametrize(
    ("kind", "built", "told", "hint"),
    [
        ("auto", False, "use SQLite", "make influxd"),
        ("auto", True, "use InfluxDB", ""),
        ("sqlite", True, "use SQLite", "kind = auto"),
    ],
)
def test_which_historian_a_local_stack_brings_is_told_and_how_to_get_the_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    built: bool,  # noqa: FBT001
    told: str,
    hint: str,
) -> None:
    program = tmp_path / "gridloom" / f"influxd-{INFLUXD_VERSION}" / "influxd"
    program.parent.mkdir(parents=True)
    if built:
        program.touch(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = Settings.model_validate({"folder": tmp_path, "historian": {"kind": kind}})
    found = by_name(examine_services(settings))["local historian"]
    assert told in found.detail
    assert hint in found.hint


def test_a_configured_kafka_that_does_not_answer_is_wrong_but_the_demo_runs() -> None:
    kafka = {"bootstrap_servers": NOWHERE}
    found = by_name(examine_services(Settings.model_validate({"kafka": kafka})))
    assert found["configured Kafka"].health is Health.WRONG
    assert not found["configured Kafka"].blocks_demo
    assert "gridloom up" in found["configured Kafka"].hint


@pytest.mark.kafka
def test_the_local_stack_and_its_topics_are_told(
    stack_settings: Settings, local_stack: LocalStack
) -> None:
    found = by_name(examine_services(Settings(folder=local_stack.folder.parent)))
    assert stack_settings.kafka.bootstrap_servers in found["local stack"].detail
    assert found["Kafka"].detail == f"{local_stack.bootstrap_servers} answers"
    assert found["topics"].health is Health.OK


@pytest.mark.kafka
def test_topics_that_are_missing_are_named(tmp_path: Path) -> None:
    with LocalKafka(tmp_path / "local" / "kafka"):
        found = by_name(examine_services(Settings(folder=tmp_path)))["topics"]
    assert found.health is Health.WRONG
    assert found.detail == f"missing: {', '.join(topic_names(()))}"
    assert "gridloom topics --apply" in found.hint
