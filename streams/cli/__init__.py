"""The command line: ``gridloom COMMAND``. Errors are sentences with a hint, never tracebacks."""

from streams.cli.main import main

__all__ = ["main"]
