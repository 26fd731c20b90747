"""The library: node types by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar, overload

from nodeflow.declare.changes import note_change
from nodeflow.errors import DeclarationError, UnknownType, nearest

if TYPE_CHECKING:
    from nodeflow.declare.nodetype import NodeType

_T = TypeVar("_T")


class Catalog(Mapping[str, "NodeType"]):
    """The library: node types by name."""

    def __init__(self) -> None:
        self._types: dict[str, NodeType] = {}
        self.why_unknown: Callable[[str], str] = lambda _: ""
        """What is to be said of a type that is not there, besides the nearest name."""
        self.plugin_of: Callable[[str], str] = lambda _: ""
        """The plugin that a type came from."""

    def __getitem__(self, name: str) -> NodeType:
        try:
            return self._types[name]
        except KeyError:
            why = self.why_unknown(name) or nearest(name, self._types)
            raise UnknownType(f"there is no node type '{name}'{why}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    @overload
    def get(self, name: str, /) -> NodeType | None: ...
    @overload
    def get(self, name: str, /, default: NodeType | _T) -> NodeType | _T: ...
    def get(self, name: str, /, default: object = None) -> object:
        """Return the type of that name, or the default: what Mapping has would raise."""
        return self._types.get(name, default)

    def natural_cost(self, activation: str) -> NodeType | None:
        """Return the cost whose slope in z is a − y behind an activation, if there is one."""
        return next((one for one in self._types.values() if one.natural == activation), None)

    def add(self, type_: NodeType) -> None:
        """Add a type; two of one name are a `DeclarationError`."""
        if type_.name in self._types:
            there = self._types[type_.name]
            whose = "nodeflow" if there.is_own else self.plugin_of(type_.name)
            whose = whose or there.function.__module__
            raise DeclarationError(
                f"there is a node type '{type_.name}' already, of {whose}; "
                "give this one another name"
            )
        self._types[type_.name] = type_
        note_change()

    def remove(self, name: str) -> None:
        """Take a type out again (a plugin that is switched off)."""
        self._types.pop(name, None)
        note_change()


CATALOG = Catalog()
