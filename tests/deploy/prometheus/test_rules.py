"""Prometheus' own tool checks what is shipped for it."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy.local_prometheus import scrape_configuration

pytestmark = pytest.mark.prometheus

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"


def promtool(*arguments: str) -> str:
    """What it says; fails where it finds fault."""
    done = subprocess.run(
        ["promtool", *arguments],  # noqa: S607  found as a user would
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_containers_configuration_is_valid_and_finds_its_rules() -> None:
    assert "1 rule files found" in promtool("check", "config", "prometheus.yml")


def test_the_local_configuration_is_valid_and_finds_the_same_rules(tmp_path: Path) -> None:
    (tmp_path / "targets.json").write_text("[]")
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps(scrape_configuration(tmp_path / "targets.json", 2.0)))
    assert "1 rule files found" in promtool("check", "config", str(file))


def test_the_rules_are_valid() -> None:
    assert "rules found" in promtool("check", "rules", "rules.yml")


def test_every_alert_comes_when_it_should_and_not_when_not() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")
    rules = (FOLDER / "rules.yml").read_text(encoding="utf-8")
    tested = (FOLDER / "rules_test.yml").read_text(encoding="utf-8")
    names = [line.split()[-1] for line in rules.splitlines() if "- alert:" in line]
    assert len(names) == 8
    firing = tested.split("tests:")[1]
    assert all(f"- alertname: {name}" in firing for name in names)
