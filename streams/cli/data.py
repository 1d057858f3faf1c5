"""Commands about topics and data: topics, declare."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from schemas.topics import TOPICS, TopicSpec
from streams.cli.connection import connected_settings
from streams.cli.console import out
from streams.kafka import ensure_topics, partitions_of
from streams.site_files import read_site_files
from streams.site_registry import declare_site

_DAY_MS = 86_400_000


def topics(
    apply: Annotated[bool, typer.Option("--apply", help="create those that are missing")] = False,
) -> None:
    """Show the topic map, or create the topics."""
    settings = connected_settings()
    if apply:
        created = ensure_topics(settings.kafka)
        out.print(f"created: {', '.join(created) or 'nothing, all topics exist'}")
        return
    table = Table("topic", "key", "messages", "producers", "consumers", "partitions", "kept")
    for spec in TOPICS:
        messages = ", ".join(message.__name__ for message in spec.messages)
        partitions = str(partitions_of(settings.kafka, spec))
        table.add_row(
            spec.name, spec.key, messages, ", ".join(spec.producers), ", ".join(spec.consumers),
            partitions, _kept(spec),
        )  # fmt: skip  # one row of the table
    out.print(table)


def _kept(spec: TopicSpec) -> str:
    """How long records stay, in words."""
    return "newest per key" if spec.retention_ms is None else f"{spec.retention_ms // _DAY_MS} d"


def declare(files: Annotated[list[Path], typer.Argument(help="TOML files of sites")]) -> None:
    """Declare sites, so that their telemetry is accepted."""
    settings = connected_settings()
    for model in read_site_files(files):
        declare_site(settings.kafka, model)
        out.print(f"site {model.name}: {len(model.meters)} meters, mode {model.mode}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(topics)
    app.command(no_args_is_help=True)(declare)
