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
from nodeflow.data.matform import dense, sound
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
    arrays = _arrays(path)
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
    if len(matrices) != 1:
        hint = nearest("X", arrays)
        msg = f"there are no matrices 'X' and 'y'{hint}"
        raise DataError(f"{msg}; name them so, or save a single matrix", file=file)
    (name, matrix), *_ = matrices.items()
    columns = tuple(Column("", values=column) for column in matrix.T.astype(np.float64))
    note = f"the columns are those of the matrix '{name}'"
    lines = range(1, len(matrix) + 1)
    return table_of(Sheet(file, columns, lines, "mat", names=False, notes=(note,)), options)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loadmat(io.BytesIO(sound(path.read_bytes())), mat_dtype=True)
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
        if name.startswith("__"):
            continue
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
            plain[name] = value
    return plain
