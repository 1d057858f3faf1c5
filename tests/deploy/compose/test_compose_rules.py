"""What must be so in docker-compose.kafka.yml, whatever else changes in it.

Issue 4, item 5: healthchecks, secrets, loopback ports, healthy dependencies, stages that scale.
"""

import re
import tomllib
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.compose.make_secrets import NAMES
from deploy.influx_build import INFLUXD_VERSION
from deploy.kafka_lock import KAFKA_VERSION
from schemas.settings import MetricsSettings, load_settings
from streams.stage_registry import STAGES
from tests.support.compose import (
    COMPOSE_FILE,
    ROOT,
    Service,
    UnsetVariableError,
    composed,
    health_command,
    image_environment,
    services,
    variables,
)

GIVEN = {"STACK_SECRETS": "/the/secrets"}
FILE = composed(GIVEN)
SERVICES = services(GIVEN)
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"] == "no"}
RUNNING = SERVICES.keys() - ONE_SHOT
SCALABLE = {"align", "store", "dispatch", "gate", "actuate"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("gridloom:")}
WRITABLE_ROOT = {"kafka"}
"""Whose image writes into its own file system."""

SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|PASSWD", re.IGNORECASE)
EXAMPLE = (ROOT / "deploy" / "compose" / "env.example").read_text("utf-8")

every_service = pytest.mark.parametrize("name", SERVICES)
every_running_service = pytest.mark.parametrize("name", sorted(RUNNING))


def _ports(service: Service) -> list[str]:
    return [str(port) for port in service.get("ports", [])]


def _environment(service: Service) -> dict[str, str]:
    return {key: str(value) for key, value in service.get("environment", {}).items()}


def _mounts(service: Service) -> list[tuple[str, str]]:
    """Source and target of everything that is mounted."""
    return [tuple(mount.split(":")[:2]) for mount in service.get("volumes", [])]


def test_the_servers_the_stages_and_the_page_are_there() -> None:
    """Issue 4: Kafka, InfluxDB, Mosquitto, Prometheus, Grafana and Gridloom's stages."""
    servers = {"kafka", "influxdb", "mosquitto", "prometheus", "grafana"}
    # The demo's simulated field has no place beside real devices.
    stages = STAGES.keys() - {"field"}
    assert set(RUNNING) == servers | stages | {"page"}
    assert set(ONE_SHOT) == {"topics", "historian", "reader-token"}


@every_running_service
def test_a_service_that_runs_on_is_asked_for_its_health(name: str) -> None:
    health = SERVICES[name]["healthcheck"]
    assert health_command(SERVICES[name])
    assert {"interval", "timeout", "retries", "start_period"} <= health.keys()


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_a_one_shot_service_is_waited_for_by_another(name: str) -> None:
    waiting = [service.get("depends_on", {}).get(name) for service in SERVICES.values()]
    assert {"condition": "service_completed_successfully"} in waiting


@every_service
def test_a_service_waits_until_what_it_needs_is_ready(name: str) -> None:
    for other, needed in SERVICES[name].get("depends_on", {}).items():
        ready = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert needed == {"condition": ready}


@every_service
def test_ports_are_published_on_the_loopback_interface_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in _ports(SERVICES[name]))
    assert "network_mode" not in SERVICES[name]


@every_service
def test_nothing_runs_as_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITABLE_ROOT)
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc"}


@every_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


def test_versions_are_those_that_the_local_stack_runs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert SERVICES["kafka"]["image"].endswith(f":{KAFKA_VERSION}")
    assert SERVICES["influxdb"]["image"].endswith(f":{INFLUXD_VERSION}")
    assert {SERVICES[name]["image"] for name in OURS} == {f"gridloom:{project['version']}"}


def test_the_image_is_built_once() -> None:
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["topics"]


@every_running_service
def test_a_service_is_started_again_and_kept_within_bounds(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@every_service
def test_a_secret_is_named_by_its_file_and_never_given(name: str) -> None:
    """No password, token or key stands in the file or in a container's environment."""
    secret = {k: v for k, v in _environment(SERVICES[name]).items() if SECRET.search(k)}
    # Grafana reads $__file{...} where it meets it.
    paths = [re.sub(r"^\$__file\{(.*)\}$", r"\1", value) for value in secret.values()]
    assert all(path.startswith(("/run/secrets/", "/srv/gridloom/")) for path in paths)
    assert all(k.endswith("_FILE") or v.startswith("$__file{") for k, v in secret.items())


def test_secrets_come_from_the_folder_that_was_filled_with_them() -> None:
    files = {name: secret["file"] for name, secret in FILE["secrets"].items()}
    assert files == {name: f"/the/secrets/{name}" for name in files}
    # The gateway's password waits for the gateway.
    assert NAMES - files.keys() == {"mosquitto_gateway_password"}
    assert files.keys() <= NAMES


def test_secrets_have_no_default() -> None:
    with pytest.raises(UnsetVariableError, match="make_secrets"):
        composed({})
    kind, _ = variables()["STACK_SECRETS"]
    assert kind == "?"
    assert not any(SECRET.search(name) for name in variables() if name != "STACK_SECRETS")


@every_service
def test_a_service_gets_only_the_secrets_that_it_uses(name: str) -> None:
    service = SERVICES[name]
    mounted = [source for source, _ in _mounts(service) if source.endswith(".conf")]
    texts = [(ROOT / source).read_text("utf-8") for source in mounted]
    told = " ".join([str(service.get("command")), str(_environment(service)), *texts])
    for secret in service.get("secrets", []):
        path = f"/run/secrets/{secret}" if isinstance(secret, str) else secret["target"]
        assert path in told or str(PurePosixPath(path).parent) in told


def test_only_store_can_write_to_the_historian() -> None:
    with_token = {
        n for n in SERVICES if ("store_token", "/srv/gridloom/store") in _mounts(SERVICES[n])
    }
    assert with_token == {"historian", "reader-token", "store"}
    operators = {
        name for name in SERVICES if "influxdb_admin_token" in SERVICES[name].get("secrets", [])
    }
    assert operators == {"influxdb", "historian"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_settings_of_our_services_make_sense(name: str) -> None:
    environment = image_environment() | _environment(SERVICES[name])
    settings = load_settings({k: v for k, v in environment.items() if k.startswith("GRIDLOOM_")})
    assert str(settings.home) == "/var/lib/gridloom"
    assert settings.uses_influxdb is (name in {"store", "page"})
    if name not in {"historian", "reader-token"}:
        assert settings.kafka.bootstrap_servers == "kafka:9092"


@pytest.mark.parametrize("name", sorted(SCALABLE))
def test_a_stage_can_run_in_any_number(name: str) -> None:
    service = SERVICES[name]
    assert service["entrypoint"] == ["python", "-m", "deploy.compose.replica"]
    assert service["command"] == [name]
    assert not _ports(service)
    assert "hostname" not in service
    # Where slots are claimed.
    assert ("gridloom", "/var/lib/gridloom") in _mounts(service)


@every_service
def test_no_container_has_a_name_that_a_second_one_could_not_have(name: str) -> None:
    assert "container_name" not in SERVICES[name]


@pytest.mark.parametrize("stage", sorted(STAGES.keys() - {"field"}))
def test_a_stage_is_asked_at_its_own_metrics_port(stage: str) -> None:
    port = MetricsSettings().port + list(STAGES).index(stage)
    assert health_command(SERVICES[stage])[-1] == f"http://127.0.0.1:{port}/readyz"
    assert _environment(SERVICES[stage])["GRIDLOOM_METRICS__HOST"] == "0.0.0.0"  # noqa: S104


def test_everything_that_is_mounted_exists() -> None:
    for name, service in SERVICES.items():
        for source, target in _mounts(service):
            assert PurePosixPath(target).is_absolute()
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
            else:
                assert source in FILE["volumes"], f"{name}: {source}"
    mounted = {source for service in SERVICES.values() for source, _ in _mounts(service)}
    assert FILE["volumes"].keys() <= mounted


def test_grafana_is_given_every_variable_that_its_files_ask_for() -> None:
    folder = ROOT / "dashboards" / "provisioning"
    assert ("./dashboards/provisioning", "/etc/grafana/provisioning") in _mounts(
        SERVICES["grafana"]
    )
    texts = [path.read_text("utf-8") for path in folder.rglob("*.yaml")]
    asked = {name for text in texts for name in re.findall(r"\$\{([A-Z_]+)\}", text)}
    assert "GRIDLOOM_INFLUXDB__READ_TOKEN" in asked
    assert asked <= SERVICES["grafana"]["environment"].keys()


def test_prometheus_asks_every_stage_where_it_answers() -> None:
    """Found by the name of the service, however many containers it has."""
    path = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    (job,) = yaml.safe_load(path.read_text("utf-8"))["scrape_configs"]
    asked = {f"{name}:{each['port']}" for each in job["dns_sd_configs"] for name in each["names"]}
    urls = {name: health_command(SERVICES[name])[-1] for name in STAGES.keys() - {"field"}}
    answering = {f"{name}:{urlsplit(url).port}" for name, url in urls.items()}
    assert asked == answering


def test_every_variable_is_explained_and_none_has_a_value_there() -> None:
    """Issue 4: a .env.example that names every variable without values."""
    named = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert named.keys() == variables().keys()
    assert set(named.values()) == {""}


def test_the_defaults_that_are_explained_are_those_of_the_file() -> None:
    for name, (kind, default) in variables().items():
        assert kind in {"-", "?"}, f"{name} needs a default, or to be insisted on"
        assert kind == "?" or re.search(rf"\b{default}\b", EXAMPLE), name


def test_our_variables_are_no_settings_of_gridloom() -> None:
    """A shell that exports them can still run ``gridloom``, which refuses settings unknown."""
    assert not any(name.startswith("GRIDLOOM_") for name in variables())


def test_the_file_says_how_to_use_it() -> None:
    assert "deploy/compose/README.md" in COMPOSE_FILE.read_text("utf-8")
