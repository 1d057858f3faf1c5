"""Runs what stands in docker-compose.kafka.yml on this machine, without Docker.

The words of a command and of its environment stay as they are in the file; only the names of
hosts, ports and folders that a container has are replaced by those of this machine.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.settings import MetricsSettings
from streams.metrics import free_base_port
from streams.stage_registry import STAGES
from tests.conftest import SYSTEM_PATH
from tests.support.compose import (
    ROOT,
    Service,
    health_command,
    image_entrypoint,
    image_environment,
)

HOST: Final = "127.0.0.1"
HEALTH_TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 120.0
_POLL_S: Final = 0.3


@dataclass(frozen=True)
class Outside:
    """Where a container's things are on this machine.

    Attributes:
        folder: takes the place of the containers' file systems.
        places: what is replaced in every word: host and port, folder, port option.
        programs: what is run in place of a program of an image.
        variables: set beside those that the file sets.
    """

    folder: Path
    places: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, list[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def local(self, text: str) -> str:
        """A word with this machine's names in place of the container's."""
        here = {
            "/var/lib/gridloom": str(self.folder / "home"),
            "/srv/gridloom": str(self.folder / "srv"),
            "/run/secrets": str(self.folder / "secrets"),
            "0.0.0.0": HOST,  # noqa: S104  it is what is replaced
            **self.places,
        }
        longest_first = sorted(here, key=len, reverse=True)
        any_of_them = "|".join(re.escape(there) for there in longest_first)
        return re.sub(any_of_them, lambda match: here[match[0]], text)

    def argv(self, words: Iterable[str]) -> list[str]:
        """A command of a container as it is run here."""
        program, *arguments = (str(word) for word in words)
        ours = {"gridloom": [sys.executable, "-m", "streams.cli"], "python": [sys.executable]}
        here = {**ours, **self.programs}
        named = [here.get(word, [self.local(word)]) for word in (program, *arguments)]
        return [word for words in named for word in words]

    def environment(self, service: Service) -> dict[str, str]:
        """A container's variables, and no variables of the test's but what programs need."""
        given = {**image_environment(), **service.get("environment", {})}
        there = {name: self.local(str(value)) for name, value in given.items()}
        needed = {"PATH": SYSTEM_PATH, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        cache = {name: os.environ[name] for name in ("XDG_CACHE_HOME",) if name in os.environ}
        return {**there, **needed, **cache, **self.variables}

    def run(
        self, service: Service, words: Iterable[str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.argv(words),
            cwd=self.folder,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def is_healthy(self, service: Service) -> bool:
        """What the service's own health check says."""
        return self.run(service, health_command(service), HEALTH_TIMEOUT_S).returncode == 0

    @contextmanager
    def running(
        self, services: Mapping[str, Service], more: Iterable[str] = ()
    ) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        """The services' commands as processes; all have to end well when told to stop.

        Args:
            services: by name; their output goes to ``<folder>/<name>.log``.
            more: arguments beside those that the file gives.
        """
        processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name, service in services.items():
                processes[name] = self._start(name, [*service_command(service), *more], service)
            yield processes
        finally:
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            codes = {name: process.wait(40) for name, process in processes.items()}
        assert set(codes.values()) <= {0}, f"{codes}: {self.logs(codes)}"

    def _start(self, name: str, words: Iterable[str], service: Service) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                self.argv(words),
                cwd=self.folder,
                env=self.environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_healthy(
        self, services: Mapping[str, Service], processes: Mapping[str, subprocess.Popen[bytes]]
    ) -> None:
        """Ask for every service's health until all are well."""
        deadline_s = time.monotonic() + PATIENCE_S
        waiting = dict(services)
        while waiting:
            ended = [name for name, process in processes.items() if process.poll() is not None]
            assert not ended, f"{ended} ended: {self.logs(ended)}"
            waiting = {n: service for n, service in waiting.items() if not self.is_healthy(service)}
            assert time.monotonic() < deadline_s, f"not healthy: {self.logs(waiting)}"
            if waiting:
                time.sleep(_POLL_S)

    def logs(self, names: Iterable[str]) -> str:
        """What processes have said."""
        return "\n".join((self.folder / f"{name}.log").read_text("utf-8") for name in names)


def service_command(service: Service) -> list[str]:
    """What the container of one of our services runs."""
    entrypoint: list[str] = service.get("entrypoint", image_entrypoint())
    command: list[str] = service.get("command", [])
    return [*entrypoint, *command]


def metrics_places() -> tuple[dict[str, str], dict[str, str]]:
    """Ports for the metrics of every stage: what is replaced, and the setting that does it."""
    base, there = free_base_port(), MetricsSettings().port
    places = {f"{HOST}:{there + n}": f"{HOST}:{base + n}" for n in range(len(STAGES))}
    return places, {"GRIDLOOM_METRICS__PORT": str(base)}
