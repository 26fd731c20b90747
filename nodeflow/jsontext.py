"""JSON that anybody may have written, as plain values."""

from __future__ import annotations

import json
from typing import Any


def json_of(text: str | bytes) -> Any:
    """Return what a JSON text holds; whatever is wrong with it raises `ValueError`.

    `json.loads` raises `RecursionError` for lists that lie very deep inside each other.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects lie too deep inside each other") from None
