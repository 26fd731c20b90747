"""FANN: the text of `fann_save`, layers with a bias neuron at the end of each.

A neuron's sum s·Σwa goes through its activation with the steepness s: the sigmoid is
1/(1+e^(−2sz)), the symmetric one tanh(sz). With s = ½ the first is the library's own; other
steepnesses become formulas, so that weights keep their bits.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.folding import folded, layers_with_activation
from nodeflow.interchange.layers import Activation, Dense, Join, Missing, Network, Step
from nodeflow.interchange.recognising import recognised

FIRST_LINE = "FANN_FLO"
_FIXED = "FANN_FIX"
_OLD = "FANN_FLO_1"
_PAIR = re.compile(r"\(([^()]*)\)")
_MOST_NEURONS = 100_000


def read(path: Path, _asked: Asked) -> Network:
    """Return the network of a file; raises `FileError`."""
    with reading(path):
        text = path.read_text("utf-8", "replace")
    first = text.partition("\n")[0]
    if first.startswith(_FIXED):
        raise FileError("is of fixed point; save it with fann_save", file=str(path))
    if not first.startswith(FIRST_LINE):
        raise FileError("is no network of FANN: its first line is not FANN_FLO_2.1", file=str(path))
    if first.startswith(_OLD):
        raise FileError(
            "is of a FANN before 2.0, whose files do not name their numbers; FANN 2 reads it and "
            "saves it anew: fann_create_from_file, fann_save",
            file=str(path),
        )
    try:
        return _network(_fields(text))
    except (KeyError, ValueError, IndexError) as error:
        raise FileError(
            f"is damaged, or of a FANN that is not known here ({type(error).__name__}: {error})",
            file=str(path),
        ) from None


def _fields(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        if sign:
            found[name.partition(" (")[0].strip()] = value.strip()
    return found


def _network(fields: dict[str, str]) -> Network:
    sizes = [int(part) for part in fields["layer_sizes"].split()]
    shortcuts = int(fields.get("network_type", 0)) == 1
    least = 1 if shortcuts else 2
    if len(sizes) < 2 or any(size < least for size in sizes) or sum(sizes) > _MOST_NEURONS:
        raise ValueError(f"layer_sizes {sizes}")
    neurons = [_numbers(part) for part in _PAIR.findall(fields["neurons"])]
    connections = [_numbers(part) for part in _PAIR.findall(fields["connections"])]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    steps: list[Step] = []
    ends = ["x"]  # what each layer's values are called
    at = left_out = 0
    for layer in range(1, len(sizes)):
        begin, end = int(starts[layer]), int(starts[layer + 1])
        if shortcuts:  # every layer before this one, with one bias neuron, that of the inputs
            bias, below = sizes[0] - 1, 0
            sources = [one for one in range(begin) if one != bias]
        else:  # each layer ends in a bias neuron
            bias, below, end = begin - 1, int(starts[layer - 1]), end - 1
            sources = list(range(below, bias))
        places = {source: place for place, source in enumerate(sources)} | {bias: len(sources)}
        weights = np.zeros((end - begin, len(places)), float)
        for row, neuron in enumerate(range(begin, end)):
            count = int(neurons[neuron][0])
            left_out += len(places) - count
            for source, weight in connections[at : at + count]:
                if int(source) not in places:
                    raise InterchangeError(
                        f"neuron {neuron} takes the value of neuron {int(source)}, which is in no "
                        "layer before it"
                    )
                weights[row, places[int(source)]] = weight
            at += count
        name = "output" if layer == len(sizes) - 1 else f"hidden{layer}"
        if shortcuts and layer > 1:
            steps.append(Join(f"{name}.joined", "concatenate", tuple(ends)))
        steps.append(Dense(name, weights[:, :-1].copy(), weights[:, -1].copy()))
        kinds = {tuple(neurons[neuron][1:3]) for neuron in range(begin, end)}
        if len(kinds) > 1:
            raise InterchangeError(f"the neurons of {name} have unlike activations")
        code, steepness = kinds.pop()
        made = _activation(f"{name}_a", int(code), steepness)
        if made is not None:
            steps.append(made)
        ends.append(steps[-1].name)
    notes = []
    if left_out > 0:
        are = "connections are" if left_out > 1 else "connection is"
        notes.append(
            f"{left_out} {are} not there in the file: where one is missing the weight is 0 here, "
            "and is trained"
        )
    if fields.get("scale_included", "0") == "1":
        notes.append("the file has scale factors of the data, which fann_run does not apply either")
    rate = float(fields.get("learning_rate", 0.7))
    return Network(tuple(steps), "FANN", settings={"rate": rate}, notes=tuple(notes))


def stepwise(*, symmetric: bool = False) -> str:
    """Return FANN's sigmoid in five straight pieces as a formula in z, with a place for s.

    Below and above the pieces it is 0 and 1, or −1 and 1.
    """
    single = [float(np.float32(n)) for n in (_SYMMETRIC if symmetric else _PLAIN)]
    values = [float(np.float32(n)) for n in (_HEIGHTS[symmetric])]
    low = -1.0 if symmetric else 0.0
    parts = [f"{values[0] - low!r} * step({{s}} * z - {single[0]!r})"]
    for at, after, below, above in zip(single, single[1:], values, values[1:], strict=False):
        run = f"min(max({{s}} * z - {at!r}, 0), {after - at!r})"
        parts.append(f"{(above - below) / (after - at)!r} * {run}")
    parts.append(f"{1 - values[-1]!r} * step({{s}} * z - {single[-1]!r})")
    text = " + ".join(parts).replace("- -", "+ ")
    return f"{text} - 1" if symmetric else text


_PLAIN = (-2.64665246, -1.47221947, -0.54930615, 0.54930615, 1.47221935, 2.64665294)
_SYMMETRIC = (-2.64665294, -1.47221935, -0.54930615, 0.54930615, 1.47221935, 2.64665294)
_HEIGHTS = ((0.005, 0.05, 0.25, 0.75, 0.95, 0.995), (-0.99, -0.9, -0.5, 0.5, 0.9, 0.99))
_FORMULAS = {
    0: "{s} * z",
    1: "1 - step(0 - {s} * z)",
    2: "1 - 2 * step(0 - {s} * z)",
    4: stepwise(),
    6: stepwise(symmetric=True),
    3: "sigmoid({twice} * z)",
    5: "tanh({s} * z)",
    7: "exp(-({s} * z)^2)",
    8: "2 * exp(-({s} * z)^2) - 1",
    10: "{half} * z / (1 + abs({s} * z)) + 0.5",
    11: "{s} * z / (1 + abs({s} * z))",
    12: "max(0, min(1, {s} * z))",
    13: "max(-1, min(1, {s} * z))",
    14: "sin({s} * z)",
    15: "cos({s} * z)",
    16: "sin({s} * z) / 2 + 0.5",
    17: "cos({s} * z) / 2 + 0.5",
}
"""FANN's activations by its numbers, with the steepness s."""


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _activation(name: str, code: int, s: float) -> Step | None:
    plain = {(0, 1.0): None, (3, 0.5): "sigmoid", (5, 1.0): "tanh"}
    if (code, s) in plain:
        kind = plain[code, s]
        return None if kind is None else Activation(name, kind)
    if code in _FORMULAS:
        given = {"s": repr(s), "twice": repr(2 * s), "half": repr(s / 2)}
        return Activation(name, formula=_FORMULAS[code].format(**given))
    kind = "stepwise Gaussian" if code == 9 else f"activation {code}"
    return Missing(name, f"FANN {kind}", "FANN computes none of it either, or it is not known here")


# --- out ------------------------------------------------------------------------------------------

_CODES = {"identity": (0, 1.0), "sigmoid": (3, 0.5), "tanh": (5, 1.0)}
_HEAD = """FANN_FLO_2.1
num_layers={layers}
learning_rate={rate:f}
connection_rate=1.000000
network_type=0
learning_momentum=0.000000
training_algorithm=2
train_error_function=1
train_stop_function=0
cascade_output_change_fraction=0.010000
quickprop_decay=-0.000100
quickprop_mu=1.750000
rprop_increase_factor=1.200000
rprop_decrease_factor=0.500000
rprop_delta_min=0.000000
rprop_delta_max=50.000000
rprop_delta_zero=0.100000
cascade_output_stagnation_epochs=12
cascade_candidate_change_fraction=0.010000
cascade_candidate_stagnation_epochs=12
cascade_max_out_epochs=150
cascade_min_out_epochs=50
cascade_max_cand_epochs=150
cascade_min_cand_epochs=50
cascade_num_candidate_groups=2
bit_fail_limit=3.49999999999999977796e-01
cascade_candidate_limit=1.00000000000000000000e+03
cascade_weight_multiplier=4.00000000000000022204e-01
cascade_activation_functions_count=1
cascade_activation_functions=3\x20
cascade_activation_steepnesses_count=1
cascade_activation_steepnesses=5.00000000000000000000e-01\x20
layer_sizes={sizes}\x20
scale_included=0
"""


def _code(step: Activation) -> tuple[int, float] | None:
    """Return FANN's number of an activation, and its steepness; None where it has none."""
    if step.formula is None:
        return _CODES.get(step.kind)
    found = recognised(step.formula, {str(code): text for code, text in _FORMULAS.items()})
    if found is None:
        return None
    kind, given = found
    return int(kind), given.get("s", given.get("twice", 0.0) / 2)


def write(network: Network) -> bytes:
    """Return the text that `fann_create_from_file` takes; 21 digits keep every bit.

    Raises `InterchangeError` for activations that FANN has not: it has sigmoid, tanh and identity.
    """
    dense: list[Dense] = []
    kinds: list[tuple[int, float]] = []
    for step, after in layers_with_activation(folded(network, "FANN"), "FANN"):
        dense.append(step)
        known = _CODES["identity"] if after is None else _code(after)
        if known is None:
            raise InterchangeError(
                f"FANN has nothing like '{after.name if after else step.name}'; it has "
                f"{', '.join(_CODES)}, and formulas of its own activations with a steepness; .onnx "
                "and .keras have more"
            )
        kinds.append(known)
    sizes = [dense[0].weights.shape[1], *(len(step.weights) for step in dense)]
    none = "(0, 0, 0.00000000000000000000e+00)"
    neurons = [none] * (sizes[0] + 1)
    connections = []
    below = 0
    for step, (code, steepness) in zip(dense, kinds, strict=True):
        count, into = step.weights.shape
        neurons += [f"({into + 1}, {code}, {steepness:.20e})"] * count
        neurons.append(f"(0, {code}, {0:.20e})")
        bias = np.zeros(count, float) if step.bias is None else step.bias
        for row in range(count):
            values = [*step.weights[row].tolist(), float(bias[row])]
            connections += [f"({below + i}, {value:.20e})" for i, value in enumerate(values)]
        below += into + 1
    head = _HEAD.format(
        layers=len(sizes), rate=float(network.settings.get("rate", 0.7)),
        sizes=" ".join(str(size + 1) for size in sizes),
    )  # fmt: skip
    text = (
        f"{head}neurons (num_inputs, activation_function, activation_steepness)="
        f"{' '.join(neurons)} \nconnections (connected_to_neuron, weight)="
        f"{' '.join(connections)} \n"
    )
    return text.encode()
