"""Targets and outputs in the units of the data, where the data set scales its targets."""

from __future__ import annotations

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.explain.quality import ends
from nodeflow.workings.shown import show

_MOST = 4
"""The most numbers that fit a sentence."""


def in_units(run: Run, step: Step) -> str:
    """Say what a step's targets or outputs are in the units of the data, a sentence or "".

    Everything else on the screen shows what is computed: y = (target − offset) / size.
    """
    splits = run.machine.splits
    if not any(split.scaled_target for split in splits.values()):
        return ""
    found = ends(run.plan.graph)
    if found is None or not splits[found[0]].scaled_target:
        return ""
    data, goal = found
    node, _, port = goal.rpartition(".")
    if step.node == data:
        values = {"the target": step.outputs.get("y")}
    elif step.node == node:
        values = {"the output": step.outputs.get(port)}
    elif run.plan.graph.inputs(step.node).keys() == {"a", "y"} and "cost" in step.outputs:
        values = {"the output": step.inputs.get("a"), "the target": step.inputs.get("y")}
    else:
        return ""
    said = []
    for what, value in values.items():
        if value is None or not 0 < np.size(value) <= _MOST:
            return ""
        numbers = splits[data].in_units(np.atleast_2d(value)).ravel()
        said.append(f"{what} is {', '.join(map(show, numbers.tolist()))}")
    return f"In the units of the data {' and '.join(said)}."
