"""Bytes that are nearly right: mutations of good ones, of their bytes and of their structure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any, Final

Json = Any

DEEP: Final = 100_000
LONG: Final = 400_000

_TEXTS: Final = (
    *"{}[]\",:\\'#=;\n\r\t\0-+.eE09 ",
    "null", "true", "NaN", "Infinity", "-0.0", "1e999", "1e-999", "9" * 30, "-" + "9" * 30,
    "18446744073709551616", "9223372036854775808", "\\ud800", "\\u0000", "[" * 300, "{" * 300,
    "\ufeff", "\u202e", '"schema_version":"2.0",', '"type":"batch",', "[[x]]\n", "a = 1\n",
)  # fmt: skip  # tokens, not code
_NO_TEXTS: Final = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")
TOKENS: Final = (*(text.encode() for text in _TEXTS), *_NO_TEXTS)

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 16, 255, 2**31, 2**53, -(2**53), 2**63 - 1, 2**63, -(2**63) - 1,
    2**64, 10**30, 0.5, -0.0, 1e-320, 1e308, -1e308, "", "x", "\0", "x" * 5_000, "\u202e", "1.0",
    "2.0", "\ud800", "..", "nan", "2024-01-01", [], {},
    [None], [[[[[[]]]]]], {"": {}}, [0] * 300, ["", 0],
)  # fmt: skip  # values, not code

HOSTILE: Final = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"site":' + b"[" * DEEP,
    b"a = " + b"[" * DEEP,
    b"a" + b".a" * 1_000 + b" = 1",
    b"9" * LONG,
    b"1e" + b"9" * LONG,
    b'"' + b"x" * LONG + b'"',
    b'"' + b"\\u0000" * (LONG // 8) + b'"',
    b'{"a":1,' * (LONG // 20),
    b"{" + b",".join(b'"%d":0' % n for n in range(LONG // 20)) + b"}",
    b"," * LONG,
    b"\n" * LONG,
    b"\x1f\x8b" + b"\0" * 100,
)
"""Deep, huge and broken input; all of it is refused, or read, within a moment."""


def mutated(seed: bytes, random: Random) -> bytes:
    """A seed with a few changes, of its JSON structure where it has one and chance says so."""
    value = _parsed(seed) if random.random() < 0.7 else None
    if value is None:
        return _with_other_bytes(seed, random)
    for _ in range(random.randint(1, 4)):
        value = _with_other_part(value, random)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    return text.encode(errors="surrogatepass")


ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    2**63,
    -(2**63),
    10**30,
    1.5,
    1e308,
    "",
    "\ud800",
    "x",
    [],
    {},
)
"""What stands in the place of every field, one after the other."""


def with_every_oddity(seed: bytes) -> Iterator[bytes]:
    """A JSON seed with an odd value in the place of each of its parts; nothing of another seed."""
    value = _parsed(seed)
    for path in _paths(value):
        for odd in ODD:
            yield json.dumps(_replaced(value, path, odd)).encode()


def _paths(value: Json) -> Iterator[tuple[Any, ...]]:
    """The way to every part; of a list the first two, as all are alike."""
    parts: Iterable[tuple[Any, Json]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value[:2])
    for key, part in parts:
        yield (key,)
        yield from ((key, *rest) for rest in _paths(part))


def _replaced(value: Json, path: tuple[Any, ...], odd: Json) -> Json:
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], odd)
    return copy


def _parsed(seed: bytes) -> Json:
    try:
        return json.loads(seed)
    except (ValueError, RecursionError):
        return None


def _with_other_part(value: Json, random: Random) -> Json:
    """A JSON value with one part changed, gone, doubled or new."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(sorted(value))
        return _with_other_field(value, key, random)
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        parts: Sequence[list[Any]] = (
            [],
            [value[place]] * 2,
            [_with_other_part(value[place], random)],
        )
        return [*value[:place], *random.choice(parts), *value[place + 1 :]]
    return random.choice(VALUES)


def _with_other_field(value: dict[str, Json], key: str, random: Random) -> dict[str, Json]:
    match random.randrange(8):
        case 0:
            return {name: part for name, part in value.items() if name != key}
        case 1:
            return {**value, random.choice(("", "newer", "type", key + "x")): random.choice(VALUES)}
        case 2:
            return {**value, key: value[random.choice(sorted(value))]}
        case _:
            return {**value, key: _with_other_part(value[key], random)}


def _with_other_bytes(seed: bytes, random: Random) -> bytes:
    data = bytearray(seed)
    for _ in range(random.randint(1, 6)):
        at = random.randint(0, len(data))
        length = min(random.choice((1, 1, 2, 8, 64)), len(data) - at)
        match random.randrange(5):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at : at + length]
            case 2:
                data[at : at + length] = bytes(random.randrange(256) for _ in range(length))
            case _:
                data[at : at + random.choice((0, length))] = random.choice(TOKENS)
    return bytes(data)
