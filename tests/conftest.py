"""Which tests run here, and which of them a run insists on.

``GRIDLOOM_DATA`` names the reference data folder (default: ``shared/data`` beside the checkout).
Without that folder tests marked ``data`` are deselected. ``GRIDLOOM_REQUIRE`` lists marks
(``data``, ``kafka``) that a run must not lose: missing data, or no such test left to run, ends
the run with an error.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REFERENCE_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REQUIRABLE = frozenset({"data", "kafka"})

# No test asserts wall time, so Hypothesis does not either.
settings.register_profile("gridloom", settings(), deadline=None)
settings.load_profile("gridloom")


def data_folder() -> Path:
    """Where reference data lies, or would lie."""
    return Path(os.environ.get("GRIDLOOM_DATA") or REFERENCE_DATA)


def required_marks() -> frozenset[str]:
    """The marks in ``GRIDLOOM_REQUIRE``.

    Raises:
        pytest.UsageError: it names a mark that cannot be required.
    """
    names = os.environ.get("GRIDLOOM_REQUIRE", "").split(",")
    marks = frozenset(name.strip() for name in names if name.strip())
    if unknown := marks - REQUIRABLE:
        message = (
            f"GRIDLOOM_REQUIRE: unknown {', '.join(sorted(unknown))};"
            f" it takes {', '.join(sorted(REQUIRABLE))}"
        )
        raise pytest.UsageError(message)
    return marks


@pytest.hookimpl(trylast=True)  # after -m and -k have taken theirs away
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs absent data; refuse a run that lost what it requires."""
    required = required_marks()
    folder = data_folder()
    if not folder.is_dir():
        if "data" in required:
            message = f"GRIDLOOM_REQUIRE asks for data, but {folder} is no folder"
            raise pytest.UsageError(message)
        lost = [item for item in items if item.get_closest_marker("data")]
        items[:] = [item for item in items if item not in lost]
        config.hook.pytest_deselected(items=lost)
    for mark in sorted(required):
        if not any(item.get_closest_marker(mark) for item in items):
            message = f"GRIDLOOM_REQUIRE asks for {mark}, but no test marked so would run"
            raise pytest.UsageError(message)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The reference data folder; for tests marked ``data``."""
    return data_folder()
