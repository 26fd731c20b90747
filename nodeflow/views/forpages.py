"""What several views tell a page that finds them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run


def classes_of(run: Run, address: str) -> dict[str, Any]:
    """Return the classes of the data that a value is of, or what its two sides are called."""
    data = address.rpartition(".")[0]
    if data not in run.machine.splits:
        return {}
    split = run.machine.splits[data]
    middle = float(split.y.min() + split.y.max()) / 2
    at = show(float(split.in_units(np.array([[middle]]))[0, 0]))
    return {"data": data, "classes": split.classes, "sides": [f"below {at}", f"above {at}"]}
