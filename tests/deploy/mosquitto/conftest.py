"""The broker that these tests share."""

from tests.support.mosquitto import mosquitto

__all__ = ["mosquitto"]
