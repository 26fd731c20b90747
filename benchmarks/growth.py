"""Large graphs of scalar nodes: does the time to load, plan and run grow with their size alone?"""

from __future__ import annotations

import gc
import importlib.util
import json
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np

from benchmarks.builds import NEW, OLD, Build, builds
from benchmarks.harness import Result, Row, Target, in_turns, ratio, ratios, spread
from nodeflow.engine.plan import plan
from nodeflow.engine.run import Run
from nodeflow.graph import Graph, Node, Training, Wire
from nodeflow.workings.shown import duration

_SIZES = (100, 1_000, 10_000, 100_000)
_FEWER = 10_000
"""Up to so many nodes several rounds are taken."""
_LONG = 20.0
"""What takes more seconds is done once."""
_TRAINED = 10_000
"""Up to so many nodes a graph is also tried with a trainer."""


class Builder:
    """Collects nodes and wires of a graph file."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: dict[str, dict[str, Any]] = {}
        self.wires: list[str] = []

    def node(self, kind: str, *inputs: tuple[str, list[str]], **settings: Any) -> str:
        """Add a node wired to the addresses given for each port, and return its id."""
        key = f"{self.prefix}{len(self.nodes):06d}"
        self.nodes[key] = {"type": kind, **({"settings": settings} if settings else {})}
        for port, sources in inputs:
            for index, source in enumerate(sources):
                number = f"[{index}]" if len(sources) > 1 else ""
                self.wires.append(f"{source} -> {key}.{port}{number}")
        return key

    def text(self, name: str) -> str:
        """Return the graph file."""
        return json.dumps(
            {
                "format": "nodeflow",
                "version": 1,
                "name": name,
                "about": "",
                "training": {"batch": 1, "epochs": 1, "seed": 0},
                "nodes": self.nodes,
                "wires": sorted(self.wires),
                "groups": {},
                "layout": {},
            }
        )


def chain(size: int, prefix: str) -> str:
    """Return a file with one constant and a long line of tanh, add and sigmoid."""
    b = Builder(prefix)
    step = f"{b.node('constant', value=0.1)}.value"
    at = step
    while len(b.nodes) < size:
        if len(b.nodes) % 3 == 1:
            at = f"{b.node('add', ('a', [at, step]))}.value"
        else:
            at = f"{b.node(('sigmoid', 'tanh')[len(b.nodes) % 2], ('z', [at]))}.a"
    return b.text("chain")


def layers(size: int, prefix: str) -> str:
    """Return a file with layers of 50 scalar nodes, each reading one to three of the last layer.

    Every other layer squashes, so that the numbers stay small.
    """
    b, random = Builder(prefix), Random(5)
    wide = min(50, max(2, size // 5))
    last = [f"{b.node('constant', value=(i + 1) / wide)}.value" for i in range(wide)]
    arithmetic = True
    while len(b.nodes) < size:
        layer = []
        for place in range(min(wide, size - len(b.nodes))):
            kind = place % 5 if arithmetic else 1 + place % 2
            some = random.sample(last, 2 if len(last) < 3 else 2 + place % 2)
            if kind == 0:
                layer.append(f"{b.node('multiply', ('a', some[:2]))}.value")
            elif kind == 1:
                layer.append(f"{b.node('sigmoid', ('z', some[:1]))}.a")
            elif kind == 2:
                layer.append(f"{b.node('tanh', ('z', some[:1]))}.a")
            elif kind == 3:
                pair = (("a", some[:1]), ("b", some[1:2]))
                layer.append(f"{b.node('subtract', *pair)}.value")
            else:
                layer.append(f"{b.node('add', ('a', some))}.value")
        last, arithmetic = layer, not arithmetic
    return b.text("layers")


def neurons(size: int, prefix: str) -> str:
    """Return a file with a network exploded to scalars: a weight, a product a wire, and a trainer.

    Every node of a layer is read by all of the next one, and blame goes back through all.
    """
    b = Builder(prefix)
    wide = max(2, min(10, size // 25))
    random = Random(9)

    def number() -> str:
        return f"{b.node('parameter', value=[random.uniform(-0.5, 0.5)])}.value"

    last = [f"{b.node('constant', value=(i + 1) / wide)}.value" for i in range(wide)]
    while True:
        # weights, products, sum and activation of a layer; six nodes end the graph
        if len(b.nodes) + wide * (2 * wide + 3) > size - 6 and len(b.nodes) > wide:
            break
        layer = []
        for _ in range(wide):
            parts = [f"{b.node('multiply', ('a', [a, number()]))}.value" for a in last]
            total = b.node("add", ("a", [*parts, number()]))
            layer.append(f"{b.node('sigmoid', ('z', [f'{total}.value']))}.a")
        last = layer
    output = f"{b.node('concatenate', ('a', last))}.value"
    target = f"{b.node('constant', value=[0.5] * wide)}.value"
    cost = f"{b.node('squared_error', ('a', [output]), ('y', [target]))}.cost"
    b.node("gradient_descent", ("cost", [cost]), rate=0.1)
    return b.text("neurons")


def loader() -> tuple[Callable[[str], Graph], str]:
    """Return how a graph's text is read, and a note where `nodeflow.files` cannot do it yet."""
    if importlib.util.find_spec("nodeflow.files") is not None:
        try:
            from nodeflow import files

            load: Callable[[str], Graph] = files.loads
            load(chain(4, "n"))
        except (ImportError, AttributeError, NotImplementedError) as error:
            note = f"nodeflow.files is not ready ({type(error).__name__})"
        else:
            return load, ""
    else:
        note = "nodeflow.files is not there"
    return _build, f"{note}: json and Graph(…).validate() stand in for loading"


def _build(text: str) -> Graph:
    data = json.loads(text)
    graph = Graph(
        nodes={
            key: Node(node["type"], node.get("settings", {})) for key, node in data["nodes"].items()
        },
        wires=tuple(map(Wire.parse, data["wires"])),
        name=data["name"],
        training=Training(**data["training"]),
    )
    graph.validate()
    return graph


@dataclass
class Stages:
    """How long each stage took."""

    load: float
    plan: float
    run: float
    """nf.Run(graph): the plan again, and the tape."""
    step: float
    """One pass, with the values it leaves read."""
    finite: bool

    @property
    def total(self) -> float:
        """Load, plan (within nf.Run) and pass."""
        return self.load + self.run + self.step


def measure(load: Callable[[str], Graph], make: Callable[[int, str], str], size: int) -> Stages:
    """Take a graph from its text to the end of one pass.

    Planned and run are graphs of other ids, so that nothing is found in a cache.
    """
    planned = load(make(size, "p"))
    text = make(size, "n")
    gc.collect()
    gc.disable()
    try:
        moments = [time.perf_counter()]
        plan(planned)
        moments.append(time.perf_counter())
        graph = load(text)
        moments.append(time.perf_counter())
        run = Run(graph)
        moments.append(time.perf_counter())
        run.train(updates=1)
        moments.append(time.perf_counter())
    finally:
        gc.enable()
    planning, loading, running, passing = np.diff(moments).tolist()
    finite = all(np.isfinite(run[a]).all() for a in _some_addresses(run))
    return Stages(loading, planning, running, passing, finite)


def _some_addresses(run: Run) -> list[str]:
    addresses = sorted(run.machine.tape.slots)
    return addresses[:: max(1, len(addresses) // 50)]


def slope(points: list[tuple[int, float]]) -> float:
    """Return the exponent p of seconds ≈ c · nodesᵖ, by least squares of the logarithms."""
    if len(points) < 2:
        return math.nan
    sizes, seconds = np.log(np.array(points)).T
    return float(np.polyfit(sizes, seconds, 1)[0])


def run(*, quick: bool = False) -> Result:
    """Take graphs of growing size through all stages."""
    result = Result("growth", "graphs of scalar nodes: load, plan, nf.Run (plans too), one pass")
    load, note = loader()
    if note:
        result.notes.append(note)
    sizes = (50, 100, 400) if quick else _SIZES
    Run(load(chain(10, "warm"))).train(updates=1)  # compile
    wanted = 400 if quick else 10_000
    makers = {"chain": chain, "layers": layers, "neurons and trainer": neurons}
    for name, make in makers.items():
        trained = name == "neurons and trainer"
        points: list[tuple[int, float]] = []
        for size in sizes:
            if trained and size > _TRAINED:
                continue
            rounds = 1 if quick or size > _FEWER else 3
            found = [measure(load, make, size)]
            while len(found) < rounds and found[0].total < _LONG:
                found.append(measure(load, make, size))
            if not all(stage.finite for stage in found):
                result.disagreements.append(f"growth: {name} of {size:,} nodes is not finite")
            stages = [median(getattr(s, part) for s in found) for part in _PARTS]
            shown = ", ".join(
                f"{part} {duration(own)}" for part, own in zip(_PARTS, stages, strict=True)
            )
            total = median(s.total for s in found)
            result.rows.append(
                Row(f"{name}, {size:,} nodes", total, text=f"{shown} = {duration(total)}")
            )
            points.append((size, stages[1]))
            if size == wanted:
                text = f"{name} of {size:,} nodes: load, plan and run in seconds"
                result.targets.append(Target(text, 1.0, total, unit=" s"))
        # Small graphs are mostly fixed costs, which would flatter the exponent.
        large = [point for point in points if point[0] >= 1000] or points
        text = f"{name}: exponent of planning from {large[0][0]:,} to {large[-1][0]:,} nodes"
        result.targets.append(Target(text, 1.15, slope(large), unit=""))
    _beside_the_old_build(result, quick=quick)
    return result


def _beside_the_old_build(result: Result, *, quick: bool) -> None:
    """Load, plan and run the largest graphs in processes of both builds, in turns."""
    jobs = {
        "neurons and trainer": (neurons, 400 if quick else 10_000, 4, 0.5),
        "chain": (chain, 400 if quick else 100_000, 3, 2.0),
    }
    with tempfile.TemporaryDirectory() as name, builds(result.notes, quick=quick) as both:
        folder = Path(name)
        for shown, (make, size, limit, hoped) in jobs.items():
            (folder / "large.json").write_text(make(size, "n"), encoding="utf-8")
            (folder / "small.json").write_text(make(100, "n"), encoding="utf-8")

            def once(build: Build) -> float:
                large, small = folder / "large.json", folder / "small.json"
                return float(build.told("growth", large, small))

            for build in both:  # not counted: machine code and bytecode are made
                build.told("growth", folder / "small.json", folder / "small.json")
            turns = {build.name: partial(once, build) for build in both}
            times = in_turns(turns, 1 if quick else 3)
            result.rows += [
                Row(f"{shown} of {size:,} nodes in a process, {build}", text=duration(median(own)))
                for build, own in times.items()
            ]
            if OLD in times:
                found = ratios(times, OLD, NEW)
                target = Target(
                    f"{shown} of {size:,} nodes, load, plan and run: {OLD} over this build", limit,
                    ratio(times, OLD, NEW), min(found), at_most=False, spread=spread(found),
                )  # fmt: skip
                seconds = median(times[NEW])
                result.targets.append(target.hoping_for(hoped, measured=seconds, unit=" s"))


_PARTS = ("load", "plan", "run", "step")
