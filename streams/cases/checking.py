"""Names everything that is wrong with parsed JSON that should be a message, not only the first."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from schemas.versions import VERSION_FIELD, version_of, version_problem


def problems_of(data: object, kind: type[msgspec.Struct], path: str) -> Iterator[str]:
    """Every wrong, missing or unknown field of ``data`` as a ``kind``, one sentence each.

    Args:
        data: parsed JSON.
        kind: the message.
        path: what ``data`` is called in the sentences.
    """
    if not isinstance(data, Mapping):
        yield f"{path}: expected an object, got {_shown(data)}"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind)
    own, written = version_of(kind), data.get(VERSION_FIELD)
    if own is not None and isinstance(written, str):
        problem = version_problem(kind.__name__, own, written)
        yield from [] if problem is None else [f"{path}.{problem}"]
    for name in data.keys() - fields.keys():
        yield f"{path}.{name}: unknown field (known are: {', '.join(fields)})"
    for name, field in fields.items():
        if name in data:
            yield from _value_problems(data[name], hints[field.name], f"{path}.{name}")
        elif field.required:
            yield f"{path}.{name}: required, but missing"


def _value_problems(value: object, hint: Any, path: str) -> Iterator[str]:  # noqa: ANN401  a type
    """What is wrong with one value; messages and lists of messages are looked into."""
    struct = _struct_of(hint)
    if struct is not None and isinstance(value, list):
        yield from _list_problems(value, struct, path)
        return
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from problems_of(value, hint, path)
        return
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        yield f"{path}: {str(error)[0].lower()}{str(error)[1:]} (got {_shown(value)})"


def _list_problems(
    values: Iterable[object], struct: type[msgspec.Struct], path: str
) -> Iterator[str]:
    for number, value in enumerate(values):
        yield from problems_of(value, struct, f"{path}[{number}]")


def _struct_of(hint: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401  a type
    """The message in ``tuple[message, ...]``; None where the type is another one."""
    inner = get_args(hint)[0] if get_origin(hint) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def _shown(value: object) -> str:
    return f"{value!r:.60}"
