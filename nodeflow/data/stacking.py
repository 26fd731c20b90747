"""Blocks of rows put below one another, as a large file is read.

The numbers of the features go straight into one array in the order of rows, which is the table's x
as it stands: no column is kept beside it, and no memory is asked for a second time. What the
analysis wants to know of a column, its least and largest number, is found while a block is at hand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import numerals
from nodeflow.data.numerals import LONGEST
from nodeflow.data.sheet import Column


class Numbers(NamedTuple):
    """A column's piece in a block: its numbers, and the least and the largest of them."""

    values: NDArray[Any]
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[Any]) -> Numbers:
        """Return numbers with their span: whoever read them has them in his processor's cache."""
        return cls(values, values.min(), values.max())


class Texts(NamedTuple):
    """A column's piece in a block: for each row a place in the list of its texts, −1 if missing."""

    codes: NDArray[np.intp]
    texts: list[str]


Part: TypeAlias = Numbers | Texts


class NotPlain(ValueError):
    """A block holds what the careful reader should look at."""


class Stack:
    """The rows so far: numbers side by side for the columns `inside`, all others one by one."""

    def __init__(self, columns: Sequence[Column], inside: Collection[int]) -> None:
        self.columns = columns
        self.place = {i: place for place, i in enumerate(sorted(inside))}
        self.rows = 0
        self.x = np.empty((0, len(self.place)))
        self.low = np.full(len(columns), np.inf)
        self.high = np.full(len(columns), -np.inf)
        self.long = np.zeros(len(columns), bool)
        self.parts: list[list[Part]] = [[] for _ in columns]

    def put(self, parts: Sequence[Part], share: float) -> None:
        """Put a block below; `share` is how much of the file is read with it, from 0 to 1.

        Raises NotPlain if a column that began with numbers goes on with texts.
        """
        begin, end = self.rows, self.rows + len(parts[0][0])
        if end > len(self.x):
            # What is too much costs nothing: memory that nobody has written to is no memory yet.
            larger = np.empty((max(end, int(1.1 * end / share)), self.x.shape[1]))
            larger[:begin] = self.x[:begin]
            self.x = larger
        for i, part in enumerate(parts):
            if isinstance(part, Numbers):
                self.low[i] = np.minimum(self.low[i], part.low)
                self.high[i] = np.maximum(self.high[i], part.high)
                self.long[i] |= part.values.dtype.kind in "iu" and part.high >= LONGEST
                if i in self.place:
                    self.x[begin:end, self.place[i]] = part.values
                    continue
            elif i in self.place:
                raise NotPlain
            self.parts[i].append(part)
        self.rows = end

    def filled(self, *, gaps: bool) -> tuple[list[Column], NDArray[np.float64]]:
        """Return the columns, and the array that the numbers of some are columns of.

        Raises NotPlain for what the careful reader should look at: numbers that are not finite,
        numbers among texts, and missing values unless `gaps` are allowed.
        """
        x = self.x[: self.rows]
        return [self._column(i, x, gaps=gaps) for i in range(len(self.columns))], x

    def _column(self, i: int, x: NDArray[np.float64], *, gaps: bool) -> Column:
        column = self.columns[i]
        numbers = [part.values for part in self.parts[i] if isinstance(part, Numbers)]
        if i not in self.place and len(numbers) < len(self.parts[i]):
            if numbers:
                raise NotPlain
            texts = [part for part in self.parts[i] if isinstance(part, Texts)]
            return _of_texts(column, texts, gaps=gaps)
        if i in self.place:
            values: NDArray[Any] = x[:, self.place[i]]
        else:
            values = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
            self.parts[i].clear()
        span = float(self.low[i]), float(self.high[i])
        like = "ids" if self.long[i] else numerals.written_like(column.cells or ())
        if np.isfinite(span).all():
            return Column(column.name, values=values, role=column.role, span=span, like=like)
        if not gaps or np.isinf(values).any():
            raise NotPlain
        values = values.copy()  # it is looked at often, and changed
        return Column(column.name, values=values, role=column.role, like=like)


def _of_texts(column: Column, parts: Sequence[Texts], *, gaps: bool) -> Column:
    places: dict[str, int] = {}
    pieces = []
    for codes, texts in parts:
        move = np.array([*(places.setdefault(text, len(places)) for text in texts), -1], np.intp)
        pieces.append(move[codes])
    codes = np.concatenate(pieces)
    if any(map(numerals.is_number, places)) or (not gaps and bool((codes < 0).any())):
        raise NotPlain
    return Column(column.name, codes=codes, texts=tuple(places), role=column.role)
