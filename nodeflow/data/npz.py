"""NPZ files: arrays `x` and `y`, and `x_test` and `y_test` if there are any."""

from __future__ import annotations

import warnings
import zipfile
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.reading import MOST_BYTES, check_size, reading
from nodeflow.data.table import (
    FloatArray,
    Table,
    classify,
    feature_names,
    frozen,
    number_name,
    one_hot,
)
from nodeflow.errors import DataError, nearest

_NAMES = ("x", "y", "x_test", "y_test")


def read_npz(path: Path) -> Table:
    """Return the table in an NPZ file; pickled objects are never loaded.

    `x` is (rows, features); one dimension counts as one feature, more than two are flattened.
    `y` of two dimensions is used as it is; of one dimension it holds class labels, texts or
    whole numbers, and becomes one-hot. Raises DataError.
    """
    check_size(path)
    file = path.name
    arrays = _arrays(path)
    for name in ("x", "y"):
        if name not in arrays:
            msg = f"there is no array '{name}'{nearest(name, arrays)}"
            raise DataError(msg, file=file)
    x = _rows(arrays["x"], "x", file)
    y = arrays["y"]
    labels = _labels(y, "y", file) if y.ndim == 1 else None
    _same_rows(x, y, "x", "y", file)
    classes: tuple[str, ...] = ()
    if labels is None:
        outputs = _rows(y, "y", file)
    else:
        outputs, classes = classify(labels, file=file)
    features = feature_names(x.shape[1])
    given = [name for name in ("x_test", "y_test") if name in arrays]
    if not given:
        return Table(frozen(x), frozen(outputs), features, classes)
    if len(given) == 1:
        other = "y_test" if given == ["x_test"] else "x_test"
        raise DataError(f"there is '{given[0]}' but no '{other}'; both are needed", file=file)
    x_test = _rows(arrays["x_test"], "x_test", file)
    _same_width(x_test, x, "x_test", "x", file)
    _same_rows(x_test, arrays["y_test"], "x_test", "y_test", file)
    y_test = _test_outputs(arrays["y_test"], outputs, labels, file)
    return Table(frozen(x), frozen(outputs), features, classes, frozen(x_test), frozen(y_test))


def _test_outputs(
    array: NDArray[Any], y: FloatArray, labels: list[Any] | None, file: str
) -> FloatArray:
    if (array.ndim == 1) != (labels is not None):
        raise DataError("y_test must have as many dimensions as y", file=file)
    if labels is None:
        result = _rows(array, "y_test", file)
        _same_width(result, y, "y_test", "y", file)
        return result
    test_labels = _labels(array, "y_test", file)
    values = set(labels)
    for row, label in enumerate(test_labels, 1):
        if label not in values:
            name = label if isinstance(label, str) else number_name(label)
            raise DataError(f"y_test has the class '{name}', but y has not", file=file, row=row)
    return one_hot(test_labels, sorted(values))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    file = path.name
    damaged = "the NPZ file is damaged; save it again"
    with reading(path), path.open("rb") as stream:
        is_zip = zipfile.is_zipfile(stream)
    if not is_zip:
        raise DataError("this is not an NPZ file; write it with numpy.savez", file=file)
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in _NAMES:
                member = f"{name}.npy"
                if member in archive.namelist():
                    arrays[name] = _member(archive, member, file)
    except DataError:
        raise
    except Exception as error:  # A damaged archive can raise nearly anything.
        raise DataError(damaged, file=file) from error
    return arrays


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


def _rows(array: NDArray[Any], name: str, file: str) -> FloatArray:
    """Return numbers as (rows, columns)."""
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds no plain numbers; save it as numbers", file=file)
    if array.ndim == 0:
        raise DataError(f"{name} is a single number; it needs rows and columns", file=file)
    if array.size == 0:
        raise DataError(f"{name} is empty; it needs at least one row", file=file)
    if array.ndim > 2 and name.startswith("y"):
        msg = f"{name} has {array.ndim} dimensions; it may have one or two"
        raise DataError(msg, file=file)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = array.reshape(len(array), -1).astype(np.float64)
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        row, column = (int(i) + 1 for i in bad[0])
        raise DataError(f"{name} is not a finite number here", file=file, row=row, column=column)
    return rows


def _labels(array: NDArray[Any], name: str, file: str) -> list[Any]:
    """Return class labels: texts, or whole numbers."""
    if array.size == 0:
        raise DataError(f"{name} is empty; it needs at least one row", file=file)
    if array.dtype.kind == "U":
        return cast("list[Any]", array.tolist())
    if array.dtype.kind == "S":
        return [label.decode("utf-8", "replace") for label in array.tolist()]
    values = _rows(array, name, file).ravel()
    broken = np.flatnonzero(values != np.round(values))
    if len(broken):
        msg = (
            f"{name} has one dimension, so it holds class labels, but {values[broken[0]]:g} is not "
            f"a whole number; give it the shape (rows, 1) to use numbers as they are"
        )
        raise DataError(msg, file=file, row=int(broken[0]) + 1)
    return cast("list[Any]", values.tolist())


def _same_rows(a: NDArray[Any], b: NDArray[Any], first: str, second: str, file: str) -> None:
    if b.ndim and len(a) != len(b):
        msg = f"{first} has {len(a)} rows, but {second} has {len(b)}; they must be equal"
        raise DataError(msg, file=file)


def _same_width(a: FloatArray, b: FloatArray, first: str, second: str, file: str) -> None:
    if a.shape[1] != b.shape[1]:
        msg = f"{first} has {a.shape[1]} columns, but {second} has {b.shape[1]}; they must be equal"
        raise DataError(msg, file=file)
