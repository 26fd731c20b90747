"""Weights as a JSON dictionary: `{"w.value": [[0.8]]}`, floats as short as they read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeflow.errors import ExportError
from nodeflow.export import Made
from nodeflow.export.values import trained
from nodeflow.files.text import encode

if TYPE_CHECKING:
    from nodeflow.export import Job


def make(job: Job) -> Made:
    """Return the weights, an address a line."""
    if job.options.program in ("brainjs", "brainjs2"):
        from nodeflow.export.networks import brainjs

        return brainjs(job)
    run, which = trained(job)
    weights = run.weights
    if not weights:
        raise ExportError("the graph has no weights: no 'parameter' in it can be evaluated")
    lines = ",\n".join(f"  {encode(key)}: {encode(weights[key])}" for key in sorted(weights))
    return Made(
        f"{{\n{lines}\n}}\n".encode(),
        {"weights": {key: list(value.shape) for key, value in weights.items()}, "of": which},
        f"the weights {which}",
    )
