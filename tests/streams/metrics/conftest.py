"""Fixtures that several modules here share."""

from tests.support.prometheus import prometheus

__all__ = ["prometheus"]
