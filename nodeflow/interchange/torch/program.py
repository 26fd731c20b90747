"""An exported program as its file has it: calls in a row, shapes and types, and arrays."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.layers import Floats, as_floats

MISSING = "PyTorch is not installed; pip install 'nodeflow[torch]'"
_MOST_BYTES = 2**31
_TYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32",
    8: "float64", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2",
    31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64",
}  # fmt: skip
"""Numbers that an exported program has for types of numbers (torch 2.13)."""


@dataclass(frozen=True)
class Ref:
    """The value that another call gave."""

    name: str


@dataclass(frozen=True)
class Call:
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
        return [ref.name for value in self.given.values() for ref in refs_in(value)]


def refs_in(value: Any) -> list[Ref]:
    """Return the values that an argument names, those of a list too."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Ref)]


def value_of(argument: Mapping[str, Any]) -> Any:
    """Return an argument: what names a value is a `Ref`, all else is itself."""
    (kind, value), *_ = argument.items()
    match kind:
        case "as_tensor":
            return Ref(value["name"])
        case "as_tensors":
            return [Ref(one["name"]) for one in value]
        case "as_optional_tensors":
            return [value_of(one) for one in value]
        case "as_none":
            return None
        case _:
            return value


class ExportedProgram:
    """A file of torch.export.save: JSON for the calls, and raw numbers."""

    def __init__(self, archive: zipfile.ZipFile, file: str) -> None:
        self.archive, self.file = archive, file
        if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
            raise FileError("unpacked, it has more than 2 GiB", file=file)
        self.names = archive.namelist()
        model = next((one for one in self.names if one.endswith("models/model.json")), None)
        if model is None:
            raise FileError("holds no models/model.json; save it by torch.export.save", file=file)
        self.module = json.loads(archive.read(model))["graph_module"]

    def calls(self) -> list[Call]:
        """Return the calls in their order."""
        return [self._call(node) for node in self.module["graph"]["nodes"]]

    def _call(self, node: Mapping[str, Any]) -> Call:
        operator = node["target"].removeprefix("torch.ops.aten.").partition(".")[0]
        outputs = [ref.name for out in node["outputs"] for ref in refs_in(value_of(out))]
        given = {one["name"]: value_of(one["arg"]) for one in node["inputs"]}
        stack = (node.get("metadata") or {}).get("nn_module_stack", "")
        parts = [part.split(",") for part in stack.split(";") if part]
        layer = parts[-1][1] if parts and len(parts[-1]) > 1 and parts[-1][1] else ""
        name = (*outputs, node.get("name", ""))[0]
        return Call(operator.rstrip("_"), given, tuple(outputs), layer or name)

    def kind(self, name: str) -> str | None:
        """Return the type of a value's numbers."""
        tensor = self.module["graph"]["tensor_values"].get(name) or {}
        return _TYPES.get(tensor.get("dtype", 0))

    def shape(self, name: str) -> list[int | None]:
        """Return a value's shape; None for a size that is open."""
        sizes = self.module["graph"]["tensor_values"][name]["sizes"]
        return [size.get("as_int") for size in sizes]

    def width(self, name: str) -> int | None:
        """Return how many numbers a row of an input has; None if it is open."""
        shape = self.shape(name)
        if len(shape) < 2:
            raise InterchangeError(
                f"the input '{name}' has {len(shape)} axis, and what comes in has rows of "
                "features; give an example of a few rows"
            )
        return None if None in shape[1:] else math.prod(size or 0 for size in shape[1:])

    def ends(self) -> list[str]:
        """Return the names of the values that come out."""
        specs = self.module["signature"]["output_specs"]
        return [one["user_output"]["arg"]["as_tensor"]["name"] for one in specs
                if "user_output" in one]  # fmt: skip

    def inputs(self) -> list[str]:
        """Return the names of the values that go in, without numbers it was exported with."""
        given = [about["arg"] for kind, about in self._specs() if kind == "user_input"]
        return [one["as_tensor"]["name"] for one in given if "as_tensor" in one]

    def arrays(self, notes: list[str]) -> dict[str, tuple[str, Floats]]:
        """Return weights and constants by the values' names, each with its name in the module."""
        weights = self._config("weights/model_weights_config.json")
        constants = self._config("constants/model_constants_config.json")
        found: dict[str, tuple[str, Floats]] = {}
        for kind, about in self._specs():
            if kind == "user_input":
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
            array = self._array(entry, folder, source, notes)
            found[about["arg"]["name"]] = source, array
        return found

    def _specs(self) -> list[tuple[str, Any]]:
        return [next(iter(spec.items())) for spec in self.module["signature"]["input_specs"]]

    def _config(self, ending: str) -> dict[str, Any]:
        name = next((one for one in self.names if one.endswith(ending)), None)
        return {} if name is None else dict(json.loads(self.archive.read(name))["config"])

    def _array(
        self, entry: Mapping[str, Any], folder: str, source: str, notes: list[str]
    ) -> Floats:
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
            notes.append("bfloat16 was converted to float64")
        whole = array.dtype.kind in "iub"  # a row of them is places, or an axis
        return as_floats(array, source, [] if whole and array.ndim < 2 else notes)
