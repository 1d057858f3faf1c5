"""`gridloom page` as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 120.0


@dataclass(frozen=True)
class PageProcess:
    """A page that answers at ``url``; ``log`` holds what it prints."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(folder: Path, *options: str, **env: str) -> Iterator[PageProcess]:
    """The page over the historian in ``folder``, from its first answer on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {key: text for key, text in os.environ.items() if not key.startswith("GRIDLOOM_")}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"GRIDLOOM_FOLDER": str(folder), "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "streams.cli", "page", "--port", str(port), *options]
    log = folder / "page.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=kept | own | env, cwd=folder, stdout=output, stderr=output
        )
    try:
        page = PageProcess(f"http://127.0.0.1:{port}", process, log)
        _wait_until_it_answers(page)
        yield page
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait_until_it_answers(page: PageProcess) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        assert page.process.poll() is None, page.log.read_text("utf-8")
        try:
            with urlopen(f"{page.url}/_stcore/health", timeout=5):  # noqa: S310  http, by its own making
                return
        except (URLError, TimeoutError):
            assert time.monotonic() < deadline_s, page.log.read_text("utf-8")
            time.sleep(0.2)
