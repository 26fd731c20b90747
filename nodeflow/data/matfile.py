"""MATLAB and Octave files (.mat): matrices X and y, or one matrix whose last column is y."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.arrays import renamed, table_of_arrays
from nodeflow.data.deciding import table_of
from nodeflow.data.matform import dense, sound, unread
from nodeflow.data.options import Options
from nodeflow.data.reading import check_size, reading
from nodeflow.data.sheet import Column, Sheet
from nodeflow.data.table import Table
from nodeflow.errors import DataError, nearest


def read_mat(path: Path, options: Options) -> Table:
    """Return the table in a MATLAB file of version 7 or older.

    Numbers keep the type that MATLAB shows, whatever narrower one the file stores them in.
    Raises DataError.
    """
    check_size(path)
    arrays, others = _arrays(path)
    file = path.name
    called = renamed(list(arrays))
    if "x" in called and "y" in called:
        parts = {part: arrays[name] for part, name in called.items()}
        x = parts["x"]
        for part in ("y", "y_test"):
            # A vector of MATLAB has two dimensions, and lies down as often as it stands.
            if part in parts and parts[part].ndim == 2 and parts[part].shape[0] == 1 < len(x):
                parts[part] = parts[part].T
        table = table_of_arrays(parts, file, options, format="mat", called=called)
        side = math.isqrt(table.x.shape[1])
        if table.reading is not None and side > 3 and side * side == table.x.shape[1]:
            note = f"if the rows are images of {side} × {side}, MATLAB stores them column by column"
            return replace(table, how=replace(table.reading, notes=(note,)))
        return table
    matrices = {
        name: array for name, array in arrays.items()
        if array.ndim == 2 and array.dtype.kind in "biuf" and min(array.shape) > 1
    }  # fmt: skip
    beside = [name for name in arrays if name not in matrices and max(arrays[name].shape) > 1]
    beside = [name for name in beside if arrays[name].dtype.kind != "U" or arrays[name].size > 1]
    if len(matrices) != 1 or beside or others:
        hint = nearest("X", [*arrays, *others])
        msg = f"there are no matrices 'X' and 'y'{hint}"
        if others:
            held = "holds" if len(others) == 1 else "hold"
            msg += f" ({', '.join(others[:8])} {held} neither numbers nor texts)"
        raise DataError(f"{msg}; name them so, or save a single matrix", file=file)
    ((name, matrix),) = matrices.items()
    columns = tuple(Column("", values=column) for column in matrix.T.astype(np.float64))
    note = f"the columns are those of the matrix '{name}'"
    lines = range(1, len(matrix) + 1)
    return table_of(Sheet(file, columns, lines, "mat", names=False, notes=(note,)), options)


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the arrays of numbers and of texts, and the names of everything else."""
    from scipy.io import loadmat

    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = path.read_bytes()
            others = unread(data)
            found = loadmat(io.BytesIO(sound(data)), mat_dtype=True)
            found = {name: dense(value) for name, value in found.items()}
    except NotImplementedError:
        msg = "this is MATLAB's version 7.3; save it again with save('-v7', …)"
        raise DataError(msg, file=path.name) from None
    except DataError:
        raise
    except Exception as error:  # A damaged file can raise nearly anything.
        msg = "this is no whole MATLAB file; save it again with save('-v7', …)"
        raise DataError(msg, file=path.name) from error
    plain = {}
    for name, value in found.items():
        kind = value.dtype.kind if isinstance(value, np.ndarray) else ""
        if name.startswith("__"):
            continue
        if kind == "O":
            plain[name] = np.array([_text(cell) for cell in value.flat]).reshape(value.shape)
        elif kind and kind in "biufU":
            plain[name] = value
        else:
            others.append(name)
    return plain, others


def _text(cell: Any) -> str:
    """Return the text of a cell; '' is an array of none."""
    return "".join(np.ravel(cell).tolist())
