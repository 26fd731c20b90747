"""From a `Graph` to the canonical text of its file."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow import disk
from nodeflow.declare import LARGE, Array, numbers
from nodeflow.errors import FileError, Overtaken
from nodeflow.files.arrays import Archive, digest, packed
from nodeflow.files.form import NEWEST, VERSION
from nodeflow.files.names import others_of, sidecar_of
from nodeflow.files.sidecar import Sidecars, backup_of, is_reference, reference, refuse_absolute
from nodeflow.files.text import HALF, MAX_BYTES, at, decode, encode, named, too_large
from nodeflow.graph import Graph, Node, Wire

_Elsewhere = Callable[[str, str, NDArray[np.float64]], Any]
"""Puts a large array of a node's setting beside the file, and returns what stands for it."""


def dumps(graph: Graph) -> str:
    """Return the canonical text of a graph: the same graph gives the same bytes.

    It is of the version that the graph's file has, and of version 1 if it comes from no file.

    Raises `FileError` for arrays over 1,024 numbers, which only `save` can put beside the file.
    """

    def refuse(node: str, setting: str, values: NDArray[np.float64]) -> Any:
        raise FileError(
            f"{node}.{setting} holds {values.size} numbers, and a text at most {LARGE} of them: "
            "save the graph to a file",
            path=at("nodes", node, "settings", setting),
        )

    return _text(graph, refuse)


def whole(graph: Graph) -> str:
    """Return the text of a graph with all its arrays: it needs no file beside it.

    Raises `FileError` where the arrays of a node of an unknown type cannot be told.
    """
    for key, node in graph.nodes.items():
        if node.known is None and any(map(is_reference, node.settings.values())):
            raise FileError(
                f"'{key}' is of the unknown type '{node.type}', and its arrays lie in a file of "
                "their own: what it is must be installed, or the node be removed",
                path=at("nodes", key),
            )
    return _text(graph, lambda _node, _setting, values: values)


_written: dict[str, str] = {}
"""The SHA-256 of what this process last wrote to a file: its own saves overtake nobody."""


def save(
    graph: Graph, path: str | os.PathLike[str], *, backup: bool = True, force: bool = False
) -> None:
    """Write a graph's file, and its large arrays to `NAME.npz` beside it.

    Whole or not at all: after a failure, which is a `FileError`, the file that was there is
    still there. With `backup` it is kept as `NAME.json.bak`. A file that somebody else changed
    after the graph was loaded from it is refused with `Overtaken`, unless by `force`.
    """
    shown = Path(path)
    with disk.writing(shown):
        real = disk.target(shown)
    if real.suffix in (".npz", ".png"):
        raise FileError(
            f"cannot be saved: a graph file ends in .json, not {real.suffix}", file=str(path)
        )
    beside = sidecar_of(real)
    disk.clear_leftovers(real.parent)
    try:
        newest = graph if graph.version else replace(graph, version=NEWEST)
        text, arrays = _with_sidecar(newest, beside.name)
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise FileError(HALF, file=str(path)) from None
    except FileError as error:
        raise named(error, str(path)) from None
    if arrays:
        _refuse_foreign(beside, real, str(path))
    with disk.writing(shown):
        if not force:
            _refuse_overtaken(graph, real, data, str(path))
        _write(real, data, beside, packed(arrays) if arrays else None, backup=backup)
    _written[str(real)] = hashlib.sha256(data).hexdigest()


def _refuse_overtaken(graph: Graph, real: Path, data: bytes, file: str) -> None:
    """Raise `Overtaken` where the file is neither as it was loaded nor as it was last saved."""
    if graph.origin is None or graph.origin[0] != str(real) or not real.is_file():
        return
    found = real.read_bytes()
    known = (graph.origin[1], _written.get(str(real)))
    if found != data and hashlib.sha256(found).hexdigest() not in known:
        raise Overtaken(
            "was changed by another program since it was loaded: save under another name and "
            "merge the two (nodeflow merge), or replace it (--force, in Python force=True)",
            file=file,
        )


def _refuse_foreign(beside: Path, real: Path, file: str) -> None:
    """Raise `FileError` where the arrays would replace somebody's data."""
    if not os.path.lexists(beside):
        return
    for other in others_of(beside, real):
        if _refers_to(other, beside.name):
            raise FileError(
                f"cannot be saved: its large arrays go into {beside.name}, which holds those of "
                f"{other.name}; choose another name",
                file=file,
            )
    try:
        with Archive(beside) as archive:
            ours = bool(archive.names) and all("." in name for name in archive.names)
    except FileError:
        ours = False
    if not ours:
        raise FileError(
            f"cannot be saved: its large arrays go into {beside.name}, which is there and holds "
            "other data; choose another name",
            file=file,
        )


def _refers_to(other: Path, name: str) -> bool:
    """Return whether a graph file has arrays in a file of that name."""
    try:
        raw = decode(disk.read(other, MAX_BYTES, too_large))
        nodes = raw["nodes"].values()
        values = [value for node in nodes for value in node.get("settings", {}).values()]
    except (AttributeError, FileError, KeyError, TypeError):
        return False  # it is no graph file, and has no arrays to lose
    return any(is_reference(value) and value["file"] == name for value in values)


def _with_sidecar(graph: Graph, name: str) -> tuple[str, dict[str, NDArray[np.float64]]]:
    arrays: dict[str, NDArray[np.float64]] = {}

    def put(node: str, setting: str, values: NDArray[np.float64]) -> Any:
        arrays[f"{node}.{setting}"] = values
        return reference(name, f"{node}.{setting}", values)

    # A placeholder keeps its references as they are; its arrays must move with it.
    nodes = dict(graph.nodes)
    with Sidecars(graph.folder) as sidecars:
        for key, node in graph.nodes.items():
            if node.known is None and any(map(is_reference, node.settings.values())):
                nodes[key] = _carried(node, sidecars, name, arrays)
    if nodes != graph.nodes:
        graph = replace(graph, nodes=nodes)
    return _text(graph, put), arrays


def _carried(
    node: Node, sidecars: Sidecars, name: str, arrays: dict[str, NDArray[np.float64]]
) -> Node:
    settings = dict(node.settings)
    for setting, value in node.settings.items():
        if is_reference(value):
            with contextlib.suppress(FileError):
                arrays[value["array"]] = sidecars.read(value).values
                settings[setting] = {**value, "file": name}
    return Node(node.type, settings, node.mode, node.extra)


def _write(real: Path, data: bytes, beside: Path, arrays: bytes | None, *, backup: bool) -> None:
    """Write both files; the old arrays are kept until the file that names the new ones is there.

    Should the machine stop between the two, the reader finds the old arrays in their backup. So
    a backup that holds the arrays of the file as it stands is not replaced: after a save that was
    cut off, what lies in the arrays' own place belongs to no file.
    """
    old_arrays = beside.read_bytes() if arrays is not None and beside.exists() else None
    old = real.read_bytes() if backup and real.exists() else None
    if arrays == old_arrays:
        arrays = None
    cut_off = arrays is not None and _lies_in_backup(real, beside)
    pending = disk.Pending(real, data)
    try:
        if old is not None:
            disk.write(backup_of(real), old)
        if arrays is not None:
            if old_arrays is not None and not cut_off:
                disk.write(backup_of(beside), old_arrays)
            disk.write(beside, arrays)
        try:
            pending.commit()
        except BaseException:
            if arrays is not None:
                _restore(beside, old_arrays)
            raise
    except BaseException:
        pending.discard()
        raise
    if not backup and arrays is not None:
        with contextlib.suppress(OSError):
            backup_of(beside).unlink()


def _lies_in_backup(real: Path, beside: Path) -> bool:
    """Return whether the file as it stands has its arrays in their backup, and not beside it."""
    if not real.exists() or not backup_of(beside).exists():
        return False
    try:
        raw = decode(real.read_bytes())
        nodes = raw["nodes"].values()
        wanted = {
            value["array"]: value["sha256"]
            for node in nodes
            for value in node.get("settings", {}).values()
            if is_reference(value) and value["file"] == beside.name
        }
    except (AttributeError, FileError, KeyError, TypeError):
        return False  # it is no graph file, and has no arrays to lose
    return bool(wanted) and not _holds(beside, wanted) and _holds(backup_of(beside), wanted)


def _holds(path: Path, wanted: Mapping[str, str]) -> bool:
    try:
        with Archive(path) as archive:
            return all(digest(archive.read(name, ("<f8",))) == sha for name, sha in wanted.items())
    except FileError:
        return False


def _restore(path: Path, data: bytes | None) -> None:
    with contextlib.suppress(OSError):
        if data is None:
            path.unlink()
        else:
            disk.write(path, data)


# --- the text ---------------------------------------------------------------------------------


def _text(graph: Graph, elsewhere: _Elsewhere) -> str:
    training: dict[str, Any] = {
        "batch": graph.training.batch,
        "epochs": graph.training.epochs,
        "seed": graph.training.seed,
    }
    # What joined the format later is written where it is said, so that older files stay the same.
    for name in ("rate", "tolerance"):
        if getattr(graph.training, name) is not None:
            training[name] = getattr(graph.training, name)
    others = dict(graph.extra)
    unknown = others.pop("training", {})
    apart = graph.version > VERSION
    of_training = [*training.items(), *sorted(unknown.items())]
    lines = [
        ("format", '"nodeflow"'),
        ("version", str(max(graph.version, VERSION))),
        ("name", encode(graph.name, "name")),
        ("about", encode(graph.about, "about")),
        (
            "training",
            _object(((k, encode(v, "training", k)) for k, v in of_training), apart=apart)
            if apart
            else _one_line(of_training, "training"),
        ),
        (
            "nodes",
            _object(
                ((key, _node(key, graph.nodes[key], elsewhere)) for key in sorted(graph.nodes)),
                apart=apart,
            ),
        ),
        (
            "wires",
            _list(
                (encode(str(wire)) for wire in sorted(graph.wires, key=_wire_order)), apart=apart
            ),
        ),
        (
            "groups",
            _object(
                ((k, encode(graph.groups[k], "groups", k)) for k in sorted(graph.groups)),
                apart=apart,
            ),
        ),
        ("layout", _layout(graph.layout, apart=apart)),
        *((key, encode(others[key], key)) for key in sorted(others)),
    ]
    body = ",\n".join(f"  {encode(key)}: {text}" for key, text in lines)
    return f"{{\n{body}\n}}\n"


def _wire_order(wire: Wire) -> tuple[str, str, int]:
    return wire.start, wire.end, -1 if wire.index is None else wire.index


# git merges line by line, and calls two changes a conflict that have no line between them. So in
# version 2 (`apart`) what is empty has its brackets on two lines as well, and a position three
# lines, of which moving a node changes the one in the middle.


def _object(entries: Iterable[tuple[str, str]], *, apart: bool) -> str:
    lines = ",\n".join(f"    {encode(key)}: {text}" for key, text in entries)
    if lines:
        return f"{{\n{lines}\n  }}"
    return "{\n  }" if apart else "{}"


def _list(entries: Iterable[str], *, apart: bool) -> str:
    lines = ",\n".join(f"    {text}" for text in entries)
    if lines:
        return f"[\n{lines}\n  ]"
    return "[\n  ]" if apart else "[]"


def _layout(layout: Mapping[str, tuple[int, int]], *, apart: bool) -> str:
    def place(key: str) -> str:
        text = encode(layout[key], "layout", key)
        return f"[\n      {text[1:-1]}\n    ]" if apart else text

    return _object(((key, place(key)) for key in sorted(layout)), apart=apart)


def _one_line(entries: Iterable[tuple[str, Any]], *keys: str) -> str:
    return "{" + ", ".join(f"{encode(k)}: {encode(v, *keys, k)}" for k, v in entries) + "}"


def _node(key: str, node: Node, elsewhere: _Elsewhere) -> str:
    entries: list[tuple[str, Any]] = [("type", node.type)]
    settings = _settings(key, node, elsewhere)
    if settings:
        entries.append(("settings", settings))
    if node.mode != "active":
        entries.append(("mode", node.mode))
    entries += sorted(node.extra.items())
    return _one_line(entries, "nodes", key)


def _settings(key: str, node: Node, elsewhere: _Elsewhere) -> Mapping[str, Any]:
    """Return all settings, those at their default too, with large arrays put elsewhere.

    Settings that joined their type later are there only if they were said.
    """
    type_ = node.known
    if type_ is None:
        return node.settings
    first = {one.name: type_.defaults[one.name] for one in type_.settings if not one.later}
    settings = {**first, **node.settings}
    for setting in type_.settings:
        value = settings.get(setting.name)
        if setting.kind == "array" and _size(value) > LARGE:
            settings[setting.name] = elsewhere(key, setting.name, numbers(value))
    refuse_absolute(key, type_.name, settings)
    return settings


def _size(value: Any) -> int:
    if isinstance(value, Array):
        return int(value.values.size)
    if isinstance(value, tuple | list):
        return sum(_size(part) for part in value)
    return 1
