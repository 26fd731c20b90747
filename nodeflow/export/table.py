"""The history of a training as a table, one line per epoch (RFC 4180)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from nodeflow.engine.run import Run
from nodeflow.errors import ExportError
from nodeflow.export import Made
from nodeflow.export.values import held_run, run_file

if TYPE_CHECKING:
    from nodeflow.export import Job

COLUMNS = ("epoch", "cost", "train_accuracy", "test_cost", "test_accuracy")


def make(job: Job) -> Made:
    """Return the history that was given, of the run file, or of a training now.

    What is not known is empty.
    """
    options = job.options
    held = held_run(job) if options.epochs is None and options.history is None else None
    if options.history is not None:
        history, source = options.history, "as it stands"
    elif held is not None and job.file is not None:
        history, source = held.history, f"read from {run_file(job.file).name}"
    else:
        run = Run(job.graph)
        history = run.train(options.epochs, progress=job.progress)
        source = "trained now"
    if not history:
        raise ExportError("there is no history: not one epoch was trained; --epochs N trains N")
    text = io.StringIO(newline="")
    rows = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore")
    rows.writeheader()
    rows.writerows(history)
    epochs = int(history[-1].get("epoch", len(history)))
    return Made(
        text.getvalue().encode(),
        {"epochs": epochs, "of": source},
        f"{epochs} epoch{'s' * (epochs != 1)}, {source}",
    )
