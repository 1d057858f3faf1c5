"""Replay: meter and weather files into the telemetry topics.

The way of a row: :mod:`tables` reads it, :mod:`columns` knows what its cells mean,
:mod:`parsing` makes readings or a bad row of it, :mod:`loading` puts files together in time
order, as a :mod:`recording`. :mod:`site` says which site they belong to, :mod:`fitting` whether
the pipeline clock suits them, :mod:`encoding` makes messages, :mod:`sending` writes them to
Kafka, and :mod:`playing` decides when. The whole is :func:`streams.replay.command.replay`.
"""
