"""Rows for training, rows for testing, their scale and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.table import FloatArray, Table, frozen
from nodeflow.errors import DataError, nearest

SCALES = ("none", "minmax", "standard")

# Each use of a seed draws from a stream of its own.
_SPLIT = 1


@dataclass(frozen=True, eq=False)
class Split:
    """Rows for training and for testing; all arrays are C-contiguous and read-only.

    `x` and `x_test` are (rows, features), `y` and `y_test` (rows, outputs); without test rows
    the test arrays have 0 rows. `classes` is () where y holds numbers as they are.
    """

    x: FloatArray
    y: FloatArray
    x_test: FloatArray
    y_test: FloatArray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    y_offset: FloatArray
    y_size: FloatArray

    @property
    def scaled_target(self) -> bool:
        """Whether the targets were scaled, so that y is not in the units of the data."""
        return bool((self.y_offset != 0).any() or (self.y_size != 1).any())

    def in_units(self, y: FloatArray) -> FloatArray:
        """Return targets or outputs (rows, outputs) in the units of the data: y · size + offset."""
        return y * self.y_size + self.y_offset


@dataclass(frozen=True, slots=True)
class Fold:
    """One part of a cross-validation: the rows that are set apart are the `number`th of `count`."""

    number: int
    """From 1."""
    count: int


def split_by(
    settings: Mapping[str, Any], table: Table, seed: int, fold: Fold | None = None
) -> Split:
    """Return the split that a dataset's settings ask for, or that of a fold."""
    return split(
        table, scale=settings["scale"], test=settings["test"], seed=seed,
        scale_target=settings["scale_target"], fold=fold,
    )  # fmt: skip


def split(
    table: Table,
    *,
    scale: str = "none",
    test: float = 0.0,
    seed: int = 0,
    scale_target: str = "none",
    fold: Fold | None = None,
) -> Split:
    """Set the fraction `test` of the rows apart, and scale the features and the targets.

    The rows are permuted by `seed` alone and the last round(test · rows) are for testing; with
    test = 0 they stay in order. A table with test rows of its own keeps both parts as they are,
    and `test` is ignored. `scale` is none, minmax (to 0..1) or standard (mean 0, standard
    deviation 1), by the training rows alone; a feature that is constant there becomes 0.
    `scale_target` does the same with targets that are numbers; classes stay 0 and 1.

    With a `fold` that part of the permuted rows is set apart instead, of parts that differ by one
    row at most; `test` and a table's own test rows are left out of it.

    Raises DataError for a bad setting, or if no training row is left.
    """
    for how in (scale, scale_target):
        if how not in SCALES:
            raise DataError(f"there is no scale '{how}'{nearest(how, SCALES)}")
    if type(test) not in (int, float) or not 0 <= test < 1:
        raise DataError(f"test is a fraction from 0 to below 1, not {test!r}")
    _check_whole("seed", seed)
    x, y = table.x, table.y
    if fold is not None:
        if fold.count > len(x):
            raise DataError(f"{len(x)} rows cannot be cut into {fold.count} folds")
        parts = np.array_split(_permuted(len(x), seed), fold.count)
        apart = parts.pop(fold.number - 1)
        rest = np.concatenate(parts)
        x, y, x_test, y_test = x[rest], y[rest], x[apart], y[apart]
    elif table.x_test is not None and table.y_test is not None:
        x_test, y_test = table.x_test, table.y_test
    else:
        x_test, y_test = x[:0], y[:0]
        if test > 0:
            count = round(test * len(x))
            if count >= len(x):
                msg = f"test {test:g} of {len(x)} rows leaves none for training; make it smaller"
                raise DataError(msg)
            order = _permuted(len(x), seed)
            train, rest = order[: len(x) - count], order[len(x) - count :]
            x, y, x_test, y_test = x[train], y[train], x[rest], y[rest]
    if scale != "none":
        x, x_test, _, _ = _scaled(x, x_test, scale, table.features)
    y_offset: FloatArray = np.zeros(y.shape[1], float)
    y_size: FloatArray = np.ones(y.shape[1])
    if scale_target != "none" and not table.classes:
        names = ("target",) * y.shape[1]
        y, y_test, y_offset, y_size = _scaled(y, y_test, scale_target, names)
    return Split(
        frozen(x), frozen(y), frozen(x_test), frozen(y_test), table.classes, table.features,
        frozen(y_offset), frozen(y_size),
    )  # fmt: skip


def _permuted(rows: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, _SPLIT]).permutation(rows)


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise DataError(f"{name} is a whole number of 0 or more, not {value!r}")


def _scaled(
    x: FloatArray, x_test: FloatArray, scale: str, features: tuple[str, ...]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return both parts scaled, and the offset and size that were used, one a column."""
    low, high = x.min(axis=0), x.max(axis=0)
    # Not by a deviation of 0: rounding can leave a little where all values are equal.
    constant = low == high

    def apply(rows: FloatArray) -> FloatArray:
        result: FloatArray = rows - offset
        result /= size
        result[:, constant] = 0
        sound = np.isfinite(result)
        if not sound.all():
            name = features[np.argwhere(~sound)[0, 1]]
            msg = f"the values of '{name}' are too far apart or too close for scale '{scale}'"
            raise DataError(msg)
        return result

    with np.errstate(all="ignore"):
        if scale == "minmax":
            offset, size = low, high - low
        else:
            # In float64: a sum of many float32 loses digits.
            offset = x.mean(axis=0, dtype=np.float64).astype(x.dtype)
            size = x.std(axis=0, dtype=np.float64).astype(x.dtype)
        size = np.where(constant, 1, size)
        return apply(x), apply(x_test), offset, size
