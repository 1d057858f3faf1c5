"""The files that Grafana provisions itself from: data sources, dashboards and alert rules.

They hold no secret: addresses and the InfluxDB token come from Grafana's environment, where they
are called as in Gridloom's own settings.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.alerts import rule_group
from dashboards.grafana.assembling import as_json
from dashboards.grafana.datasources import INFLUXDB, PROMETHEUS, Sources
from dashboards.grafana.devices import devices
from dashboards.grafana.operations import operations
from dashboards.grafana.pipeline import pipeline
from dashboards.grafana.yaml_text import yaml_text

FOLDER: Final = "Gridloom"
FOLDER_UID: Final = "gridloom"
"""Where the dashboards are in Grafana, provisioned or published."""

MOUNTED_AT: Final = "/etc/grafana/provisioning"
"""Where Grafana's own image looks for its provisioning files."""

CHECKED_IN: Final = Path(__file__).resolve().parents[1] / "provisioning"
"""The same files as part of the distribution, for a container to mount."""

SCRAPE_INTERVAL: Final = "2s"
"""How often Prometheus asks the stages; Grafana widens rates by it."""

_NOTE: Final = "# Written by `gridloom dashboards build`; change dashboards/grafana instead.\n"
_BUILDERS: Final[tuple[Callable[[Sources], DashboardBuilder], ...]] = (
    operations,
    pipeline,
    devices,
)


def all_dashboards(sources: Sources | None = None) -> list[Dashboard]:
    """Every dashboard, in the order of the menu."""
    where = sources or Sources()
    return [build(where).build() for build in _BUILDERS]


def provisioning_files(sources: Sources | None = None) -> dict[str, str]:
    """The text of every file by its path below the provisioning folder; the same every time."""
    where = sources or Sources()
    boards = {
        f"dashboards/gridloom/{str(board.uid).removeprefix('gridloom-')}.json": as_json(board)
        for board in all_dashboards(where)
    }
    return {
        "datasources/gridloom.yaml": _document(_datasources(where)),
        "dashboards/gridloom.yaml": _document(_provider()),
        **boards,
        "alerting/gridloom.yaml": _document({"apiVersion": 1, "groups": [rule_group(where)]}),
    }


def write_provisioning(folder: Path, sources: Sources | None = None) -> list[Path]:
    """Write the files below ``folder``; returns their paths.

    Raises:
        OSError: they cannot be written.
    """
    written = []
    for name, text in provisioning_files(sources).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _document(content: dict[str, object]) -> str:
    return _NOTE + yaml_text(content)


def _datasources(sources: Sources) -> dict[str, object]:
    """InfluxDB, asked in Flux with a token that may only read; and Prometheus."""
    influxdb = {
        "name": "Gridloom InfluxDB",
        "uid": sources.influxdb,
        "type": INFLUXDB,
        "access": "proxy",
        "url": "${GRIDLOOM_INFLUXDB__URL}",
        "jsonData": {
            "version": "Flux",
            "organization": "${GRIDLOOM_INFLUXDB__ORG}",
            "defaultBucket": "${GRIDLOOM_INFLUXDB__BUCKET}",
            "httpMode": "POST",
        },
        "secureJsonData": {"token": "${GRIDLOOM_INFLUXDB__READ_TOKEN}"},
        "editable": False,
    }
    prometheus = {
        "name": "Gridloom Prometheus",
        "uid": sources.prometheus,
        "type": PROMETHEUS,
        "access": "proxy",
        "url": "${PROMETHEUS_URL}",
        "jsonData": {"timeInterval": SCRAPE_INTERVAL, "httpMethod": "POST"},
        "editable": False,
    }
    return {"apiVersion": 1, "datasources": [influxdb, prometheus]}


def _provider() -> dict[str, object]:
    """Which folder Grafana reads dashboards from."""
    provider = {
        "name": "gridloom",
        "orgId": 1,
        "folder": FOLDER,
        "folderUid": FOLDER_UID,
        "type": "file",
        "disableDeletion": False,
        "updateIntervalSeconds": 30,
        "allowUiUpdates": False,
        "options": {"path": f"{MOUNTED_AT}/dashboards/gridloom"},
    }
    return {"apiVersion": 1, "providers": [provider]}
