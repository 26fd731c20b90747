"""Sources: where values come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from nodeflow.declare import (
    ArrayValue,
    Feedback,
    Later,
    Range,
    ShapeValue,
    TargetValue,
    Value,
    node,
    numbers,
)
from nodeflow.errors import BadSetting
from nodeflow.inert import shape_of
from nodeflow.shape import Shape


def _constant_shape(settings: dict[str, Any]) -> tuple[Shape, ...]:
    array = numbers(settings["value"])
    return (Shape(array.shape) if array.ndim == 2 else Shape((1, array.size)),)


@node(
    "source",
    formula="value",
    shapes=_constant_shape,
    aliases=("number", "value", "input"),
    typed=True,
)
def constant(*, value: ArrayValue = 0.0) -> Value:
    """Hold a number, a row of numbers, or several rows.

    Several rows feed a network as the samples of one batch; into a `weights` port they are a
    matrix out×in.
    """
    return np.atleast_2d(numbers(value))


def _single(settings: dict[str, Any]) -> tuple[Shape, ...]:
    low, value, high = settings["min"], settings["value"], settings["max"]
    if not low <= value <= high:
        raise BadSetting(f"the slider's value must be from {low:g} up to {high:g}, not {value:g}")
    return (Shape((1, 1)),)


@node(
    "source",
    formula="value",
    shapes=_single,
    aliases=("number", "hyperparameter"),
    drawn_as="slider",
    typed=True,
)
def slider(*, value: float = 0.5, min: float = 0.0, max: float = 1.0, step: float = 0.01) -> Value:
    """Hold one number that is dragged between `min` and `max`."""
    return np.array([[value]])


@node(
    "source",
    formula="x, y = row i of the data",
    outputs=("x", "y"),
    aliases=("data", "csv", "table", "input", "input layer", "target"),
    holds_data=True,
)
def dataset(
    *,
    source: str = "xor",
    target: TargetValue = None,
    scale: Literal["none", "minmax", "standard"] = "none",
    test: Annotated[float, Range(0, 1, open=True)] = 0.0,
    shuffle: bool = True,
    scale_target: Annotated[Literal["none", "minmax", "standard"], Later()] = "none",
    target_kind: Annotated[Literal["auto", "classes", "numbers"], Later()] = "auto",
    header: Annotated[Literal["auto", "yes", "no"], Later()] = "auto",
    missing: Annotated[Literal["refuse", "drop", "mean", "keep"], Later()] = "refuse",
    text: Annotated[Literal["onehot", "ordinal", "drop"], Later()] = "onehot",
    features: Annotated[TargetValue, Later()] = None,
    drop: Annotated[TargetValue, Later()] = None,
    separator: Annotated[str, Later()] = "auto",
    decimal: Annotated[Literal["auto", ".", ","], Later()] = "auto",
    thousands: Annotated[str, Later()] = "auto",
    skip: Annotated[int, Range(0), Later()] = 0,
    missing_mark: Annotated[TargetValue, Later()] = None,
    encoding: Annotated[str, Later()] = "auto",
) -> Value:
    """Feed the rows of a data set: features x and targets y.

    Who looks for the input layer: it is x, the numbers as they come. Nothing is computed there, so
    it is no layer; the first layer is the first weighted sum.

    `source` is a generator (and, or, xor, circle, spiral, moons, blobs, polynomial), a set that
    scikit-learn brings (iris, wine, digits, …), `mnist-20x20` (600 of each digit of MNIST,
    without their margins), or a file (CSV and other text, ARFF, MATLAB, NPZ, IDX, Parquet, Excel)
    relative to the graph file. `target` is the target column (by default the last one, or the one
    whose name or place says so), `target_kind` whether it holds classes or numbers. `scale` uses
    the training rows' statistics, and so does `scale_target`, for targets that are numbers.
    `test` is the fraction of rows kept for testing, `shuffle` gives each epoch its own order;
    both follow from the seed alone. The other settings say how a file is read, where that is not
    to be found in it: `header`, `missing` values (refused, their rows dropped, the column's mean,
    or kept as texts), `text` features (one column per text, one number per text, or left out), the
    `features` to take or columns to `drop`, `separator`, `decimal` and `thousands` mark, lines
    to `skip`, further marks of a missing value (`missing_mark`), and the `encoding` of its text.
    """
    raise AssertionError("the engine feeds a data set's rows")


def _parameter_shape(settings: dict[str, Any], next: Shape | None = None) -> tuple[Shape, ...]:
    return (Shape(parameter_shape(settings)),)


def parameter_shape(settings: dict[str, Any]) -> tuple[int, ...]:
    """Return a parameter's shape from its settings, or raise `BadSetting`."""
    shape, value = settings["shape"], settings["value"]
    uniform_range(settings)
    if value is None and shape is None:
        raise BadSetting("a parameter needs a value, or a shape such as [5, 7] and an init")
    if value is None or (settings["init"] == "constant" and shape is not None):
        return tuple(shape)
    found = shape_of(value)
    if shape is not None and tuple(shape) != found:
        given = "×".join(map(str, shape))
        raise BadSetting(
            f"the value is {'×'.join(map(str, found))} and the shape {given}: give one of the two"
        )
    return found


def uniform_range(settings: Mapping[str, Any]) -> tuple[float, float]:
    """Return between which numbers a uniform start is drawn, or raise `BadSetting`."""
    given = settings.get("range")
    if given is None:
        return -0.5, 0.5
    ends = numbers(given).ravel().tolist()
    if len(ends) != 2 or not ends[0] < ends[1] or not np.isfinite(ends).all():
        raise BadSetting(
            "range holds the two ends of a uniform start, the lower one first, such as [0, 1]"
        )
    return ends[0], ends[1]


@node(
    "source",
    formula="Θ",
    outputs=("value",),
    shapes=_parameter_shape,
    aliases=("weight", "weights", "bias", "theta", "variable"),
    holds_weights=True,
)
def parameter(
    next: Feedback = None,
    *,
    value: ArrayValue = None,
    shape: ShapeValue = None,
    init: Literal["zeros", "constant", "uniform", "normal", "glorot", "naive_bayes"] = "glorot",
    trainable: bool = True,
    range: Annotated[ArrayValue, Later()] = None,
) -> Value:
    """Hold weights (out×in) or a bias (out) that training changes.

    Starts from `value`, or from `shape` and `init`: zeros; constant (`value` is the number);
    uniform in `range`, which is −0.5 … 0.5 unless another is given; normal with mean 0 and
    variance 1; glorot (uniform up to √(6 / (in + out)), a bias starts at 0); naive_bayes (from
    class means and variances of the training data). Random starts follow from the seed and the
    node's id alone.
    """
    return numbers(value if next is None else next)
