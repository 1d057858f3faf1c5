"""Commands about topics, access to them, and sites: topics, declare."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from schemas.roles import ADMIN, roles
from schemas.settings import KafkaSettings, load_settings
from schemas.topics import TOPICS, TopicSpec
from streams.cli.connection import chosen_stack, connected_settings
from streams.cli.console import out
from streams.kafka import ensure_topics, partitions_of
from streams.site_files import read_site_files
from streams.site_registry import declare_site

_DAY_MS = 86_400_000


def topics(
    apply: Annotated[bool, typer.Option("--apply", help="create what is missing")] = False,
    acls: Annotated[
        bool, typer.Option("--acls", help="access rules of every role, instead of the map")
    ] = False,
) -> None:
    """Show the topic map or its access rules, or create topics and rules."""
    if apply:
        _apply(acls=acls)
    elif acls:
        out.print(_rules_as_table())
    else:
        out.print(_map_as_table(connected_settings().kafka))


def _apply(*, acls: bool) -> None:
    """Create the topics, and with ``acls`` the rules, and on a local stack also the users."""
    settings = load_settings()
    stack = chosen_stack(settings)
    kafka = connected_settings(ADMIN).kafka
    created = ensure_topics(kafka)
    out.print(f"created: {', '.join(created) or 'nothing, all topics exist'}")
    if not acls:
        return
    # Its admin client takes long to load.
    from streams.access import declared_roles, ensure_access, ensure_users

    wanted = declared_roles(kafka)
    users = None if stack is None else stack.users
    if users is not None:
        ensure_users(kafka, users, wanted)
        out.print(f"passwords: {users.folder}", soft_wrap=True)
    out.print(f"access rules: {ensure_access(kafka, wanted)} of {len(wanted)} users")


def _rules_as_table() -> Table:
    table = Table("user", "what", "name", "may")
    for role in roles():
        for index, rule in enumerate(role.rules):
            user = role.user if index == 0 else ""
            table.add_row(user, rule.resource, rule.pattern, ", ".join(rule.operations))
        table.add_section()
    return table


def _map_as_table(settings: KafkaSettings) -> Table:
    table = Table("topic", "key", "messages", "producers", "consumers", "partitions", "kept")
    for spec in TOPICS:
        messages = ", ".join(message.__name__ for message in spec.messages)
        partitions = str(partitions_of(settings, spec))
        table.add_row(
            spec.name, spec.key, messages, ", ".join(spec.producers), ", ".join(spec.consumers),
            partitions, _kept(spec),
        )  # fmt: skip  # one row of the table
    return table


def _kept(spec: TopicSpec) -> str:
    """How long records stay, in words."""
    return "newest per key" if spec.retention_ms is None else f"{spec.retention_ms // _DAY_MS} d"


def declare(files: Annotated[list[Path], typer.Argument(help="TOML files of sites")]) -> None:
    """Declare sites, so that their telemetry is accepted."""
    settings = connected_settings(ADMIN)
    for model in read_site_files(files):
        declare_site(settings.kafka, model)
        out.print(f"site {model.name}: {len(model.meters)} meters, mode {model.mode}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(topics)
    app.command(no_args_is_help=True)(declare)
