"""What the peers run: a program each, started in an environment that holds that peer alone.

All of them are called with the same arguments, and none imports anything of ours::

    PROGRAM BOOTSTRAP INPUT OUTPUT GROUP PARTITIONS COMMIT_MS FOLDER

Each reads telemetry from the topic ``INPUT``, takes tumbling windows of 5 s per meter in event
time with 30 s of grace, and writes for every meter and window
``{"device", "window_start_ms", "mean", "count"}`` to the topic ``OUTPUT``, exactly once, with
one worker. The moment of its first record goes to ``FOLDER/began`` [s, monotonic clock].
"""
