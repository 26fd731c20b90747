"""Rows through both programs: outputs and every weight's gradient, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.interchange.building import end_of
from nodeflow.interchange.layers import Floats

ROWS = 16
Other: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Mapping[str, Floats] | None]]
"""Takes rows and targets; gives outputs, and gradients by the parameter's id if it can."""


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


def verified(graph: Graph, against: str, other: Other, *, rows: int = ROWS) -> Verified:
    """Send random rows through a graph and the other program, and compare."""
    r = np.random.default_rng(0)
    width = len(graph.settings("x")["value"][0])
    outputs = len(graph.settings("y")["value"][0])
    x = r.uniform(-1, 1, (rows, width))
    y = r.uniform(0, 1, (rows, outputs))
    y /= y.sum(axis=1, keepdims=True)
    fed = graph.set("x", value=x.tolist()).set("y", value=y.tolist())
    run = Run(fed, batch="all")
    run.evaluate()
    with by_the_other():
        theirs, slopes = other(x, y)
    found = _apart(run[end_of(graph)], theirs)
    gradients = None
    if slopes is not None:
        gradients = max(
            (_apart(run.gradient(f"{key}.value"), slope) for key, slope in slopes.items()),
            default=0.0,
        )
    return Verified(against, rows, found, gradients)
