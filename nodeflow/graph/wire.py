"""A wire of a graph: from which output port to which input port, and in which place there."""

from __future__ import annotations

import re
from collections import defaultdict, namedtuple
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nodeflow.errors import GraphError
from nodeflow.inert import read_only

MOVED = "parameter"
"""The input of every update that takes what it moves."""
_DIGITS = 9
_WIRE = re.compile(
    r"\s*(\S[^>]*)\.([^.\[\]>\s]+)\s*->\s*(\S[^>]*)\.([^.\[\]>\s]+)(?:\[(\d+)\])?\s*"
)

if TYPE_CHECKING:

    @dataclass(frozen=True, order=True)
    class _Ends:
        source: str
        output: str
        target: str
        input: str
        index: int | None = None

else:
    # A tuple, since large graphs have very many wires: it is made, compared and sorted several
    # times as fast as a dataclass.
    _Ends = namedtuple("_Ends", "source output target input index", defaults=[None])  # noqa: PYI024


@read_only("graph.disconnect(…) and graph.connect(…) return a new graph")
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Wire(_Ends):
    """A connection from an output port to an input port; `index` orders wires into a `…` port."""

    # Fields, so that `dataclasses.replace` makes others of it.
    __slots__ = ()
    source: str
    output: str
    target: str
    input: str
    index: int | None

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Return the wire written "a.z -> sum.a[0]", or raise `GraphError`."""
        found = _WIRE.fullmatch(text)
        if found is None:
            raise GraphError(f"{text!r} is not a wire: write 'node.output -> node.input'")
        source, output, target, port, index = found.groups()
        if index is None:
            return cls(source, output, target, port)
        if len(index) > _DIGITS:
            raise GraphError("a port's number is too long")
        return cls(source, output, target, port, int(index))

    @property
    def start(self) -> str:
        """Address of the output port."""
        return f"{self.source}.{self.output}"

    @property
    def end(self) -> str:
        """Address of the input port, without the index."""
        return f"{self.target}.{self.input}"

    @property
    def entry(self) -> str:
        """The input port's name, with the index if it has one: "weights" or "a[0]"."""
        return self.input if self.index is None else f"{self.input}[{self.index}]"

    def __str__(self) -> str:
        return f"{self.start} -> {self.target}.{self.entry}"


def by_port(wire: Wire) -> tuple[str, int]:
    """Return what sorts the wires into a node: by port, then by number."""
    return wire.input, wire.index or 0


def in_order(wires: Iterable[Wire]) -> tuple[Wire, ...]:
    """Return wires sorted by their ends and numbers; one without a number comes first."""
    found = list(wires)
    try:
        found.sort()
    except TypeError:  # one with a number enters where another without one does, from one port
        found.sort(key=_place)
    return tuple(found)


def _place(wire: Wire) -> tuple[str, str, str, str, int]:
    index = -1 if wire.index is None else wire.index
    return wire.source, wire.output, wire.target, wire.input, index


def rewired(wire: Wire, old: str, new: str) -> Wire:
    """Return a wire after a node was renamed."""
    source, target = (new if key == old else key for key in (wire.source, wire.target))
    return replace(wire, source=source, target=target)


def inserted(
    wires: tuple[Wire, ...], there: list[Wire], wire: Wire
) -> tuple[tuple[Wire, ...], Wire]:
    """Return all wires with room for one more among those of a `…` port, and that one there."""
    if not there:
        return wires, replace(wire, index=None)
    at = len(there) if wire.index is None else min(wire.index, len(there))
    moved = {
        old: replace(old, index=position + (position >= at)) for position, old in enumerate(there)
    }
    return tuple(moved.get(w, w) for w in wires), replace(wire, index=at)


def renumbered(wires: tuple[Wire, ...]) -> tuple[Wire, ...]:
    """Close gaps in the numbers of `…` ports; a single wire has none."""
    ports: dict[tuple[str, str], list[Wire]] = defaultdict(list)
    for wire in wires:
        if wire.index is not None:
            ports[wire.target, wire.input].append(wire)
    new: dict[Wire, Wire] = {}
    for group in ports.values():
        group.sort(key=lambda w: w.index or 0)
        for position, wire in enumerate(group):
            new[wire] = replace(wire, index=position if len(group) > 1 else None)
    return tuple(new.get(wire, wire) for wire in wires)
