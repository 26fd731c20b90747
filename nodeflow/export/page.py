"""A graph as one page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodeflow.errors import ExportError
from nodeflow.export import Made

if TYPE_CHECKING:
    from nodeflow.export import Job


def make(job: Job) -> Made:
    """Return the page: one that computes, or a recording."""
    options = job.options
    chosen: dict[str, Any] = {
        "begin": options.begin,
        "until": options.until,
        "epochs": options.epochs,
        "samples": options.samples,
        "level": options.level,
        "theme": options.theme or "auto",
    }
    if options.recorded:
        if options.rows is not None:
            raise ExportError("a recording has the rows that it plays: choose them with --samples")
        if options.float32:
            raise ExportError("a recording is made in float64: leave out --float32 or --recorded")
        for name in ("neurons", "operations"):
            if getattr(options, name):
                raise ExportError(f"a recording has one form: leave out --{name} or --recorded")
        from nodeflow.export import html

        text = html.page(job.graph, **chosen, progress=job.progress)
    else:
        from nodeflow.export import live

        text = live.page(
            job.graph, **chosen, rows=options.rows, float32=options.float32,
            neurons=options.neurons, operations=options.operations,
        )  # fmt: skip
    return Made(text.encode("utf-8"), {"recorded": options.recorded})
