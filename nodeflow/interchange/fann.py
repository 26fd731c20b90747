"""FANN: the text of `fann_save`, layers with a bias neuron at the end of each.

A neuron's sum s·Σwa goes through its activation with the steepness s: the sigmoid is
1/(1+e^(−2sz)), the symmetric one tanh(sz). With s = ½ the first is the library's own; other
steepnesses become formulas, so that weights keep their bits.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.layers import Activation, Dense, Missing, Network, Step

FIRST_LINE = "FANN_FLO"
_FIXED = "FANN_FIX"
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
    if int(fields.get("network_type", 0)) != 0:
        raise InterchangeError(
            "the network has shortcuts: its layers take values of all layers before them, and "
            "what comes in is a chain of layers"
        )
    if any(size < 2 for size in sizes) or sum(sizes) > _MOST_NEURONS:
        raise ValueError(f"layer_sizes {sizes}")
    neurons = [_numbers(part) for part in _PAIR.findall(fields["neurons"])]
    connections = [_numbers(part) for part in _PAIR.findall(fields["connections"])]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    steps: list[Step] = []
    at = 0
    for layer in range(1, len(sizes)):
        begin, end = starts[layer], starts[layer + 1] - 1  # without the bias neuron
        below = starts[layer - 1]
        weights = np.zeros((end - begin, sizes[layer - 1]))
        for row, neuron in enumerate(range(begin, end)):
            count = int(neurons[neuron][0])
            for source, weight in connections[at : at + count]:
                place = int(source) - below
                if not 0 <= place < sizes[layer - 1]:
                    raise InterchangeError(
                        f"neuron {neuron} takes the value of neuron {int(source)}, which is not in "
                        "the layer before it"
                    )
                weights[row, place] = weight
            at += count
        name = "output" if layer == len(sizes) - 1 else f"hidden{layer}"
        steps.append(Dense(name, weights[:, :-1].copy(), weights[:, -1].copy()))
        kinds = {tuple(neurons[neuron][1:3]) for neuron in range(begin, end)}
        if len(kinds) > 1:
            raise InterchangeError(f"the neurons of {name} have unlike activations")
        code, steepness = kinds.pop()
        made = _activation(f"{name}_a", int(code), steepness)
        if made is not None:
            steps.append(made)
    notes = []
    if fields.get("scale_included", "0") == "1":
        notes.append("the file has scale factors of the data, which fann_run does not apply either")
    rate = float(fields.get("learning_rate", 0.7))
    return Network(tuple(steps), "FANN", settings={"rate": rate}, notes=tuple(notes))


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _activation(name: str, code: int, s: float) -> Step | None:
    plain = {(0, 1.0): None, (3, 0.5): "sigmoid", (5, 1.0): "tanh"}
    if (code, s) in plain:
        kind = plain[code, s]
        return None if kind is None else Activation(name, kind)
    u = f"{s!r} * z"
    formulas = {
        0: u,
        3: f"sigmoid({2 * s!r} * z)",
        5: f"tanh({u})",
        7: f"exp(-({u})^2)",
        8: f"2 * exp(-({u})^2) - 1",
        10: f"{s / 2!r} * z / (1 + abs({u})) + 0.5",
        11: f"{u} / (1 + abs({u}))",
        12: f"max(0, min(1, {u}))",
        13: f"max(-1, min(1, {u}))",
        14: f"sin({u})",
        15: f"cos({u})",
        16: f"sin({u}) / 2 + 0.5",
        17: f"cos({u}) / 2 + 0.5",
    }
    if code in formulas:
        return Activation(name, "expression", formulas[code])
    what = {1: "threshold", 2: "symmetric threshold", 4: "stepwise sigmoid",
            6: "symmetric stepwise sigmoid", 9: "stepwise Gaussian"}  # fmt: skip
    kind = what.get(code, f"activation {code}")
    return Missing(name, f"FANN {kind}", "it is a table of straight pieces inside FANN")


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


def write(network: Network) -> bytes:
    """Return the text that `fann_create_from_file` takes; 21 digits keep every bit.

    Raises `InterchangeError` for activations that FANN has not: it has sigmoid, tanh and identity.
    """
    dense: list[Dense] = []
    kinds: list[str] = []
    for step in network.steps:
        if isinstance(step, Dense):
            dense.append(step)
            kinds.append("identity")
        elif isinstance(step, Activation) and dense and step.kind in _CODES:
            kinds[-1] = step.kind
        else:
            raise InterchangeError(
                f"FANN has nothing like '{step.name}'; it has {', '.join(_CODES)}"
            )
    sizes = [dense[0].weights.shape[1], *(len(step.weights) for step in dense)]
    none = "(0, 0, 0.00000000000000000000e+00)"
    neurons = [none] * (sizes[0] + 1)
    connections = []
    below = 0
    for step, kind in zip(dense, kinds, strict=True):
        code, steepness = _CODES[kind]
        count, into = step.weights.shape
        neurons += [f"({into + 1}, {code}, {steepness:.20e})"] * count
        neurons.append(f"(0, {code}, {0:.20e})")
        bias = np.zeros(count) if step.bias is None else step.bias
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
