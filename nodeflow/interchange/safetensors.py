"""safetensors: arrays by name, and nothing else. Weights are (out, in), as PyTorch has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.errors import FileError
from nodeflow.files.disk import reading
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.folding import folded
from nodeflow.interchange.layers import Dense, Network


def read(path: Path, asked: Asked) -> Network:
    """Return the network whose weights a file holds, as `--layers` and `--activation` say."""
    return network_of_arrays(arrays_of(path), asked, "safetensors")


def arrays_of(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name; raises `FileError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    with reading(path):
        path.open("rb").close()
    try:
        return dict(load_file(path))
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())
        raise FileError(f"cannot be read as safetensors ({why})", file=str(path)) from None


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
