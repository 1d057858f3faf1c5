"""Hosts the page: this process becomes Streamlit, which ends on Ctrl-C and on SIGTERM."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, Self
from zoneinfo import ZoneInfo

from schemas.errors import StackError
from streams.page.zones import zone_named

_SCRIPT: Final = Path(__file__).with_name("script.py")

_FLAGS: Final = {
    "server.headless": "true",  # opens no browser, asks for no address
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a browser is no place for a traceback
    "logger.hideWelcomeMessage": "true",
    "global.developmentMode": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What the page is told beside the settings.

    Attributes:
        timezone: IANA name of the zone whose times it shows and whose midnight begins a day.
        offline_after_s: no new window for so long [s] means that the service is offline.
    """

    timezone: str
    offline_after_s: float

    @property
    def zone(self) -> ZoneInfo:
        """The time zone.

        Raises:
            ConfigurationError: there is none of that name.
        """
        return zone_named(self.timezone)

    def arguments(self) -> list[str]:
        """For the command line of the page's script."""
        return ["--timezone", self.timezone, "--offline-after", str(self.offline_after_s)]

    @classmethod
    def from_arguments(cls, arguments: Sequence[str] | None = None) -> Self:
        """Options from what :meth:`arguments` made; by default the process's own arguments."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--timezone", required=True)
        parser.add_argument("--offline-after", type=float, required=True)
        parsed = parser.parse_args(arguments)
        return cls(timezone=parsed.timezone, offline_after_s=parsed.offline_after)


def serve(host: str, port: int, options: PageOptions) -> NoReturn:
    """Become the page's server.

    Raises:
        StackError: the address is taken, or is none of this machine.
    """
    require_free(host, port)
    command = [sys.executable, *_command(host, port, options)]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  (no shell is wanted)


def _command(host: str, port: int, options: PageOptions) -> list[str]:
    """Arguments of Python that run Streamlit on the page's script."""
    flags = {**_FLAGS, "server.address": host, "server.port": str(port)}
    told = [f"--{name}={value}" for name, value in flags.items()]
    return ["-m", "streamlit", "run", str(_SCRIPT), *told, "--", *options.arguments()]


def require_free(host: str, port: int) -> None:
    """Refuse an address that the page cannot listen on.

    Raises:
        StackError: it is taken, or is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"the page cannot listen on {host}:{port}: {error.strerror or error}"
        raise StackError(message, hint="choose another --port, or another --host") from error
