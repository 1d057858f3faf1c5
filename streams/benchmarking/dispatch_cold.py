"""A cold start of dispatch: ``python -m streams.benchmarking.dispatch_cold CASE_FILE OUT_FILE``.

Only schemas are imported before the clock runs.
"""

import sys
import time
from pathlib import Path

import msgspec

from schemas.site_model import SiteModel
from schemas.site_window import SiteWindow
from schemas.stage_state import DispatchState


class ColdCase(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is to decide; ``model`` is JSON."""

    model: str
    state: DispatchState | None
    window: SiteWindow


class ColdStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a new process waits for.

    Attributes:
        import_s: loading CVXPY and HiGHS [s].
        compile_s: making the site's dispatcher [s].
        first_s: its first decision that has something to weigh [s].
    """

    import_s: float
    compile_s: float
    first_s: float


def start_cold(model: SiteModel, case: ColdCase) -> ColdStart:
    """Time a start; only the first call in a process is cold."""
    began_s = time.perf_counter()
    from processors.dispatching.dispatcher import Dispatcher

    imported_s = time.perf_counter()
    dispatcher = Dispatcher(model)
    compiled_s = time.perf_counter()
    dispatcher.decide(case.state, case.window)
    decided_s = time.perf_counter()
    return ColdStart(
        import_s=imported_s - began_s,
        compile_s=compiled_s - imported_s,
        first_s=decided_s - compiled_s,
    )


def main(case_file: Path, out_file: Path) -> None:
    """Start cold once."""
    case = msgspec.json.decode(case_file.read_bytes(), type=ColdCase)
    started = start_cold(SiteModel.model_validate_json(case.model), case)
    out_file.write_bytes(msgspec.json.encode(started))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
