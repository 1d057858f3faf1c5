"""The server that these tests share, and buckets of their own."""

from tests.support.influx import influx, influx_bucket

__all__ = ["influx", "influx_bucket"]
