"""The pages: messages with their JSON Schemas, topics, roles, settings, metrics."""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from schemas import messages, roles, settings, topics, units, versions
from schemas.roles import Role
from schemas.roles import roles as all_roles
from schemas.settings import PREFIX, Settings
from schemas.topics import DAY_MS, TOPICS, TopicSpec
from schemas.units import QUANTITIES, Quantity
from schemas.versions import version_of
from streams.metrics.page import page as metrics_page
from streams.reference_docs.fields import Field, codes_of, fields_of, reachable
from streams.reference_docs.json_schemas import (
    DIALECT,
    MESSAGES,
    SCHEMA_FOLDER,
    schema_file,
    schema_id,
    schema_text,
    wire_name,
)
from streams.reference_docs.wording import NAME_RULE, link_to, prose, table

FOLDER: Final = Path("docs/reference")
_EXAMPLES: Final = "../../tests/cases/messages"
_NOTE: Final = "<!-- Made by `python -m streams.reference_docs`: change the code instead. -->"


def pages() -> dict[str, str]:
    """Every page and schema by its file name, below ``docs/reference``."""
    return {
        "messages.md": messages_page(),
        "topics.md": topics_page(),
        "roles.md": roles_page(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        f"{SCHEMA_FOLDER}/README.md": schemas_page(),
        **{schema_file(kind): schema_text(kind) for kind in MESSAGES},
    }


def write_pages() -> None:
    """Write the pages into the working folder's ``docs/reference``."""
    (FOLDER / SCHEMA_FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def messages_page() -> str:
    """Every message of the topic map, what they are made of, and the units."""
    kinds = reachable(kind for spec in TOPICS for kind in spec.messages)
    sent_on = {kind: [spec for spec in TOPICS if kind in spec.messages] for kind in kinds}
    codes = [kind for kind in kinds if issubclass(kind, Enum)]
    parts = [kind for kind in kinds if not sent_on[kind] and not issubclass(kind, Enum)]
    return _blocks(
        "# Messages",
        _NOTE,
        prose(messages),
        "A reader passes over fields that it does not know; only a site model with an unknown key"
        f" is refused. {NAME_RULE}",
        "## On the topics",
        *(_message(kind, specs) for kind, specs in sent_on.items() if specs),
        "## Parts of messages",
        *(_part(kind) for kind in parts),
        "## Codes",
        *(_codes(kind) for kind in codes),
        "## Quantities, units and signs",
        prose(units),
        _quantities(),
        "## Versions",
        prose(versions),
        _versions(),
    )


def schemas_page() -> str:
    """The index of the JSON Schemas, and what they do not say."""
    head = ["Message", "On", "Schema", "Identifier"]
    return _blocks(
        "# JSON Schemas",
        _NOTE,
        f"One schema for every message, in the dialect `{DIALECT}`. Each stands alone. The"
        " identifiers are names: nothing is fetched from them.",
        "A message that fits its schema is read; the stages may still refuse what it says (a unit"
        " that its quantity does not have, a site model whose parts contradict each other), and"
        " name every reason in a dead letter. Fields that a schema does not know are passed over,"
        " but for a site model's.",
        table(head, [_schema(kind) for kind in MESSAGES]),
    )


def topics_page() -> str:
    """The topic map."""
    head = ["Topic", "Key", "Messages", "Written by", "Read by", "Partitions", "Kept", "Stamped by"]
    rows = [_topic(spec) for spec in TOPICS]
    return _blocks("# Topics", _NOTE, prose(topics), table(head, rows))


def roles_page() -> str:
    """What every user of Kafka may do."""
    head = ["User", "Who", "What", "Name", "May"]
    rows = [row for role in all_roles() for row in _role(role)]
    return _blocks("# Roles", _NOTE, prose(roles), table(head, rows))


def settings_page() -> str:
    """Every setting with its variable and default."""
    fields = fields_of(Settings)
    sections = [(field.name, kind) for field in fields for kind in field.kinds]
    return _blocks(
        "# Settings",
        _NOTE,
        prose(settings),
        "## Top level",
        prose(Settings),
        _settings([field for field in fields if not field.kinds], PREFIX),
        *(
            _blocks(f"## `[{name}]`", prose(kind), _settings(fields_of(kind), f"{PREFIX}{name}__"))
            for name, kind in sections
        ),
    )


def _blocks(*blocks: str) -> str:
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _message(kind: type, sent_on: Sequence[TopicSpec]) -> str:
    on = ", ".join(f"`{spec.name}`" for spec in sent_on)
    version = version_of(kind)
    example = f"[an example]({_EXAMPLES}/{wire_name(kind)}/{version}/input.json)"
    schema = f"[JSON Schema]({schema_file(kind)})"
    return _part(kind, f"On {on}; version {version}; {example}; {schema}.")


def _schema(kind: type) -> tuple[str, ...]:
    file = schema_file(kind).removeprefix(f"{SCHEMA_FOLDER}/")
    return (
        link_to(kind, "../messages.md"),
        ", ".join(f"`{spec.name}`" for spec in TOPICS if kind in spec.messages),
        f"[{file}]({file})",
        f"`{schema_id(kind)}`",
    )


def _part(kind: type, *remarks: str) -> str:
    if issubclass(kind, msgspec.Struct) and kind.__struct_config__.array_like:
        remarks = (*remarks, "A JSON array of these fields, in this order.")
    rows = [(f"`{f.name}`", f.words, f.default, f.meaning) for f in fields_of(kind)]
    head = ["Field", "Type", "Default", "Meaning"]
    return _blocks(f"### {kind.__name__}", prose(kind), *remarks, table(head, rows))


def _codes(kind: type[Enum]) -> str:
    rows = [(f"`{code}`", meaning) for code, meaning in codes_of(kind)]
    return _blocks(f"### {kind.__name__}", prose(kind), table(["Code", "Meaning"], rows))


def _topic(spec: TopicSpec) -> tuple[str, ...]:
    return (
        f"`{spec.name}`",
        f"`{spec.key}`",
        ", ".join(link_to(kind, "messages.md") for kind in spec.messages),
        ", ".join(spec.producers),
        ", ".join(spec.consumers),
        "by site" if spec.per_site else "1",
        _kept(spec.retention_ms),
        "broker" if spec.log_append_time else "producer",
    )


def _role(role: Role) -> Iterator[tuple[str, ...]]:
    """A row for every kind of right, with all names that have it."""
    who = (f"`{role.user}`", role.meaning)
    for (what, may), alike in groupby(role.rules, lambda rule: (rule.resource, rule.operations)):
        names = ", ".join(f"`{rule.pattern}`" for rule in alike)
        yield (*who, what.replace("_", " "), names, ", ".join(may))
        who = ("", "")


def _kept(retention_ms: int | None) -> str:
    if retention_ms is None:
        return "newest of a key"
    days = retention_ms / DAY_MS
    return f"{days:g} day" if days == 1 else f"{days:g} days"


def _settings(fields: Iterable[Field], prefix: str) -> str:
    rows = [
        (f"`{f.name}`", f"`{(prefix + f.name).upper()}`", f.words, f.default, f.meaning)
        for f in fields
    ]
    return table(["Key", "Variable", "Type", "Default", "Meaning"], rows)


def _versions() -> str:
    """The version of every message, first those that have made a step."""
    kinds = sorted(MESSAGES, key=lambda kind: str(version_of(kind)), reverse=True)
    groups = groupby(kinds, version_of)
    rows = [(str(number), ", ".join(link_to(kind) for kind in alike)) for number, alike in groups]
    return table(["Version", "Messages"], rows)


def _quantities() -> str:
    """One row for every run of quantities that differ by their name alone."""

    def row(quantity: Quantity) -> tuple[str, ...]:
        others = quantity.accepted.items() - {(quantity.unit, 1)}
        return (
            quantity.unit,
            ", ".join(f"{unit} (× {factor:g})" for unit, factor in sorted(others)),
            quantity.aggregation.value,
            ", ".join(sorted(quantity.kinds)),
        )

    rows = [
        (", ".join(f"`{quantity.name}`" for quantity in alike), *cells)
        for cells, alike in groupby(QUANTITIES.values(), row)
    ]
    return table(["Quantity", "Unit", "Also accepted", "In a window", "Telemetry"], rows)
