"""Where panels get their data from: Grafana's data sources, by uid."""

from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import runtime as cogruntime
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models.dashboard import AnnotationQuery, DataSourceRef
from grafana_foundation_sdk.models.prometheus import Dataquery as PromDataquery

from dashboards.grafana.promql import PromQuery

INFLUXDB: Final = "influxdb"
PROMETHEUS: Final = "prometheus"
"""Grafana's names of the kinds of data source."""

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Sources:
    """The uids of the two data sources; by default those that our files provision."""

    influxdb: str = "gridloom-influxdb"
    prometheus: str = "gridloom-prometheus"

    def uid(self, kind: str) -> str:
        """The uid of the data source of a kind."""
        return {INFLUXDB: self.influxdb, PROMETHEUS: self.prometheus}[kind]

    def ref(self, kind: str) -> DataSourceRef:
        """How a panel names a data source."""
        return DataSourceRef(type_val=kind, uid=self.uid(kind))


class FluxQuery(cogvariants.Dataquery):
    """A Flux query of a panel; the SDK knows no InfluxDB."""

    def __init__(self, query: str, ref_id: str, datasource: DataSourceRef) -> None:
        self.query = query
        self.ref_id = ref_id
        self.datasource = datasource

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB data source reads it."""
        return {"datasource": self.datasource, "query": self.query, "refId": self.ref_id}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The query of :meth:`to_json`."""
        return cls(data["query"], data["refId"], DataSourceRef.from_json(data["datasource"]))


class FluxAnnotation(AnnotationQuery):
    """Marks on the time axis from columns ``time``, ``text`` and ``tags`` of a Flux query."""

    def __init__(self, name: str, query: str, colour: str, datasource: DataSourceRef) -> None:
        super().__init__(name=name, datasource=datasource, icon_color=colour)
        self.query = query

    def to_json(self) -> dict[str, object]:
        """The SDK's annotation, with the target that the SDK cannot express."""
        target = {"query": self.query, "refId": "marks"}
        return {**super().to_json(), "target": target}


class Built(cogbuilder.Builder[T_co]):
    """A builder of what exists already."""

    def __init__(self, value: T_co) -> None:
        self._value = value

    def build(self) -> T_co:
        """The value."""
        return self._value


Question = str | PromQuery
"""What a panel asks: a Flux text, or a question to Prometheus."""


def kind_of(question: Question) -> str:
    """The kind of data source that answers it."""
    return PROMETHEUS if isinstance(question, PromQuery) else INFLUXDB


def target(question: Question, ref_id: str, sources: Sources) -> cogvariants.Dataquery:
    """A question as a panel's target."""
    ref = sources.ref(kind_of(question))
    if isinstance(question, str):
        return FluxQuery(question, ref_id, ref)
    return PromDataquery(
        expr=question.expr,
        instant=question.instant,
        range_val=not question.instant,
        legend_format=question.legend,
        ref_id=ref_id,
        datasource=ref,
    )


def register_flux() -> None:
    """Teach the SDK to read Flux queries back."""
    config = cogruntime.DataqueryConfig(identifier=INFLUXDB, from_json_hook=FluxQuery.from_json)
    cogruntime.register_dataquery_variant(config)
