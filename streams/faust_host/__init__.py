"""What every stage on Faust stands on: an app that reads and writes in transactions.

A stage names its topics, its table and its pages; the host gives it

- ``app``: the app itself, with what Faust gets wrong in transactions put right (``transport``);
- ``agents``: records one by one, each on its own: one that fails becomes a dead letter;
- ``executors``: heavy work in processes, a site always in the same one, away from the event loop;
- ``timers``: work at fixed steps of the pipeline clock;
- ``running``: start, health, lag, and a stop that finishes or returns what was begun.

``streams/devices`` shows how; ``docs/decisions/0022-where-faust-earns-its-place.md`` says when.
"""
