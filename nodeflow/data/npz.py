"""NPZ files: arrays `x` and `y`, and `x_test` and `y_test` if there are any."""

from __future__ import annotations

import warnings
import zipfile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.arrays import renamed, table_of_arrays
from nodeflow.data.options import Options
from nodeflow.data.reading import MOST_BYTES, check_size, reading
from nodeflow.data.table import Table
from nodeflow.errors import DataError, nearest


def read_npz(path: Path, options: Options) -> Table:
    """Return the table in an NPZ file; pickled objects are never loaded.

    Keras' names (x_train, y_train) are known as well. Raises DataError.
    """
    check_size(path)
    file = path.name
    arrays, called, names = _arrays(path)
    for name in ("x", "y"):
        if name not in arrays:
            msg = f"there is no array '{name}'{nearest(name, names)}"
            raise DataError(f"{msg}; save the arrays under the names x and y", file=file)
    return table_of_arrays(arrays, file, options, format="npz", called=called)


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str], list[str]]:
    file = path.name
    damaged = "the NPZ file is damaged; save it again"
    with reading(path), path.open("rb") as stream:
        is_zip = zipfile.is_zipfile(stream)
    if not is_zip:
        raise DataError("this is not an NPZ file; write it with numpy.savez", file=file)
    arrays: dict[str, NDArray[Any]] = {}
    called: dict[str, str] = {}
    names: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            called = renamed(names)
            for part, name in called.items():
                arrays[part] = _member(archive, f"{name}.npy", file)
    except DataError:
        raise
    except Exception as error:  # A damaged archive can raise nearly anything.
        raise DataError(damaged, file=file) from error
    return arrays, called, names


def _member(archive: zipfile.ZipFile, member: str, file: str) -> NDArray[Any]:
    with archive.open(member) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(stream)
    name = member.removesuffix(".npy")
    if dtype.hasobject:
        msg = f"{name} holds pickled objects; save it as an array of numbers or texts"
        raise DataError(msg, file=file)
    if prod(shape) * dtype.itemsize > MOST_BYTES:
        raise DataError(f"{name} is larger than 2 GiB; take a part of it", file=file)
    with archive.open(member) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.lib.format.read_array(stream, allow_pickle=False)
