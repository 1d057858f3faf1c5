"""The command line: ``gridloom COMMAND``. Errors are sentences with a hint, never tracebacks."""

import signal


def start() -> int:
    """Load the command line and run it; returns the exit status, or leaves with it.

    Modules take a second to load. Ctrl-C meanwhile ends the process at once: an interrupted
    import would show as a traceback, or as an error of whatever was being loaded.
    """
    interactive = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interactive:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from streams.cli.main import main

    if interactive:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()
