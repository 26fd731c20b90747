"""Random rows of every operation, and the ways to execute them."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from nodeflow.engine import executor as executors
from nodeflow.engine.cells import END_ROW, table
from nodeflow.engine.executor import Executor, executed_by
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS, Operation, fused
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.engine.kernel.straight import StraightLine

for _name, _slope in SLOPES.items():  # rows that are made only where a tape needs them
    fused("layer", _name)
    fused("layer_back", _slope)
    fused("error_slope", _slope)

EVERY = tuple(operation.name for operation in BY_NUMBER if operation.name not in ("end", "python"))
"""Every operation but the end, and the one that calls a node type's function."""
PYTHON, MACHINE, STRAIGHT = "python", "machine code", "straight-line code"
WAYS = (PYTHON, MACHINE, STRAIGHT)
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-310, 710.0,
)  # fmt: skip
WIDTHS = (1, 2, 3, 4, 5, 7, 8, 9, 14, 15, 16, 17, 23, 24, 25, 31, 33)
TIMES = int(os.environ.get("NODEFLOW_SEARCH", "1"))
"""How many times as many programs are tried as usual; see `make bits`."""
_SPARE = 16
"""Cells behind the last value, which are read, but not used."""


@dataclass
class Program:
    """Rows and the cells that they work on, laid out at random."""

    seed: int
    samples: int = 3
    wild: bool = False
    """Whether NaN, Infinity and the ends of the range are among the numbers."""
    rows: list[list[int]] = field(default_factory=list)
    size: int = 0
    feed: int = 1
    fixed: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def take(self, count: int) -> int:
        """Return the first of so many new cells, with a gap of a few before them."""
        start = self.size + self.random.randint(0, 3)
        self.size = start + count
        return start

    def cells(self, dtype: str) -> np.ndarray:
        """Return the buffer as it is at the start."""
        rng = np.random.default_rng(self.seed)
        found = rng.normal(size=self.size + _SPARE)
        if self.wild:
            where = rng.random(len(found)) < 0.2
            found[where] = rng.choice(SPECIAL, where.sum())
        for place, number in self.fixed.items():
            found[place] = number
        with np.errstate(all="ignore"):
            return found.astype(dtype)

    # -- rows

    def value(self, rows: int, cols: int, *, spread: bool, target: bool) -> tuple[int, int, int]:
        """Return place and strides of a value: dense, with gaps, turned, or repeated."""
        kinds = ["dense", "dense", "gaps"]
        if spread:
            kinds += ["turned", "even"]
        if not target:
            kinds += ["one row"] + ["one number", "one column"] * spread
        kind = self.random.choice(kinds)
        col = 1
        if kind == "dense":
            row = cols
        elif kind == "gaps":
            row = cols + self.random.randint(1, 5)
        elif kind == "turned":
            row, col = 1, rows
        elif kind == "even":
            col = self.random.randint(2, 3)
            row = cols * col + self.random.randint(0, 2)
        else:
            row, col = (0, 1) if kind == "one row" else (0, 0) if kind == "one number" else (1, 0)
        return self.take((rows - 1) * row + (cols - 1) * col + 1), row, col

    def add(self, name: str) -> None:
        """Add a row of an operation with random operands."""
        operation = OPERATIONS[name]
        pick = self.random.choice
        repeats = name == "load" or self.random.random() < 0.5
        rows = self.samples if repeats else pick((1, 2, 3, 4, 5))
        cols, inner, outputs, size = pick(WIDTHS), pick(WIDTHS), pick((1, 2, 3, 5, 9)), pick(WIDTHS)
        row: dict[str, int] = {
            "rows": 0 if repeats else rows, "cols": cols, "inner": inner, "outputs": outputs,
            "size": size, "counts": pick((0, 1)), "which": pick((0, 1)), "begins": pick((0, 1)),
        }  # fmt: skip
        wide = operation.operands
        if name == "load":
            row["width"] = cols + pick((0, 2))
            row["column"] = pick((0, row["width"] - cols))
            self.feed = max(self.feed, row["width"])
        if name == "unpick":
            row["count"] = count = pick((1, 2, 5))
            row["indices"] = self.take(count)
            for place in range(count):
                self.fixed[row["indices"] + place] = float(self.random.randrange(cols))
        shapes = _shapes(operation, rows, cols, inner, outputs, size)
        in_place = self.random.random() < 0.2
        for place, (tall, broad) in shapes.items():
            if place not in wide:
                continue
            strided, spread = f"{place}_r" in wide, f"{place}_c" in wide
            target = place in ("dst", "out")
            if place == "a" and in_place and "dst_c" in wide:
                for end in ("", "_r", "_c"):
                    row[f"a{end}"] = row[f"dst{end}"]
            elif strided:
                at, by, across = self.value(tall, broad, spread=spread, target=target)
                row[place], row[f"{place}_r"] = at, by
                if spread:
                    row[f"{place}_c"] = across
            else:
                row[place] = self.take(tall * broad)
        if "bias" in wide and pick((True, False)):
            row["bias"] = -1
        if "decay" in wide and pick((True, False)):
            self.fixed[row["decay"]] = 0.0
        self.rows.append([operation.number, *(row[operand] for operand in wide)])


def _shapes(
    operation: Operation, rows: int, cols: int, inner: int, outputs: int, size: int
) -> dict[str, tuple[int, int]]:
    """Return how many rows and columns stand at each place of an operation's operands."""
    kind = operation.function.__name__
    line, one = (1, size), (1, 1)
    shapes = {
        "each_of_one": dict.fromkeys(("dst", "a"), (rows, cols)),
        "each_of_two": dict.fromkeys(("dst", "a", "b"), (rows, cols)),
        "each_of_three": dict.fromkeys(("dst", "a", "b", "c"), (rows, cols)),
        "weighted_sum": {
            "dst": (rows, cols), "a": (rows, inner), "weights": (cols, inner), "bias": (1, cols),
        },
        "blame": {"dst": (rows, cols), "delta": (rows, inner), "weights": (inner, cols)},
        "weight_gradient": {"dst": (outputs, cols), "delta": (rows, outputs), "a": (rows, cols)},
        "bias_gradient": {"dst": (1, cols), "delta": (rows, cols)},
        "sum_of_each": {"dst": (rows, 1), "a": (rows, inner), "b": (rows, inner), "scale": one},
        **dict.fromkeys(
            ("softmax", "log_softmax", "log_others"), dict.fromkeys(("dst", "a"), (rows, cols))
        ),
        "softmax_binary_error": dict.fromkeys(("dst", "a", "b", "y", "missed"), (rows, cols)),
        "delta_softmax": dict.fromkeys(("dst", "blame", "a"), (rows, cols)),
        "softmax_error": dict.fromkeys(("dst", "a", "y"), (rows, cols)),
        "penalty": {"dst": one, "theta": line, "scale": one},
        "accuracy": {"dst": (rows, 1), "a": (rows, inner), "y": (rows, inner), "threshold": one},
        "unpick": {"dst": (rows, cols), "blame": (rows, 5)},
        "accumulate": dict.fromkeys(("dst", "gradient"), line),
        "average": {**dict.fromkeys(("dst", "total", "theta"), line), "decay": one},
        "update": {**dict.fromkeys(("dst", "theta", "gradient"), line), "rate": one},
        "step_total": {**dict.fromkeys(("dst", "total"), line), "rate": one, "decay": one},
        "load": {"dst": (rows, cols)},
        "tally": {"a": (rows, 1)},
        "tally_shared": {"a": one},
        "copy_cells": dict.fromkeys(("dst", "a"), line),
        "error_slope": {
            **dict.fromkeys(("error", "a", "y", "blame", "delta"), (rows, cols)), "factor": one,
        },
    }  # fmt: skip
    shapes["step_weights"] = {**shapes["weight_gradient"], "rate": one, "decay": one}
    shapes["step_bias"] = {**shapes["bias_gradient"], "rate": one, "decay": one}
    shapes["layer"] = {**shapes["weighted_sum"], "out": (rows, cols)}
    shapes["layer_back"] = {**shapes["blame"], "a": (rows, cols), "out": (rows, cols)}
    return shapes[kind]


@dataclass
class Executed:
    """What a program leaves behind."""

    cells: np.ndarray
    stats: np.ndarray
    history: np.ndarray

    def same(self, other: Executed) -> bool:
        """Tell whether both are the same to the bit, all NaN being one."""
        return all(
            same_bits(getattr(self, name), getattr(other, name))
            for name in ("cells", "stats", "history")
        )


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether arrays hold the same bits, all NaN being one."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    both = np.isnan(one) & np.isnan(other)
    whole = f"i{one.itemsize}"
    return bool((both | (one.view(whole) == other.view(whole))).all())


@contextmanager
def executing(way: str):
    """Let all rows be executed in one way; straight-line code is waited for, whatever its size."""
    limits = {"_MOST_STRAIGHT_ROWS": 10**12, "_MOST_STRAIGHT_WORK": 10**12}
    if way != STRAIGHT:
        limits = dict.fromkeys(limits, -1)
    used = []

    def compiled(line: StraightLine):
        line.compile_now()
        used.append(line)
        return line._future.result()

    with pytest.MonkeyPatch.context() as patch, executed_by(PYTHON if way == PYTHON else MACHINE):
        for name, limit in limits.items():
            patch.setattr(executors, name, limit)
        patch.setattr(StraightLine, "train", property(compiled))
        yield
    assert bool(used) == (way == STRAIGHT)


def executed(
    way: str,
    rows: Sequence[list[int]],
    cells: np.ndarray,
    *,
    tail: Sequence[list[int]] = (),
    samples: int = 1,
    width: int = 1,
    updates: int = 2,
) -> Executed:
    """Execute rows `updates` times, on batches of so many samples."""
    cells = cells.copy()
    rng = np.random.default_rng(1)
    feed = rng.normal(size=(2 * samples * width)).astype(cells.dtype)
    order, stats = np.arange(2 * samples), np.zeros(8)
    history, states = np.zeros((updates, 4)), np.zeros((updates, 0), cells.dtype)
    executor = Executor(cells, feed, order, stats, lambda _: None)
    ops = table([*rows, END_ROW, *tail, END_ROW])
    given = {
        "head": 0, "tail": len(rows) + 1, "test": len(ops), "begin": 0, "end": updates,
        "fed": 2 * samples, "batch": samples, "alone": 0, "seed": 5, "shuffled": 1, "state": 0,
        "test_rows": 0, "test_most": 1, "history": history, "states": states,
    }  # fmt: skip
    with executing(way):
        executor.train(ops, **given)
    return Executed(cells, stats, history)
