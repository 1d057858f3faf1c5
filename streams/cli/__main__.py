"""``python -m streams.cli`` is ``gridloom``."""

import sys

from streams.cli import start

sys.exit(start())
