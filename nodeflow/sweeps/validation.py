"""Cross-validation: the rows are cut into parts, and each part is set apart once.

    found = nf.folds(graph, 5, epochs=500)
    found.mean["test_accuracy"], found.spread["test_accuracy"]

The rows are permuted by the seed and cut into K parts that differ by one row at most. For each
part a network is trained on the others, from the same start weights, and tested on that part.
Scales come from the training rows of the fold alone. Mean and spread (standard deviation, with
K − 1 below) are those over the folds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.data import Fold, Split
from nodeflow.engine.run import Run
from nodeflow.errors import DataError
from nodeflow.graph import Graph
from nodeflow.playback.until import train_to_end

MEASURES = ("cost", "train_accuracy", "test_cost", "test_accuracy")


@dataclass(frozen=True)
class FoldResult:
    """What came of one fold: measures on the rows it learnt from, and on those set apart."""

    fold: int
    rows: int
    test_rows: int
    epochs: int
    measures: dict[str, float | None]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "fold": self.fold, "rows": self.rows, "test_rows": self.test_rows,
            "epochs": self.epochs, **self.measures, "note": self.note or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Folds:
    """The folds of a cross-validation, and their mean and spread."""

    folds: tuple[FoldResult, ...]
    seconds: float

    def _over(self, how: Callable[[list[float]], float]) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for name in MEASURES:
            values = [value for one in self.folds if (value := one.measures[name]) is not None]
            found[name] = how(values) if len(values) == len(self.folds) else None
        return found

    @property
    def mean(self) -> dict[str, float | None]:
        """The mean over the folds of cost and accuracy, on training and test rows."""
        return self._over(lambda values: math.fsum(values) / len(values))

    @property
    def spread(self) -> dict[str, float | None]:
        """The standard deviation over the folds: √(Σ (v − mean)² / (K − 1))."""
        return self._over(lambda values: float(np.std(values, ddof=1)))

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "folds": len(self.folds),
            "results": [one.as_dict() for one in self.folds],
            "mean": self.mean,
            "spread": self.spread,
            "seconds": round(self.seconds, 6),
        }


def folds(
    graph: Graph,
    k: int,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    batch: int | str | None = None,
    dtype: Any = np.float64,
    until: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Folds:
    """Cross-validate a graph on k folds of its data set's rows.

    Each fold trains `epochs` (by default the graph's), ends earlier where a condition holds or the
    graph's tolerance is reached, and is then judged on both parts. `progress` is called with the
    folds done and k. Raises `DataError` where the rows cannot be cut so, or where a class would be
    missing in what a fold learns from.
    """
    if type(k) is not int or k < 2:
        raise DataError(f"a cross-validation has a whole number of folds from 2, not {k!r}")
    if not graph.datasets:
        raise DataError("a cross-validation needs rows to cut: the graph has no dataset")
    started = time.perf_counter()
    asked = graph.training.epochs if epochs is None else epochs
    found: list[FoldResult] = []
    first: Run | None = None
    for number in range(1, k + 1):
        run = Run(
            graph, seed=seed, batch=batch, dtype=dtype, share_with=first, fold=Fold(number, k)
        )
        note = _classes(run, number, k)
        first = run
        train_to_end(run, asked, until=until, tolerance=graph.training.tolerance)
        machine = run.machine
        found.append(
            FoldResult(
                number, machine.rows, machine.test_rows, run.epoch, run.assess().as_dict(), note
            )
        )
        if progress is not None:
            progress(number, k)
    return Folds(tuple(found), time.perf_counter() - started)


def _classes(run: Run, number: int, k: int) -> str:
    """Refuse a fold that cannot learn a class; tell one that cannot be tested on a class."""
    for key, split in run.machine.splits.items():
        if not split.classes:
            continue
        missing = _missing(split, split.y)
        if missing:
            raise DataError(
                f"fold {number} of {k} of '{key}' would learn nothing of {missing}, since all "
                "rows of it are in the part that is set apart; take fewer folds or another seed"
            )
        untested = _missing(split, split.y_test)
        if untested:
            return f"no row of {untested} is in the part that is set apart"
    return ""


def _missing(split: Split, y: Any) -> str:
    absent = [name for name, count in zip(split.classes, y.sum(axis=0), strict=False) if not count]
    return ", ".join(f"class '{name}'" for name in absent[:3]) + (", …" if absent[3:] else "")
