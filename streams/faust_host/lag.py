"""How far a Faust app is behind, from what its consumer knows anyway."""

from collections.abc import Mapping

import faust

from streams.faust_host.transport import TransactionalConsumer


def lags(app: faust.App) -> Mapping[tuple[str, ...], int]:
    """Records not taken yet, by topic and partition; what is not known yet is left out."""
    consumer = app.consumer
    return consumer.lags() if isinstance(consumer, TransactionalConsumer) else {}
