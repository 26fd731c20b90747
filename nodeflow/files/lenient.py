"""Reading graph files of which some parts cannot be: those are left out, and told one by one.

The strict reader stays the judge: what is handed to it here is the same object without the parts
that it would refuse.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeflow.declare import CATALOG, NodeType
from nodeflow.errors import FileError, GraphError, readable
from nodeflow.files.form import VERSION, form_faults
from nodeflow.files.lessonform import ANSWERS, LESSON, check_lesson
from nodeflow.files.reader import Source, array_of, source_of
from nodeflow.files.sidecar import Sidecars, refuse_absolute
from nodeflow.graph import (
    Graph,
    Wire,
    check_id,
    closing,
    number_too_many,
    numbering_fault,
    port_entered,
    port_taken,
)
from nodeflow.inert import inert

Keys = tuple[str | int, ...]

NO_TYPE = "unknown"
"""The type of a node of which the file does not say one: there is none of that name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a file that cannot be, and so is not in the graph."""

    keys: Keys
    """They lead to it: nodes, w, settings, value."""
    sentence: str
    """What stands in the graph instead, and why."""
    nodes: tuple[str, ...] = ()
    """The nodes of the graph that it concerns."""
    value: Any = None
    """Of a setting: what the file has for it."""
    why: str = ""
    """Of a setting: what is wrong with it, without its name."""

    @property
    def setting(self) -> tuple[str, str] | None:
        """The node and the setting that it is; of one of the training the node is ""."""
        match self.keys:
            case ("nodes", str(node), "settings", str(name)):
                return node, name
            case ("training", str(name)):
                return "", name
            case _:
                return None


def load_marked(path: str | os.PathLike[str]) -> tuple[Graph, tuple[Fault, ...]]:
    """Return the graph of a file as `load` does, and what in the file cannot be.

    What cannot be is not in the graph: defaults stand in for settings, wires are left out, a node
    without a type is a placeholder. A file that holds no graph at all raises `FileError`.
    """
    return marked(source_of(path))


def marked(source: Source) -> tuple[Graph, tuple[Fault, ...]]:
    """Return the graph in the text of a file, and what in it cannot be (see `load_marked`)."""
    plain = source.plain()
    try:
        return source.graph(plain), ()
    except FileError:
        if plain.get("format") != "nodeflow" or not isinstance(plain.get("nodes", {}), dict):
            raise
    sieve = _Sieve(plain, source.folder)
    wires = sieve.plain.pop("wires", [])
    wired = sieve.wired(source.graph(sieve.plain), wires)
    return source.graph({**sieve.plain, "wires": wired}), tuple(sieve.faults)


class _Sieve:
    """Takes out of the object of a file what cannot be, part by part."""

    def __init__(self, plain: Mapping[str, Any], folder: Path | None) -> None:
        self.faults: list[Fault] = []
        self.plain: dict[str, Any] = {
            key: dict(part) if isinstance(part, dict) else part for key, part in plain.items()
        }
        self._form()
        self._lesson()
        nodes = self.plain.setdefault("nodes", {})
        with Sidecars(folder) as sidecars:
            for key in list(nodes):
                self._node(nodes, key, sidecars)

    def _fault(
        self,
        keys: Keys,
        sentence: str,
        nodes: Iterable[str] = (),
        *,
        value: Any = None,
        why: str = "",
    ) -> None:
        concerned = tuple(dict.fromkeys(nodes))
        self.faults.append(Fault(keys, readable(sentence), concerned, inert(value), readable(why)))

    # -- what is not of its form

    def _form(self) -> None:
        plain = self.plain
        nodes = plain.get("nodes", {})
        for why, keys in list(form_faults({**plain, "version": VERSION})):
            match keys:
                case ("nodes", str(key), "mode"):
                    nodes[key] = {name: v for name, v in nodes[key].items() if name != "mode"}
                    self._fault(keys, f"'{key}' is active, its mode cannot be: {why}", [key])
                case ("nodes", str(key), "settings"):
                    nodes[key] = {name: v for name, v in nodes[key].items() if name != "settings"}
                    self._fault(keys, f"'{key}' has no settings, these cannot be: {why}", [key])
                case ("nodes", str(key), *_):
                    held = nodes[key] if isinstance(nodes[key], dict) else {}
                    nodes[key] = {**held, "type": NO_TYPE}
                    self._fault(
                        keys, f"'{key}' is a placeholder, its type is not told: {why}", [key]
                    )
                case ("training", str(name)):
                    value = plain["training"].pop(name)
                    self._fault(keys, f"training.{name}: {why}", value=value, why=why)
                case ("wires", int(index)):
                    self._fault(keys, f"wire {index + 1} of the file is left out: {why}")
                case ("layout", str(key)):
                    del plain["layout"][key]
                    known = [key] if key in nodes else []
                    self._fault(keys, f"'{key}' was given another place: {why}", known)
                case ("groups", str(key), *_):
                    if plain["groups"].pop(key, None) is not None:  # it may have several
                        self._fault(keys, f"the group '{key}' is left out: {why}")
                case (str(name), str(key)):
                    del plain[name][key]
                    self._fault(keys, f"{name}.{key} is left out: {why}")
                case (str(name),):
                    del plain[name]
                    self._fault(keys, f"'{name}' is left out: {why}")

    def _lesson(self) -> None:
        for key in (LESSON, ANSWERS):
            if key not in self.plain:
                continue
            try:
                check_lesson({key: self.plain[key]})
            except FileError as error:
                del self.plain[key]
                self._fault((key,), f"'{key}' is left out: {error}")

    # -- nodes

    def _node(self, nodes: dict[str, Any], key: str, sidecars: Sidecars) -> None:
        try:
            check_id(key)
        except GraphError as error:
            del nodes[key]
            self._fault(("nodes", key), f"a node is left out: {error}")
            return
        given = nodes[key]
        type_ = CATALOG.get(given["type"])
        settings = given.get("settings")
        if type_ is None or not settings:
            return
        sound = {}
        for name, value in settings.items():
            why = _refusal(type_, key, name, value, sidecars)
            if not why:
                sound[name] = value
                continue
            own = why.removeprefix(f"{key}.{name} ")
            said = why if own != why else f"{key}.{name}: {why}"
            keys = ("nodes", key, "settings", name)
            self._fault(keys, said, [key], value=value, why=own)
        if len(sound) < len(settings):
            nodes[key] = {**given, "settings": sound}

    # -- wires

    def wired(self, graph: Graph, texts: list[Any]) -> list[str]:
        """Return the wires of a file that can be between the nodes of its graph."""
        found: list[Wire] = []
        single: dict[tuple[str, str], Wire] = {}
        several: set[tuple[str, str]] = set()
        dropped: set[tuple[str, str]] = set()
        places: dict[Wire, int] = {}
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                continue  # that is said already
            try:
                wire = Wire.parse(text)
            except GraphError as error:
                self._fault(("wires", index), f"a wire is left out: {error}")
                continue
            end = wire.target, wire.input
            try:
                port = port_entered(wire, graph.nodes)
                if end in single:
                    raise port_taken(wire, single[end])
            except GraphError as error:
                dropped.add(end)
                self._left_out(graph, index, wire, error)
                continue
            if port is None or port.many:
                several.add(end)
            else:
                if wire.index is not None:
                    said = f"the wire '{wire}' is there without its number: {number_too_many(wire)}"
                    self._fault(("wires", index), said, [wire.target])
                    wire = Wire(wire.source, wire.output, wire.target, wire.input)
                single[end] = wire
            places[wire] = index
            found.append(wire)
        loops = closing(Graph(nodes=graph.nodes, wires=tuple(found)))
        for wire, loop in loops.items():
            dropped.add((wire.target, wire.input))
            self._left_out(graph, places[wire], wire, loop)
        return [str(wire) for wire in self._numbered(
            [wire for wire in found if wire not in loops], several, dropped, places
        )]  # fmt: skip

    def _left_out(self, graph: Graph, index: int, wire: Wire, error: GraphError) -> None:
        ends = [key for key in (wire.source, wire.target) if key in graph.nodes]
        self._fault(("wires", index), f"the wire '{wire}' is left out: {error}", ends)

    def _numbered(
        self,
        wires: list[Wire],
        several: set[tuple[str, str]],
        dropped: set[tuple[str, str]],
        places: Mapping[Wire, int],
    ) -> list[Wire]:
        """Return the wires with numbers that can be; where one was left out the others close up."""
        into: dict[tuple[str, str], list[Wire]] = {}
        for wire in wires:
            if (wire.target, wire.input) in several:
                into.setdefault((wire.target, wire.input), []).append(wire)
        anew: dict[int, Wire] = {}
        for (target, port), there in into.items():
            fault = numbering_fault(target, port, there)
            if fault is None:
                continue
            if (target, port) not in dropped:
                keys = ("wires", places[there[0]])
                self._fault(keys, f"they are numbered in their order: {fault}", [target])
            there.sort(key=lambda wire: (wire.index is None, wire.index or 0))
            for number, wire in enumerate(there):
                own = number if len(there) > 1 else None
                anew[id(wire)] = Wire(wire.source, wire.output, wire.target, wire.input, own)
        return [anew.get(id(wire), wire) for wire in wires]


def _refusal(type_: NodeType, key: str, name: str, value: Any, sidecars: Sidecars) -> str:
    """Return why a setting cannot be, "" if it can."""
    try:
        array = name in type_.array_settings
        held = {name: array_of(value, sidecars) if array else inert(value)}
        refuse_absolute(key, type_.name, held)
        type_.check(held, key)
    except FileError as error:
        beside = Path(error.file).name
        return f"{beside}: {error.why}" if beside else error.why
    except GraphError as error:
        return str(error)
    return ""
