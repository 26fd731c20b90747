"""What every source gives: a table of numbers, checked and read-only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.kinds import distinct
from nodeflow.data.sheet import ColumnReading, Reading
from nodeflow.errors import DataError

FloatArray: TypeAlias = NDArray[np.floating[Any]]
"""float64, or float32 for the pixels of an IDX file (MNIST would take twice the memory)."""

MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Table:
    """What a source holds; all arrays are C-contiguous and read-only.

    `x` is (rows, features). `y` is (rows, outputs): one-hot in the order of `classes`, or
    numbers as they are where `classes` is empty. `x_test` and `y_test` are rows that the
    source itself sets apart for testing, None if there are none.
    """

    x: FloatArray
    y: FloatArray
    features: tuple[str, ...]
    classes: tuple[str, ...]
    x_test: FloatArray | None = None
    y_test: FloatArray | None = None
    how: Reading | Callable[[], Reading] | None = None
    """What `reading` returns, or what finds it."""

    @property
    def reading(self) -> Reading | None:
        """How the file was read, None for what is no file."""
        return self.how() if callable(self.how) else self.how


def frozen(array: FloatArray) -> FloatArray:
    """Return the array C-contiguous and read-only, copied only where it must be."""
    result = np.ascontiguousarray(array).view()
    result.flags.writeable = False
    return result


def feature_names(count: int) -> tuple[str, ...]:
    """Return x1, x2, … for columns that have no names of their own."""
    return tuple(f"x{i}" for i in range(1, count + 1))


def number_name(value: float) -> str:
    """Return how a class that is a number is called: 1, not 1.0."""
    return f"{value + 0.0:.17g}"


def classify(
    labels: Sequence[Any] | NDArray[Any], *, file: str, column: int | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return one-hot rows (rows, classes) and the class names, in sorted order.

    The labels are texts or numbers, one or the other.
    Raises DataError if there is only one class, or more than 1,000.
    """
    if isinstance(labels, np.ndarray):
        found = distinct(labels)[0]
        values: list[Any] = found.tolist()
        codes = np.searchsorted(found, labels)
    else:
        values = sorted(set(labels))
        place = {value: i for i, value in enumerate(values)}
        codes = np.fromiter((place[label] for label in labels), np.intp, len(labels))
    names = tuple(value if isinstance(value, str) else number_name(value) for value in values)
    return one_hot_of(codes, names, file=file, column=column)


def one_hot_of(
    codes: NDArray[np.intp], names: tuple[str, ...], *, file: str, column: int | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return one-hot rows (rows, classes) of classes by their numbers, and the class names.

    Raises DataError if there is only one class, or more than 1,000.
    """
    if len(names) < 2:
        msg = f"every row has the class '{names[0]}'; there must be at least two classes"
        raise DataError(msg, file=file, column=column)
    if len(names) > MOST_CLASSES:
        msg = f"there are {len(names)} classes; there may be at most {MOST_CLASSES}"
        raise DataError(msg, file=file, column=column)
    return np.take(np.eye(len(names), dtype=float), codes, axis=0), names


def one_hot(labels: Sequence[Any], values: Sequence[Any]) -> FloatArray:
    """Return (rows, values) with a 1 where a label equals a value; KeyError if none does."""
    position = {value: i for i, value in enumerate(values)}
    result = np.zeros((len(labels), len(values)), float)
    places = np.fromiter((position[label] for label in labels), np.intp, len(labels))
    result[np.arange(len(labels)), places] = 1
    return result


def reading_of_table(name: str, table: Table) -> Reading:
    """Return a reading of a set that is no table in a file: a generator's, or images."""
    if table.reading is not None:
        return table.reading
    low, high = table.x.min(axis=0).tolist(), table.x.max(axis=0).tolist()
    columns = [
        ColumnReading(feature, "numbers", "feature", (low[i], high[i]), 0, None, "a number")
        for i, feature in enumerate(table.features[:1000])
    ]
    kind = "classes" if table.classes else "numbers"
    span = None if table.classes else (float(table.y.min()), float(table.y.max()))
    columns.append(ColumnReading("y", kind, "target", span, 0, table.classes or None, kind))
    return Reading(name, "set", None, ".", False, len(table.x), tuple(columns), "y", kind, "", ())
