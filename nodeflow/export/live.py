"""A page that computes: the graph, its tape and the kernel in one file, with no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.derive import explode
from nodeflow.derive.parts import records_of
from nodeflow.derive.phases import PHASES
from nodeflow.derive.tidy import tidy
from nodeflow.engine.plan import plan as plan_of
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import ExportError
from nodeflow.explain.tracing import recipe_as_data
from nodeflow.explain.wording import sentences
from nodeflow.export import computing, lessonpage, seeing
from nodeflow.export.html import (
    DRAWN,
    LARGEST,
    ROOM,
    as_json,
    drawn_whole,
    filled,
    picture,
    require_known,
    script_of,
)
from nodeflow.export.templates import functions, remarks, templates
from nodeflow.files.lessonform import LESSON
from nodeflow.formula import FUNCTIONS, OPERATORS
from nodeflow.graph import Graph
from nodeflow.playback.grammar import language
from nodeflow.playback.stops import newest
from nodeflow.scene import scene

ENGINE = (
    "packed.js", "common.js", "sums.js", "random.js", "starts.js", "machine.js", "schedule.js",
    "checkpoints.js", "standing.js", "stepping.js", "rewinding.js", "training.js", "typing.js",
    "run.js",
)  # fmt: skip
"""The scripts of what computes, in their order."""
PLAYER = (
    *ENGINE, "numbers.js", "formulas.js", "why.js", "live.js",
    *DRAWN, "marks.js", "axes.js", "tables.js", "charts.js", "scout.js", "views.js", "showing.js",
    "map.js", "predict.js", "conditions.js", "judging.js", "watching.js", "state.js", "taken.js",
    "questions.js", "lesson.js", "lessonpanel.js", "changepanel.js", "tabs.js", "stops.js",
    "sharing.js", "api.js", "change.js", "computing.js",
)  # fmt: skip
"""The scripts of a player that computes, in their order."""
_OF_LESSONS = ("questions.js", "lesson.js", "lessonpanel.js")
"""What a page without a lesson does without."""


def page(
    graph: Graph,
    *,
    begin: str | None = None,
    until: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    level: str = "step",
    theme: str = "auto",
    rows: int | None = None,
    float32: bool = False,
    neurons: bool = False,
    operations: bool = False,
    state: Mapping[str, Any] | None = None,
) -> str:
    """Return a page that computes a graph, as HTML.

    `begin` is the moment at which it opens; `until`, `epochs` and `samples` say where its bar ends
    at first: with the graph's epochs, if nothing is said. `rows` is how many rows of each data set
    travel in the page; a large one is otherwise thinned out to `SAMPLE` of them. With `float32`
    it computes as `Run(graph, dtype=numpy.float32)` does. Raises `ExportError` for what a
    page cannot compute, in one sentence that names the node. With `neurons` or
    `operations` the page has other forms, its layers taken apart. `state` is one that a page has
    told (`nodeflow.state()`), in which it opens.
    """
    chosen: dict[str, Any] = {
        "begin": begin, "until": until, "epochs": epochs, "samples": samples, "level": level,
        "rows": rows, "float32": float32,
    }  # fmt: skip
    require_known(level, theme)
    index, blobs = data(graph, **chosen)
    if LESSON in graph.extra:
        blobs = _with_wired(graph, index, blobs, chosen)
    if neurons or operations:
        blobs = _with_apart(graph, index, blobs, chosen, neurons=neurons, operations=operations)
    if state is not None:
        index["state"] = dict(state)
    blobs = {"index": as_json(index).encode(), **blobs}
    player = [name for name in PLAYER if LESSON in graph.extra or name not in _OF_LESSONS]
    scripts = (*player, "joining.js", "page-live.js")
    text = filled(graph, theme, scripts, blobs, "'wasm-unsafe-eval'")
    if len(text) > LARGEST:
        raise ExportError(
            f"the page would be {len(text) / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} MB is the most; "
            "take fewer rows of the data"
        )
    return text


def _with_apart(
    graph: Graph, index: dict[str, Any], blobs: dict[str, bytes], chosen: dict[str, Any],
    *, neurons: bool, operations: bool,
) -> dict[str, bytes]:  # fmt: skip
    """Add the forms in which the layers are taken apart; a button leads from one to the next.

    A lesson is done in the layers, of which its tasks speak; the other forms are for looking.
    """
    bare = replace(graph, extra={k: v for k, v in graph.extra.items() if k != LESSON})
    apart = explode(bare)
    further = any(node.is_layer for node in apart.nodes.values())
    wanted = [("neurons", "Neurons", apart)] if neurons and (further or not operations) else []
    if operations:  # a layer of one neuron comes apart into them at once
        wanted.append(("operations", "Operations", explode(apart) if further else apart))
    known = {blob: name for name, blob in blobs.items()}
    forms: list[tuple[str, str, dict[str, Any]]] = [("", "Layers", index)]
    more: dict[str, bytes] = {}
    for name, label, taken in wanted:
        other, parts = data(taken, **{**chosen, "begin": None})
        other["pieces"] = _pieces(taken)
        other["same"] = {part: known[blob] for part, blob in parts.items() if blob in known}
        if LESSON in graph.extra:
            other["lesson"] = lessonpage.looked_at(graph)
            other["hidden"] = lessonpage.hidden(graph, other.get("twins", {}), taken)
        more |= {f"{name} {part}": blob for part, blob in parts.items() if blob not in known}
        forms.append((name, label, other))
    for at, (_, _, each) in enumerate(forms):
        name, label, _ = forms[(at + 1) % len(forms)]
        each["other"] = {"form": name, "label": label}
        each["apart"] = [[form, found["digest"]] for form, _, found in forms]
    more |= {f"{name} index": as_json(other).encode() for name, _, other in forms[1:]}
    return {**blobs, **more}


def _pieces(apart: Graph) -> dict[str, tuple[str, int]]:
    """Return by address of which parameter of the layers each is a piece, and where it begins."""
    cut: dict[str, tuple[str, int]] = {}
    for layer in records_of(apart).values():
        for whole in layer.split:
            size = layer.columns if layer.neuronal and whole == layer.weights else 1
            cut |= {piece: (whole, at * size) for at, piece in enumerate(layer.pieces(whole))}
    found = {}
    for piece in cut.keys() & apart.nodes.keys():
        whole, begin = cut[piece]
        while whole in cut:
            whole, before = cut[whole]
            begin += before
        found[f"{piece}.value"] = (f"{whole}.value", begin)
    return found


def _with_wired(
    graph: Graph, index: dict[str, Any], blobs: dict[str, bytes], chosen: dict[str, Any]
) -> dict[str, bytes]:
    """Add the forms with other wires that a lesson leads to; what is alike travels once."""
    known = {blob: name for name, blob in blobs.items()}
    more: dict[str, bytes] = {}
    for form in lessonpage.forms(graph)[1:]:
        other, parts = data(form.graph, form=form, **{**chosen, "begin": None})
        other["same"] = {name: known[blob] for name, blob in parts.items() if blob in known}
        other["digest"] = index["digest"]  # a link leads to the page's own graph
        named = {f"{form.name} {name}": part for name, part in parts.items() if part not in known}
        known |= {part: name for name, part in named.items()}
        more |= {f"{form.name} index": as_json(other).encode(), **named}
    return {**blobs, **more}


def module() -> str:
    """Return a module of JavaScript that exports `computing`, for a player in any element.

    `computing(element, {index, parts, markup})` takes what `data` returns, and `html.markup()`; the
    element's document has the style of `html.style_of()`.
    """
    return f"{script_of(PLAYER)}\nexport {{ computing }};\n"


def data(
    graph: Graph,
    *,
    begin: str | None = None,
    until: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    level: str = "step",
    rows: int | None = None,
    float32: bool = False,
    form: lessonpage.Wired | None = None,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a page that computes is made from: an index of plain data, and bytes by name.

    `form` is of a lesson: what its tasks have made of the graph by wires.
    """
    dtype = np.float32 if float32 else np.float64
    with sampled(graph, rows) as (thin, said):
        run = Run(thin, dtype=dtype, strict=LESSON not in graph.extra, room=ROOM)
        lesson = None
        if LESSON in graph.extra:
            lesson = lessonpage.as_data(form or lessonpage.forms(graph)[0], run)
        index, blobs = _data(graph, run, lesson, said, begin, until, epochs, samples, level)
    if lesson is not None:
        index["lesson"] = lesson
        index["hidden"] = lessonpage.hidden(graph, index.get("twins", {}))
    return index, blobs


def _data(
    graph: Graph,
    run: Run,
    lesson: dict[str, Any] | None,
    said: str,
    begin: str | None,
    until: str | None,
    epochs: int | None,
    samples: int | None,
    level: str,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    if not run.order:
        raise ExportError("there is nothing to play: the graph has no node that can be evaluated")
    formulas = templates(run)
    called = {name for each in formulas for name in functions(each.get("tree"))}
    forms, blobs = computing.engine(
        run, choices=lesson is not None, functions=called | _OF_CONDITIONS
    )
    first, end = _span(run, begin, until, epochs, samples)
    text = _graph_text(graph)
    shown = drawn_whole(graph, run)
    return {
        "name": graph.name or "nodeflow",
        "about": graph.about,
        "sampled": said,
        "level": level,
        "levels": LEVELS,
        "phases": PHASES,
        "epochs": graph.training.epochs,
        "begin": first,
        "end": end,
        "graph": json.loads(text),
        "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
        "forms": forms,
        "formulas": formulas,
        "remarks": remarks(run),
        "sentences": sentences(),
        "language": language(),
        "newest": {a: b for a in run.weights if (b := newest(run, a)) != a},
        "views": seeing.views(run),
        "neurons": seeing.neurons(run),
        "traces": {address: recipe_as_data(run, address) for address in run.weights},
        "parts": list(blobs),
        **picture(shown, scene(shown)),
        **_folded(graph, run),
    }, blobs


def _folded(graph: Graph, run: Run) -> dict[str, Any]:
    """Return how the graph is drawn with its backward pass hidden, and what stands for what."""
    made = [key for key in run.plan.graph.nodes if key not in graph.nodes]
    if not made or any(node.known is None for node in graph.nodes.values()):
        return {}
    trainers = graph.of_family("trainer")

    def twin(key: str) -> str:
        name = key
        while "." in name:
            name = name.rpartition(".")[0]
            if name in graph.nodes:
                return name
        return trainers[0] if trainers else key

    placed = graph if graph.layout else tidy(graph)
    return {"folded": picture(placed, scene(placed)), "twins": {key: twin(key) for key in made}}


@contextmanager
def sampled(graph: Graph, rows: int | None = None) -> Iterator[tuple[Graph, str]]:
    """Give a graph whose large data sets are thinned out to some rows, and what was left out.

    The rows are evenly spaced, in their order. Tables that the source itself set apart for testing
    keep their share.
    """
    from nodeflow.data.memory import hold, release

    held, said = [], []
    tables = plan_of(graph, strict=False).inference.tables
    for key, table in tables.items():
        count = len(table.x)
        wanted = rows if rows is not None else (count if table.x.size <= _MUCH else SAMPLE)
        if wanted >= count:
            continue
        parts = [table.x, table.y]
        if table.x_test is not None and table.y_test is not None:
            parts += [table.x_test, table.y_test]
        share = [wanted, wanted, *[max(1, wanted * len(p) // count) for p in parts[2:]]]
        thin = [p[np.linspace(0, len(p) - 1, n).round().astype(int)]
                for p, n in zip(parts, share, strict=True)]  # fmt: skip
        source = hold(tuple(thin))
        held.append(source)
        settings = {name: value for name, value in graph.settings(key).items() if name in _KEPT}
        node = replace(graph.nodes[key], settings={**settings, "source": source})
        graph = replace(graph, nodes={**graph.nodes, key: node})
        said.append(f"{wanted} of {count:,} rows of {key}")
    try:
        yield graph, ", ".join(said)
    finally:
        for source in held:
            release(source)


_OF_CONDITIONS = {*FUNCTIONS, *(sign for sign in OPERATORS if sign not in "+-*/")}
"""The functions of arithmetic that a condition may call."""
SAMPLE = 500
_MUCH = 1_000_000
"""Numbers of a data set that is not thinned out."""
_KEPT = ("scale", "test", "shuffle", "scale_target")
"""Settings of a data set that say nothing about how its file is read."""


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
