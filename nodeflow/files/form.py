"""The form of a graph file, versions 1 and 2: which keys there are and what they hold.

Both have the same keys; version 2 lays them out so that git can merge them (`layouts.py`).

From here come both the reader's checks and the published schema (`graph-1.schema.json`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from nodeflow.errors import FileError
from nodeflow.files.text import at, describe

VERSION = 1
"""The version of the keys: what older files are migrated to."""
NEWEST = 2
"""The version in which new files are written, and the last one that is read."""


class TrainingForm(Struct, frozen=True):
    """How the graph is trained."""

    batch: Annotated[
        Annotated[int, Meta(ge=1)] | Literal["all"],
        Meta(description="samples an update, or all of them"),
    ] = 1
    epochs: Annotated[int, Meta(ge=0, description="how often all samples are seen")] = 10
    seed: Annotated[int, Meta(ge=0, description="random starts and orders follow from it")] = 0
    rate: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="learning rate of updates that have no wire for one"),
    ] = None
    tolerance: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="training ends when an epoch changes the weights by no more than this: "
            "the norm of the change of all trained numbers"
        ),
    ] = None


class NodeForm(Struct, frozen=True):
    """One node; its settings are those of its type."""

    type: Annotated[str, Meta(min_length=1, description="a type of the library or of a plugin")]
    settings: dict[str, Any] = field(default_factory=dict)
    mode: Annotated[
        Literal["active", "bypass", "disable", "freeze"],
        Meta(description="pass the input through, do not evaluate, or do not update"),
    ] = "active"


class GroupForm(Struct, frozen=True, rename={"inside": "in"}):
    """A coloured frame around nodes, or a box in their place. Keys that are not listed are kept."""

    nodes: Annotated[list[str], Meta(description="the ids of its nodes")] = field(
        default_factory=list
    )
    title: Annotated[str, Meta(description="what stands on it")] = ""
    colour: Annotated[str, Meta(description="the name of a colour, or #rrggbb")] = ""
    closed: Annotated[bool, Meta(description="drawn as one box")] = False
    inside: Annotated[str | None, Meta(description="the closed group that it lies in")] = None


class PlacesForm(Struct, frozen=True):
    """Where nodes stood before something was exploded, and where they were put."""

    stood: dict[str, tuple[int, int]]
    placed: dict[str, tuple[int, int]]
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    below: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)


class GraphForm(Struct, frozen=True):
    """A nodeflow graph. Keys that are not listed are kept."""

    format: Literal["nodeflow"]
    version: Literal[1]
    name: str = ""
    about: str = ""
    training: TrainingForm = field(default_factory=TrainingForm)
    nodes: Annotated[
        dict[str, NodeForm],
        Meta(
            description="by id: a letter first, then letters, digits, '_', '-' and '.', "
            "no dot at the end"
        ),
    ] = field(default_factory=dict)
    wires: Annotated[
        list[str], Meta(description="node.output -> node.input, with [0], [1] … in a port of many")
    ] = field(default_factory=list)
    groups: Annotated[dict[str, GroupForm], Meta(description="coloured frames")] = field(
        default_factory=dict
    )
    layout: Annotated[
        dict[str, tuple[int, int]], Meta(description="x and y of nodes on the canvas")
    ] = field(default_factory=dict)


class TrainerForm(NodeForm, frozen=True):
    """A trainer that was unfolded, with its wires and the nodes that were made of it."""

    wires: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


class DerivedForm(Struct, frozen=True):
    """The keys under which `fold` and `collapse` find what was there; no person writes them."""

    unfolded: dict[str, TrainerForm] = field(default_factory=dict)
    exploded: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: PlacesForm | None = None


class ArrayForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A setting's array that lies in a .npz beside the file.

    `sha256` is over the ASCII line "DTYPE SIZExSIZE", a line feed, and the numbers' bytes, row
    by row and little-endian: for 30×784 numbers the line is "<f8 30x784".
    """

    file: str
    array: str
    sha256: str


_EXPECTED: dict[tuple[str, ...], str] = {
    ("name",): "a text",
    ("about",): "a text",
    ("training",): "an object",
    ("training", "batch"): 'a whole number from 1, or "all"',
    ("training", "epochs"): "a whole number from 0",
    ("training", "seed"): "a whole number from 0",
    ("training", "rate"): "a number from 0",
    ("training", "tolerance"): "a number from 0",
    ("nodes",): "an object",
    ("nodes", "*"): "an object",
    ("nodes", "*", "type"): "the name of a node type",
    ("nodes", "*", "settings"): "an object",
    ("nodes", "*", "mode"): "active, bypass, disable or freeze",
    ("wires",): "a list",
    ("wires", "*"): "a text 'node.output -> node.input'",
    ("groups",): "an object",
    ("groups", "*"): "an object",
    ("groups", "*", "nodes"): "a list of ids",
    ("groups", "*", "nodes", "*"): "the id of a node",
    ("groups", "*", "title"): "a text",
    ("groups", "*", "colour"): "a text",
    ("groups", "*", "closed"): "true or false",
    ("groups", "*", "in"): "the name of a group",
    ("layout",): "an object",
    ("layout", "*"): "two whole numbers [x, y]",
    ("unfolded",): "an object of trainers",
    ("unfolded", "*"): "a trainer with its wires",
    ("exploded",): "an object of layers",
    ("exploded", "*"): "an object",
    ("places",): 'an object {"stood": …, "placed": …}',
    ("places", "stood"): "an object of places [x, y]",
    ("places", "placed"): "an object of places [x, y]",
    ("places", "moved"): "an object of places [x, y]",
    ("places", "below"): "an object of places [x, y] by what was exploded",
}


_DERIVED = frozenset(DerivedForm.__struct_fields__)

FormFault = tuple[str, tuple[str | int, ...]]
"""What is wrong with a part of a file, and the keys that lead to it."""


def shaped(raw: dict[str, Any], *, file: str = "") -> GraphForm:
    """Return the plain object as a graph's form, or raise `FileError` with the place."""
    try:
        form = msgspec.convert(raw, GraphForm)
        if raw.keys() & _DERIVED:
            msgspec.convert(raw, DerivedForm)
    except msgspec.ValidationError as error:
        message, keys = next(form_faults(raw), ("", ()))
        raise FileError(message or str(error), file=file, path=at(*keys)) from None
    return form


def form_faults(raw: Mapping[str, Any]) -> Iterator[FormFault]:
    """Yield all that `convert` refuses, with the key of the entry, which its message leaves out."""
    for name in GraphForm.__struct_fields__:
        if name not in raw or _converts({name: raw[name]}):
            continue
        value = raw[name]
        inside = list(_faults_in(name, value))
        yield from inside or [_wrong((name,), (name,), value)]
    for name in sorted(raw.keys() & _DERIVED):
        if _converts({name: raw[name]}, DerivedForm):
            continue
        value = raw[name]
        inside = list(_derived_faults(name, value)) if isinstance(value, dict) else []
        yield from inside or [_wrong((name,), (name,), value)]


def _faults_in(name: str, value: Any) -> Iterator[FormFault]:
    if isinstance(value, dict) and name in ("training", "nodes", "groups", "layout"):
        for key, part in value.items():
            if _converts({name: {key: part}}):
                continue
            if name == "training":
                yield _wrong((name, key), (name, key), part)
            elif name == "nodes":
                yield from _node_faults(key, part)
            elif name == "groups" and isinstance(part, dict):
                yield from _group_faults(key, part)
            else:
                yield _wrong((name, "*"), (name, key), part)
    elif isinstance(value, list) and name == "wires":
        for index, part in enumerate(value):
            if not isinstance(part, str):
                yield _wrong((name, "*"), (name, index), part)


def _derived_faults(name: str, value: dict[str, Any]) -> Iterator[FormFault]:
    for key, part in value.items():
        rule = (name, key if name == "places" else "*")
        if rule in _EXPECTED and not _converts(
            {name: {"stood": {}, "placed": {}, key: part} if name == "places" else {key: part}},
            DerivedForm,
        ):
            yield _wrong(rule, (name, key), part)


def _group_faults(key: str, value: dict[str, Any]) -> Iterator[FormFault]:
    for name, part in value.items():
        if _converts({"groups": {key: {name: part}}}):
            continue
        if name == "nodes" and isinstance(part, list):
            for index, one in enumerate(part):
                if not isinstance(one, str):
                    yield _wrong(("groups", "*", name, "*"), ("groups", key, name, index), one)
        else:
            yield _wrong(("groups", "*", name), ("groups", key, name), part)


def _node_faults(key: str, value: Any) -> Iterator[FormFault]:
    if not isinstance(value, dict):
        yield _wrong(("nodes", "*"), ("nodes", key), value)
        return
    if "type" not in value:
        yield '"type" is missing, the name of a node type', ("nodes", key)
    for name, part in value.items():
        if not _converts({"nodes": {key: {"type": "t", name: part}}}):
            yield _wrong(("nodes", "*", name), ("nodes", key, name), part)


def _wrong(rule: tuple[str, ...], keys: tuple[str | int, ...], value: Any) -> FormFault:
    return f"expected {_EXPECTED.get(rule, 'something else')}, got {describe(value)}", keys


def _converts(part: dict[str, Any], form: type[Struct] = GraphForm) -> bool:
    try:
        msgspec.convert({"format": "nodeflow", "version": VERSION, **part}, form)
    except msgspec.ValidationError:
        return False
    return True


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of graph files."""
    made = msgspec.json.schema(GraphForm)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nodeflow graph file, version 1",
        **made,
    }


def schema_text() -> str:
    """Return the text of `graph-1.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
