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
