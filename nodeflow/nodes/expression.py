"""The formula node: whatever a person types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import Blame, Output, Port, Value, node


def _ports(settings: Mapping[str, Any]) -> tuple[Port, ...]:
    text = settings.get("formula", "a + b")
    return tuple(Port(name) for name in formulas.names(formulas.parse(text)))


@node(
    "arithmetic",
    formula="formula",
    outputs=("value",),
    shapes="elementwise",
    aliases=("formula", "function", "calculate"),
    dynamic_inputs=_ports,
)
def expression(inputs: Mapping[str, Value], *, formula: str = "a + b") -> Value:
    """Calculate a formula number by number; its names become input ports.

    Numbers, names, + − * / ^, pi, e, and exp, log, sqrt, sin, cos, tanh, sigmoid, abs, sign,
    step, max, min.
    """
    return np.asarray(formulas.evaluate(formulas.parse(formula), inputs))


@expression.backward
def _(blame: Blame, *, formula: str, **wires: Output) -> Mapping[str, Any]:
    tree = formulas.parse(formula)
    own = formulas.names(tree)
    label = "blame"
    while label in own:
        label += "_"

    def back(name: str) -> Any:
        slope = formulas.derivative(tree, name)
        whole = slope
        given = {key: wires[key] for key in formulas.names(slope)}
        if isinstance(blame, Output):
            whole = ("*", ("name", label), slope)
            given[label] = blame
        if not given:
            return slope[1]
        return expression(formula=formulas.write(whole), **given)

    return {name: (lambda name=name: back(name)) for name in own}
