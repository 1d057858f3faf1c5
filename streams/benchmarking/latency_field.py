"""The field of the latency benchmark: ``python -m streams.benchmarking.latency_field``."""

from schemas.settings import load_settings
from streams.benchmarking.latency_site import latency_site
from streams.field import STAGE, FieldStage
from streams.logs import log_to_stderr
from streams.metrics import StageMetrics


def main() -> None:
    """Play the site until asked to stop; every reading arrives as it was sent."""
    log_to_stderr(STAGE, 0)
    FieldStage(load_settings(), 0, StageMetrics(STAGE), latency_site(), {}).run()


if __name__ == "__main__":
    main()
