"""The formula node: whatever a person types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import Blame, FormulaValue, Output, Port, Value, node
from nodeflow.errors import BadSetting, GraphError, NoBackward
from nodeflow.symbolic import Rows, of_formula
from nodeflow.workings.bodies import filled
from nodeflow.workings.given import Given
from nodeflow.workings.parts import Index, Part


def _ports(settings: Mapping[str, Any]) -> tuple[Port, ...]:
    text = settings.get("formula", "a + b")
    found = formulas.names(formulas.parse(text))
    if "formula" in found:
        raise BadSetting(
            "the formula uses the name 'formula', which is the node's setting: choose another"
        )
    return tuple(Port(name) for name in found)


@node(
    "arithmetic",
    formula="formula",
    outputs=("value",),
    shapes="elementwise",
    aliases=("formula", "function", "calculate"),
    dynamic_inputs=_ports,
)
def expression(inputs: Mapping[str, Value], *, formula: FormulaValue = "a + b") -> Value:
    """Calculate a formula number by number; its names become input ports.

    Numbers, names, + − * / ^, pi, e, and exp, log, sqrt, sin, cos, tanh, sigmoid, erf, abs,
    sign, step, max, min. Where both sides of max or min are equal, the slope is the second one's:
    at 0 it is 0 for max(z, 0), and 1 for max(0, z).
    """
    return np.asarray(formulas.evaluate(formulas.parse(formula), inputs))


@expression.in_programs
def _(s: Any, key: str) -> str:
    return str(s.formula(key, formulas.parse(s.setting(key, "formula"))))


@expression.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.formula_of(key, formulas.parse(s.setting(key, "formula"))))


@expression.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.formula(formulas.parse(settings["formula"]), inputs, out)


@expression.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return of_formula(formulas.parse(settings["formula"]), inputs)


@expression.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (filled(formulas.parse(given.settings["formula"]), given, index),)


@expression.backward
def _(blame: Blame, inputs: Mapping[str, Output], *, formula: str) -> Mapping[str, Any]:
    tree = formulas.parse(formula)
    own = formulas.names(tree)
    label = "blame"
    while label in own:
        label += "_"

    def back(name: str) -> Any:
        slope = formulas.derivative(tree, name)
        given = dict(inputs)
        if isinstance(blame, Output):
            slope = ("*", ("name", label), slope)
            given[label] = blame
        elif blame != 1:
            slope = ("*", ("number", float(blame)), slope)
        wanted = formulas.names(slope)
        if not wanted:
            return float(formulas.evaluate(slope, {}))
        text = formulas.write(slope)
        try:
            formulas.parse(text)
        except GraphError:
            raise NoBackward(
                f"the derivative by '{name}' of the formula is too long to write out: "
                "split the formula over several nodes"
            ) from None
        return expression(*(given[wire] for wire in wanted), formula=text)

    return {name: (lambda name=name: back(name)) for name in own}
