"""The site models, as they stand on the compacted topic ``site.models``."""

import logging
import zlib
from collections.abc import Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from schemas.errors import BrokerError, ConfigurationError
from schemas.settings import KafkaSettings
from schemas.site_model import SiteModel, decode_site_model
from schemas.topics import SITES
from streams.kafka import ensure_topics, producer, reader

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0


class SiteRegistry:
    """Finds site models by name; looks at the topic again when a name is not known.

    A site's model is read once: a change takes effect when a stage is started again.
    """

    def __init__(self, settings: KafkaSettings, stage: str) -> None:
        self._partition = TopicPartition(SITES.name, 0, OFFSET_BEGINNING)
        self._consumer: Consumer = reader(settings, f"{stage}.sites", end_marks=False)
        self._consumer.assign([self._partition])
        self._packed: dict[str, bytes] = {}  # every process has the models of all sites
        self._models: dict[str, SiteModel] = {}
        self._position = 0

    def find(self, name: str) -> SiteModel | None:
        """The model of a site, or None where there is none."""
        if name not in self._models and (model := self.read(name)) is not None:
            self._models[name] = model
        return self._models.get(name)

    def read(self, name: str) -> SiteModel | None:
        """The same, for who keeps no model: with many meters they take much memory."""
        if name not in self._packed:
            self.refresh()
        packed = self._packed.get(name)
        return None if packed is None else _unpacked(packed)

    def all(self) -> dict[str, SiteModel]:
        """Every site model that is declared now."""
        self.refresh()
        return {name: _unpacked(packed) for name, packed in self._packed.items()}

    def refresh(self) -> None:
        """Read what was declared since the last look."""
        try:
            _, end = self._consumer.get_watermark_offsets(self._partition, timeout=_TIMEOUT_S)
        except KafkaException as error:
            message = f"{SITES.name} cannot be read: {error}"
            raise BrokerError(message) from error
        while self._position < end:
            record = self._consumer.poll(_TIMEOUT_S)
            problem = "no answer" if record is None else record.error()
            if record is None or problem is not None:
                message = f"{SITES.name} cannot be read to its end: {problem}"
                raise BrokerError(message)
            self._take(record.value())
            self._position = (record.offset() or 0) + 1

    def _take(self, value: bytes | str | None) -> None:
        """Know one more site; a record that is no site model is passed over, and said so."""
        original = value if isinstance(value, bytes) else b""
        try:
            self._packed.setdefault(_decoded(original).name, zlib.compress(original))
        except ConfigurationError as error:
            log.error("%s; passed over", error)  # noqa: TRY400  a sentence, no traceback

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _decoded(record: bytes) -> SiteModel:
    return decode_site_model(record, f"a record on {SITES.name}")


def _unpacked(packed: bytes) -> SiteModel:
    return _decoded(zlib.decompress(packed))


def declare_site(settings: KafkaSettings, model: SiteModel) -> None:
    """Publish a site model, and create the topics of its gateways.

    Raises:
        ConfigurationError: the site is declared already with another model.
        BrokerError: Kafka does not take it.
    """
    declare_sites(settings, [model])


def declare_sites(settings: KafkaSettings, models: Sequence[SiteModel]) -> None:
    """Publish site models, and create the topics of their gateways.

    Raises:
        ConfigurationError: naming every site that is declared already with another model.
        BrokerError: Kafka does not take one.
    """
    registry = SiteRegistry(settings, "declare")
    present = registry.all()
    registry.close()
    new = [model for model in models if model.name not in present]
    known = [model for model in models if model.name in present]
    if changed := [m.name for m in known if present[m.name].model_hash != m.model_hash]:
        message = f"site {', '.join(map(repr, changed))} is declared already, with another model"
        raise ConfigurationError(message, hint="give the changed site another name")
    ensure_topics(settings, [gateway for model in models for gateway in model.gateways])
    client = producer(settings, "declare")
    for model in new:
        client.produce(SITES.name, key=model.name, value=model.model_dump_json())
    if missing := client.flush(_TIMEOUT_S):
        message = f"{missing} of {len(new)} site models could not be published"
        raise BrokerError(message)
