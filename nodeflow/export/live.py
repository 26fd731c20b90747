"""A page that computes: the graph, its tape and the kernel in one file, with no network."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from nodeflow.derive.phases import PHASES
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import ExportError
from nodeflow.export import computing
from nodeflow.export.templates import templates
from nodeflow.export.html import LARGEST, THEMES, as_json, drawn_whole, filled, picture
from nodeflow.graph import Graph
from nodeflow.scene import scene

SCRIPTS = (
    "common.js", "random.js", "engine.js", "formulas.js", "live.js", "player.js", "change.js",
    "page-live.js",
)  # fmt: skip
"""The scripts of a page that computes, in their order."""


def page(
    graph: Graph,
    *,
    begin: str | None = None,
    until: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    level: str = "step",
    theme: str = "auto",
) -> str:
    """Return a page that computes a graph, as HTML.

    `begin` is the moment at which it opens; `until`, `epochs` and `samples` say where its bar ends
    at first: with the graph's epochs, if nothing is said. Raises `ExportError` for what a page
    cannot compute, in one sentence that names the node.
    """
    for what, given, known in (("level", level, LEVELS), ("theme", theme, THEMES)):
        if given not in known:
            raise ExportError(f"there is no {what} '{given}'; choose one of {', '.join(known)}")
    index, blobs = data(graph, begin=begin, until=until, epochs=epochs, samples=samples, level=level)
    text = filled(
        graph, theme, SCRIPTS, {"index": as_json(index).encode(), **blobs}, "'wasm-unsafe-eval'"
    )
    if len(text) > LARGEST:
        raise ExportError(
            f"the page would be {len(text) / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} MB is the most; "
            "take fewer rows of the data"
        )
    return text


def data(
    graph: Graph,
    *,
    begin: str | None = None,
    until: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    level: str = "step",
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a page that computes is made from: an index of plain data, and bytes by name."""
    run = Run(graph)
    if not run.order:
        raise ExportError("there is nothing to play: the graph has no node that can be evaluated")
    forms, blobs = computing.engine(run)
    first, end = _span(run, begin, until, epochs, samples)
    text = _graph_text(graph)
    shown = drawn_whole(graph, run)
    return {
        "name": graph.name or "nodeflow",
        "about": graph.about,
        "level": level,
        "levels": LEVELS,
        "phases": PHASES,
        "epochs": graph.training.epochs,
        "begin": first,
        "end": end,
        "graph": json.loads(text),
        "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
        "forms": forms,
        "formulas": templates(run),
        "parts": list(blobs),
        **picture(shown, scene(shown)),
    }, blobs


def _graph_text(graph: Graph) -> str:
    """Return the text of a graph's file, all of its arrays in it."""
    from nodeflow.files.writer import whole

    return whole(graph)


def _span(
    run: Run, begin: str | None, until: str | None, epochs: int | None, samples: int | None
) -> tuple[int, int]:
    """Return the number of the moment at which a page opens, and that at which its bar ends."""
    schedule = run.schedule
    first = 0 if begin is None else schedule.number(schedule.find(Moment.read(begin)))
    ends = []
    if until is not None:
        ends.append(schedule.number(schedule.find(Moment.read(until))))
    elif epochs is not None:
        start = schedule.epoch(schedule.position(first).update)
        ends.append(schedule.number(schedule.start_of_epoch(start + epochs)))
    if samples is not None:
        ends.append(schedule.after_passes(first, samples))
    whole = schedule.number(schedule.start_of_epoch(max(run.graph.training.epochs, 1)))
    end = min(ends) if ends else max(whole, first)
    if end <= first and ends:
        raise ExportError(f"there is nothing to play: '{until}' is not after the first step")
    return first, end
