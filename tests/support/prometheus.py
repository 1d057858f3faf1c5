"""A real Prometheus for tests, and questions to it over its own HTTP API.

``from tests.support.prometheus import prometheus`` in a ``conftest.py``. Tests that use it carry
``@pytest.mark.prometheus``.
"""

import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from deploy.local_prometheus import LocalPrometheus

_TIMEOUT_S = 10.0
_POLL_S = 0.2

Start = Callable[[Path], "Asking"]


class _Series(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    status: str
    data: _Data


class Asking:
    """Asks one server; each answer is by the labels that the question leaves."""

    def __init__(self, url: str) -> None:
        self.url = url

    def values(self, expression: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Newest value of every series, by the values of ``labels``."""
        return {
            tuple(series.metric.get(label, "") for label in labels): float(series.value[1])
            for series in self._series(expression)
            if series.value is not None
        }

    def value(self, expression: str) -> float | None:
        """The one value that an expression has; None where there is none."""
        return self.values(expression).get(())

    def times_s(self, expression: str, span: str) -> list[list[float]]:
        """When the samples of every series were taken, over a span such as ``1m`` [s]."""
        return [[at_s for at_s, _ in each.values] for each in self._series(f"{expression}[{span}]")]

    def until(
        self, expression: str, is_right: Callable[[float | None], bool], timeout_s: float = 60.0
    ) -> float | None:
        """Ask again and again for the one value until it is right."""
        deadline_s = time.monotonic() + timeout_s
        while not is_right(value := self.value(expression)):
            assert time.monotonic() < deadline_s, (expression, value)
            time.sleep(_POLL_S)
        return value

    def _series(self, expression: str) -> list[_Series]:
        question = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(  # noqa: S310  a server of our own
            f"{self.url}/api/v1/query?{question}", timeout=_TIMEOUT_S
        ) as response:
            answer = msgspec.json.decode(response.read(), type=_Answer)
        assert answer.status == "success"
        return answer.data.result


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server that scrapes what a file names; stopped after the module's tests."""
    with ExitStack() as running:

        def start(targets_file: Path) -> Asking:
            server = LocalPrometheus(tmp_path_factory.mktemp("prometheus"), targets_file)
            return Asking(running.enter_context(server).url)

        yield start
