"""Rows through both programs: outputs and every weight's gradient, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from nodeflow.declare import numbers
from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.interchange.building import costs_of, ends_of
from nodeflow.interchange.layers import Floats

ROWS = 16
Answer: TypeAlias = tuple[Sequence[Floats], Mapping[str, Floats] | None]
"""Outputs, and gradients by the parameter's id if the program can tell them."""
Other: TypeAlias = Callable[[Sequence[Floats], Sequence[Floats]], Answer]
"""Takes the rows of each input and the targets of each output."""


class Refused(Exception):
    """The other program does not compute what it saved; the text says why."""


@contextmanager
def by_the_other() -> Iterator[None]:
    """Turn whatever another program raises into `Refused`."""
    try:
        yield
    except NodeflowError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:160]
        raise Refused(f"{type(error).__name__}: {why}") from error


@dataclass(frozen=True)
class Verified:
    """How far a graph's numbers are from the other program's: the largest differences."""

    against: str
    rows: int
    outputs: float
    gradients: float | None
    unlike: str = ""
    """Of which parameters the other program gives slopes that are no numbers."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `nodeflow import --json` prints it."""
        return {
            "against": self.against,
            "rows": self.rows,
            "outputs": self.outputs,
            "gradients": self.gradients,
        }


def _apart(one: Floats, other: Floats) -> float:
    """Return the largest difference; none where both are no numbers, or infinite alike."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(one - other))
    return float(np.max(np.nan_to_num(apart, nan=np.finfo(float).max), initial=0.0))


def _width(graph: Graph, key: str) -> int:
    return int(numbers(graph.settings(key)["value"]).shape[-1])


def verified(
    graph: Graph,
    against: str,
    other: Other,
    *,
    inputs: Sequence[str] = ("x",),
    rows: int = ROWS,
) -> Verified:
    """Send random rows through a graph and the other program, and compare."""
    r = np.random.default_rng(0)
    targets = [graph.inputs(key)["y"][0].source for key in costs_of(graph)]
    xs, ys = [], []
    for key in inputs:
        xs.append(r.uniform(-1, 1, (rows, _width(graph, key))))
        graph = graph.set(key, value=xs[-1].tolist())
    for key in targets:
        y = r.uniform(0, 1, (rows, _width(graph, key)))
        ys.append(y / y.sum(axis=1, keepdims=True))
        graph = graph.set(key, value=ys[-1].tolist())
    run = Run(graph, batch="all")
    run.evaluate()
    with by_the_other():
        theirs, slopes = other(xs, ys)
    found = [_apart(run[end], one) for end, one in zip(ends_of(graph), theirs, strict=True)]
    if slopes is None:
        return Verified(against, rows, max(found), None)
    own = {key: run.gradient(f"{key}.value") for key in slopes}
    spoilt = [key for key, slope in slopes.items()
              if np.isnan(slope).any() and np.isfinite(own[key]).all()]  # fmt: skip
    if spoilt:
        return Verified(against, rows, max(found), None, ", ".join(spoilt))
    apart = (_apart(own[key], slope) for key, slope in slopes.items())
    return Verified(against, rows, max(found), max(apart, default=0.0))
