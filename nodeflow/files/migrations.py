"""Steps from each version of the format to the next, on plain values.

A step never refuses: what it does not understand it leaves alone, for the checks that follow to
name. It returns a new object and changes nothing in the one it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.errors import FileError
from nodeflow.files.form import NEWEST, VERSION
from nodeflow.files.text import describe


def _from_0(raw: dict[str, Any]) -> dict[str, Any]:
    """Drafts: a wire was {"from": "w.value", "to": "sum.weights"}, settings were "params"."""

    def node(old: Any) -> Any:
        if not isinstance(old, dict) or "params" not in old or "settings" in old:
            return old
        return {"settings" if key == "params" else key: part for key, part in old.items()}

    def wire(old: Any) -> Any:
        if isinstance(old, dict) and old.keys() == {"from", "to"}:
            return f"{old['from']} -> {old['to']}"
        return old

    new = {**raw, "version": 1}
    if isinstance(raw.get("nodes"), dict):
        new["nodes"] = {key: node(old) for key, old in raw["nodes"].items()}
    if isinstance(raw.get("wires"), list):
        new["wires"] = [wire(old) for old in raw["wires"]]
    return new


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_0}
"""The step from each version to the next; the numbers have no gaps."""


def migrated(raw: dict[str, Any], *, file: str = "") -> dict[str, Any]:
    """Return a file's object in the present version.

    Raises `FileError` if it is no graph file, or one of a version that is not known yet.
    """
    if "format" not in raw:
        raise FileError('this is not a nodeflow graph: it has no "format": "nodeflow"', file=file)
    if raw["format"] != "nodeflow":
        raise FileError(
            f'expected "nodeflow", got {describe(raw["format"])}', file=file, path="$.format"
        )
    version = raw.get("version")
    if "version" not in raw:
        raise FileError(f'"version" is missing; the present one is {VERSION}', file=file, path="$")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise FileError(
            f"expected a whole number from 0, got {describe(version)}", file=file, path="$.version"
        )
    if version > NEWEST:
        raise FileError(
            f"was written by a newer nodeflow (format version {version}, "
            f"this one reads up to {NEWEST}): update nodeflow",
            file=file,
        )
    for step in range(version, VERSION):
        raw = MIGRATIONS[step](raw)
    return raw
