"""A graph inside the address of a page: what follows the # is its text, compressed."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode

from nodeflow.errors import FileError
from nodeflow.files.unpacking import unpacked
from nodeflow.jsontext import json_of

_DAMAGED = "the part of the address after # is damaged: copy the whole address again"


def is_address(path: str) -> bool:
    """Return whether a path is the address of a page with something after its #."""
    page, mark, fragment = path.partition("#")
    return bool(mark and fragment) and page.partition("?")[0].endswith((".html", ".htm"))


def graph_in_address(address: str) -> str:
    """Return the text of the graph that travels in an address; raises `FileError`."""
    page, _, fragment = address.partition("#")
    try:
        packed = urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4))
        text = unpacked(
            [packed],
            where="this address",
            damaged=_DAMAGED,
            instead="open the page, and press Save",
            file=page,
        )
        told = json_of(text)
    except (binascii.Error, ValueError):
        told = None
    if not isinstance(told, dict):
        raise FileError(_DAMAGED, file=page)
    if not isinstance(told.get("graph"), dict):
        raise FileError(
            "this address tells only what was changed in its page, whose graph is too large for an "
            "address: open it there, and press Save",
            file=page,
        )
    return json.dumps(told["graph"])
