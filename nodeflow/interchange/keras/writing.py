"""A model of Keras with the layers and the weights of a graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nodeflow import formula as formulas
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.branching import runs_of, steps_of
from nodeflow.interchange.building import letters
from nodeflow.interchange.chain import ANY
from nodeflow.interchange.keras.config import snake_case
from nodeflow.interchange.keras.layers import KINDS
from nodeflow.interchange.keras.operations import OPERATIONS, OTHER_OPERATIONS
from nodeflow.interchange.layers import Activation, Affine, Dense, Join, Narrow, Step, kind_of
from nodeflow.interchange.naming import named

_MISSING = "Keras is not installed; pip install 'nodeflow[keras]'"


def to_keras(graph: Graph, weights: Any = None) -> Any:
    """Return a model of Keras with the layers and the weights of a graph, in float64.

    Layers in a row are a Sequential; what branches or joins, and formulas that no layer is, are a
    functional model, with operations of `keras.ops`.
    """
    network = steps_of(graph, weights)
    try:
        import keras
    except ImportError:
        raise InterchangeError(_MISSING) from None
    making = _Making(keras, branches=any(step.takes for step in network.steps))
    made = {
        one.name: keras.Input((network.width_of(one),), dtype="float64", name=_plain(one.name))
        for one in network.inputs
    }
    inputs = list(made.values())
    for step, takes in network.wired():
        made[step.name] = making.step(step, [made[name] for name in takes])
    outputs = [making.named(end.step, made[end.step]) for end in network.outputs]
    if making.layers_alone and not making.branches:
        return keras.Sequential([inputs[0], *making.layers], name="nodeflow")
    alone = [some[0] if len(some) == 1 else some for some in (inputs, outputs)]
    return keras.Model(*alone, name="nodeflow")


def _plain(name: str, *, branches: bool = False) -> str:
    """Return a name as Keras allows it; operations name themselves, and no layer may be called so.

    Layers in a row have no operations beside them.
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    operations = map(snake_case, (*OPERATIONS, *OTHER_OPERATIONS))
    if branches and re.sub(r"_\d+$", "", plain) in operations:
        return f"{plain}_layer"
    return plain


class _Making:
    """Layers of Keras that have been made, each applied to the value that it takes."""

    def __init__(self, keras: Any, *, branches: bool) -> None:
        self.keras, self.branches = keras, branches
        self.layers: list[Any] = []
        self.layers_alone = True
        """Whether nothing but layers has been made: a Sequential holds no operations."""
        self.shared: dict[tuple[int, int], Any] = {}

    def step(self, step: Step, taken: list[Any]) -> Any:
        """Return the value of a step."""
        if isinstance(step, Join | Narrow):
            self.layers_alone = False
            return (
                self._joined(step, taken) if isinstance(step, Join) else self._narrowed(step, taken)
            )
        layer = self._layer(step)
        if layer is None:
            self.layers_alone = False
            if not isinstance(step, Activation) or step.formula is None:
                raise InterchangeError(f"Keras has no layer like '{step.name}'; {ANY}")
            tree = formulas.parse(step.formula)
            return self._computed(tree, dict.fromkeys(formulas.names(tree), taken[0]))
        value = layer(taken[0])
        self.layers.append(layer)
        if isinstance(step, Dense) and not any(layer is one for one in self.layers[:-1]):
            bias = [] if step.bias is None else [step.bias]
            layer.set_weights([step.weights.T, *bias])
        return value

    def named(self, name: str, value: Any) -> Any:
        """Return an output under its name, which an operation would not keep."""
        if not self.branches or value._keras_history.operation.name == _plain(name):  # noqa: SLF001
            return value
        return self.keras.layers.Activation("linear", dtype="float64", name=_plain(f"{name}_out"))(
            value
        )

    def _layer(self, step: Step) -> Any:
        layers, name = self.keras.layers, _plain(step.name, branches=self.branches)
        match step:
            case Dense():
                key = id(step.weights), id(step.bias)
                if key not in self.shared:
                    units, has_bias = len(step.weights), step.bias is not None
                    self.shared[key] = layers.Dense(
                        units, use_bias=has_bias, dtype="float64", name=name
                    )
                return self.shared[key]
            case Affine():
                scale, offset = step.scale.tolist(), step.shift.tolist()
                return layers.Rescaling(scale, offset, dtype="float64", name=name)
            case Activation():
                return _layer(layers, step, name)
        return None

    def _joined(self, step: Join, taken: list[Any]) -> Any:
        layers, name = self.keras.layers, _plain(step.name, branches=self.branches)
        about = {"dtype": "float64", "name": name}
        kinds = {"add": layers.Add, "multiply": layers.Multiply, "concatenate": layers.Concatenate}
        if step.formula is None:
            return kinds[step.kind](**about)(taken)
        whole = _MERGED.get(step.formula)
        if whole is not None and taken[0].shape == taken[1].shape:
            return getattr(layers, whole)(**about)(taken)
        places = dict(zip(letters(len(taken)), taken, strict=True))
        return self._computed(formulas.parse(step.formula), places)

    def _narrowed(self, step: Narrow, taken: list[Any]) -> Any:
        ops = self.keras.ops
        if step.kind != "pick":
            return getattr(ops, step.kind)(taken[0], axis=-1, keepdims=True)
        parts = [taken[0][:, first:end] for first, end in runs_of(step.places)]
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)

    def _computed(self, tree: formulas.Expression, values: Mapping[str, Any]) -> Any:
        ops = self.keras.ops

        def chosen(taken: Any, u: Any, v: Any) -> Any:
            # Its maximum shares the slope of a tie; a graph gives it to v. NaN goes on from both.
            if isinstance(u, self.keras.KerasTensor):
                taken = ops.logical_or(taken, ops.isnan(u))
            return ops.where(taken, u, v)

        functions = {
            "+": ops.add, "-": ops.subtract, "*": ops.multiply, "/": ops.divide, "**": ops.power,
            "max": lambda u, v: chosen(ops.greater(u, v), u, v),
            "min": lambda u, v: chosen(ops.less(u, v), u, v),
            "step": lambda u: ops.relu(ops.sign(u)),
        }  # fmt: skip
        for name in formulas.FUNCTIONS:
            if name not in functions:
                functions[name] = getattr(ops, name)
        return formulas.computed(tree, values, functions)


_MERGED = {"(a - b)": "Subtract", "((a + b) / 2)": "Average"}
"""Formulas of two values that are layers of Keras; its Maximum shares the slope of a tie."""


def _layer(layers: Any, step: Activation, name: str) -> Any:
    """Return the layer of an activation; None where Keras has none."""
    kind, given = kind_of(step)
    about = {"dtype": "float64", "name": name}
    if kind == "leaky_relu":
        return layers.LeakyReLU(negative_slope=given.get("alpha", 0.01), **about)
    if kind == "elu":
        return layers.ELU(alpha=given["alpha"], **about)
    if kind == "hard_tanh" and (given["low"], given["high"]) != (-1.0, 1.0):
        return None
    if kind in ("celu", "softshrink", "hardshrink", "gelu_tanh"):
        usual = {"celu": 1.0, "softshrink": 0.5, "hardshrink": 0.5}
        if given.get("alpha") != usual.get(kind):
            return None
        kind = {"softshrink": "soft_shrink", "hardshrink": "hard_shrink"}.get(kind, kind)
    if named(step.kind, "keras"):
        return layers.Activation(named(step.kind, "keras"), **about)
    names = {ours: theirs for theirs, ours in KINDS.items() if theirs != "swish"}
    names |= {"celu": "celu", "soft_shrink": "soft_shrink", "hard_shrink": "hard_shrink"}
    return layers.Activation(names[kind], **about) if kind in names else None
