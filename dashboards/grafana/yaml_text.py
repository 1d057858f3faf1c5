"""Just enough YAML to write Grafana's provisioning files: mappings, lists, texts and numbers.

Texts are quoted as JSON quotes them, which YAML reads alike; texts of several lines become
literal blocks, so that a query can be read.
"""

import json
import re
from typing import Final

_PLAIN_KEY: Final = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_]\w*", re.IGNORECASE | re.ASCII
)
"""A key that is no word for a truth value to any version of YAML."""


def yaml_text(value: object) -> str:
    """A document.

    Raises:
        TypeError: something in it is neither mapping, list, text, number, truth value nor None.
    """
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> list[str]:
    """A mapping or a list, line by line."""
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _entry(f"{_key(key)}:", item)]
    if isinstance(value, list):
        return [line for item in value for line in _item(item)]
    raise TypeError(f"a YAML document is a mapping or a list, not {value!r:.80}")


def _entry(prefix: str, value: object) -> list[str]:
    """What follows a key."""
    if isinstance(value, dict | list) and value:
        return [prefix, *(f"  {line}" for line in _lines(value))]
    if isinstance(value, str) and _is_block(value):
        indented = (f"  {line}" if line else "" for line in value[:-1].split("\n"))
        return [f"{prefix} |", *indented]
    return [f"{prefix} {_scalar(value)}"]


def _item(value: object) -> list[str]:
    """One item of a list."""
    if not isinstance(value, dict | list) or not value:
        return [f"- {_scalar(value)}"]
    first, *others = _lines(value)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _is_block(text: str) -> bool:
    """Whether a literal block carries the text unchanged."""
    lines = text[:-1].split("\n")
    begins_well = bool(lines[0]) and not lines[0].startswith(" ")
    clean = all(line == line.rstrip() and line.isprintable() for line in lines)
    return text.endswith("\n") and not text.endswith("\n\n") and begins_well and clean


def _key(key: object) -> str:
    text = str(key)
    return text if _PLAIN_KEY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """JSON's quotes, with what is not printable escaped as YAML demands it."""
    characters = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in characters)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool | int | float) or value in ({}, []):
        return json.dumps(value)
    raise TypeError(f"YAML has no way to write {value!r:.80}")
