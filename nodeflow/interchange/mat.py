"""MATLAB and Octave weights: Theta1, Theta2, …, each (out, 1 + in) with the bias in column 0."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.data.matform import dense, sound
from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked, asked_activation, in_order
from nodeflow.interchange.folding import folded
from nodeflow.interchange.layers import Dense, Network, Step, as_floats

_TEXT = b"# Created by Octave"
_OTHERS = {
    b"\x89HDF": "HDF5 (MATLAB's -v7.3 or Octave's -hdf5)",
    b"Octave-1": "of Octave's own binary format",
    b"\x1f\x8b": "packed by gzip (-zip)",
}
_SHORTENED = ("sparse", "diagonal", "permutation")
"""Matrices of which Octave's text has some of the numbers alone."""
_THETA = re.compile(r"(?i)theta_?(\d+)")


def read(path: Path, asked: Asked) -> Network:
    """Return the network of a file's Theta1, Theta2, …; sigmoids, unless something else is said."""
    with reading(path):
        data = path.read_bytes()
    found = _octave_text(data, path) if data.startswith(_TEXT) else _arrays(data, path)
    names = in_order([name for name in found if _THETA.fullmatch(name)])
    if not names:
        names = _names(data) if not data.startswith(_TEXT) else list(found)
        there = ", ".join(name for name in names if name.isidentifier()) or "nothing"
        raise InterchangeError(
            f"{path}: there is no Theta1, Theta2, … with weights in it; it has {there}. In MATLAB "
            f"or Octave: {_way(names)}; save -v7 NAME.mat Theta1 Theta2"
        )
    numbers = [int(_THETA.fullmatch(name)[1]) for name in names]  # type: ignore[index]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise InterchangeError(f"{path}: one is missing among {', '.join(names)}")
    steps: list[Step] = []
    notes: list[str] = []
    if asked.activation is None and asked.output is None:
        notes.append("its layers have sigmoids; --activation and --output name others")
    for number, name in enumerate(names):
        array = found[name]
        if isinstance(array, str):
            raise FileError(
                f"'{name}' is stored as {array}; {name} = double(full({name})) before it is saved "
                "makes a plain matrix of it", file=str(path),
            )  # fmt: skip
        theta = as_floats(dense(array), name, notes)
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


def _names(data: bytes) -> list[str]:
    """Return what a binary file has, structures and objects too."""
    from scipy.io import whosmat

    return [name for name, *_ in whosmat(io.BytesIO(data))]


def _way(names: Sequence[str]) -> str:
    """Return what makes Theta1 and Theta2 of what a file has: biases are their first columns."""
    if "nn_params" in names:
        return "Theta1 = reshape(nn_params(1:hidden * (inputs + 1)), hidden, inputs + 1), and so on"
    if {"W1", "b1"} <= set(names):
        return "Theta1 = [b1 W1]; Theta2 = [b2 W2]"
    if any(name.startswith("net") for name in names):
        return "Theta1 = [net.b{1} net.IW{1,1}]; Theta2 = [net.b{2} net.LW{2,1}]"
    return "Theta1 = [biases weights], one row per neuron"


def _arrays(data: bytes, path: Path) -> dict[str, Any]:
    """Return what a binary file of MATLAB holds, by name; raises `FileError`."""
    from scipy.io import loadmat

    for begin, what in _OTHERS.items():
        if data.startswith(begin):
            raise FileError(f"is {what}; save it with -v7", file=str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            # mat_dtype: numbers that were narrowed for storage come back as doubles.
            return dict(loadmat(io.BytesIO(sound(data)), mat_dtype=True))
    except np.exceptions.ComplexWarning:  # SciPy would drop the imaginary parts
        raise FileError(
            "holds complex numbers, and weights are real ones", file=str(path)
        ) from None
    except NotImplementedError:
        raise FileError("is of MATLAB 7.3 (HDF5); save it with -v7", file=str(path)) from None
    except Exception as error:  # noqa: BLE001 (SciPy raises whatever it meets in damaged files)
        why = " ".join(str(error).split())[:100]
        raise FileError(f"cannot be read as a .mat file ({why})", file=str(path)) from None


def _octave_text(data: bytes, path: Path) -> dict[str, Any]:
    """Return the matrices of the text that Octave's `save` writes if it is told nothing else."""
    found: dict[str, Any] = {}
    for part in re.split(r"^# name: ", data.decode("utf-8", "replace"), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        head = dict(re.findall(r"^# (type|rows|columns): (.*)$", rest, re.MULTILINE))
        kind = head.get("type", "")
        if kind.startswith(_SHORTENED) or not kind.endswith("matrix") or "rows" not in head:
            found[name.strip()] = kind  # a scalar, a text, a struct: no weights
            continue
        numbers = " ".join(line for line in rest.splitlines() if not line.startswith("#")).split()
        size = int(head["rows"]), int(head["columns"])
        try:
            found[name.strip()] = np.array(numbers, np.float64).reshape(size)
        except ValueError:
            raise FileError(
                f"'{name.strip()}' is not {size[0]}×{size[1]} real numbers, as it says",
                file=str(path),
            ) from None
    return found


def write(network: Network) -> bytes:
    """Return Theta1, Theta2, … as doubles; a layer without a bias has zeros in column 0."""
    from scipy.io import savemat

    dense = [step for step in folded(network, ".mat").steps if isinstance(step, Dense)]
    arrays = {}
    for number, step in enumerate(dense, 1):
        bias = np.zeros(len(step.weights), float) if step.bias is None else step.bias
        arrays[f"Theta{number}"] = np.column_stack([bias, step.weights])
    stream = io.BytesIO()
    savemat(stream, arrays)
    return stream.getvalue()
