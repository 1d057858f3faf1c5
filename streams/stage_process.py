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
from streams.stage_registry import run_stage
from streams.stages import log_to_stderr

EXIT_FAILED = 1


def main(arguments: list[str]) -> int:
    """Run the stage until SIGTERM; Ctrl-C is for the process that supervises it."""
    name, slot = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = log_to_stderr(name)
    try:
        run_stage(name, load_settings(), slot)
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
