"""From a graph file to a `Graph`."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import asdict

import nodeflow.nodes  # noqa: F401  the library must be there before a file is checked
from nodeflow import disk
from nodeflow.declare import CATALOG
from nodeflow.errors import (
    BadSetting,
    FileError,
    GraphError,
    Loop,
    PortTaken,
    UnknownSetting,
)
from nodeflow.files.address import graph_in_address, is_address
from nodeflow.files.form import VERSION, GraphForm, NodeForm, TrainingForm, shaped
from nodeflow.files.lessonform import check_lesson
from nodeflow.files.migrations import migrated
from nodeflow.files.picture import graph_in, is_picture
from nodeflow.files.sidecar import Sidecars, refuse_absolute, without_references
from nodeflow.files.text import MAX_BYTES, at, decode, named, too_large
from nodeflow.garbage import collection_paused
from nodeflow.graph import Graph, Node, Training, Wire
from nodeflow.inert import LARGE, NO_SETTINGS, Array, Nodes, Settings, inert

_FILE_KEYS = frozenset(GraphForm.__struct_fields__)
_NODE_KEYS = frozenset(NodeForm.__struct_fields__)
_TRAINING_KEYS = frozenset(TrainingForm.__struct_fields__)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a graph file, and what its graph is to know of where it comes from."""

    text: str | bytes
    file: str
    """Its name in messages."""
    folder: Path | None = None
    origin: tuple[str, str] | None = None

    @collection_paused()
    def plain(self) -> dict[str, Any]:
        """Return the object that the text holds, with the keys of today's version."""
        return migrated(decode(self.text, file=self.file), file=self.file)

    def graph(self, plain: dict[str, Any]) -> Graph:
        """Return the graph that such an object is; raises `FileError`."""
        return built(plain, file=self.file, folder=self.folder, origin=self.origin)


def source_of(path: str | os.PathLike[str]) -> Source:
    """Return the text of a graph file, of a PNG that carries one, or in the address of a page."""
    if is_address(os.fspath(path)):
        address = os.fspath(path)
        return Source(graph_in_address(address), address.partition("#")[0])
    path = Path(path)
    data = disk.read(path, MAX_BYTES, too_large)
    if is_picture(data):
        return Source(graph_in(data, file=str(path)), str(path), path.parent)
    origin = os.path.realpath(path), hashlib.sha256(data).hexdigest()
    return Source(data, str(path), path.parent, origin)


def load(path: str | os.PathLike[str]) -> Graph:
    """Return the graph of a file, or of a PNG that carries one; its `folder` is the file's.

    The address of a page (`xor.html#…`) has the graph in it.

    Nothing is imported or executed. Whatever is wrong, also with the arrays beside the file,
    raises `FileError` with the place inside the file; `load_marked` leaves out what cannot be.
    """
    source = source_of(path)
    return source.graph(source.plain())


def loads(
    text: str | bytes,
    *,
    file: str = "",
    folder: str | os.PathLike[str] | None = None,
    beside: bool = True,
) -> Graph:
    """Return the graph of a file's text, or raise `FileError`.

    `file` is the name in messages, `folder` where arrays beside the file are looked for. Unless
    they are wanted (`beside`) what refers to them stays as it is: such a graph can be compared
    and written, not run.
    """
    where = None if folder is None else Path(folder)
    plain = Source(text, file).plain()
    return built(plain, file=file, folder=where, beside=beside)


@collection_paused()
def built(
    plain: Mapping[str, Any],
    *,
    file: str,
    folder: Path | None,
    beside: bool = True,
    origin: tuple[str, str] | None = None,
) -> Graph:
    """Return the graph that a file's object is, or raise `FileError`.

    `origin` is given here, since a copy with it would have to find out again what checking does.
    """
    version = plain["version"]
    raw = {**plain, "version": VERSION}  # the keys of all versions since are the same
    form = shaped(raw, file=file)
    check_lesson(raw, file=file)
    nodes: dict[str, Node] = {}
    bare: dict[str, Node] = {}  # nodes are inert: those of which a file says the type only are one
    with Sidecars(folder, read=beside) as sidecars:
        for key, part in form.nodes.items():
            given = raw["nodes"][key]
            if len(given) > 1:
                nodes[key] = _node(key, part, given, sidecars, file)
            elif part.type in bare:
                nodes[key] = bare[part.type]
            else:
                nodes[key] = bare[part.type] = Node(part.type)
    graph = Graph(
        nodes=Nodes(nodes),
        wires=_wires(form.wires, file),
        name=form.name,
        about=form.about,
        training=Training(**asdict(form.training)),
        groups=raw.get("groups", {}),
        layout=form.layout,
        extra=_extra(raw),
        folder=folder,
        version=version,
        origin=origin,
    )
    try:
        (graph if beside else without_references(graph)).validate()
    except GraphError as error:
        raise FileError(str(error), file=file, path=at(*_place(graph, error))) from error
    return graph


def _extra(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the unknown keys; those of `training` stand under its name, which is a known one."""
    extra = {key: part for key, part in raw.items() if key not in _FILE_KEYS}
    training = {k: v for k, v in raw.get("training", {}).items() if k not in _TRAINING_KEYS}
    return {**extra, "training": training} if training else extra


def _node(key: str, form: NodeForm, raw: Mapping[str, Any], sidecars: Sidecars, file: str) -> Node:
    settings = NO_SETTINGS
    type_ = CATALOG.get(form.type)
    if form.settings:
        arrays = () if type_ is None else type_.array_settings
        settings = Settings(
            {
                name: _array(key, name, value, sidecars, file) if name in arrays else inert(value)
                for name, value in form.settings.items()
            }
        )
        if type_ is not None:
            try:
                refuse_absolute(key, form.type, settings)
            except FileError as error:
                raise named(error, file) from None
    if len(raw) <= len(_NODE_KEYS) and raw.keys() <= _NODE_KEYS:
        return Node(form.type, settings, form.mode)
    extra = {name: part for name, part in raw.items() if name not in _NODE_KEYS}
    return Node(form.type, settings, form.mode, extra)


def _array(key: str, name: str, value: Any, sidecars: Sidecars, file: str) -> Any:
    try:
        return array_of(value, sidecars)
    except FileError as error:
        path = at("nodes", key, "settings", name)
        raise FileError(str(error), file=file, path=path) from error


def array_of(value: Any, sidecars: Sidecars) -> Any:
    """Return what a file has for an array, read from beside the file if it lies there."""
    if isinstance(value, dict):
        return sidecars.read(value) if sidecars.wanted else inert(value)
    if isinstance(value, list) and _count(value) > LARGE:
        try:
            return Array(np.array(value, dtype=np.float64)) if _all_numbers(value) else inert(value)
        except ValueError:
            return inert(value)  # ragged: `validate` says so
    return inert(value)


def _count(value: list[Any]) -> int:
    return sum(len(part) if isinstance(part, list) else 1 for part in value)


def _all_numbers(value: list[Any]) -> bool:
    """Return whether NumPy will make a row or a matrix of it, and none of texts or flags."""
    rows = [part for part in value if isinstance(part, list)]
    if rows and len(rows) < len(value):
        return False
    return all(type(part) in (int, float) for row in (rows or [value]) for part in row)


def _wires(texts: list[str], file: str) -> tuple[Wire, ...]:
    wires = []
    for index, text in enumerate(texts):
        try:
            wires.append(Wire.parse(text))
        except GraphError as error:
            raise FileError(str(error), file=file, path=at("wires", index)) from error
    return tuple(wires)


# --- where a fault lies -----------------------------------------------------------------------


def _place(graph: Graph, error: GraphError) -> tuple[str | int, ...]:
    """Return the keys of the node, setting or wire that `validate` refused.

    It asks again in parts, smallest first: a graph is checked whole, and only a faulty one pays.
    """
    for key, node in graph.nodes.items():
        if _refusal({key: node}):
            return "nodes", key, *_setting_at_fault(node, error)
    if isinstance(error, Loop):
        steps = set(zip(error.path, error.path[1:], strict=False))
        closing = [i for i, w in enumerate(graph.wires) if (w.source, w.target) in steps]
        return ("wires", closing[-1]) if closing else ("wires",)
    index = _wire_at_fault(graph, error)
    return ("wires",) if index is None else ("wires", index)


def _refusal(nodes: Mapping[str, Node], *wires: Wire) -> str:
    try:
        Graph(nodes=nodes, wires=wires).validate()
    except GraphError as error:
        return str(error)
    return ""


def _wire_at_fault(graph: Graph, error: GraphError) -> int | None:
    first: dict[tuple[str, str], Wire] = {}
    for index, wire in enumerate(graph.wires):
        before = first.setdefault((wire.target, wire.input), wire)
        names = {wire.source, wire.target, before.source}
        ends = {key: graph.nodes[key] for key in names if key in graph.nodes}
        if len(ends) < len(names):
            return index
        if _refusal(ends, wire) == str(error):
            return index
        doubled = isinstance(error, PortTaken) and before is not wire
        if doubled and _refusal(ends, before, wire) == str(error):
            return index
    return _number_at_fault(graph, error)


def _number_at_fault(graph: Graph, error: GraphError) -> int | None:
    """Return the wire whose number in a `…` port is missing, there twice, or too large."""
    ports: dict[str, list[int]] = {}
    for index, wire in enumerate(graph.wires):
        if wire.target == error.node:
            ports.setdefault(wire.input, []).append(index)
    for found in ports.values():
        free = set(range(len(found))) | ({None} if len(found) == 1 else set())
        for index in found:
            if graph.wires[index].index not in free:
                return index
            free.discard(graph.wires[index].index)
    numbered = (i for found in ports.values() for i in found if graph.wires[i].index is not None)
    return next(numbered, None)


def _setting_at_fault(node: Node, error: GraphError) -> tuple[str | int, ...]:
    type_ = node.known
    if type_ is None:
        return ()
    if isinstance(error, UnknownSetting):
        known = type_.defaults
        return "settings", next(name for name in node.settings if name not in known)
    if isinstance(error, BadSetting):
        for setting in type_.settings:
            value = node.settings.get(setting.name, setting.default)
            try:
                setting.check(value, "")
            except BadSetting:
                inner = next(_odd(value), ()) if setting.kind == "array" else ()
                return "settings", setting.name, *inner
    return ()


def _odd(value: Any) -> Iterator[tuple[int, ...]]:
    """Yield the places in an array that hold no finite number."""
    if isinstance(value, Array):
        for place in np.argwhere(~np.isfinite(value.values)):
            yield tuple(int(i) for i in place)
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            for inner in _odd(part):
                yield index, *inner
    elif type(value) not in (int, float) or not math.isfinite(value):
        yield ()
