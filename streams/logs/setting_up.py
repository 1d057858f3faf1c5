"""Where a process's log goes, and what it looks like."""

import logging
import sys

from schemas.settings import LoggingSettings
from streams.logs.lines import JsonLines, TextLines


def log_to_stderr(stage: str, slot: int = 0, settings: LoggingSettings | None = None) -> None:
    """Write everything that this process logs to stderr, from now on in this form.

    Args:
        stage: named in every line.
        slot: likewise.
        settings: level and form; defaults where they are not known yet.
    """
    chosen = settings or LoggingSettings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(chosen, stage, slot))
    logging.basicConfig(handlers=[handler], level=chosen.level.upper(), force=True)


def _formatter(settings: LoggingSettings, stage: str, slot: int) -> logging.Formatter:
    on_terminal = sys.stderr.isatty()
    as_json = settings.format == "json" or (settings.format == "auto" and not on_terminal)
    return JsonLines(stage, slot) if as_json else TextLines(stage, slot)
