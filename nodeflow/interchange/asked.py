"""What a person says of a file that holds weights alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodeflow.errors import InterchangeError
from nodeflow.interchange.layers import Activation, Dense, Floats, Network, Step, as_floats
from nodeflow.interchange.layers import activation as activation_of

_NUMBERS = re.compile(r"(\d+)")
_PLACE = re.compile(r"[./](?=[^./]*$)")
"""Stands between the name of a layer and that of its array."""
_TURNED = ("kernel", "w")
"""Arrays that have these names are (in, out)."""
_SHOWN = 8


@dataclass(frozen=True)
class Asked:
    """The options of `nodeflow import` that say what a file does not."""

    layers: tuple[int, ...] | None = None
    activation: str | None = None
    output: str | None = None
    rows: int = 16

    def options(self) -> tuple[str, ...]:
        """Return the options that were given, as a person types them."""
        given = {"--layers": self.layers, "--activation": self.activation, "--output": self.output}
        return tuple(name for name, value in given.items() if value is not None)


def in_order(names: Sequence[str]) -> list[str]:
    """Return names with the numbers in them in the order of numbers: fc2 before fc10."""
    return sorted(names, key=lambda name: [
        (int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(name)
    ])  # fmt: skip


def network_of_arrays(arrays: Mapping[str, Any], asked: Asked, format_: str) -> Network:
    """Return the layers in a dictionary of weights, NAME.weight and NAME.bias by layer.

    Weights are (out, in) as PyTorch has them; (in, out) where they are called kernel or w, as
    Keras, Flax, Haiku and Sonnet call them, or where only that has the sizes of `--layers`. What
    is no matrix or vector of such a name is refused, as is an order that `--layers` does not have.
    """
    if asked.layers is None or (asked.activation is None and len(asked.layers) > 2):
        raise InterchangeError(
            f"{format_} holds weights and says nothing of how they are connected; give --layers "
            "such as 7-5-3 and --activation such as sigmoid"
        )
    for named in filter(None, (asked.activation, asked.output)):
        asked_activation("a", named)  # also one that no layer takes
    notes: list[str] = []
    matrices: dict[str, Floats] = {}
    vectors: dict[str, Floats] = {}
    for name in in_order(list(arrays)):
        array = as_floats(arrays[name], name, notes)
        if array.ndim == 2:
            matrices[name] = array.T if _PLACE.split(name)[-1] in _TURNED else array
        elif array.ndim == 1:
            vectors[name] = array
        else:
            raise InterchangeError(
                f"'{name}' has {array.ndim} axes; only layers with weights (out, in) and a bias "
                "can be imported"
            )
    wanted = list(zip(asked.layers[1:], asked.layers[:-1], strict=True))
    shapes = sorted(array.shape for array in matrices.values())
    if shapes != sorted(wanted) and shapes == sorted(shape[::-1] for shape in wanted):
        matrices = {name: array.T for name, array in matrices.items()}
        notes.append("by their sizes, weights are (in, out) in the file")
    elif shapes != sorted(wanted):
        needed = _listed(f"{out}×{into}" for out, into in wanted)
        found = _listed(f"{name} {'×'.join(map(str, m.shape))}" for name, m in matrices.items())
        raise InterchangeError(
            f"--layers {'-'.join(map(str, asked.layers))} needs weights of {needed}, and the file "
            f"has {found or 'none'}"
        )
    steps: list[Step] = []
    left, unused = dict(matrices), dict(vectors)
    for number, shape in enumerate(wanted):
        name = next(key for key, array in left.items() if array.shape == shape)
        weights = left.pop(name)
        stem = _PLACE.split(name)[0]
        bias = _bias(stem, name, unused, shape[0])
        steps.append(Dense(stem, weights, bias))
        last = number == len(wanted) - 1
        kind = (asked.output or "identity") if last else (asked.activation or "identity")
        if kind != "identity" or not last:
            steps.append(asked_activation(f"{stem}_a", kind))
    if asked.output is None:
        notes.append("its outputs have no activation; --output sigmoid would give them one")
    if unused:
        raise InterchangeError(
            f"'{next(iter(unused))}' belongs to none of the layers; a network with more than "
            "layers and activations comes in as .pt2, .onnx or .keras, which say what it is"
        )
    return Network(tuple(steps), format_, notes=tuple(notes))


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _bias(stem: str, name: str, unused: dict[str, Floats], size: int) -> Floats | None:
    swapped = (name.replace(one, other) for one, other in (("weight", "bias"), ("kernel", "bias")))
    for key in (f"{stem}.bias", f"{stem}/bias", *swapped, f"{stem}.b", f"{stem}/b"):
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
