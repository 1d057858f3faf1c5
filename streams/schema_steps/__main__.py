"""Records steps that were made, then says what does not fit; fails where something does not."""

import sys

from streams.cli.console import err, out
from streams.schema_steps.recording import FOLDER, problems, record

FITS = "every message has the version of what it looks like on the wire"

if __name__ == "__main__":
    for line in record(FOLDER):
        out.print(line, markup=False, soft_wrap=True)
    found = list(problems(FOLDER))
    for line in found:
        err.print(line, markup=False, soft_wrap=True)
    if not found:
        out.print(FITS)
    sys.exit(bool(found))
