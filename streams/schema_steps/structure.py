"""What of a message is on the wire: its JSON Schema without words and references."""

import json
from typing import Any, Final

from schemas.versions import VERSION_FIELD
from streams.reference_docs.json_schemas import JsonObject, typed_schema

_WORDS: Final = {"title", "description"}
_REFERENCE: Final = "$ref"


def structure_of(kind: type) -> JsonObject:
    """The structure of a message; equal where nothing on the wire has changed."""
    root, parts = typed_schema(kind)
    bare = _bare(root, parts)
    bare["properties"].pop(VERSION_FIELD, None)
    structure: JsonObject = json.loads(json.dumps(bare))  # defaults as JSON has them
    return structure


def _bare(node: Any, parts: dict[str, JsonObject]) -> Any:  # noqa: ANN401  JSON
    """A schema with its parts in place."""
    if isinstance(node, list):
        return [_bare(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if _REFERENCE in node:
        name = node[_REFERENCE].rsplit("/", 1)[-1]
        others = {key: value for key, value in node.items() if key != _REFERENCE}
        return _bare({**parts[name], **others}, parts)
    return {
        key: _properties(value, parts) if key == "properties" else _bare(value, parts)
        for key, value in node.items()
        if key not in _WORDS
    }


def _properties(properties: JsonObject, parts: dict[str, JsonObject]) -> JsonObject:
    """Fields by name: a field may be called like a keyword of JSON Schema."""
    return {name: _bare(value, parts) for name, value in properties.items()}
