"""One stage as a process: ``python -m streams.stage_process NAME [SLOT]``.

Apart from the command line, so that a stage loads nothing that it does not need: seven of them
start at once on a machine with two cores.
"""

import logging
import os
import signal
import sys

from confluent_kafka import KafkaException

from schemas.errors import GridloomError
from schemas.settings import load_settings
from streams.logs import log_to_stderr
from streams.stage_registry import run_stage

log = logging.getLogger(__name__)

EXIT_FAILED = 1


def main(arguments: list[str]) -> int:
    """Run the stage until SIGTERM; Ctrl-C is for the process that supervises it."""
    name, slot = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr(name, slot)  # settings that are wrong are an event, too
    try:
        settings = load_settings()
        log_to_stderr(name, slot, settings.logging)
        run_stage(name, settings, slot)
    except (GridloomError, KafkaException) as error:
        hint = error.hint if isinstance(error, GridloomError) else ""
        log.error("%s%s", error, f" (hint: {hint})" if hint else "")  # noqa: TRY400  a sentence, no traceback
    except Exception:
        log.exception("a defect of Gridloom")
    else:
        return 0
    # At once: Kafka's clients would first try to take leave of a broker that may be away.
    logging.shutdown()
    os._exit(EXIT_FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
