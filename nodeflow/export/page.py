"""Slow motion as one page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeflow.export import Made

if TYPE_CHECKING:
    from nodeflow.export import Job


def make(job: Job) -> Made:
    """Return the page."""
    from nodeflow.export.html import page

    options = job.options
    text = page(
        job.graph,
        begin=options.begin,
        until=options.until,
        epochs=options.epochs,
        samples=options.samples,
        level=options.level,
        theme=options.theme or "auto",
        progress=job.progress,
    )
    return Made(text.encode("utf-8"))
