"""Graph files that are spoilt at random, taken through every stage.

Whatever is in a file: a graph comes of it or one sentence, in 2 s and 0.2 ms a node, and in 500 MB.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nodeflow.errors import NodeflowError
from torture.report import Report

GRAPHS = Path(__file__).parent.parent / "graphs"
_LARGEST_START = 30_000
_SECONDS, _A_NODE = 2.0, 0.0002
_ROOM = 500 * 2**20

_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3.5, -0.0, 1e300, 5e-324, 2**31, 2**63 - 1, 2**63, 2**64 - 1,
    10**9, 10**30, "", "a", "NaN", "Infinity", "-Infinity", "all", "x.value", "../../x.csv",
    "é\u202e\x1b[31m", "a" * 5000, "\ud800", [], [[]], [[], []], [[1], [1, 2]], [0, 0], [-1, 2],
    [100_000, 100_000], [2**40], [1] * 1025, [[1.0] * 40] * 40, {}, {"": 0}, {"a": {"b": []}},
    {"file": "x.npz", "array": "w.value", "sha256": "0" * 64}, [None, "a"],
)  # fmt: skip


def documents() -> list[dict[str, Any]]:
    """Return what the mutations start from: the graphs that come with nodeflow, small ones."""
    files = [file for file in sorted(GRAPHS.rglob("*.json"))
             if file.stat().st_size <= _LARGEST_START]  # fmt: skip
    texts = [file.read_text("utf-8") for file in files]
    # What is spoilt is the graph file: data of 70,000 rows would only take its time.
    return [json.loads(text) for text in texts if "mnist" not in text]


def mutated(dice: random.Random, known: list[dict[str, Any]]) -> bytes:
    """Return a spoilt graph file: its values by all means, sometimes its bytes."""
    document = copy.deepcopy(dice.choice(known))
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        _spoil(document, dice, known)
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    if dice.random() < 0.1:
        for _ in range(dice.randint(1, 5)):
            at = dice.randrange(len(text))
            text = text[:at] + dice.randbytes(dice.randint(0, 3)) + text[at + dice.randint(0, 9) :]
    return text


def _spoil(document: dict[str, Any], dice: random.Random, known: list[dict[str, Any]]) -> None:
    places = list(_places(document))
    parent, key = dice.choice(places)
    if dice.random() < 0.5:  # settings and wires rather than the words around them
        inner = [one for one in places if one[0] is not document]
        parent, key = dice.choice(inner or places)
    match dice.randrange(7):
        case 0 | 1 | 2:
            parent[key] = copy.deepcopy(dice.choice(_ODD))
        case 3:
            other, name = dice.choice(list(_places(dice.choice(known))))
            parent[key] = copy.deepcopy(other[name])
        case 4:
            other, name = dice.choice(places)
            parent[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(parent[key])
        case 5:
            del parent[key]
        case 6 if isinstance(parent, dict):
            names = ("next", "groups", "training", "mode", "places", "part", "note", "x.y", "é")
            parent[dice.choice(names)] = copy.deepcopy(dice.choice(_ODD))
        case _:
            if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(parent[key]))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    stack = [value]
    while stack:
        found = stack.pop()
        keys = found if isinstance(found, dict) else range(len(found))
        for key in keys:
            yield found, key
            if isinstance(found[key], dict | list):
                stack.append(found[key])


def stages(data: bytes, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield all that is done with a graph file, each with its name; they share the graph."""
    import nodeflow as nf
    from nodeflow.derive.tidy import tidy
    from nodeflow.difference import difference
    from nodeflow.editor.state.model import Editor
    from nodeflow.export import html, svg
    from nodeflow.files import dumps, loads
    from nodeflow.merging import merge
    from nodeflow.scene import scene, with_places
    from nodeflow.theme import LIGHT

    graph: Any = None

    def load() -> None:
        nonlocal graph
        graph = loads(data, file="spoilt.json", folder=folder)

    def evaluate() -> None:
        run = nf.Run(graph, strict=False)
        if run.order:
            run.evaluate()
        run = nf.Run(graph)
        run.evaluate()
        if run.schedule.steps_per_epoch < 200_000:
            run.train(epochs=1)

    def draw() -> None:
        placed = with_places(graph)
        svg.svg(scene(placed), LIGHT)

    def edit() -> None:
        Editor.of(graph)

    yield "load", load
    if graph is None:
        return
    yield "write", lambda: dumps(loads(dumps(graph)))
    yield "draw", draw
    yield "edit", edit
    yield "tidy", lambda: tidy(graph)
    yield "unfold", lambda: nf.unfold(graph)
    yield "fold", lambda: nf.fold(graph)
    yield "explode", lambda: nf.explode(graph)
    yield "difference", lambda: difference(graph, graph)
    yield "merge", lambda: merge(graph, graph, graph)
    yield "evaluate", evaluate
    yield "page", lambda: html.page(graph, epochs=1)
    yield "check", lambda: nf.check(graph)


def tortured(seconds: float, *, most: int = 100_000, seed: int = 0) -> Report:
    """Spoil files for so long, or so many."""
    report = Report("mutated files")
    known = documents()
    folder = GRAPHS
    warnings.simplefilter("ignore")
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end and number < most:
        data = mutated(random.Random(f"{seed}:{number}"), known)
        _through(data, folder, report, f"mutated file {seed}:{number}")
        number += 1
        report.count("files")
    return report


def _through(data: bytes, folder: Path, report: Report, how: str) -> None:
    nodes = data.count(b'"type"')
    for name, stage in stages(data, folder):
        before, room = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            stage()
            report.count("stages passed")
        except NodeflowError as error:
            report.count("refused in a sentence")
            if "\n" in str(error) or not str(error) or len(str(error)) > 1000:
                report.fault(f"{name}: not one sentence: {str(error)[:80]!r}", how)
        except Exception as error:  # noqa: BLE001  this is what is looked for
            report.raised(name, error, how)
        took = time.process_time() - before
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - room) * 1024
        if name in ("load", "draw") and took > _SECONDS + _A_NODE * nodes:
            report.fault(f"{name}: slow", f"{how} took {took:.1f} s")
        if took > 20:
            report.fault(f"{name}: very slow", f"{how} took {took:.1f} s")
        if grown > _ROOM:
            report.fault(f"{name}: large", f"{how} took {grown >> 20} MB")
