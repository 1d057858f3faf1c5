"""A real InfluxDB for the tests that are marked so."""

from tests.support.influx import influx, influx_bucket

__all__ = ["influx", "influx_bucket"]
