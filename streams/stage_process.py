"""One stage as a process: ``python -m streams.stage_process NAME [SLOT]``.

Apart from the command line, so that a stage loads nothing that it does not need: seven of them
start at once on a machine with two cores.
"""

import signal
import sys

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
    except GridloomError as error:
        log.error("%s%s", error, f" (hint: {error.hint})" if error.hint else "")  # noqa: TRY400  a sentence, no traceback
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
