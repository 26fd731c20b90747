"""Many runs of one graph: every combination of settings with every seed.

    import nodeflow as nf

    found = nf.sweep(graph, {"train.rate": [0.1, 0.3], "seed": range(20)}, epochs=100)
    found.rows          # a dictionary a run
    found.summaries()   # median and quartiles over the seeds

Runs are made by threads of this process, or by the workers of a Dask cluster; the numbers do not
depend on which, on how many, on their order, or on interruptions.
"""

from nodeflow.sweeps.axes import Axis
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.results import Summary, Sweep
from nodeflow.sweeps.sweeping import run_plan, sweep
from nodeflow.sweeps.validation import FoldResult, Folds, folds

__all__ = ["Axis", "FoldResult", "Folds", "Plan", "Summary", "Sweep", "folds", "run_plan", "sweep"]
