"""PyTorch: modules, exported programs (.pt2), and state dictionaries (.pt, weights only).

A .pt2 is a zip: its program is JSON and its weights are raw numbers, so it is read without PyTorch
and without unpickling; sample inputs in it are not touched. A module is exported first and read
the same way. Weights of `Linear` are (out, in) as here.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.declare import CATALOG
from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.chain import ANY, layers_of
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Cost,
    Dense,
    Floats,
    Missing,
    Network,
    Step,
    as_floats,
    clipped,
    cost_of,
    kind_of,
)
from nodeflow.interchange.naming import known, named
from nodeflow.interchange.pending import Pending

_MISSING = "PyTorch is not installed; pip install 'nodeflow[torch]'"
_MOST_BYTES = 2**31
_TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", 12: "?"}
"""Numbers that an exported program has for types of numbers (torch 2.13)."""
_ACTIVATIONS = {
    "elu": "elu", "selu": "selu",
    "silu": "silu", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_silu", "relu6": "relu6",
    "log_sigmoid": "log_sigmoid", "mish": "mish", "exp": "exponential", "sin": "sin",
    "cos": "cos", "abs": "abs", "erf": "erf", "special_erf": "erf",
}  # fmt: skip
_TWO = ("add", "sub", "mul", "div", "pow", "maximum", "minimum")
_PASSED = ("view", "reshape", "flatten", "contiguous", "clone", "alias", "detach", "unsqueeze",
           "squeeze", "to", "_to_copy", "type_as")  # fmt: skip


@dataclass(frozen=True)
class _Ref:
    """The value that another call gave."""

    name: str


@dataclass(frozen=True)
class _Call:
    """One call of the program: an operator, its arguments by name, and its result's name."""

    operator: str
    given: Mapping[str, Any]
    result: str
    layer: str
    """The module that it stands in, as the source calls it."""

    def refs(self) -> list[str]:
        """Return the names of the values that it takes, those in lists too."""
        found = []
        for value in self.given.values():
            parts = value if isinstance(value, list) else [value]
            found += [part.name for part in parts if isinstance(part, _Ref)]
        return found


# --- in -------------------------------------------------------------------------------------------


def from_torch(module: Any, example: Any, loss: Any = None) -> Graph:
    """Return the graph of a module in evaluation mode; `example` is an input of a few rows.

    `loss` is a module such as `torch.nn.HuberLoss()`, whose factors become nodes of the graph;
    without it the cost is `squared_error`, or what a softmax at the end wants.
    """
    return graph_of(network_of(module, example, loss))


def network_of(module: Any, example: Any, loss: Any = None) -> Network:
    """Return the layers of a module; raises `InterchangeError`."""
    try:
        import torch
    except ImportError:
        raise InterchangeError(_MISSING) from None
    if not isinstance(module, torch.nn.Module):
        raise InterchangeError(f"a {type(module).__name__} is no torch.nn.Module")
    if module.training and any(_differs_in_training(part) for part in module.modules()):
        raise InterchangeError(
            "the module is in training mode, where dropout and batch normalisation do something "
            "else; call module.eval() first"
        )
    given = example if isinstance(example, tuple) else (example,)
    stream = io.BytesIO()
    try:
        torch.export.save(torch.export.export(module, given), stream)
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise InterchangeError(
            f"torch.export cannot follow the module ({type(error).__name__}: {why})"
        ) from error
    network = _read(io.BytesIO(stream.getvalue()), "the module")
    return network if loss is None else replace(network, cost=_cost(loss))


def _cost(loss: Any) -> Cost:
    """Return the cost of a loss of PyTorch; raises `InterchangeError`."""
    name, reduction = type(loss).__name__, getattr(loss, "reduction", "mean")
    if reduction != "mean":
        raise InterchangeError(
            f"{name} with reduction='{reduction}' has no mean over the rows, and J is one; the "
            "twin torch-sgd-sum trains by the sum"
        )
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise InterchangeError(f"{name} with weights of classes has no counterpart")
    if getattr(loss, "label_smoothing", 0):
        raise InterchangeError(f"{name} with smoothed labels has no counterpart")
    found = {
        "MSELoss": lambda: cost_of("squared_error", mean=True),
        "L1Loss": lambda: cost_of("absolute_error", mean=True),
        "HuberLoss": lambda: cost_of("huber", delta=loss.delta, mean=True),
        "SmoothL1Loss": lambda: cost_of("smooth_absolute_error", delta=loss.beta, mean=True),
        "BCELoss": lambda: cost_of("cross_entropy", mean=True),
        "BCEWithLogitsLoss": lambda: cost_of("cross_entropy", mean=True, behind="sigmoid"),
        "CrossEntropyLoss": lambda: cost_of("categorical_cross_entropy", behind="softmax"),
        "NLLLoss": lambda: cost_of("negative_log_likelihood"),
    }.get(name)
    if found is None:
        raise InterchangeError(f"the loss {name} has no counterpart")
    return found()


def _differs_in_training(part: Any) -> bool:
    return any(word in type(part).__name__ for word in ("Dropout", "BatchNorm"))


def read(path: Path, asked: Asked) -> Network:
    """Return the network of an exported program, or of a state dictionary."""
    with reading(path), path.open("rb") as stream:
        head = stream.read(4)
    if path.suffix.lower() == ".pt2":
        return _read(path, str(path))
    if head[:2] != b"PK" and head[:1] != b"\x80":
        raise FileError("is no file of PyTorch", file=str(path))
    return _state(path, asked)


def _state(path: Path, asked: Asked) -> Network:
    """Return the layers of a state dictionary, through PyTorch's reader of weights alone."""
    try:
        import torch
    except ImportError:
        raise InterchangeError(
            f"{path} is a pickle, which only PyTorch's reader of weights may open; "
            f"{_MISSING[0].lower()}{_MISSING[1:]}, or save it as .safetensors"
        ) from None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 (whatever it says: a pickle of objects is not opened)
        raise FileError(
            "is damaged, or holds more than weights, and a pickle of objects is never opened; save "
            "module.state_dict(), or better an exported program: torch.export.save(torch.export."
            "export(module, (example,)), 'NAME.pt2')",
            file=str(path),
        ) from None
    if not isinstance(found, Mapping):
        raise FileError("holds no dictionary of weights", file=str(path))
    arrays, kinds = {}, []
    for key, value in found.items():
        if isinstance(value, torch.Tensor) and value.ndim > 0:
            arrays[str(key)] = value.detach().to(torch.float64).numpy()
            kinds.append(str(value.dtype).removeprefix("torch."))
    network = network_of_arrays(arrays, asked, "PyTorch")
    others = [kind for kind in dict.fromkeys(kinds) if kind != "float64"]
    return replace(network, notes=tuple(f"{kind} was converted to float64" for kind in others))


def _read(source: Path | io.BytesIO, name: str) -> Network:
    try:
        with zipfile.ZipFile(source) as archive:
            return _Program(archive, name).network()
    except zipfile.BadZipFile:
        raise FileError("is no exported program: it is no zip archive", file=name) from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"is damaged, or of a PyTorch that is not known here ({type(error).__name__}: {error})",
            file=name,
        ) from None


class _Program:
    """An exported program: calls in a row, and the arrays that they take."""

    def __init__(self, archive: zipfile.ZipFile, file: str) -> None:
        self.archive, self.file = archive, file
        if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
            raise FileError("unpacked, it has more than 2 GiB", file=file)
        self.names = archive.namelist()
        model = next((one for one in self.names if one.endswith("models/model.json")), None)
        if model is None:
            raise FileError("holds no models/model.json; save it by torch.export.save", file=file)
        self.module = json.loads(archive.read(model))["graph_module"]
        self.notes: list[str] = []
        self.arrays: dict[str, Floats] = {}
        self.sources: dict[str, str] = {}
        self.input = ""
        self.computed: set[str] = set()
        """What is made of weights alone, and how is not known here."""

    def network(self) -> Network:
        """Return the layers from the input to the output."""
        self._read_arrays()
        calls = [self._call(node) for node in self.module["graph"]["nodes"]]
        outputs = self.module["signature"]["output_specs"]
        chain = Pending(self.input)
        ends = [spec["user_output"]["arg"]["as_tensor"]["name"]
                for spec in outputs if "user_output" in spec]  # fmt: skip
        for call in calls:
            refs = call.refs()
            own = [name for name in refs if name not in self.arrays]
            if not own or self.computed.issuperset(own):
                self._computed(call)
            elif not self._elementwise(call, chain):
                self._layer(call, own, chain)
        if len(ends) != 1:
            raise InterchangeError(
                f"{self.file} has {len(ends)} outputs, and a chain of layers has one; give a "
                "module that returns one of them"
            )
        if not chain.knows(ends[0]):
            raise InterchangeError(
                f"the output of {self.file} is not its last value; what comes in is a chain of "
                "layers"
            )
        chain.settle(ends[0])
        return Network(
            tuple(_without_identity(chain.steps)), "PyTorch", inputs=self._width(),
            notes=tuple(self.notes),
        )  # fmt: skip

    def _elementwise(self, call: _Call, chain: Pending) -> bool:
        """Take a call that works number by number into the formula of its value."""
        operands: list[str | float] = []
        for key in ("self", "input", "other", "exponent"):
            value = call.given.get(key)
            if isinstance(value, _Ref):
                array = self.arrays.get(value.name)
                if array is not None and array.size != 1:
                    return False
                operands.append(value.name if array is None else float(array.reshape(-1)[0]))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                operands.append(float(value))
        if call.given.get("alpha", 1) != 1 and call.operator in ("add", "sub"):
            return False
        kind, settings = _elementwise(call)
        slope = self.arrays.get(call.refs()[-1], _NONE)
        if call.operator == "prelu" and slope.shape == (1,):
            kind, settings = "leaky_relu", {"alpha": float(slope[0])}
            self.notes.append(f"the slope of '{_label(call)}' is fixed here, and PyTorch trains it")
        if kind is None:
            return False
        if call.operator not in _TWO:
            operands = operands[:1]
        return chain.apply(kind, operands, call.result, _label(call), **settings)

    def _layer(self, call: _Call, own: Sequence[str], chain: Pending) -> None:
        """Add what a call is as layers behind the value that it takes."""
        if len(set(own)) > 1 or not chain.knows(own[0]):
            joins = "it joins values, and layers are a chain"
            if self.computed.intersection(own):
                joins = (
                    "its weights are computed from others; remove_parametrizations of "
                    "torch.nn.utils.parametrize puts them in place before"
                )
            chain.put([Missing(call.layer, call.operator, joins)], call.result)
            return
        if call.operator in _PASSED:
            chain.same(own[0], call.result)
            return
        chain.settle(own[0])
        chain.put(self._steps(call), call.result)

    def _width(self) -> int | None:
        sizes = self.module["graph"]["tensor_values"][self.input]["sizes"]
        if len(sizes) < 2:
            return None
        counts = [size.get("as_int") for size in sizes[1:]]
        return None if None in counts else math.prod(counts)

    # -- arrays

    def _read_arrays(self) -> None:
        weights = self._config("weights/model_weights_config.json")
        constants = self._config("constants/model_constants_config.json")
        for spec in self.module["signature"]["input_specs"]:
            (kind, about), *_ = spec.items()
            if kind == "user_input":
                if self.input:
                    raise InterchangeError(f"{self.file} has several inputs; layers have one")
                self.input = about["arg"]["as_tensor"]["name"]
                continue
            source = (
                about.get("parameter_name")
                or about.get("buffer_name")
                or about.get("tensor_constant_name")
            )
            if str(source).endswith("num_batches_tracked"):
                continue  # it counts batches, and is no weight
            entry, folder = weights.get(source), "weights"
            if entry is None:
                entry, folder = constants.get(source), "constants"
            if source is None or entry is None:
                raise InterchangeError(
                    f"{self.file}: '{source or kind}' has no numbers in the file"
                )
            self.arrays[about["arg"]["name"]] = self._array(entry, folder, source)
            self.sources[about["arg"]["name"]] = source

    def _config(self, ending: str) -> dict[str, Any]:
        name = next((one for one in self.names if one.endswith(ending)), None)
        return {} if name is None else dict(json.loads(self.archive.read(name))["config"])

    def _array(self, entry: Mapping[str, Any], folder: str, source: str) -> Floats:
        if entry.get("use_pickle"):
            raise InterchangeError(f"'{source}' is stored as a pickle, which is never opened")
        meta = entry["tensor_meta"]
        if meta["dtype"] not in _TYPES:
            raise InterchangeError(f"'{source}' has numbers of a type that is not known here")
        kind = np.dtype(_TYPES[meta["dtype"]])
        path = next(one for one in self.names if one.endswith(f"{folder}/{entry['path_name']}"))
        raw = np.frombuffer(self.archive.read(path), kind)
        sizes = tuple(size["as_int"] for size in meta["sizes"])
        strides = tuple(stride["as_int"] for stride in meta["strides"])
        begin = meta["storage_offset"]["as_int"]
        last = begin + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        if min((0, *strides)) < 0 or (math.prod(sizes) and not 0 <= last < raw.size):
            raise InterchangeError(f"'{source}' reaches beyond its numbers")
        places = begin + sum(
            (
                np.arange(n).reshape([-1 if i == axis else 1 for i in range(len(sizes))]) * s
                for axis, (n, s) in enumerate(zip(sizes, strides, strict=True))
            ),
            start=np.zeros((), np.int64),
        )
        return as_floats(raw[places].reshape(sizes), source, self.notes)

    # -- calls

    def _call(self, node: Mapping[str, Any]) -> _Call:
        operator = node["target"].removeprefix("torch.ops.aten.").partition(".")[0]
        outputs = [one["as_tensor"]["name"] for one in node["outputs"] if "as_tensor" in one]
        given = {one["name"]: _value(one["arg"]) for one in node["inputs"]}
        stack = (node.get("metadata") or {}).get("nn_module_stack", "")
        parts = [part.split(",") for part in stack.split(";") if part]
        layer = parts[-1][1] if parts and len(parts[-1]) > 1 and parts[-1][1] else ""
        result = outputs[0] if outputs else node.get("name", "")
        return _Call(operator.rstrip("_"), given, result, layer or result)

    def _computed(self, call: _Call) -> None:
        """Keep what is computed of weights alone, such as another order of their axes."""
        refs = call.refs()
        known = all(name in self.arrays for name in refs)
        made = _of_weights(call, [self.arrays[name] for name in refs]) if known else None
        if made is not None:
            self.arrays[call.result] = made
            self.sources[call.result] = self.sources[refs[0]]
        elif refs:
            self.computed.add(call.result)

    def _named(self, array: str, call: _Call) -> str:
        return _OF_LAYER.sub("", self.sources.get(array, call.layer))

    def _steps(self, call: _Call) -> list[Step]:
        """Return what a call is as layers."""
        operator, given = call.operator, call.given
        arrays = {k: self.arrays[v.name] for k, v in given.items()
                  if isinstance(v, _Ref) and v.name in self.arrays}  # fmt: skip
        if operator == "linear" and arrays.get("weight", _NONE).ndim == 2:
            name = self._named(given["weight"].name, call)
            return [Dense(name, arrays["weight"], arrays.get("bias"))]
        if operator == "addmm" and arrays.get("mat2", _NONE).ndim == 2 and not _scaled(given):
            name = self._named(given["mat2"].name, call)
            return [Dense(name, arrays["mat2"].T, arrays.get("self"))]
        if operator in ("matmul", "mm"):
            found = next(((k, a) for k, a in arrays.items() if a.ndim == 2), None)
            if found is not None and found[0] in ("other", "mat2"):
                return [Dense(self._named(given[found[0]].name, call), found[1].T)]
        if operator in ("add", "sub", "mul", "div"):
            made = _affine(call, arrays)
            if made is not None:
                return [made]
        if operator in ("dropout", "alpha_dropout", "feature_dropout"):
            if not given.get("train"):
                return []
            return [Missing(call.layer, "dropout", "in training it draws at random")]
        if "batch_norm" in operator and {"running_mean", "running_var"} <= set(arrays):
            if not given.get("training"):
                return [_normalised(call, arrays)]
            return [
                Missing(call.layer, "batch normalisation",
                        "in training it uses the statistics of each batch")
            ]  # fmt: skip
        return [_activation(call) or Missing(call.layer, operator, _why(operator))]


_OF_LAYER = re.compile(r"\.(weight(_\w+)?|parametrizations\.weight\..*)$")
"""What stands behind a layer's name in that of its weights, or of what they are made of."""
_NONE = np.zeros(())
_UNCHANGED = ("clone", "detach", "alias", "contiguous", "lift_fresh_copy", "to", "_to_copy")
_OF_TWO: Mapping[str, Any] = {
    "mul": np.multiply, "add": np.add, "sub": np.subtract, "div": np.divide,
}  # fmt: skip


def _of_weights(call: _Call, arrays: Sequence[Floats]) -> Floats | None:
    """Return what is computed of weights alone: turned, masked, or from length and direction."""
    operator, given = call.operator, call.given
    if operator in _UNCHANGED and len(arrays) == 1:
        return arrays[0]
    if operator in ("t", "numpy_T") and len(arrays) == 1:
        return arrays[0].T
    if operator == "transpose" and len(arrays) == 1:
        return np.swapaxes(arrays[0], given["dim0"], given["dim1"])
    if operator == "permute" and len(arrays) == 1:
        return np.transpose(arrays[0], [int(axis) for axis in given["dims"]])
    if operator in _OF_TWO and len(arrays) == 2 and given.get("alpha", 1) == 1:
        return np.asarray(_OF_TWO[operator](*arrays))
    if operator == "_weight_norm" and len(arrays) == 2:
        direction, length = arrays
        axes = tuple(a for a in range(direction.ndim) if a != given.get("dim", 0))
        return np.asarray(direction * (length / np.sqrt((direction**2).sum(axes, keepdims=True))))
    return None


def _value(argument: Mapping[str, Any]) -> Any:
    (kind, value), *_ = argument.items()
    match kind:
        case "as_tensor":
            return _Ref(value["name"])
        case "as_tensors":
            return [_Ref(one["name"]) for one in value]
        case "as_none":
            return None
        case _:
            return value


def _scaled(given: Mapping[str, Any]) -> bool:
    return bool(given.get("alpha", 1) != 1 or given.get("beta", 1) != 1)


def _affine(call: _Call, arrays: Mapping[str, Floats]) -> Affine | None:
    """Return a sum or product with numbers that are known."""
    other = arrays.get("other", call.given.get("other"))
    if other is None or isinstance(other, _Ref) or call.given.get("alpha", 1) != 1:
        return None
    if not isinstance(call.given.get("self"), _Ref) or "self" in arrays:
        return None
    values = np.atleast_1d(np.asarray(other, np.float64)).reshape(-1)
    if np.ndim(other) > 1:
        return None
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    match call.operator:
        case "add":
            return Affine(call.layer, ones, values)
        case "sub":
            return Affine(call.layer, ones, -values)
        case "mul":
            return Affine(call.layer, values, zeros)
        case _:
            return Affine(call.layer, 1 / values, zeros)


def _normalised(call: _Call, arrays: Mapping[str, Floats]) -> Affine:
    """Return batch normalisation in evaluation: (z − mean)/√(var + ε)·γ + β."""
    mean, variance = arrays["running_mean"], arrays["running_var"]
    scale = arrays.get("weight", np.ones_like(mean)) / np.sqrt(variance + call.given["eps"])
    return Affine(call.layer, scale, arrays.get("bias", np.zeros_like(mean)) - mean * scale)


def _label(call: _Call) -> str:
    return f"{call.operator}{call.layer}" if call.layer.isdigit() else call.layer


def _activation(call: _Call) -> Activation | None:
    """Return softmax or its logarithm, which do not work number by number."""
    kinds = ("softmax", "_softmax", "log_softmax", "_log_softmax")
    plain = call.operator in kinds and call.given.get("dim") in (-1, 1)
    return Activation(_label(call), call.operator.strip("_")) if plain else None


def _elementwise(call: _Call) -> tuple[str | None, dict[str, float]]:
    """Return the kind of an operator that works number by number, with its settings."""
    operator, given = call.operator, call.given
    if operator in _TWO or operator in ("neg", "reciprocal", "log", "sqrt", "sign"):
        return operator, {}
    if operator == "softplus":
        beta = float(given.get("beta", 1))
        return ("softplus" if beta == 1 else "softplus_scaled"), {"alpha": beta}
    if operator == "leaky_relu":
        return operator, {"alpha": float(given.get("negative_slope", 0.01))}
    if operator == "gelu":
        return ("gelu_tanh" if given.get("approximate") == "tanh" else "gelu"), {}
    if operator in ("hardtanh", "clamp", "clamp_min", "clamp_max"):
        low, high = given.get("min_val", given.get("min")), given.get("max_val", given.get("max"))
        if any(isinstance(limit, _Ref) for limit in (low, high)):
            return None, {}
        return clipped(low, high)
    if operator == "elu":
        plain = given.get("scale", 1) == 1 and given.get("input_scale", 1) == 1
        return ("elu" if plain else None), {"alpha": float(given.get("alpha", 1))}
    if operator == "celu":
        return operator, {"alpha": float(given.get("alpha", 1))}
    if operator in ("softshrink", "hardshrink"):
        return operator, {"alpha": float(given.get("lambd", 0.5))}
    ours = {name.lower(): kind for name, kind in known("torch").items()}
    return {**_ACTIVATIONS, **ours}.get(operator), {}


def _why(operator: str) -> str:
    for word, why in (
        ("conv", "nodeflow has no convolution"),
        ("pool", "nodeflow has no pooling"),
        ("lstm", "nodeflow has no recurrence"),
        ("gru", "nodeflow has no recurrence"),
        ("rnn", "nodeflow has no recurrence"),
        ("attention", "nodeflow has no attention"),
        ("embedding", "nodeflow has no embedding"),
        ("norm", "it uses the statistics of each row"),
    ):
        if word in operator:
            return why
    return "nodeflow has no counterpart of it"


def _without_identity(steps: Sequence[Step]) -> Iterator[Step]:
    """Join a product with weights and a sum behind it into one layer with a bias."""
    waiting: Step | None = None
    for step in steps:
        joins = (
            isinstance(waiting, Dense) and waiting.bias is None and isinstance(step, Affine)
            and step.shift.shape == (len(waiting.weights),) and bool((step.scale == 1).all())
        )  # fmt: skip
        if joins and isinstance(waiting, Dense) and isinstance(step, Affine):
            waiting = Dense(waiting.name, waiting.weights, step.shift)
            continue
        if waiting is not None:
            yield waiting
        waiting = step
    if waiting is not None:
        yield waiting


def checked_against(module: Any, graph: Graph, shape: Sequence[int] = (), loss: Any = None) -> Any:
    """Return what sends rows through a module, for `verified`: outputs and gradients in float64.

    `shape` is that of a row, where it is no vector; `loss` the one that the graph was given.
    """
    import copy

    import torch

    double = copy.deepcopy(module).double()
    with suppress(NotImplementedError):  # an exported program is in evaluation mode already
        double.eval()
    kind = graph.nodes["cost"].type

    def other(x: Floats, y: Floats) -> tuple[Floats, Mapping[str, Floats] | None]:
        double.zero_grad()
        out = double(torch.from_numpy(x.reshape(len(x), *shape) if shape else x))
        target = torch.from_numpy(y)
        if loss is not None:
            cost = loss(out, target)
        elif kind == "squared_error":
            half = 0.5 if graph.settings("cost")["half"] else 1.0
            cost = half * ((out - target) ** 2).sum(1).mean()
        elif kind == "cross_entropy":
            cost = -(target * out.log() + (1 - target) * (1 - out).log()).sum(1).mean()
        else:
            cost = -(target * out.log()).sum(1).mean()
        cost.backward()
        slopes = {}
        for name, parameter in double.named_parameters():
            stem, _, what = name.rpartition(".")
            key = next((k for k in (f"{stem}.{what}", f"layer{stem}.{what}") if k in graph.nodes),
                       None)  # fmt: skip
            if key is not None and parameter.grad is not None:
                slopes[key] = parameter.grad.numpy()
        return out.detach().numpy(), slopes

    return other


# --- out ------------------------------------------------------------------------------------------


def to_torch(graph: Graph, weights: Any = None) -> Any:
    """Return a `torch.nn.Sequential` in float64 with the layers and the weights of a graph."""
    network = layers_of(graph, weights)
    try:
        import torch
    except ImportError:
        raise InterchangeError(_MISSING) from None
    from collections import OrderedDict

    parts: OrderedDict[str, Any] = OrderedDict()
    for step in network.steps:
        name = step.name.replace(".", "_")
        if isinstance(step, Dense):
            out, into = step.weights.shape
            layer = torch.nn.Linear(into, out, bias=step.bias is not None, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(np.array(step.weights)))
                if step.bias is not None:
                    layer.bias.copy_(torch.from_numpy(np.array(step.bias)))
            parts[name] = layer
        elif isinstance(step, Affine):
            parts[name] = _scaling(torch, step)
        else:
            made = _module(torch.nn, step) if isinstance(step, Activation) else None
            if made is None:
                raise InterchangeError(f"PyTorch has no module like '{step.name}'; {ANY}")
            parts[name] = made
    return torch.nn.Sequential(parts)


def _module(nn: Any, step: Activation) -> Any:
    """Return the module of an activation; None where PyTorch has none."""
    kind, given = kind_of(step)
    alpha = given.get("alpha", 1.0)
    name = named(step.kind, "torch")
    if name:
        return getattr(nn, name)(**({} if CATALOG[step.kind].is_elementwise else {"dim": -1}))
    match kind:
        case "leaky_relu":
            return nn.LeakyReLU(given.get("alpha", 0.01))
        case "elu":
            return nn.ELU(alpha)
        case "celu":
            return nn.CELU(alpha)
        case "softplus_scaled":
            return nn.Softplus(alpha)
        case "gelu_tanh":
            return nn.GELU(approximate="tanh")
        case "hard_tanh":
            return nn.Hardtanh(given["low"], given["high"])
        case "softshrink":
            return nn.Softshrink(alpha)
        case "hardshrink":
            return nn.Hardshrink(alpha)
    names = {
        "selu": "SELU", "silu": "SiLU", "gelu": "GELU",
        "softsign": "Softsign", "hard_sigmoid": "Hardsigmoid", "relu6": "ReLU6",
        "log_sigmoid": "LogSigmoid", "tanhshrink": "Tanhshrink", "mish": "Mish",
        "hard_silu": "Hardswish",
    }  # fmt: skip
    return getattr(nn, names[kind])() if kind in names else None


def _scaling(torch: Any, step: Affine) -> Any:
    """Return a module that multiplies and adds numbers that are not trained."""

    class Scaling(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", torch.from_numpy(np.array(step.scale)))
            self.register_buffer("shift", torch.from_numpy(np.array(step.shift)))

        def forward(self, values: Any) -> Any:
            return values * self.scale + self.shift

    return Scaling()
