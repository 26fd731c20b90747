"""The steps of a network, from the calls of an exported program."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.casting import Casts, rounded
from nodeflow.interchange.layers import (
    DAMAGED,
    Dense,
    End,
    Floats,
    Input,
    Missing,
    Narrow,
    Network,
    Step,
)
from nodeflow.interchange.torch.operators import (
    COMPARED,
    OF_TWO_VALUES,
    UNCHANGED,
    activation_of,
    affine_of,
    elementwise_kind,
    is_scaled,
    label_of,
    normalised,
    of_weights,
    why_missing,
)
from nodeflow.interchange.torch.program import Call, ExportedProgram, Ref
from nodeflow.interchange.values import Values, keeps_rows

_OF_TESTS = {"__or": "or", "logical_or": "or", "bitwise_or": "or", "__and": "and",
             "logical_and": "and", "bitwise_and": "and", "logical_not": "not",
             "bitwise_not": "not"}  # fmt: skip
"""Operators of truths."""
_PASSED = ("view", "reshape", "flatten", "contiguous", "clone", "alias", "detach", "unsqueeze",
           "squeeze", "to", "_to_copy", "type_as")  # fmt: skip


def network_in(source: Path | io.BytesIO, name: str) -> Network:
    """Return the network of an exported program; `name` is that of its file."""
    try:
        with zipfile.ZipFile(source) as archive:
            return _Reading(ExportedProgram(archive, name)).network()
    except zipfile.BadZipFile:
        raise FileError("is no exported program: it is no zip archive", file=name) from None
    except DAMAGED as error:
        raise FileError(
            f"is damaged, or of a PyTorch that is not known here ({type(error).__name__}: {error})",
            file=name,
        ) from None


class _Reading:
    """What has been read of a program: its values, and the arrays that they are made with."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self.notes: list[str] = []
        found = program.arrays(self.notes)
        self.arrays = {name: array for name, (_, array) in found.items()}
        self.sources = {name: source for name, (source, _) in found.items()}
        self.turned: dict[str, str] = {}
        """Weights that are others turned over, as (in, out), by what they are made of."""
        self.values = Values()
        self.casts = Casts()
        self.computed: set[str] = set()
        """What is made of weights alone, and how is not known here."""

    def network(self) -> Network:
        """Return the steps from the inputs to the outputs."""
        calls, inputs = self.program.calls(), self.program.inputs()
        self.values.uses = Counter(name for call in calls for name in call.refs())
        for name in inputs:
            self.values.feed(name)
        for call in calls:
            self._take(call)
        ends = self.program.ends()
        unknown = [end for end in ends if not self.values.knows(end)]
        if unknown or not ends:
            raise InterchangeError(
                f"{self.program.file} has an output that is made of no input: "
                f"'{(*unknown, 'none')[0]}'"
            )
        steps, names = self.values.of(ends)
        several = len(ends) > 1
        return Network(
            steps, "PyTorch", notes=tuple(dict.fromkeys([*self.notes, *self.casts.notes()])),
            inputs=tuple(Input(name, self.program.width(name)) for name in inputs),
            ends=tuple(End(step, f"output{number}" if several else "")
                       for number, step in enumerate(names, 1)),
        )  # fmt: skip

    def _take(self, call: Call) -> None:
        """Take a call: of weights alone, number by number, or a layer."""
        own = [name for name in call.refs() if name not in self.arrays]
        if not own or self.computed.issuperset(own):
            self._computed(call)
            return
        if self._tested(call) or self._share(call, own):
            return
        self._usual(call, own)

    def _usual(self, call: Call, own: Sequence[str]) -> None:
        missing = self._unlike(call, own[0])
        known = list(dict.fromkeys(name for name in own if self.values.knows(name)))
        if missing is not None and known:
            self._put([missing], known, call)
        elif not self._elementwise(call):
            self._layer(call, own)

    def _tested(self, call: Call) -> bool:
        """Take a test for NaN, or one that is made of tests; return whether a call is one."""
        names, label = call.refs(), label_of(call)
        if call.operator == "isnan":
            return self.values.is_nan(names[0], call.result, label)
        if call.operator in ("eq", "ne") and len(names) == 2:
            kind = "equal" if call.operator == "eq" else "not_equal"
            return names[0] == names[1] and self.values.compare(kind, names, call.result, label)
        kind = _OF_TESTS.get(call.operator, "")
        truths = all(self.program.kind(name) == "bool" for name in names)
        if not kind or not truths or not self._alike(names):
            return False
        return self.values.combine(kind, names, call.result, label)

    def _share(self, call: Call, own: Sequence[str]) -> bool:
        """Take an operator of a softmax that was taken apart; return whether it is one."""
        names = call.refs()
        operator = call.operator.removeprefix("a").capitalize()  # amax
        if operator in ("Max", "Sum", "Logsumexp"):
            axes = call.given.get("dim")
            along = [axes] if isinstance(axes, int) else list(axes or ())
            if along not in ([1], [-1]) or not call.given.get("keepdim"):
                return False
        if list(own) != names or any(len(self.program.shape(name)) != 2 for name in names):
            return False
        wanted = 2 if call.operator in OF_TWO_VALUES else 1
        if call.given.get("alpha", 1) != 1 or len(names) != wanted:
            return False
        part = self.values.of_softmax(
            operator, names, call.result, label_of(call), lambda: self._usual(call, own)
        )
        for other in call.results[1:] if part else ():  # where the largest is
            self.values.same(call.result, other)
        return part

    def _unlike(self, call: Call, taken: str) -> Missing | None:
        """Return what is missing where a call makes other numbers than its operator usually does.

        It gives another type of numbers, or has an argument that changes what it does.
        """
        for argument, usual in _USUAL.get(call.operator, {}).items():
            if call.given.get(argument, usual) != usual:
                why = f"its {argument} is {call.given[argument]}, which has no counterpart"
                return Missing(label_of(call), call.operator, why)
        kinds = [self.program.kind(name) for name in (taken, call.result)]
        if call.operator in COMPARED and "bool" not in kinds[:1]:
            return None  # it is 1 or 0
        if kinds[1] == "bool" and call.operator not in UNCHANGED:
            kinds[0] = "float64"  # of truths a sum is no sum
        return self.casts.taken(label_of(call), call.operator, *kinds)

    def _elementwise(self, call: Call) -> bool:
        """Take a call that works number by number into the formula of its value."""
        operands: list[str | float] = []
        for key in ("self", "input", "other", "exponent"):
            value = call.given.get(key)
            if isinstance(value, Ref):
                array = self.arrays.get(value.name)
                if array is not None and array.size != 1:
                    return False
                operands.append(value.name if array is None else float(array.reshape(-1)[0]))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                operands.append(float(value))
        if call.given.get("alpha", 1) != 1 and call.operator in ("add", "sub", "rsub"):
            return False
        if call.operator in COMPARED:
            alike = self._alike([one for one in operands if isinstance(one, str)])
            compared = COMPARED[call.operator]
            return alike and self.values.compare(compared, operands, call.result, label_of(call))
        if call.operator == "where":
            return self._chosen(call)
        if call.operator == "rsub":
            operands.reverse()
        kind, settings = elementwise_kind(call)
        slope = self.arrays.get(call.refs()[-1], _NONE)
        if call.operator == "prelu" and slope.ndim == 1:
            several = slope.size > 1
            if several and len(self.program.shape(str(operands[0]))) != 2:
                return False
            self.notes.append(
                f"the slope of '{label_of(call)}' is fixed here, and PyTorch trains it"
            )
            if several:
                self.values.leaky(label_of(call), str(operands[0]), call.result, slope)
                return True
            kind, settings = "leaky_relu", {"alpha": float(slope[0])}
        if kind is None:
            return False
        if call.operator not in OF_TWO_VALUES:
            operands = operands[:1]
        names = [one for one in operands if isinstance(one, str)]
        if not self._alike(names):
            return False
        return self.values.apply(kind, operands, call.result, label_of(call), **settings)

    def _chosen(self, call: Call) -> bool:
        """Take a choice by a comparison; return whether it can be one."""
        test = call.given.get("condition")
        operands: list[str | float] = []
        for key in ("self", "other"):
            value = call.given.get(key)
            array = self.arrays.get(value.name) if isinstance(value, Ref) else None
            if array is not None and array.size == 1:
                operands.append(float(array.reshape(-1)[0]))
            elif isinstance(value, Ref) and array is None:
                operands.append(value.name)
            elif isinstance(value, int | float):
                operands.append(float(value))
        if not isinstance(test, Ref) or len(operands) != 2:
            return False
        names = [test.name, *(one for one in operands if isinstance(one, str))]
        known = self._alike(names) and all(map(self.values.knows, names))
        yes, no = operands
        return known and self.values.choose(test.name, yes, no, call.result, label_of(call))

    def _keeps_rows(self, taken: str, result: str) -> bool:
        return keeps_rows(self.program.shape(taken), self.program.shape(result))

    def _alike(self, names: Sequence[str]) -> bool:
        """Return whether values can be joined number by number: rows of features, or one shape."""
        shapes = [self.program.shape(name) for name in names]
        return all(len(shape) == 2 for shape in shapes) or all(one == shapes[0] for one in shapes)

    def _layer(self, call: Call, own: Sequence[str]) -> None:
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
        if call.operator in _PASSED and self._keeps_rows(own[0], call.result):
            self.values.same(own[0], call.result)
        elif not self._normalised(call, own[0]) and not self._parts(call, own[0]):
            self._put(self._steps(call, own[0]), own, call)

    def _put(self, steps: Sequence[Step], takes: Sequence[str], call: Call) -> None:
        self.values.put(steps, takes, call.result)
        for other in call.results[1:]:
            self.values.same(call.result, other)

    def _side(self, call: Call) -> bool:
        """Return whether values are joined along the first axis behind the rows."""
        axis = call.given.get("dim", 0)
        return axis == 1 or (axis == -1 and len(self.program.shape(call.result)) == 2)

    def _parts(self, call: Call, taken: str) -> bool:
        """Take a row of features apart into several values; return whether a call does that."""
        shape = self.program.shape(taken)
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
        sizes = [self.program.shape(name)[1] for name in call.results]
        if call.given.get("dim", 0) not in (1, -1) or sum(n or 0 for n in sizes) != shape[1]:
            return False
        at = 0
        for number, (size, result) in enumerate(zip(sizes, call.results, strict=True)):
            part = Narrow(f"{call.layer}.{number}", "pick", tuple(range(at, at + (size or 0))))
            self.values.put([part], [taken], result)
            at += size or 0
        return True

    def _normalised(self, call: Call, taken: str) -> bool:
        """Take a layer normalisation of features; return whether a call is one."""
        shape, given = self.program.shape(taken), call.given
        if (
            call.operator not in ("layer_norm", "rms_norm")
            or len(shape) != 2
            or given["normalized_shape"] != shape[1:]
        ):
            return False
        arrays = [self.arrays[given[key].name] if isinstance(given.get(key), Ref) else None
                  for key in ("weight", "bias")]  # fmt: skip
        if call.operator == "rms_norm":
            # Without a number it is what float32 can tell from 1, or float64.
            least = np.finfo("float64" if self.program.kind(taken) == "float64" else "float32").eps
            epsilon = float(least if given.get("eps") is None else given["eps"])
            self.values.by_size(call.layer, taken, call.result, epsilon, arrays[0])
            return True
        epsilon = float(given.get("eps", 1e-5))
        self.values.normalise(call.layer, taken, call.result, epsilon, *arrays)
        return True

    def _computed(self, call: Call) -> None:
        """Keep what is computed of weights alone, such as another order of their axes."""
        refs = call.refs()
        known = all(name in self.arrays for name in refs)
        made = of_weights(call, [self.arrays[name] for name in refs]) if known else None
        if made is not None and self.program.kind(call.result) != self.program.kind(refs[0]):
            made = rounded(made, self.program.kind(call.result))
        if made is not None:
            self.arrays[call.result] = made
            self.sources[call.result] = self.sources[refs[0]]
            if call.operator in _TURNS and made.ndim == 2:
                self.turned[call.result] = refs[0]
        elif refs:
            self.computed.update(call.results)

    def _named(self, array: str, call: Call) -> str:
        return _OF_LAYER.sub("", self.sources.get(array, call.layer))

    def _dense(self, call: Call, weights: str, bias: Floats | None, *, turn: bool) -> Dense:
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

    def _steps(self, call: Call, taken: str) -> list[Step]:
        """Return what a call is as layers."""
        operator, given = call.operator, call.given
        shape = self.program.shape(taken)
        arrays = {k: self.arrays[v.name] for k, v in given.items()
                  if isinstance(v, Ref) and v.name in self.arrays}  # fmt: skip
        if operator in ("linear", "matmul") and len(shape) > 2 and arrays:
            why = "it works along the last of several axes"
            return [Missing(call.layer, operator, why)]
        if operator == "linear" and arrays.get("weight", _NONE).ndim == 2:
            return [self._dense(call, given["weight"].name, arrays.get("bias"), turn=False)]
        if operator == "addmm" and arrays.get("mat2", _NONE).ndim == 2 and not is_scaled(given):
            return [self._dense(call, given["mat2"].name, arrays.get("self"), turn=True)]
        if operator in ("matmul", "mm"):
            found = next((k for k, a in arrays.items() if a.ndim == 2), None)
            if found in ("other", "mat2"):
                return [self._dense(call, given[found].name, None, turn=True)]
        if operator in ("sum", "mean"):
            axes = {int(axis) % len(shape) for axis in given.get("dim") or ()}
            kept = given.get("keepdim") or call.result in self.program.ends()
            if axes == set(range(1, len(shape))) and kept:
                return [Narrow(call.layer, operator)]
        places = self._picked(call, shape)
        if places:
            return [Narrow(call.layer, "pick", places)]
        if operator in ("add", "sub", "mul", "div"):
            made = affine_of(call, arrays)
            if made is not None:
                return [made]
        if operator in ("dropout", "alpha_dropout", "feature_dropout"):
            if not given.get("train"):
                return []
            return [Missing(call.layer, "dropout", "in training it draws at random")]
        if "batch_norm" in operator and {"running_mean", "running_var"} <= set(arrays):
            if not given.get("training"):
                return [normalised(call, arrays)]
            return [
                Missing(call.layer, "batch normalisation",
                        "in training it uses the statistics of each batch")
            ]  # fmt: skip
        if operator in _PASSED:
            return [Missing(call.layer, operator, "it changes what a row is")]
        made_of = activation_of(call) if len(shape) == 2 else None
        return [made_of or Missing(call.layer, operator, why_missing(operator))]

    def _picked(self, call: Call, shape: Sequence[int | None]) -> tuple[int, ...]:
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
        if call.operator == "index_select" and isinstance(index, Ref) and index.name in self.arrays:
            return tuple(int(place) for place in self.arrays[index.name])
        return ()


_USUAL: Mapping[str, Mapping[str, Any]] = {
    "div": {"rounding_mode": None}, "softplus": {"threshold": 20},
}  # fmt: skip
"""Arguments that change what an operator does, with what they usually are."""
_OF_LAYER = re.compile(r"\.(weight(_\w+)?|parametrizations\.weight\..*)$")
"""What stands behind a layer's name in that of its weights, or of what they are made of."""
_NONE = np.zeros((), float)
_TURNS = ("t", "numpy_T", "transpose", "permute")
