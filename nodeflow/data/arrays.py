"""From arrays of rows to a table: what NPZ, MATLAB and Python itself give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.kinds import distinct, looks_like_classes, whole_numbers
from nodeflow.data.options import Options
from nodeflow.data.sheet import ColumnReading, Reading
from nodeflow.data.table import (
    FloatArray,
    Table,
    classify,
    feature_names,
    frozen,
    number_name,
    one_hot,
)
from nodeflow.errors import DataError

_SPELLINGS = {
    "x": ("x", "X", "x_train", "X_train", "xtrain", "Xtrain", "data", "features", "train_images"),
    "y": ("y", "Y", "y_train", "Y_train", "ytrain", "Ytrain", "target", "labels", "train_labels"),
    "x_test": ("x_test", "X_test", "xtest", "Xtest", "test_images"),
    "y_test": ("y_test", "Y_test", "ytest", "Ytest", "test_labels"),
}


def renamed(names: Sequence[str]) -> dict[str, str]:
    """Return which of a file's arrays are x, y, x_test and y_test: Keras' x_train is x."""
    found = {}
    for part, spellings in _SPELLINGS.items():
        there = next((name for name in spellings if name in names), None)
        if there is not None:
            found[part] = there
    return found


def table_of_arrays(
    arrays: Mapping[str, NDArray[Any]],
    file: str,
    options: Options,
    *,
    format: str,  # noqa: A002
    features: Sequence[str] = (),
    called: Mapping[str, str] | None = None,
) -> Table:
    """Return the table of arrays `x`, `y`, and `x_test` and `y_test` if there are any.

    `x` is (rows, features); one dimension counts as one feature, more than two are flattened.
    `y` of several columns is used as it is. A single column of fractions is numbers, of whole
    numbers in one dimension or of texts it is classes; of whole numbers in two dimensions
    (rows, 1) it is what the rule of `kinds` says, but two values stay one column. Raises DataError.
    """
    called = {part: part for part in _SPELLINGS} | dict(called or {})
    _require_no_columns(options, called["y"], file)
    x = _rows(arrays["x"], called["x"], file)
    y = arrays["y"]
    _same_rows(x, y, called["x"], called["y"], file)
    labels, why = _labels(y, called["y"], file, options)
    classes: tuple[str, ...] = ()
    if labels is None:
        outputs = _rows(y, called["y"], file)
    else:
        outputs, classes = classify(labels, file=file)
    names = tuple(features) or feature_names(x.shape[1])
    reading = _reading(file, format, names, x, outputs, classes, why, called)
    given = [name for name in ("x_test", "y_test") if name in arrays]
    if not given:
        return Table(frozen(x), frozen(outputs), names, classes, how=reading)
    if len(given) == 1:
        other = "y_test" if given == ["x_test"] else "x_test"
        raise DataError(f"there is '{given[0]}' but no '{other}'; both are needed", file=file)
    x_test = _rows(arrays["x_test"], called["x_test"], file)
    _same_width(x_test, x, "x_test", "x", file)
    _same_rows(x_test, arrays["y_test"], "x_test", "y_test", file)
    y_test = _test_outputs(arrays["y_test"], outputs, labels, file)
    return Table(
        frozen(x), frozen(outputs), names, classes, frozen(x_test), frozen(y_test), reading
    )


def _require_no_columns(options: Options, target: str, file: str) -> None:
    """Refuse what says how columns are read: arrays have none, and it would be passed over."""
    given = [name for name in options.given() if name != "target_kind"]
    if options.target == target:
        given.remove("target")
    if "target" in given:
        raise DataError(
            f"the target is the array '{target}', and a column as target is for tables; leave it "
            "out",
            file=file,
        )
    if given:
        msg = f"'{given[0]}' is for tables of columns, and these are arrays; leave it out"
        raise DataError(msg, file=file)


def _reading(
    file: str,
    format_: str,
    names: tuple[str, ...],
    x: FloatArray,
    y: FloatArray,
    classes: tuple[str, ...],
    why: str,
    called: Mapping[str, str],
) -> Reading:
    low, high = x.min(axis=0).tolist(), x.max(axis=0).tolist()
    columns = [
        ColumnReading(name, "numbers", "feature", (low[i], high[i]), 0, None, "a number")
        for i, name in enumerate(names[:1000])
    ]
    kind = "classes" if classes else "numbers"
    span = None if classes else (float(y.min()), float(y.max()))
    columns.append(ColumnReading(called["y"], kind, "target", span, 0, classes or None, kind))
    notes = (f"{len(names)} features; the first 1,000 are shown",) if len(names) > 1000 else ()
    return Reading(
        file, format_, None, ".", False, len(x), tuple(columns), called["y"], kind, why, notes
    )


def _labels(
    array: NDArray[Any], name: str, file: str, options: Options
) -> tuple[list[Any] | None, str]:
    """Return class labels, texts or whole numbers, or None for numbers; and why."""
    if array.size == 0:
        raise DataError(f"{name} is empty; it needs at least one row", file=file)
    wanted = options.target_kind
    single = array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)
    if array.dtype.kind in "US":
        if not single:
            raise DataError(f"{name} holds texts in {array.ndim} dimensions", file=file)
        if wanted == "numbers":
            raise DataError(f"{name} holds texts, which are no numbers", file=file)
        texts = array.ravel().tolist()
        if array.dtype.kind == "S":
            texts = [label.decode("utf-8", "replace") for label in texts]
        return [text.strip() for text in texts], "texts"
    if not single:
        if wanted == "classes":
            msg = f"{name} has {array.shape[-1]} columns; classes stand in a single one"
            raise DataError(msg, file=file)
        return None, "several columns are used as they are"
    values = _rows(array, name, file).ravel()
    if wanted == "numbers":
        return None, "as asked for"
    if wanted == "classes":
        return cast("list[Any]", values.tolist()), "as asked for"
    if array.ndim == 1:
        if whole_numbers(values):
            return cast("list[Any]", values.tolist()), "whole numbers in one dimension"
        return None, "they have fractions"
    classes, why = looks_like_classes(values)
    if len(distinct(values)[0]) <= 2:
        return None, "a column of two dimensions is used as it is"
    return (cast("list[Any]", values.tolist()) if classes else None), why


def _test_outputs(
    array: NDArray[Any], y: FloatArray, labels: list[Any] | None, file: str
) -> FloatArray:
    if labels is None:
        result = _rows(array, "y_test", file)
        _same_width(result, y, "y_test", "y", file)
        return result
    known, _ = _labels(array, "y_test", file, Options(target_kind="classes"))
    values = set(labels)
    for row, label in enumerate(known or [], 1):
        if label not in values:
            name = label if isinstance(label, str) else number_name(label)
            raise DataError(f"y_test has the class '{name}', but y has not", file=file, row=row)
    return one_hot(known or [], sorted(values))


def _rows(array: NDArray[Any], name: str, file: str) -> FloatArray:
    """Return numbers as (rows, columns)."""
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds no plain numbers; save it as numbers", file=file)
    if array.ndim == 0:
        raise DataError(f"{name} is a single number; it needs rows and columns", file=file)
    if array.size == 0:
        raise DataError(f"{name} is empty; it needs at least one row", file=file)
    if array.ndim > 2 and name.lower().startswith("y"):
        msg = f"{name} has {array.ndim} dimensions; it may have one or two"
        raise DataError(msg, file=file)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        row, column = (int(i) + 1 for i in np.argwhere(~np.isfinite(rows))[0])
        raise DataError(f"{name} is not a finite number here", file=file, row=row, column=column)
    return rows


def _same_rows(a: NDArray[Any], b: NDArray[Any], first: str, second: str, file: str) -> None:
    if b.ndim and len(a) != len(b):
        msg = f"{first} has {len(a)} rows, but {second} has {len(b)}; they must be equal"
        raise DataError(msg, file=file)


def _same_width(a: FloatArray, b: FloatArray, first: str, second: str, file: str) -> None:
    if a.shape[1] != b.shape[1]:
        msg = f"{first} has {a.shape[1]} columns, but {second} has {b.shape[1]}; they must be equal"
        raise DataError(msg, file=file)
