"""PyTorch: modules, exported programs (.pt2), and state dictionaries (.pt, weights only).

A .pt2 is a zip: its program is JSON and its weights are raw numbers, so it is read without PyTorch
and without unpickling; sample inputs in it are not touched. A module is exported first and read
the same way. Weights of `Linear` are (out, in) as here.
"""

from __future__ import annotations

import io
import json
import math
import operator
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG, numbers
from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.branching import runs_of, steps_of
from nodeflow.interchange.building import costs_of, graph_of, letters
from nodeflow.interchange.casting import Casts, rounded
from nodeflow.interchange.chain import ANY
from nodeflow.interchange.layers import (
    DAMAGED,
    Activation,
    Affine,
    Cost,
    Dense,
    End,
    Floats,
    Input,
    Join,
    Missing,
    Narrow,
    Network,
    Step,
    as_floats,
    clipped,
    cost_of,
    kind_of,
)
from nodeflow.interchange.naming import known, named
from nodeflow.interchange.values import Values, keeps_rows
from nodeflow.interchange.verifying import Answer, Other

_MISSING = "PyTorch is not installed; pip install 'nodeflow[torch]'"
_MOST_BYTES = 2**31
_TYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32",
    8: "float64", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2",
    31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64",
}  # fmt: skip
"""Numbers that an exported program has for types of numbers (torch 2.13)."""
_ACTIVATIONS = {
    "elu": "elu", "selu": "selu",
    "silu": "silu", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_silu", "relu6": "relu6",
    "log_sigmoid": "log_sigmoid", "mish": "mish", "exp": "exponential", "sin": "sin",
    "cos": "cos", "abs": "abs", "erf": "erf", "special_erf": "erf", "square": "square",
    "rsqrt": "rsqrt", "exp2": "exp2", "special_exp2": "exp2", "expm1": "expm1",
    "special_expm1": "expm1", "log1p": "log1p", "special_log1p": "log1p",
}  # fmt: skip
_TWO = ("add", "sub", "rsub", "mul", "div", "pow", "maximum", "minimum")
_COMPARED = {"gt": "greater", "lt": "less", "ge": "greater_equal", "le": "less_equal"}
_OF_TESTS = {"__or": "or", "logical_or": "or", "bitwise_or": "or", "__and": "and",
             "logical_and": "and", "bitwise_and": "and", "logical_not": "not",
             "bitwise_not": "not"}  # fmt: skip
"""Operators of truths."""
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
    results: tuple[str, ...]
    layer: str
    """The module that it stands in, as the source calls it."""

    @property
    def result(self) -> str:
        """The name of its value, the first of several."""
        return self.results[0] if self.results else ""

    def refs(self) -> list[str]:
        """Return the names of the values that it takes, those in lists too."""
        return [ref.name for value in self.given.values() for ref in _refs(value)]


def _refs(value: Any) -> list[_Ref]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, _Ref)]


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
    if _is_script(path):
        raise FileError(
            "is a TorchScript archive, which is code and never run; in Python "
            f"torch.save(torch.jit.load('{path.name}').state_dict(), 'NAME.pt') keeps its weights, "
            "and torch.export.save of its module keeps the network",
            file=str(path),
        )
    return _state(path, asked)


def _is_script(path: Path) -> bool:
    """Return whether a file is what torch.jit.save writes: it holds code."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name or name.endswith("/constants.pkl")
                   for name in archive.namelist())  # fmt: skip


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle's version, which is not opened at all
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 (whatever it says: a pickle of objects is not opened)
        raise FileError(
            "is damaged, or holds more than weights, and a pickle of objects is never opened; save "
            "module.state_dict(), or better an exported program: torch.export.save(torch.export."
            "export(module, (example,)), 'NAME.pt2')",
            file=str(path),
        ) from None
    state, notes = _weights_in(found, torch.Tensor, path)
    arrays, kinds = {}, []
    for key, value in state.items():
        if isinstance(value, torch.Tensor) and value.ndim > 0:
            arrays[key] = value.detach().to(torch.float64).numpy()
            kinds.append(str(value.dtype).removeprefix("torch."))
    network = network_of_arrays(arrays, asked, "PyTorch")
    others = [kind for kind in dict.fromkeys(kinds) if kind != "float64"]
    notes += [f"{kind} was converted to float64" for kind in others]
    return replace(network, notes=(*notes, *network.notes))


_WRAPPERS = ("module", "_orig_mod", "model")
"""What DataParallel, torch.compile and Lightning put before the names of weights."""


def _weights_in(found: Any, tensor: type, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the weights in a file by their names, and what is to be said of where they lay.

    A checkpoint holds a dictionary of weights beside its epoch and its optimizer.
    """
    if not isinstance(found, Mapping):
        raise FileError("holds no dictionary of weights", file=str(path))
    notes = []
    if not any(isinstance(value, tensor) for value in found.values()):
        inside = {str(key): value for key, value in found.items() if isinstance(value, Mapping)
                  and value and all(isinstance(one, tensor) for one in value.values())}  # fmt: skip
        if len(inside) != 1:
            which = f"several dictionaries of weights ({', '.join(inside)}); save one of them"
            raise FileError(
                f"holds {which if inside else 'no dictionary of weights'}", file=str(path)
            )
        ((key, found),) = inside.items()
        notes.append(f"the weights are those that the checkpoint holds as '{key}'")
    state = {str(key): value for key, value in found.items()}
    while (
        state
        and (word := next(iter(state)).partition(".")[0]) in _WRAPPERS
        and all(key.startswith(f"{word}.") for key in state)
    ):
        state = {key.removeprefix(f"{word}."): value for key, value in state.items()}
    return state, notes


def _read(source: Path | io.BytesIO, name: str) -> Network:
    try:
        with zipfile.ZipFile(source) as archive:
            return _Program(archive, name).network()
    except zipfile.BadZipFile:
        raise FileError("is no exported program: it is no zip archive", file=name) from None
    except DAMAGED as error:
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
        self.turned: dict[str, str] = {}
        """Weights that are others turned over, as (in, out), by what they are made of."""
        self.inputs: list[str] = []
        self.values = Values()
        self.casts = Casts()
        self.computed: set[str] = set()
        """What is made of weights alone, and how is not known here."""

    def network(self) -> Network:
        """Return the steps from the inputs to the outputs."""
        calls = [self._call(node) for node in self.module["graph"]["nodes"]]
        self.values.uses = Counter(name for call in calls for name in call.refs())
        self._read_arrays()
        for call in calls:
            self._take(call)
        ends = self._ends()
        unknown = [end for end in ends if not self.values.knows(end)]
        if unknown or not ends:
            raise InterchangeError(
                f"{self.file} has an output that is made of no input: '{(*unknown, 'none')[0]}'"
            )
        steps, names = self.values.of(ends)
        several = len(ends) > 1
        return Network(
            steps, "PyTorch", notes=tuple(dict.fromkeys([*self.notes, *self.casts.notes()])),
            inputs=tuple(Input(name, self._width(name)) for name in self.inputs),
            ends=tuple(End(step, f"output{number}" if several else "")
                       for number, step in enumerate(names, 1)),
        )  # fmt: skip

    def _take(self, call: _Call) -> None:
        """Take a call: of weights alone, number by number, or a layer."""
        own = [name for name in call.refs() if name not in self.arrays]
        if not own or self.computed.issuperset(own):
            self._computed(call)
            return
        if self._tested(call) or self._share(call, own):
            return
        self._usual(call, own)

    def _usual(self, call: _Call, own: Sequence[str]) -> None:
        missing = self._unlike(call, own[0])
        known = list(dict.fromkeys(name for name in own if self.values.knows(name)))
        if missing is not None and known:
            self._put([missing], known, call)
        elif not self._elementwise(call):
            self._layer(call, own)

    def _tested(self, call: _Call) -> bool:
        """Take a test for NaN, or one that is made of tests; return whether a call is one."""
        names, label = call.refs(), _label(call)
        if call.operator == "isnan":
            return self.values.is_nan(names[0], call.result, label)
        if call.operator in ("eq", "ne") and len(names) == 2:
            kind = "equal" if call.operator == "eq" else "not_equal"
            return names[0] == names[1] and self.values.compare(kind, names, call.result, label)
        kind = _OF_TESTS.get(call.operator, "")
        if not kind or any(self._kind(name) != "bool" for name in names) or not self._alike(names):
            return False
        return self.values.combine(kind, names, call.result, label)

    def _share(self, call: _Call, own: Sequence[str]) -> bool:
        """Take an operator of a softmax that was taken apart; return whether it is one."""
        names = call.refs()
        operator = call.operator.removeprefix("a").capitalize()  # amax
        if operator in ("Max", "Sum", "Logsumexp"):
            axes = call.given.get("dim")
            along = [axes] if isinstance(axes, int) else list(axes or ())
            if along not in ([1], [-1]) or not call.given.get("keepdim"):
                return False
        if list(own) != names or any(len(self._shape(name)) != 2 for name in names):
            return False
        if call.given.get("alpha", 1) != 1 or len(names) != (2 if call.operator in _TWO else 1):
            return False
        part = self.values.of_softmax(
            operator, names, call.result, _label(call), lambda: self._usual(call, own)
        )
        for other in call.results[1:] if part else ():  # where the largest is
            self.values.same(call.result, other)
        return part

    def _unlike(self, call: _Call, taken: str) -> Missing | None:
        """Return what is missing where a call makes other numbers than its operator usually does.

        It gives another type of numbers, or has an argument that changes what it does.
        """
        for argument, usual in _USUAL.get(call.operator, {}).items():
            if call.given.get(argument, usual) != usual:
                why = f"its {argument} is {call.given[argument]}, which has no counterpart"
                return Missing(_label(call), call.operator, why)
        kinds = [self._kind(name) for name in (taken, call.result)]
        if call.operator in _COMPARED and "bool" not in kinds[:1]:
            return None  # it is 1 or 0
        if kinds[1] == "bool" and call.operator not in _UNCHANGED:
            kinds[0] = "float64"  # of truths a sum is no sum
        return self.casts.taken(_label(call), call.operator, *kinds)

    def _elementwise(self, call: _Call) -> bool:
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
        if call.given.get("alpha", 1) != 1 and call.operator in ("add", "sub", "rsub"):
            return False
        if call.operator in _COMPARED:
            alike = self._alike([one for one in operands if isinstance(one, str)])
            compared = _COMPARED[call.operator]
            return alike and self.values.compare(compared, operands, call.result, _label(call))
        if call.operator == "where":
            return self._chosen(call)
        if call.operator == "rsub":
            operands.reverse()
        kind, settings = _elementwise(call)
        slope = self.arrays.get(call.refs()[-1], _NONE)
        if call.operator == "prelu" and slope.ndim == 1:
            several = slope.size > 1
            if several and len(self._shape(str(operands[0]))) != 2:
                return False
            self.notes.append(f"the slope of '{_label(call)}' is fixed here, and PyTorch trains it")
            if several:
                self.values.leaky(_label(call), str(operands[0]), call.result, slope)
                return True
            kind, settings = "leaky_relu", {"alpha": float(slope[0])}
        if kind is None:
            return False
        if call.operator not in _TWO:
            operands = operands[:1]
        names = [one for one in operands if isinstance(one, str)]
        if not self._alike(names):
            return False
        return self.values.apply(kind, operands, call.result, _label(call), **settings)

    def _chosen(self, call: _Call) -> bool:
        """Take a choice by a comparison; return whether it can be one."""
        test = call.given.get("condition")
        operands: list[str | float] = []
        for key in ("self", "other"):
            value = call.given.get(key)
            array = self.arrays.get(value.name) if isinstance(value, _Ref) else None
            if array is not None and array.size == 1:
                operands.append(float(array.reshape(-1)[0]))
            elif isinstance(value, _Ref) and array is None:
                operands.append(value.name)
            elif isinstance(value, int | float):
                operands.append(float(value))
        if not isinstance(test, _Ref) or len(operands) != 2:
            return False
        names = [test.name, *(one for one in operands if isinstance(one, str))]
        known = self._alike(names) and all(map(self.values.knows, names))
        yes, no = operands
        return known and self.values.choose(test.name, yes, no, call.result, _label(call))

    def _alike(self, names: Sequence[str]) -> bool:
        """Return whether values can be joined number by number: rows of features, or one shape."""
        shapes = [self._shape(name) for name in names]
        return all(len(shape) == 2 for shape in shapes) or all(one == shapes[0] for one in shapes)

    def _layer(self, call: _Call, own: Sequence[str]) -> None:
        """Add what a call is as steps behind the values that it takes."""
        several = len(set(own)) > 1 or len(own) > 1
        known = list(dict.fromkeys(name for name in own if self.values.knows(name)))
        side = call.operator in ("cat", "concat") and self._side(call)
        if side and own == call.refs() and len(known) == len(set(own)):
            self.values.join("concatenate", call.layer, own, call.result)
            return
        if call.operator == "type_as":  # its type has been looked at
            self.values.same(own[0], call.result)
            return
        if several or not known:
            joins = "it joins values in a way that is not known here"
            if self.computed.intersection(own):
                joins = (
                    "its weights are computed from others; remove_parametrizations of "
                    "torch.nn.utils.parametrize puts them in place before"
                )
            if known:
                self._put([Missing(call.layer, call.operator, joins)], known, call)
            return
        if call.operator in _PASSED and keeps_rows(self._shape(own[0]), self._shape(call.result)):
            self.values.same(own[0], call.result)
        elif not self._normalised(call, own[0]) and not self._parts(call, own[0]):
            self._put(self._steps(call, own[0]), own, call)

    def _put(self, steps: Sequence[Step], takes: Sequence[str], call: _Call) -> None:
        self.values.put(steps, takes, call.result)
        for other in call.results[1:]:
            self.values.same(call.result, other)

    def _side(self, call: _Call) -> bool:
        """Return whether values are joined along the first axis behind the rows."""
        axis = call.given.get("dim", 0)
        return axis == 1 or (axis == -1 and len(self._shape(call.result)) == 2)

    def _parts(self, call: _Call, taken: str) -> bool:
        """Take a row of features apart into several values; return whether a call does that."""
        shape = self._shape(taken)
        if call.operator == "glu" and len(shape) == 2 and call.given.get("dim", -1) in (1, -1):
            half = (shape[1] or 0) // 2
            gate = f"{call.result} gate"
            for name, first in ((f"{call.result} part", 0), (f"{gate} z", half)):
                part = Narrow(f"{call.layer}.part", "pick", tuple(range(first, first + half)))
                self.values.put([part], [taken], name)
            self.values.apply("sigmoid", [f"{gate} z"], gate, call.layer)
            operands = [f"{call.result} part", gate]
            return bool(half) and self.values.apply("mul", operands, call.result, call.layer)
        if call.operator not in ("chunk", "split", "split_with_sizes") or len(shape) != 2:
            return False
        sizes = [self._shape(name)[1] for name in call.results]
        if call.given.get("dim", 0) not in (1, -1) or sum(n or 0 for n in sizes) != shape[1]:
            return False
        at = 0
        for number, (size, result) in enumerate(zip(sizes, call.results, strict=True)):
            part = Narrow(f"{call.layer}.{number}", "pick", tuple(range(at, at + (size or 0))))
            self.values.put([part], [taken], result)
            at += size or 0
        return True

    def _normalised(self, call: _Call, taken: str) -> bool:
        """Take a layer normalisation of features; return whether a call is one."""
        shape, given = self._shape(taken), call.given
        if (
            call.operator not in ("layer_norm", "rms_norm")
            or len(shape) != 2
            or given["normalized_shape"] != shape[1:]
        ):
            return False
        arrays = [self.arrays[given[key].name] if isinstance(given.get(key), _Ref) else None
                  for key in ("weight", "bias")]  # fmt: skip
        if call.operator == "rms_norm":
            # Without a number it is what float32 can tell from 1, or float64.
            least = np.finfo("float64" if self._kind(taken) == "float64" else "float32").eps
            epsilon = float(least if given.get("eps") is None else given["eps"])
            self.values.by_size(call.layer, taken, call.result, epsilon, arrays[0])
            return True
        epsilon = float(given.get("eps", 1e-5))
        self.values.normalise(call.layer, taken, call.result, epsilon, *arrays)
        return True

    def _kind(self, name: str) -> str | None:
        """Return the type of a value's numbers."""
        tensor = self.module["graph"]["tensor_values"].get(name) or {}
        return _TYPES.get(tensor.get("dtype", 0))

    def _shape(self, name: str) -> list[int | None]:
        sizes = self.module["graph"]["tensor_values"][name]["sizes"]
        return [size.get("as_int") for size in sizes]

    def _width(self, name: str) -> int | None:
        shape = self._shape(name)
        if len(shape) < 2:
            raise InterchangeError(
                f"the input '{name}' has {len(shape)} axis, and what comes in has rows of "
                "features; give an example of a few rows"
            )
        return None if None in shape[1:] else math.prod(size or 0 for size in shape[1:])

    # -- arrays

    def _read_arrays(self) -> None:
        weights = self._config("weights/model_weights_config.json")
        constants = self._config("constants/model_constants_config.json")
        for spec in self.module["signature"]["input_specs"]:
            (kind, about), *_ = spec.items()
            if kind == "user_input":
                if "as_tensor" not in about["arg"]:
                    continue  # a number that the program was exported with, or nothing
                self.inputs.append(about["arg"]["as_tensor"]["name"])
                self.values.feed(self.inputs[-1])
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
        named = _TYPES.get(meta["dtype"], "a type that is not known here")
        short = named == "bfloat16"  # the upper half of a float32
        try:
            kind = np.dtype("uint16" if short else named).newbyteorder("<")
        except TypeError:
            raise InterchangeError(f"'{source}' has numbers of {named}") from None
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
        array = raw[places].reshape(sizes)
        if short:
            array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
            self.notes.append("bfloat16 was converted to float64")
        whole = array.dtype.kind in "iub"  # a row of them is places, or an axis
        return as_floats(array, source, [] if whole and array.ndim < 2 else self.notes)

    # -- calls

    def _call(self, node: Mapping[str, Any]) -> _Call:
        operator = node["target"].removeprefix("torch.ops.aten.").partition(".")[0]
        outputs = [ref.name for out in node["outputs"] for ref in _refs(_value(out))]
        given = {one["name"]: _value(one["arg"]) for one in node["inputs"]}
        stack = (node.get("metadata") or {}).get("nn_module_stack", "")
        parts = [part.split(",") for part in stack.split(";") if part]
        layer = parts[-1][1] if parts and len(parts[-1]) > 1 and parts[-1][1] else ""
        name = (*outputs, node.get("name", ""))[0]
        return _Call(operator.rstrip("_"), given, tuple(outputs), layer or name)

    def _computed(self, call: _Call) -> None:
        """Keep what is computed of weights alone, such as another order of their axes."""
        refs = call.refs()
        known = all(name in self.arrays for name in refs)
        made = _of_weights(call, [self.arrays[name] for name in refs]) if known else None
        if made is not None and self._kind(call.result) != self._kind(refs[0]):
            made = rounded(made, self._kind(call.result))
        if made is not None:
            self.arrays[call.result] = made
            self.sources[call.result] = self.sources[refs[0]]
            if call.operator in _TURNS and made.ndim == 2:
                self.turned[call.result] = refs[0]
        elif refs:
            self.computed.update(call.results)

    def _named(self, array: str, call: _Call) -> str:
        return _OF_LAYER.sub("", self.sources.get(array, call.layer))

    def _dense(self, call: _Call, weights: str, bias: Floats | None, *, turn: bool) -> Dense:
        """Return a layer; with `turn` its weights are (in, out). Who shares weights shares them."""
        name = self._named(weights, call)
        if turn and weights in self.turned:
            return Dense(name, self.arrays[self.turned[weights]], bias)
        if not turn and weights in self.turned:
            self.notes.append(
                f"the weights of '{name}' are another layer's turned over: here they are its own, "
                "and each has its part of the slope"
            )
        array = self.arrays[weights]
        return Dense(name, array.T if turn else array, bias)

    def _steps(self, call: _Call, taken: str) -> list[Step]:
        """Return what a call is as layers."""
        operator, given = call.operator, call.given
        shape = self._shape(taken)
        arrays = {k: self.arrays[v.name] for k, v in given.items()
                  if isinstance(v, _Ref) and v.name in self.arrays}  # fmt: skip
        if operator in ("linear", "matmul") and len(shape) > 2 and arrays:
            why = "it works along the last of several axes"
            return [Missing(call.layer, operator, why)]
        if operator == "linear" and arrays.get("weight", _NONE).ndim == 2:
            return [self._dense(call, given["weight"].name, arrays.get("bias"), turn=False)]
        if operator == "addmm" and arrays.get("mat2", _NONE).ndim == 2 and not _scaled(given):
            return [self._dense(call, given["mat2"].name, arrays.get("self"), turn=True)]
        if operator in ("matmul", "mm"):
            found = next((k for k, a in arrays.items() if a.ndim == 2), None)
            if found in ("other", "mat2"):
                return [self._dense(call, given[found].name, None, turn=True)]
        if operator in ("sum", "mean"):
            axes = {int(axis) % len(shape) for axis in given.get("dim") or ()}
            kept = given.get("keepdim") or call.result in self._ends()
            if axes == set(range(1, len(shape))) and kept:
                return [Narrow(call.layer, operator)]
        places = self._picked(call, shape)
        if places:
            return [Narrow(call.layer, "pick", places)]
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
        if operator in _PASSED:
            return [Missing(call.layer, operator, "it changes what a row is")]
        made_of = _activation(call) if len(shape) == 2 else None
        return [made_of or Missing(call.layer, operator, _why(operator))]

    def _ends(self) -> list[str]:
        specs = self.module["signature"]["output_specs"]
        return [one["user_output"]["arg"]["as_tensor"]["name"] for one in specs
                if "user_output" in one]  # fmt: skip

    def _picked(self, call: _Call, shape: Sequence[int | None]) -> tuple[int, ...]:
        """Return which features of a row are taken; none where it is something else."""
        given = call.given
        if len(shape) != 2 or shape[1] is None:
            return ()
        if call.operator == "index":
            rows, *which = given["indices"]
            known = rows is None and len(which) == 1 and which[0] is not None
            places = self.arrays.get(which[0].name) if known else None
            return () if places is None or places.ndim != 1 else tuple(map(int, places))
        if given.get("dim", 0) not in (1, -1):
            return ()
        all_of = range(shape[1])
        if call.operator == "slice":
            return tuple(all_of[given.get("start") : given.get("end") : given.get("step", 1)])
        index = given.get("index")
        if (
            call.operator == "index_select"
            and isinstance(index, _Ref)
            and index.name in self.arrays
        ):
            return tuple(int(place) for place in self.arrays[index.name])
        return ()


_USUAL: Mapping[str, Mapping[str, Any]] = {
    "div": {"rounding_mode": None}, "softplus": {"threshold": 20},
}  # fmt: skip
"""Arguments that change what an operator does, with what they usually are."""
_OF_LAYER = re.compile(r"\.(weight(_\w+)?|parametrizations\.weight\..*)$")
"""What stands behind a layer's name in that of its weights, or of what they are made of."""
_NONE = np.zeros(())
_TURNS = ("t", "numpy_T", "transpose", "permute")
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
        case "as_optional_tensors":
            return [_value(one) for one in value]
        case "as_none":
            return None
        case _:
            return value


def _scaled(given: Mapping[str, Any]) -> bool:
    return bool(given.get("alpha", 1) != 1 or given.get("beta", 1) != 1)


def _affine(call: _Call, arrays: Mapping[str, Floats]) -> Affine | None:
    """Return a sum or product with numbers that are known."""
    first = "self" in arrays
    other = arrays["self"] if first else arrays.get("other", call.given.get("other"))
    value = call.given.get("other" if first else "self")
    if other is None or isinstance(other, _Ref) or call.given.get("alpha", 1) != 1:
        return None
    if not isinstance(value, _Ref) or (first and ("other" in arrays or call.operator == "div")):
        return None
    values = np.atleast_1d(np.asarray(other, np.float64)).reshape(-1)
    if np.ndim(other) > 1:
        return None
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    match call.operator:
        case "add":
            return Affine(call.layer, ones, values)
        case "sub":
            return (
                Affine(call.layer, -ones, values) if first else (Affine(call.layer, ones, -values))
            )
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
    if operator == "rsub":
        return "sub", {}
    if operator in _TWO or operator in ("neg", "reciprocal", "log", "sqrt", "sign"):
        return operator, {}
    if operator == "softplus":
        beta = float(given.get("beta", 1))
        return ("softplus" if beta == 1 else "softplus_scaled"), {"alpha": beta}
    if operator.startswith(("leaky", "rrelu")):
        if given.get("training"):
            return None, {}  # there it draws its slopes at random
        limits = given.get("lower", 1 / 8), given.get("upper", 1 / 3)
        slope = given.get("negative_slope", 0.01) if operator[0] == "l" else sum(limits) / 2
        return "leaky_relu", {"alpha": float(slope)}
    if operator == "gelu":
        return ("gelu_tanh" if given.get("approximate") == "tanh" else "gelu"), {}
    if operator in ("hardtanh", "clamp", "clamp_min", "clamp_max"):
        low, high = given.get("min_val", given.get("min")), given.get("max_val", given.get("max"))
        if any(isinstance(limit, _Ref) for limit in (low, high)):
            return None, {}
        return clipped(low, high, within=operator != "hardtanh")
    if operator == "elu":
        plain = given.get("scale", 1) == 1 and given.get("input_scale", 1) == 1
        return ("elu" if plain else None), {"alpha": float(given.get("alpha", 1))}
    if operator == "celu":
        return operator, {"alpha": float(given.get("alpha", 1))}
    if operator == "threshold":
        return operator, {"low": float(given["threshold"]), "high": float(given["value"])}
    if operator in ("softshrink", "hardshrink"):
        return operator, {"alpha": float(given.get("lambd", 0.5))}
    ours = {name.lower(): kind for name, kind in known("torch").items()}
    return {**ours, **_ACTIVATIONS}.get(operator), {}


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


def checked_against(
    module: Any, graph: Graph, shapes: Sequence[Sequence[int]] = (), loss: Any = None
) -> Other:
    """Return what sends rows through a module, for `verified`: outputs and gradients in float64.

    `shapes` are those of a row of each input, where it is no vector; `loss` the one that the graph
    was given.
    """
    import copy

    import torch

    double = copy.deepcopy(module).double()
    for one in (double, module):
        with suppress(NotImplementedError):  # an exported program is in evaluation mode already
            one.eval()

    def asked(one: Any, kind: Any, xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        one.zero_grad()
        rows = [torch.from_numpy(x).to(kind) for x in xs]
        if shapes:
            rows = [x.reshape(len(x), *shape) for x, shape in zip(rows, shapes, strict=True)]
        found = one(*rows)
        outs = list(found) if isinstance(found, tuple | list) else [found]
        targets = [torch.from_numpy(y).to(out.dtype) for y, out in zip(ys, outs, strict=True)]
        costs = [_cost_of_graph(graph, key, out.reshape(len(out), -1), y, loss)
                 for key, out, y in zip(costs_of(graph), outs, targets, strict=True)]  # fmt: skip
        total: Any = sum(costs)
        if not total.requires_grad:  # a program without weights
            return [out.double().numpy().reshape(len(out), -1) for out in outs], None
        total.backward()
        slopes = {}
        for name, parameter in one.named_parameters():
            stem, _, what = name.rpartition(".")
            key = next((k for k in (f"{stem}.{what}", f"layer{stem}.{what}") if k in graph.nodes),
                       None)  # fmt: skip
            if key is not None and parameter.grad is not None:
                slope = parameter.grad.double().numpy()
                ours = np.asarray(numbers(graph.settings(key)["value"]))
                own = parameter.detach().double().numpy()
                # Weights that the module has as (in, out) were turned over.
                turned = ours.ndim == 2 and np.array_equal(ours, own.T)
                slopes[key] = slope.T if turned and not np.array_equal(ours, own) else slope
        return [out.detach().double().numpy().reshape(len(out), -1) for out in outs], slopes

    def other(xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        own = next((one.dtype for one in module.parameters()), torch.float32)
        try:
            return asked(double, torch.float64, xs, ys)
        except Exception:
            # Behind a cast or a mask an exported program takes its own type of numbers alone.
            if own == torch.float64:
                raise
            return asked(module, own, xs, ys)

    return other


def _cost_of_graph(graph: Graph, key: str, out: Any, target: Any, loss: Any) -> Any:
    """Return a cost of a graph as PyTorch computes it."""
    if loss is not None:
        return loss(out, target)
    kind = graph.nodes[key].type
    if kind == "squared_error":
        half = 0.5 if graph.settings(key)["half"] else 1.0
        return half * ((out - target) ** 2).sum(1).mean()
    if kind == "cross_entropy":
        return -(target * out.log() + (1 - target) * (1 - out).log()).sum(1).mean()
    return -(target * out.log()).sum(1).mean()


# --- out ------------------------------------------------------------------------------------------


def to_torch(graph: Graph, weights: Any = None) -> Any:
    """Return a `torch.nn.Module` in float64 with the layers and the weights of a graph.

    Layers in a row are a Sequential; a module of what branches or joins takes the inputs in order,
    and returns the outputs, a tuple of several.
    """
    network = steps_of(graph, weights)
    try:
        import torch
    except ImportError:
        raise InterchangeError(_MISSING) from None
    from collections import OrderedDict

    parts: OrderedDict[str, Any] = OrderedDict()
    shared: dict[int, Any] = {}
    for step in network.steps:
        parts[step.name.replace(".", "_")] = _part(torch, step, shared)
    if not any(step.takes for step in network.steps):
        return torch.nn.Sequential(parts)
    return _branching(torch, network, parts)


def _part(torch: Any, step: Step, shared: dict[int, Any]) -> Any:
    """Return the module of a step; layers that share weights share parameters."""
    match step:
        case Dense():
            out, into = step.weights.shape
            layer = torch.nn.Linear(into, out, bias=step.bias is not None, dtype=torch.float64)
            for name, array in (("weight", step.weights), ("bias", step.bias)):
                if array is not None:
                    made = shared.setdefault(
                        id(array), torch.nn.Parameter(torch.from_numpy(np.array(array)))
                    )
                    setattr(layer, name, made)
            return layer
        case Affine():
            return _scaling(torch, step)
        case Activation():
            made = _module(torch.nn, step)
            if made is None and step.formula is not None:
                tree = formulas.parse(step.formula)
                made = _formula(torch, tree, formulas.names(tree))
            if made is not None:
                return made
        case Join(formula=None, kind="concatenate"):
            return _of_values(torch, lambda *values: torch.cat(values, 1))
        case Join(formula=None, kind=kind):
            of_two = operator.add if kind == "add" else operator.mul
            return _of_values(torch, lambda *values: reduce(of_two, values))
        case Join():
            return _formula(torch, formulas.parse(str(step.formula)), letters(len(step.takes)))
        case Narrow(kind="pick"):
            runs = runs_of(step.places)
            return _of_values(torch, lambda value: torch.cat([value[:, a:b] for a, b in runs], 1))
        case Narrow(kind=kind):
            return _of_values(torch, lambda value: getattr(value, kind)(-1, keepdim=True))
    raise InterchangeError(f"PyTorch has no module like '{step.name}'; {ANY}")


def _of_values(torch: Any, function: Any) -> Any:
    """Return a module that is a function of one value, or of several."""

    class Function(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *values: Any) -> Any:
            return function(*values)

    return Function()


def _formula(torch: Any, tree: formulas.Expression, names: Sequence[str]) -> Any:
    """Return a module that computes a formula of values by name, in order."""

    def number(value: Any, like: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value
        # Without a type a number would be a float32 first, whatever it is made into then.
        return torch.as_tensor(value, dtype=like.dtype, device=like.device)

    def chosen(taken: Any, u: Any, v: Any) -> Any:
        # PyTorch's maximum shares the slope of a tie; a graph gives it to v. NaN goes on from both.
        taken = taken | (u != u) if isinstance(u, torch.Tensor) else taken
        return torch.where(taken, number(u, v), number(v, u))

    functions: dict[str, Any] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
        "**": operator.pow, "step": lambda u: (u > 0) * 1.0,
        "max": lambda u, v: chosen(u > v, u, v), "min": lambda u, v: chosen(u < v, u, v),
    }  # fmt: skip
    functions |= {name: getattr(torch, name) for name in formulas.FUNCTIONS if name != "step"}

    def computed(*values: Any) -> Any:
        return formulas.computed(tree, dict(zip(names, values, strict=True)), functions)

    return _of_values(torch, computed)


def _branching(torch: Any, network: Network, parts: Mapping[str, Any]) -> Any:
    """Return a module whose parts take each other's values."""
    wired = zip(network.wired(), parts.values(), strict=True)
    steps = [(step.name, module, takes) for (step, takes), module in wired]
    names = [one.name for one in network.inputs]
    ends = [end.step for end in network.outputs]

    class Branching(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, module in parts.items():
                self.add_module(name, module)

        def forward(self, *inputs: Any) -> Any:
            made = dict(zip(names, inputs, strict=True))
            for name, module, takes in steps:
                made[name] = module(*(made[one] for one in takes))
            found = tuple(made[end] for end in ends)
            return found if len(found) > 1 else found[0]

    return Branching()


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
        case "clip" | "at_least" | "at_most":
            return _clamping(nn, given.get("low"), given.get("high"))
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


def _clamping(nn: Any, low: float | None, high: float | None) -> Any:
    """Return a module that holds numbers between limits, whose slope there is 1."""

    class Clamp(nn.Module):  # type: ignore[misc]
        def forward(self, values: Any) -> Any:
            return values.clamp(low, high)

    return Clamp()


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
