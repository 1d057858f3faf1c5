"""Holds messages to their versions: a change on the wire needs a version step.

What each version of a message looks like is recorded beside its example, in
``tests/cases/messages/<message>/<version>/``. ``python -m streams.schema_steps`` compares the
code with it, says which step a change needs and why, and records a step that was made.
"""
