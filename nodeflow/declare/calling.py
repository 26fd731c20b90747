"""Calling a node type: which argument is which input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.declare.ports import Port, Value
from nodeflow.declare.wires import Output
from nodeflow.errors import GraphError, MissingInput

if TYPE_CHECKING:
    from nodeflow.declare.nodetype import NodeType


def bound(
    type_: NodeType, ports: Sequence[Port], args: Sequence[Any], named: Mapping[str, Any]
) -> dict[str, Any]:
    """Spread positional arguments over the input ports, as Python would."""
    given: dict[str, Any] = dict(named)
    rest = list(args)
    for port in ports:
        if port.name in given or not rest:
            continue
        if port.many and type_.joined != port.name:
            given[port.name] = (
                list(flat(rest))
                if any(
                    isinstance(part, list | tuple) and any(isinstance(p, Output) for p in part)
                    for part in rest
                )
                else rest
            )
            rest = []
        else:
            given[port.name] = rest.pop(0)
    if rest:
        raise GraphError(
            f"{type_.name} takes {', '.join(map(str, ports)) or 'no inputs'}; "
            f"{len(args)} were given"
        )
    for port in ports:
        if given.get(port.name) is None and not port.optional:
            raise MissingInput(f"{type_.name} needs its input '{port.name}'")
    return given


def as_arrays(type_: NodeType, ports: Sequence[Port], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given with an array for each input, or for each wire of a `…` port.

    Numbers, lists and whatever else NumPy takes for numbers become float64; raises `GraphError`.
    """
    several = {port.name for port in ports if port.many and type_.joined != port.name}
    several |= {name for name in given if name == type_.joined and _holds_arrays(given[name])}
    return {
        name: [_array(type_, name, part) for part in value]
        if name in several and isinstance(value, list | tuple)
        else _array(type_, name, value)
        for name, value in given.items()
    }


def _holds_arrays(value: Any) -> bool:
    """Tell whether a list is several values, and not the rows or numbers of one."""
    return isinstance(value, list | tuple) and any(isinstance(one, np.ndarray) for one in value)


def _array(type_: NodeType, name: str, value: Any) -> Any:
    if value is None or isinstance(value, np.ndarray | np.generic):
        return value
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise GraphError(
            f"the input '{name}' of {type_.name} takes numbers, or rows of equal length"
        ) from None


def flat(values: Any) -> Iterator[Any]:
    """Yield values, and those in a list of several."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def side_by_side(parts: Sequence[Any]) -> Value:
    """Join values along their features; a single row is repeated for each sample."""
    whole = [np.atleast_2d(part) for part in parts]
    rows = max(len(part) for part in whole)
    return np.concatenate(
        [np.broadcast_to(part, (rows, part.shape[-1])) for part in whole], axis=-1
    )
