"""``python -m streams.cli`` is ``gridloom``."""

import sys

from streams.cli.main import main

sys.exit(main())
