"""What a person types as a value of a setting, and how a value is written to be typed.

Whatever cannot be read is returned as the text it is: the setting's check then says what is
allowed.
"""

from __future__ import annotations

import json
import re
from typing import Any

from nodeflow.declare import Array
from nodeflow.jsontext import json_of

_SIZES = re.compile(r"[\[(]?\s*\d+(\s*[x×*,\s]\s*\d+)*\s*(numbers?)?\s*[\])]?", re.IGNORECASE)
"""Sizes as they are shown and as they are typed: 2×3, 2x3, 2 3, 2, 3, (2, 3), 5 numbers."""
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def written(value: Any) -> str:
    """Return a value as it is typed: lists without brackets, rows after each other with `;`.

    Floats have all their digits, and whole ones no point: 2, 0.1, 1e-07.
    """
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        rows = any(isinstance(part, tuple | list) for part in value)
        return ("; " if rows else ", ").join(map(written, value))
    if isinstance(value, float):
        return json.dumps(value).removesuffix(".0")
    return str(value) if isinstance(value, str | Array) else json.dumps(value)


def read(text: str, kind: str) -> Any:
    """Return what was typed as a value of a kind of setting (see `declare.Setting`)."""
    text = text.strip()
    if kind in ("text", "choice"):
        return text
    if not text:
        return None
    plain = text.replace("−", "-").replace("×", ",")
    match kind:
        case "flag":
            return _FLAGS.get(text.lower(), text)
        case "integer":
            return _whole(plain)
        case "number":
            return number(text)
        case "array":
            return _array(plain)
        case _:
            return _parts(plain, several=kind == "shape")


def number(text: str) -> float | int | str:
    """Return a number, which may have a decimal comma or be a fraction, or else the text."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    above, stroke, below = plain.partition("/")
    try:
        return float(above) / float(below) if stroke else float(plain)
    except (ValueError, ZeroDivisionError):
        return text


def _whole(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _array(text: str) -> Any:
    """Return numbers as JSON has them, or without brackets: columns with `,`, rows with `;`."""
    try:
        return json_of(text)
    except ValueError:
        pass
    bare = text.strip("[]()").split(";")
    if any(not part.strip() for row in bare for part in row.split(",")):
        return text  # a number is missing
    rows = [[number(part) for part in row.replace(",", " ").split()] for row in bare]
    if any(isinstance(part, str) for row in rows for part in row):
        return text
    return rows if len(rows) > 1 else rows[0] if len(rows[0]) > 1 else rows[0][0]


def _parts(text: str, *, several: bool) -> Any:
    """Return whole numbers and names, as a shape or a target has them."""
    if several and (sizes := _SIZES.fullmatch(text)):
        return [int(size) for size in re.findall(r"\d+", sizes[0])]
    bare = text.strip("[]()") if several or text.startswith(("[", "(")) else text
    parts = [_whole(part.strip().strip("\"'")) for part in bare.split(",")]
    return parts if several or len(parts) > 1 else parts[0]
