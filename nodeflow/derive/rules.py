"""Asking the backward rule of a node type: what it is given, by port and by setting."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from nodeflow.declare import Blame, NodeType, Output, Port


def given_ports(
    type_: NodeType, ports: Sequence[Port], arriving: Mapping[str, list[Output]]
) -> dict[str, Any]:
    """Return what a rule is given for each port: a wire, several in a list, None without one.

    A port that joins its wires gives a single one as it is.
    """
    given: dict[str, Any] = {}
    for port in ports:
        if port.feedback:
            continue
        wires = arriving.get(port.name, [])
        if port.many and not (type_.joined == port.name and len(wires) == 1):
            given[port.name] = wires
        else:
            given[port.name] = wires[0] if wires else None
    return given


def ask(rule: Any, blame: Blame, wires: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Call a rule with what it asks for: wires by port, settings by name, or all `settings`."""
    names, anything = _accepts(rule)
    given = {k: v for k, v in wires.items() if (anything or k in names) and v is not None}
    own = settings if "settings" in settings else {**settings, "settings": settings}
    given |= {name: own[name] for name in names if name in own and name not in given}
    given.pop(names[0], None)
    return rule(blame, **given)


@lru_cache(maxsize=256)
def _accepts(rule: Any) -> tuple[tuple[str, ...], bool]:
    """Return a rule's parameters, the blame first, and whether it takes any others."""
    parameters = inspect.signature(rule).parameters.values()
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return tuple(p.name for p in parameters), anything
