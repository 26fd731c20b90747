"""MATLAB and Octave weights: Theta1, Theta2, …, each (out, 1 + in) with the bias in column 0."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.interchange.asked import Asked, asked_activation, in_order
from nodeflow.interchange.folding import folded
from nodeflow.interchange.layers import Dense, Network, Step, as_floats

_THETA = re.compile(r"(?i)theta_?(\d+)")


def read(path: Path, asked: Asked) -> Network:
    """Return the network of a file's Theta1, Theta2, …; sigmoids, unless something else is said."""
    from scipy.io import loadmat

    with reading(path):
        data = path.read_bytes()
    try:
        # mat_dtype: numbers that were narrowed for storage come back as doubles.
        found = loadmat(io.BytesIO(data), mat_dtype=True)
    except NotImplementedError:
        raise FileError("is of MATLAB 7.3 (HDF5); save it with -v7", file=str(path)) from None
    except Exception as error:  # noqa: BLE001 (SciPy raises whatever it meets in damaged files)
        why = " ".join(str(error).split())[:100]
        raise FileError(f"cannot be read as a .mat file ({why})", file=str(path)) from None
    names = in_order([name for name in found if _THETA.fullmatch(name)])
    if not names:
        there = ", ".join(name for name in found if not name.startswith("__")) or "nothing"
        raise InterchangeError(
            f"{path}: there is no Theta1, Theta2, … with weights in it; it has {there}"
        )
    steps: list[Step] = []
    notes: list[str] = []
    for number, name in enumerate(names):
        theta = as_floats(found[name], name, notes)
        if theta.ndim != 2 or theta.shape[1] < 2:
            raise InterchangeError(
                f"{path}: {name} is {'×'.join(map(str, theta.shape))}; weights are out × (1 + in)"
            )
        steps.append(Dense(name, theta[:, 1:].copy(), theta[:, 0].copy()))
        last = number == len(names) - 1
        kind = asked.output if last and asked.output else (asked.activation or "sigmoid")
        if kind != "identity" or not last:
            steps.append(asked_activation(f"{name}_a", kind))
    return Network(tuple(steps), "MATLAB", notes=tuple(notes))


def write(network: Network) -> bytes:
    """Return Theta1, Theta2, … as doubles; a layer without a bias has zeros in column 0."""
    from scipy.io import savemat

    dense = [step for step in folded(network, ".mat").steps if isinstance(step, Dense)]
    arrays = {}
    for number, step in enumerate(dense, 1):
        bias = np.zeros(len(step.weights)) if step.bias is None else step.bias
        arrays[f"Theta{number}"] = np.column_stack([bias, step.weights])
    stream = io.BytesIO()
    savemat(stream, arrays)
    return stream.getvalue()
