"""Prometheus metrics of the stages: what they count, and where they show it.

A process has one :class:`StageMetrics`, made by :func:`serve` and handed to the stage.
Processors know nothing of it: the hosts count what processors return, in batches.
"""

from streams.metrics.ports import SUPERVISOR, free_base_port, port_of, targets
from streams.metrics.serving import serve
from streams.metrics.stage import Hop, StageMetrics

__all__ = ["SUPERVISOR", "Hop", "StageMetrics", "free_base_port", "port_of", "serve", "targets"]
