"""JSON text to plain values and back, with every fault of the text named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nodeflow.declare import Array
from nodeflow.errors import FileError

MAX_BYTES = 256 * 2**20
"""The most bytes of a graph file."""
MAX_DEPTH = 64
"""Objects and lists may lie inside each other so deep."""

_PLAIN_KEY = re.compile(r"[\w.\-]{1,60}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

# What the standard library's decoder says, in our words; a message not listed is passed on.
_SYNTAX = {
    "Expecting value": "a value was expected",
    "Expecting ',' delimiter": "a ',' was expected",
    "Expecting ':' delimiter": "a ':' was expected",
    "Expecting property name": "a key in double quotes was expected",
    "Illegal trailing comma": "a ',' too many",
    "Extra data": "there is more text after the end",
    "Invalid control character": "a line break or control character inside a text",
    "Invalid \\": "a '\\' that escapes nothing",
}


class _Doubled(dict[str, Any]):
    """An object that had a key twice, `key`; JSON allows it, and means nothing by it."""

    key = ""


class _Literal(str):
    """NaN or Infinity written bare, which is not JSON."""

    __slots__ = ()


def at(*keys: str | int) -> str:
    """Return the place in a file that these keys lead to: `$.nodes.w.settings.value[0]`."""
    path = "$"
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            path += f".{key}"
        else:
            short = key if len(key) <= 60 else f"{key[:59]}…"
            path += f"[{json.dumps(short)}]"
    return path


def decode(data: str | bytes, *, file: str = "") -> dict[str, Any]:
    """Return the object that the text of a graph file holds.

    Raises `FileError` for anything that is not sound JSON: every key once, at most 64 levels,
    numbers of 64 bits, whole characters.
    """
    if len(data) > MAX_BYTES:
        raise FileError(too_large(len(data)), file=file)
    text, whole = _text(data, file)
    if not text.strip():
        raise FileError("the file is empty", file=file)
    try:
        root = json.loads(text, object_pairs_hook=_object, parse_constant=_Literal)
    except json.JSONDecodeError as error:
        raise FileError(_syntax(error, text), file=file) from None
    except RecursionError:
        raise FileError(_deep(), file=file) from None
    except ValueError:
        # The only other ValueError is Python's limit on the digits of a whole number.
        raise FileError(_LARGE_NUMBER, file=file) from None
    if not whole or _SURROGATE.search(text) or not _sound(root):
        _name_fault(root, file)
    if not isinstance(root, dict):
        raise FileError(
            f"a graph file holds one JSON object {{…}}, got {describe(root)}", file=file
        )
    return root


def too_large(size: int) -> str:
    """Return the sentence for a graph file of so many bytes."""
    return (
        f"the file has {size / 2**20:.0f} MB and a graph file at most {MAX_BYTES // 2**20}: "
        "keep large arrays in a .npz beside it"
    )


def named(error: FileError, file: str) -> FileError:
    """Return the same fault with the file's name."""
    return FileError(error.why, file=file, path=error.path)


def _text(data: str | bytes, file: str) -> tuple[str, bool]:
    """Return the text, and whether it consists of whole characters."""
    if isinstance(data, str):
        try:
            data.encode("utf-8")
        except UnicodeEncodeError:
            return data, False
        return data.removeprefix("\ufeff"), True
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError as error:
        raise FileError(
            f"a graph file is UTF-8 text, and byte {error.start} (0x{data[error.start]:02x}) "
            "is not: save it as UTF-8",
            file=file,
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            doubled.key = key
            break
        seen.add(key)
    return doubled


def _syntax(error: json.JSONDecodeError, text: str) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()):
        return f"the text breaks off (last read at {where}): the file was not written to its end"
    words = next((ours for start, ours in _SYNTAX.items() if error.msg.startswith(start)), "")
    return f"this is not JSON at {where}: {words or error.msg}"


_LARGE_NUMBER = "a number is too large: numbers have at most 64 bits"


def _deep() -> str:
    return f"objects and lists may lie at most {MAX_DEPTH} deep inside each other"


def _whole(number: int) -> bool:
    return -(2**63) <= number < 2**64


def _sound(root: Any) -> bool:
    """Return whether no value is one that `_faults` would name; fast, and without the place."""
    level: list[Any] = [[root]]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for part in level:
            for value in part.values() if isinstance(part, dict) else part:
                kind = type(value)
                if kind is str or kind is bool or value is None:
                    continue
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is int:
                    if not _whole(value):
                        return False
                elif kind is not float or not math.isfinite(value):
                    return False
        if not below:
            return True
        level = below
    return False


def _name_fault(root: Any, file: str) -> None:
    for keys, problem in _faults(root):
        raise FileError(problem, file=file, path=at(*keys) if keys else "")


def _faults(root: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), root)]
    while stack:
        keys, value = stack.pop()
        if isinstance(value, dict | list) and len(keys) >= MAX_DEPTH:
            yield (), _deep()
        elif isinstance(value, _Doubled):
            yield keys, f"the key {json.dumps(value.key)} is there twice: remove one"
        elif isinstance(value, _Literal):
            yield keys, f'{value} is not a JSON number: it is written as the text "{value}"'
        elif isinstance(value, str):
            if not _is_whole(value):
                yield keys, HALF
        elif isinstance(value, float):
            if not math.isfinite(value):
                yield keys, _LARGE_NUMBER
        elif isinstance(value, int) and not _whole(value):
            yield keys, _LARGE_NUMBER
        if isinstance(value, dict):
            for key in value:
                if not _is_whole(key):
                    yield keys, HALF
            stack.extend(((*keys, key), part) for key, part in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*keys, i), value[i]) for i in reversed(range(len(value))))


HALF = "a text holds half a character (a lone surrogate)"


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def describe(value: Any) -> str:
    """Return what a JSON value is, in words: `a text ("all")`, `a list`, `-1`."""
    if isinstance(value, str):
        return f"a text ({json.dumps(value if len(value) <= 40 else value[:39] + '…')})"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return json.dumps(value)


# --- writing ----------------------------------------------------------------------------------


def encode(value: Any, *keys: str | int) -> str:
    """Return `value` as canonical JSON on one line; `keys` say where, should it be no JSON.

    Keys sorted, the shortest floats that read back the same, NaN and Infinity as texts.
    """
    try:
        return json.dumps(plain(value, len(keys)), ensure_ascii=False, allow_nan=False)
    except TypeError as error:
        raise FileError(f"cannot be saved: {error}", path=at(*keys)) from None


def plain(value: Any, depth: int = 0) -> Any:
    """Return `value` made of what JSON has: tuples as lists, arrays as lists, keys sorted."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if not _whole(value):
            raise TypeError(_LARGE_NUMBER)
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if depth >= MAX_DEPTH and not isinstance(value, np.generic):
        raise TypeError(_deep())
    if isinstance(value, tuple | list):
        return [plain(part, depth + 1) for part in value]
    if isinstance(value, Mapping):
        return {str(key): plain(value[key], depth + 1) for key in sorted(value, key=str)}
    if isinstance(value, Array):
        return plain(value.values.tolist(), depth)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), depth)
    raise TypeError(f"a {kind.__name__} has no place in JSON")


def special(value: Any) -> Any:
    """Return `value` with the texts NaN, Infinity and -Infinity as numbers again."""
    if isinstance(value, str):
        return _SPECIAL.get(value, value)
    if isinstance(value, list):
        return [special(part) for part in value]
    if isinstance(value, dict):
        return {key: special(part) for key, part in value.items()}
    return value
