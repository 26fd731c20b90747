"""safetensors: arrays by name, and nothing else. Weights are (out, in), as PyTorch has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.disk import reading
from nodeflow.errors import FileError
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.folding import folded
from nodeflow.interchange.layers import Dense, Network


def read(path: Path, asked: Asked) -> Network:
    """Return the network whose weights a file holds, as `--layers` and `--activation` say."""
    notes: list[str] = []
    network = network_of_arrays(arrays_of(path, notes), asked, "safetensors")
    return replace(network, notes=(*notes, *network.notes))


def arrays_of(path: Path, notes: list[str]) -> dict[str, Any]:
    """Return the arrays of a file by name; raises `FileError`. bfloat16 is noted.

    The library's own reader for NumPy knows no bfloat16, which mlx, Flax and candle save.
    """
    from safetensors import SafetensorError, deserialize

    with reading(path):
        data = path.read_bytes()
    try:
        found: Any = deserialize(data)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        why = " ".join(str(error).split())
        raise FileError(f"cannot be read as safetensors ({why})", file=str(path)) from None
    arrays = {}
    for name, about in found:
        kind = about["dtype"]
        if kind == "BF16":  # the first half of a float32
            halves = np.frombuffer(about["data"], "<u2").astype("<u4") << 16
            arrays[name] = halves.view("<f4").astype(np.float64)
            notes[:] = ["bfloat16 was converted to float64"]
        elif kind in _TYPES:
            arrays[name] = np.frombuffer(about["data"], _TYPES[kind])
        else:
            raise FileError(
                f"'{name}' holds {kind}, packed numbers that only its program unpacks; save it in "
                "full precision",
                file=str(path),
            )
        arrays[name] = arrays[name].reshape(about["shape"])
    return arrays


_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
          "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
          "BOOL": "?"}  # fmt: skip


def write(network: Network) -> bytes:
    """Return the weights as NAME.weight and NAME.bias, float64, to the bit."""
    from safetensors.numpy import save

    arrays = {}
    for step in folded(network, "safetensors").steps:
        if isinstance(step, Dense):
            # What is not row by row in memory would be written as it lies there.
            arrays[f"{step.name}.weight"] = np.ascontiguousarray(step.weights)
            if step.bias is not None:
                arrays[f"{step.name}.bias"] = np.ascontiguousarray(step.bias)
    return bytes(save(arrays))
