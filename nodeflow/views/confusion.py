"""`confusion`: which class was taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.boundary import classes
from nodeflow.views.forpages import classes_of
from nodeflow.views.marks import LABEL, SMALL, Area, Mark, Rect, Words, fitted, mixed, width
from nodeflow.views.sight import Sight
from nodeflow.workings.shown import percent

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_MOST = 5000
_LEAST_CELL = 12.0
_HEAD = 28.0
_CAPTIONS = ("train", "actual", "predicted")
"""Whose rows are counted, what the rows of the table are (both stand before them), its columns."""


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each class (a row) was taken for each (a column)."""

    table: NDArray[np.int64]
    """Of the training rows."""
    names: tuple[str, ...]
    test: tuple[int, int] | None = None
    """How many test rows are right, and how many there are."""

    @property
    def right(self) -> tuple[int, int]:
        """How many training rows are on the diagonal, and how many there are."""
        return int(np.trace(self.table)), int(self.table.sum())

    @property
    def foot(self) -> str:
        """How many are right."""
        parts = [("train", *self.right), *([("test", *self.test)] if self.test else [])]
        several = len(parts) > 1
        return ", ".join(
            f"{name} {right} of {count}"
            + ("" if several else f" right ({percent(right / max(count, 1))})")
            for name, right, count in parts
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the names and the counts, a row what was right, a column what was said."""
        test = {} if self.test is None else {"test": {"right": self.test[0], "rows": self.test[1]}}
        return {"names": self._named, "rows": "train", "counts": self.table, **test}

    @property
    def _named(self) -> tuple[str, ...]:
        return self.names or tuple(map(str, range(len(self.table))))

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw a shaded cell a pair of classes: down what is right, across what was predicted.

        Names and counts stand where the cells have room for them.
        """
        left, top, wide, high = area
        table, names = self.table, self._named
        count = len(table)
        margin = min(max(width(name) for name in (*names, *_CAPTIONS[:2])) + 8, wide * 0.34)
        across, down = (wide - margin) / count, (high - _HEAD) / count
        across, down = min(across, 2.4 * down), min(down, 26.0)
        size = LABEL if min(across / 2, down) >= _LEAST_CELL else SMALL
        train, actual, predicted = _CAPTIONS
        made: list[Mark] = [
            Words(left, top + 10, train, theme.faint, size),
            Words(left + margin + 3, top + 10, predicted, theme.faint, size),
            Words(left, top + 23, actual, theme.faint, size),
        ]
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        for row in range(count):
            y = top + _HEAD + row * down
            base = y + down / 2 + size * 0.36
            if down >= SMALL:
                name = fitted(names[row], margin - 6, size)
                made.append(Words(left, base, name, theme.text, size))
                x = left + margin + row * across
                name = fitted(names[row], across - 3, size)
                made.append(Words(x + 3, top + 23, name, theme.faint, size))
            for column in range(count):
                x = left + margin + column * across
                colour = theme.selected if row == column else theme.problem
                fill = mixed(theme.canvas, colour, round(0.62 * float(shares[row, column]), 3))
                made.append(Rect(x + 0.5, y + 0.5, across - 1, down - 1, fill))
                text = str(int(table[row, column]))
                if down >= SMALL and width(text, size) <= across:
                    made.append(Words(x + across / 2, base, text, theme.text, size, "middle"))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write the counts: a row what is right, a column what was predicted."""
        names = [name[: max(wide // (len(self.table) + 2), 4)] for name in self._named]
        train, actual, predicted = _CAPTIONS
        first = max(map(len, [*names, train, actual]))
        longest = max(len(name) for name in [*names, *map(str, self.table.ravel().tolist())])
        head = [
            f"{train:<{first}}  {predicted}",
            f"{actual:<{first}}" + "".join(f"  {name:>{longest}}" for name in names),
        ]
        body = (
            f"{name:<{first}}" + "".join(f"  {count:>{longest}}" for count in row)
            for name, row in zip(names, self.table.tolist(), strict=True)
        )
        return [*head, *body, self.foot[:wide]]


def found(sight: Sight, key: str) -> Counts | str | None:
    """Return the counts over the training rows."""
    inputs = sight.inputs(key)
    for port in ("a", "y"):
        if port not in inputs:
            return f"wire {port} as well"
    goal, data = inputs["a"], inputs["y"].rpartition(".")[0]
    split = sight.split(data)
    if split is None:
        return "y must come from a data set"
    middle = float(split.y.min() + split.y.max()) / 2 if split.y.shape[1] == 1 else 0.5
    rows = np.concatenate([split.x[:_MOST], split.x_test[:_MOST]])
    outputs = sight.answers(key, f"{data}.x", goal, np.asarray(rows, float))
    said, known = classes(outputs, middle), len(split.x[:_MOST])
    targets = split.y[:known]
    right = classes(split.y_test[:_MOST], middle) == said[known:]
    test = (int(right.sum()), right.size) if right.size else None
    count = max(targets.shape[1], outputs.shape[1], 2)
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (classes(targets, middle), said[:known]), 1)
    return Counts(table, split.classes if len(split.classes) == count else (), test)


def for_page(run: Run, _key: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values: the classes of the data."""
    return classes_of(run, inputs.get("y", ""))
