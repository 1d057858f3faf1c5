"""Aligning: from readings that arrive anyhow to windows that are the same whatever happens.

The way of a record: :mod:`scanning` turns plain bytes into columns, :mod:`decoding` all others into
readings or dead letters, :mod:`watermarks` says what time it was before each offset,
:mod:`accepting` judges, :mod:`open_readings` keeps what open windows need, :mod:`resampling` turns
step functions into window values, :mod:`aggregating` makes a site's window of them, and
:mod:`partition` puts it together for one Kafka partition. Nothing here knows Kafka or reads a
clock.
"""
