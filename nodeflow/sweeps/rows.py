"""What came of runs, kept small: a few numbers a run, in arrays.

A million runs take about 60 MB, and their curves whatever they are long.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESULTS = ("epochs", "cost", "train_accuracy", "test_cost", "test_accuracy")
CURVES = ("cost", "train_accuracy", "test_cost", "test_accuracy")
_NUMBERS = (*RESULTS, "epochs_to", "seconds")
_WHOLE = ("epochs", "epochs_to")


def is_share(measure: str) -> bool:
    """Return whether a measure is a share, from 0 to 1: it is told in percent."""
    return measure.endswith("accuracy")


@dataclass(frozen=True)
class Row:
    """What came of one run."""

    number: int
    """Combination × seeds + place of the seed: the order of the rows."""
    values: Mapping[str, Any]
    """Results by column, without the settings and the seed."""
    curves: Mapping[str, list[float | None]] | None = None


class Rows(Mapping[int, Row]):
    """Rows by number, of so many that there can be."""

    def __init__(self, most: int, *, until: bool) -> None:
        self._names = [name for name in _NUMBERS if until or name != "epochs_to"]
        self._there = np.zeros(most, bool)
        self._values = np.full((most, len(self._names)), np.nan)
        self._why: dict[int, str] = {}
        self._curves: dict[int, Mapping[str, list[float | None]]] = {}
        self._count = 0

    def add(self, row: Row) -> None:
        """Put a row to the others, or in the place of one with its number."""
        self._values[row.number] = [
            np.nan if (value := row.values.get(name)) is None else value for name in self._names
        ]
        if row.values.get("why"):
            self._why[row.number] = row.values["why"]
        if row.curves is not None:
            self._curves[row.number] = row.curves
        if not self._there[row.number]:
            self._count += 1
            self._there[row.number] = True

    def copy(self) -> Rows:
        """Return the rows that are there now, on their own."""
        made = Rows(0, until="epochs_to" in self._names)
        made._there, made._values = self._there.copy(), self._values.copy()
        made._why, made._curves = self._why.copy(), self._curves.copy()
        made._count = int(made._there.sum())
        return made

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: object) -> bool:
        try:
            place = operator.index(number)  # type: ignore[arg-type]  # NumPy's whole numbers, too
        except TypeError:
            return False
        return 0 <= place < len(self._there) and bool(self._there[place])

    def __iter__(self) -> Iterator[int]:
        """Give the numbers of all rows in order."""
        return iter(self.numbers.tolist())

    @property
    def numbers(self) -> NDArray[np.intp]:
        """The numbers of all rows that are there, in order."""
        return np.flatnonzero(self._there)

    def __getitem__(self, number: int) -> Row:
        """Return the row with a number."""
        if number not in self:
            raise KeyError(number)
        values: dict[str, Any] = {}
        for name, value in zip(self._names, self._values[number].tolist(), strict=True):
            known = value == value
            values[name] = (int(value) if name in _WHOLE else value) if known else None
        values["why"] = self._why.get(number)
        return Row(number, values, self._curves.get(number))

    def column(self, name: str, begin: int, end: int) -> NDArray[np.float64]:
        """Return a result of the rows from one number up to another that are there and have it."""
        found = self._values[begin:end, self._names.index(name)]
        return np.asarray(found[self._there[begin:end] & ~np.isnan(found)])

    def count(self, begin: int, end: int) -> int:
        """Return how many rows there are from one number up to another."""
        return int(self._there[begin:end].sum())

    @property
    def failed(self) -> list[int]:
        """The numbers of the runs that failed, in order."""
        return sorted(self._why)
