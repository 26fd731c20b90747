"""What a person says of a file that holds weights alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodeflow.errors import InterchangeError
from nodeflow.interchange.layers import Activation, Dense, Floats, Network, Step, as_floats
from nodeflow.interchange.layers import activation as activation_of

_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Asked:
    """The options of `nodeflow import` that say what a file does not."""

    layers: tuple[int, ...] | None = None
    activation: str | None = None
    output: str | None = None
    rows: int = 16


def in_order(names: Sequence[str]) -> list[str]:
    """Return names with the numbers in them in the order of numbers: fc2 before fc10."""
    return sorted(names, key=lambda name: [
        (int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(name)
    ])  # fmt: skip


def network_of_arrays(
    arrays: Mapping[str, Any], asked: Asked, format_: str, *, transposed: bool = False
) -> Network:
    """Return the layers in a dictionary of weights, NAME.weight and NAME.bias by layer.

    `transposed`: weights are (in, out). What is no matrix or vector of such a name is refused, as
    is an order that `--layers` does not have.
    """
    if asked.layers is None or (asked.activation is None and len(asked.layers) > 2):
        raise InterchangeError(
            f"{format_} holds weights and says nothing of how they are connected; give --layers "
            "such as 7-5-3 and --activation such as sigmoid"
        )
    notes: list[str] = []
    matrices: dict[str, Floats] = {}
    vectors: dict[str, Floats] = {}
    for name in in_order(list(arrays)):
        array = as_floats(arrays[name], name, notes)
        if array.ndim == 2:
            matrices[name] = array.T if transposed else array
        elif array.ndim == 1:
            vectors[name] = array
        else:
            raise InterchangeError(
                f"'{name}' has {array.ndim} axes; only layers with weights (out, in) and a bias "
                "can be imported"
            )
    wanted = list(zip(asked.layers[1:], asked.layers[:-1], strict=True))
    shapes = [array.shape for array in matrices.values()]
    if sorted(shapes) != sorted(wanted):
        found = ", ".join(f"{name} {'×'.join(map(str, m.shape))}" for name, m in matrices.items())
        needed = ", ".join(f"{out}×{into}" for out, into in wanted)
        raise InterchangeError(
            f"--layers {'-'.join(map(str, asked.layers))} needs weights of {needed}, and the file "
            f"has {found or 'none'}"
        )
    steps: list[Step] = []
    left, unused = dict(matrices), dict(vectors)
    for number, shape in enumerate(wanted):
        name = next(key for key, array in left.items() if array.shape == shape)
        weights = left.pop(name)
        stem = name.rpartition(".")[0] or name
        bias = _bias(stem, name, unused, shape[0])
        steps.append(Dense(stem, weights, bias))
        last = number == len(wanted) - 1
        kind = (asked.output or "identity") if last else (asked.activation or "identity")
        if kind != "identity" or not last:
            steps.append(asked_activation(f"{stem}_a", kind))
    if unused:
        raise InterchangeError(f"'{next(iter(unused))}' belongs to none of the layers")
    return Network(tuple(steps), format_, notes=tuple(notes))


def _bias(stem: str, name: str, unused: dict[str, Floats], size: int) -> Floats | None:
    tried = (f"{stem}.bias", name.replace("weight", "bias").replace("kernel", "bias"))
    for key in tried:
        if key in unused and unused[key].shape == (size,):
            return unused.pop(key)
    return None


def asked_activation(name: str, kind: str) -> Activation:
    """Return an activation that a person named; raises `InterchangeError`."""
    found = activation_of(name, kind)
    if found is None:
        raise InterchangeError(
            f"there is no activation '{kind}'; there is sigmoid, tanh, relu, leaky_relu, softplus, "
            "identity, softmax, elu, selu, silu, gelu_tanh, softsign, hard_sigmoid"
        )
    return found
