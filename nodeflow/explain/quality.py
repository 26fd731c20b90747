"""How good a run is compared with the simplest guesses: the mean, a straight line, the majority.

For targets that are numbers R² = 1 − Σ(a − y)² / Σ(ȳ − y)² over some rows, where ȳ is the mean
of the training targets: 0 is as good as the mean, 1 is exact. For classes it is the accuracy,
against the share of the class that is most frequent among the training rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.generators import GENERATORS
from nodeflow.nodes.source import constant
from nodeflow.workings.shown import percent

if TYPE_CHECKING:
    from nodeflow.data import Split
    from nodeflow.engine.run import Run
    from nodeflow.graph import Graph

Floats = NDArray[np.floating[Any]]

FEWEST_ROWS = 10
MOST_ROWS = 10_000
"""The most rows of each part that are judged; more cost time and tell nothing new."""


@dataclass(frozen=True)
class Quality:
    """What a run comes to on its training rows and on those set apart.

    `train` and `test` are R² for numbers and accuracy for classes, `line` and `line_test` R² of
    the linear fit or the majority's share. `error` and `error_test` are root mean square errors
    in the units of the data, one an output; () for classes. Without rows set apart the values
    for them are None.
    """

    classes: bool
    rows: int
    apart: int
    train: float
    test: float | None
    line: float | None
    line_test: float | None
    error: tuple[float, ...] = ()
    error_test: tuple[float, ...] = ()

    @property
    def fault(self) -> str:
        """Say that the run is no better than a guess, or that nothing can be judged; or ""."""
        rows = self.rows + self.apart
        if rows < FEWEST_ROWS:
            return f"with {rows} rows nothing can be judged; {FEWEST_ROWS} are the least"
        if not self.classes:
            if not self.train > 0:
                return (
                    "the network is no better than the mean of the targets, also on the rows it "
                    "learnt from; try another rate, more epochs, or scale and scale_target"
                )
            if self.test is not None and self.test <= 0:
                return (
                    "on the rows set apart the network is no better than the mean of the targets: "
                    "what it learnt does not carry over"
                )
            return ""
        if self.line is not None and self.train <= self.line:
            return (
                f"the network is no better than always saying the most frequent class "
                f"({percent(self.line)} right); try another rate or more epochs"
            )
        if self.test is not None and self.line_test is not None and self.test <= self.line_test:
            return (
                "on the rows set apart the network is no better than always saying the most "
                f"frequent class ({percent(self.line_test)} right)"
            )
        return ""

    @property
    def sentence(self) -> str:
        """Say what the run comes to, compared with the simplest guess."""
        if self.rows + self.apart < FEWEST_ROWS:
            return self.fault
        where = f"{self.apart} rows set apart" if self.apart else f"its {self.rows} rows"
        value = self.train if self.test is None else self.test
        beside = self.line if self.test is None else self.line_test
        if self.classes:
            most = "" if beside is None else f"; always the most frequent class: {percent(beside)}"
            return f"right on {percent(value)} of {where}{most}"
        line = "" if beside is None else f"; a straight line: R² = {beside:.2f}"
        return f"R² = {value:.2f} on {where}{line}"

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as `--json` shows them."""
        measure = "accuracy" if self.classes else "r2"
        beside = "majority" if self.classes else "line"
        return {
            "rows": self.rows, "apart": self.apart,
            f"train_{measure}": self.train, f"test_{measure}": self.test,
            f"train_{beside}": self.line, f"test_{beside}": self.line_test,
            "train_error": list(self.error) or None, "test_error": list(self.error_test) or None,
            "sentence": self.sentence, "fault": self.fault or None,
        }  # fmt: skip


def quality(run: Run) -> Quality | None:
    """Return how good a run is now; None if no data set's targets enter a cost of its graph.

    None as well for a generator's few rows, such as a gate's four: they are no sample of anything.
    """
    found = ends(run.graph)
    if found is None or found[0] not in run.machine.splits:
        return None
    data, goal = found
    split = run.machine.splits[data]
    few = len(split.x) + len(split.x_test) < FEWEST_ROWS
    if few and run.graph.settings(data)["source"] in GENERATORS:
        return None  # all that there is to exclusive or are its four rows
    parts = [(split.x[:MOST_ROWS], split.y[:MOST_ROWS])]
    if len(split.x_test):
        parts.append((split.x_test[:MOST_ROWS], split.y_test[:MOST_ROWS]))
    outputs = [outputs_of(run, f"{data}.x", goal, np.asarray(x, float)) for x, _ in parts]
    if any(out.shape != y.shape for out, (_, y) in zip(outputs, parts, strict=True)):
        return None
    binary = bool(np.isin(split.y, (0, 1)).all())
    hits = binary and (split.y.shape[1] == 1 or bool(np.allclose(split.y.sum(axis=1), 1)))
    judge = _accuracy if split.classes or hits else _numbers
    return judge(split, [y for _, y in parts], outputs)


def ends(graph: Graph) -> tuple[str, str] | None:
    """Return the data set whose targets a graph learns, and the address of its outputs."""
    for key in graph.where(lambda type_: type_.judges):
        inputs = {name: wires[0] for name, wires in graph.inputs(key).items() if wires}
        if "a" in inputs and "y" in inputs and len(graph.inputs(key)["a"]) == 1:
            source = inputs["y"].source
            if graph.nodes[source].holds_data and inputs["y"].output == "y":
                return source, inputs["a"].start
    return None


def outputs_of(run: Run, start: str, goal: str, rows: Floats) -> Floats:
    """Return the outputs at `goal` (rows, outputs) for rows in place of the value at `start`."""
    from nodeflow.engine.run import Run

    cut = Run(fed(run.graph, start, goal, rows))
    weights = run.weights
    cut.set_weights({name: weights[name] for name in cut.weights if name in weights})
    cut.evaluate()
    return np.asarray(cut[goal], float)


def fed(graph: Graph, start: str, goal: str, rows: Floats) -> Graph:
    """Return the part of a graph that leads to an output, rows in place of one of its values."""
    keep = [goal.rpartition(".")[0]]
    for key in keep:
        for wire in graph.into(key):
            other = wire.start != start and not graph.feeds_back(wire)
            if other and wire.source not in keep:
                keep.append(wire.source)
    # Wires are led elsewhere in their places: in a port with several the order counts.
    fed_by = graph.add("rows_of_view", constant.name, value=rows)
    wires = tuple(
        replace(wire, source="rows_of_view", output="value") if wire.start == start else wire
        for wire in graph.wires
    )
    part = replace(fed_by, wires=wires)
    part = part.remove(*(graph.nodes.keys() - set(keep)))
    for key in part.parameters:
        if part.nodes[key].settings.get("init") == "naive_bayes":
            part = part.set(key, init="zeros")  # the weights are put in afterwards
    return replace(part, training=replace(part.training, batch="all"))


def _accuracy(split: Split, targets: list[Floats], outputs: list[Floats]) -> Quality:
    right = [
        float((_labels(a) == _labels(y)).mean()) for a, y in zip(outputs, targets, strict=True)
    ]
    most = int(np.bincount(_labels(split.y)).argmax())
    shares = [float((_labels(y) == most).mean()) for y in targets]
    return Quality(
        True, len(split.x), len(split.x_test), right[0], right[1] if len(right) > 1 else None,
        shares[0], shares[1] if len(shares) > 1 else None,
    )  # fmt: skip


def _labels(values: Floats) -> NDArray[np.int64]:
    if values.shape[1] == 1:
        return np.asarray(values[:, 0] > 0.5, np.int64)
    return np.asarray(values.argmax(axis=1), np.int64)


def _numbers(split: Split, targets: list[Floats], outputs: list[Floats]) -> Quality:
    mean = split.y.mean(axis=0)
    fits = [_explained(a, y, mean) for a, y in zip(outputs, targets, strict=True)]
    lines = _lines(split, targets, mean)
    errors = [
        tuple((np.sqrt(((a - y) ** 2).mean(axis=0)) * split.y_size).tolist())
        for a, y in zip(outputs, targets, strict=True)
    ]
    apart = len(fits) > 1
    return Quality(
        False, len(split.x), len(split.x_test), fits[0], fits[1] if apart else None,
        lines[0], lines[1] if apart else None, errors[0], errors[1] if apart else (),
    )  # fmt: skip


def _explained(outputs: Floats, targets: Floats, mean: Floats) -> float:
    """Return R², the mean over outputs."""
    spread = ((targets - mean) ** 2).sum(axis=0)
    rest = ((outputs - targets) ** 2).sum(axis=0)
    with np.errstate(all="ignore"):
        shares = 1 - rest / spread
    return float(np.where(spread > 0, shares, 0.0).mean())


def _lines(split: Split, targets: list[Floats], mean: Floats) -> list[float | None]:
    """Return R² of the linear fit to the training rows; None where it would take long."""
    if split.x.shape[1] > 500:
        return [None, None]
    x, y = np.asarray(split.x[:MOST_ROWS], float), split.y[:MOST_ROWS]
    theta, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    found: list[float | None] = []
    for part, goal in zip((split.x, split.x_test), targets, strict=False):
        rows = np.asarray(part[:MOST_ROWS], float)
        line = np.column_stack([rows, np.ones(len(rows))]) @ theta
        found.append(_explained(line, goal, mean))
    return found
