"""The JSON Schema (2020-12) of every message, for those who write producers and consumers.

msgspec and pydantic know the types; the docstrings know the meanings and the units.
"""

import json
import re
from enum import Enum
from typing import Any, Final

import msgspec
from pydantic import BaseModel

from schemas.topics import TOPICS
from schemas.versions import version_of
from streams.reference_docs.fields import codes_of, fields_of, reachable
from streams.reference_docs.wording import prose

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FOLDER: Final = "schemas"
"""Below the folder of the reference pages."""

MESSAGES: Final = tuple(dict.fromkeys(kind for spec in TOPICS for kind in spec.messages))
"""Every message class of the topic map, once."""

JsonObject = dict[str, Any]

_UNITS: Final = {"_ms": "ms", "_s": "s", "_kw": "kW", "_kwh": "kWh"}
"""By a name's ending: what its values are in, for fields of which no docstring says more."""


def wire_name(kind: type) -> str:
    """Name of a message's files: that of ``SiteWindow`` is ``site_window``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def schema_file(kind: type) -> str:
    """Where a message's schema lies, below the folder of the reference pages."""
    return f"{SCHEMA_FOLDER}/{wire_name(kind)}.schema.json"


def schema_id(kind: type) -> str:
    """The identifier of a message's schema; a name, not an address."""
    return f"urn:gridloom:schema:{version_of(kind)}:{wire_name(kind)}"


def json_schema(kind: type) -> JsonObject:
    """The schema of a message; it refers to nothing outside itself.

    Raises:
        TypeError: the class is neither a Struct nor a pydantic model.
    """
    root, parts = typed_schema(kind)
    classes = {each.__name__: each for each in reachable([kind])}
    described = {name: _described(part, classes[name]) for name, part in sorted(parts.items())}
    head = {"$schema": DIALECT, "$id": schema_id(kind), "title": kind.__name__}
    return {**head, **_described(root, kind), **({"$defs": described} if described else {})}


def schema_text(kind: type) -> str:
    """The schema as the file that is committed."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"


def typed_schema(kind: type) -> tuple[JsonObject, dict[str, JsonObject]]:
    """What the libraries know: the schema of the class itself, and those of its parts."""
    if issubclass(kind, BaseModel):
        root = kind.model_json_schema()
        return root, root.pop("$defs", {})
    if issubclass(kind, msgspec.Struct):
        parts: dict[str, JsonObject] = msgspec.json.schema(kind)["$defs"]
        return parts.pop(kind.__name__), parts
    message = f"{kind.__name__} is no message"
    raise TypeError(message)


def _described(schema: JsonObject, kind: type) -> JsonObject:
    """A schema with what the docstrings say, in place of what the libraries made of them."""
    head = {"title": kind.__name__, "description": _description(kind)}
    body = {key: value for key, value in schema.items() if key not in head}
    meanings = {field.name: field.meaning or _unit_of(field.name) for field in fields_of(kind)}
    if "properties" in body:
        properties = body["properties"].items()
        body["properties"] = {
            name: _property(value, meanings.get(name, "")) for name, value in properties
        }
    elif "prefixItems" in body:
        named = zip(body["prefixItems"], meanings.items(), strict=True)
        body["prefixItems"] = [
            _property({"title": name, **item}, meaning, "title") for item, (name, meaning) in named
        ]
    return {**head, **body}


def _property(schema: JsonObject, meaning: str, *kept: str) -> JsonObject:
    """One field's schema; the titles that pydantic makes of names say nothing new."""
    said = {"description": meaning} if meaning else {}
    return {**{k: v for k, v in schema.items() if k != "title" or k in kept}, **said}


def _unit_of(name: str) -> str:
    """The unit that a field's name carries, as in ``[kW]``; empty where it carries none."""
    units = [f"[{unit}]" for ending, unit in _UNITS.items() if name.endswith(ending)]
    return "".join(units)


def _description(kind: type) -> str:
    """A class's docstring; of a code, with the meaning of each of its values."""
    text = prose(kind)
    if not issubclass(kind, Enum):
        return text
    listed = [f"- `{code}`: {meaning}" for code, meaning in codes_of(kind) if meaning]
    return "\n".join([text, *listed])
