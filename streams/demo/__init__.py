"""The demo: the whole loop on this machine, watched while it runs and accounted for at the end.

:mod:`runner` starts and ends it, :mod:`watcher` follows the topics, :mod:`view` shows it live,
:mod:`audit` counts everything from the logs, :mod:`report` is what is counted, :mod:`charts`
draws it.
"""
