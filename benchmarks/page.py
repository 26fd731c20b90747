"""The page that computes: how fast it trains in a browser, how large it is, how soon it opens."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import wheat
from benchmarks.harness import Result, Row, Target, in_turns, ratio, ratios, spread
from benchmarks.jobs import Job
from nodeflow.engine.run import Run
from nodeflow.errors import DataError
from nodeflow.export import live
from nodeflow.files import load
from nodeflow.graph import Graph
from nodeflow.workings.shown import duration

_ROOT = Path(__file__).parent.parent
_PAGE, _NEURONS, _LOOPS, _PYTHON = (
    "page in Chromium", "page, neuron level", "Numba loops by hand", "nodeflow in Python",
)  # fmt: skip


def _browser() -> Any:
    """Return the module that drives a browser in the tests; None where there is no browser."""
    folder = str(_ROOT / "tests")
    if folder not in sys.path:
        sys.path.append(folder)
    import helpers_browser

    return helpers_browser if helpers_browser.executable() else None


class _Page:
    """A page in a tab of its own."""

    def __init__(self, browser: Any, graph: Graph, path: Path) -> None:
        begun = time.perf_counter()
        path.write_text(live.page(graph), encoding="utf-8")
        self.made = time.perf_counter() - begun
        self.browser, self.path = browser, path

    def open(self) -> float:
        """Open it; return the seconds until it shows its first step."""
        self.browser.open(self.path)
        return float(self.browser.run("nodeflow.opened")) / 1000

    def train(self, epochs: int) -> float:
        """Return the seconds that training from the start takes, told by the page itself."""
        script = (
            "(async () => { nodeflow.reset(); const begun = performance.now();"
            f"await nodeflow.train({epochs}); return performance.now() - begun; }})()"
        )
        return float(self.browser.run(script)) / 1000


def run(*, quick: bool = False) -> Result:
    """Race a page against hand-written loops on the wheat network."""
    result = Result("page", "")
    helpers = _browser()
    try:
        made, shown = wheat.graph()
    except DataError as error:
        helpers, shown = None, ""
        result.notes.append(f"skipped: {error}")
    epochs, rounds = (20, 2) if quick else (500, 11)
    result.title = f"a page that computes: {shown}, one row at a time, {epochs} epochs"
    if helpers is None:
        result.notes.append("skipped: there is no Chromium")
        return result
    job = Job.of(made, Run(made))
    with tempfile.TemporaryDirectory() as name, helpers.browser() as browser:
        folder = Path(name)
        _sizes(result, browser, folder, rounds)
        own = _Page(browser, made, folder / "wheat.html")
        neurons = wheat.levels(made)["neuron level"]
        apart = _Page(browser, neurons, folder / "neurons.html")

        def page(which: _Page) -> float:
            which.open()
            which.train(min(epochs, 100))  # the browser compiles again what runs often
            return which.train(epochs)

        def by_hand() -> float:
            loops = wheat.Loops(job)
            begun = time.perf_counter()
            loops.train(epochs)
            return time.perf_counter() - begun

        def python() -> float:
            fresh = Run(made)
            begun = time.perf_counter()
            fresh.train(epochs)
            return time.perf_counter() - begun

        by_hand()  # compiled
        work = {
            _PAGE: lambda: page(own), _NEURONS: lambda: page(apart), _LOOPS: by_hand,
            _PYTHON: python,
        }  # fmt: skip
        times = in_turns(work, rounds)
        weights = browser.run("nodeflow.reset(), nodeflow.train(5).then(() => nodeflow.weights())")
    result.rows += [
        Row(name, median(own_times), ratio(times, name, _LOOPS), text=duration(median(own_times)))
        for name, own_times in times.items()
    ]
    for name, reach in ((_PAGE, 4.0), (_NEURONS, None)):
        found = ratios(times, name, _LOOPS)
        target = Target(
            f"{name} over {_LOOPS}", 15, ratio(times, name, _LOOPS), min(found),
            spread=spread(found),
        )  # fmt: skip
        result.targets.append(target if reach is None else target.hoping_for(reach))
    fresh = Run(neurons)
    fresh.train(5)
    same = all(value.tolist() == weights[address] for address, value in fresh.weights.items())
    result.agree(
        "after 5 epochs the page has the weights of Python, to the bit", 1.0, float(same), 0
    )
    return result


def _sizes(result: Result, browser: Any, folder: Path, rounds: int) -> None:
    """Add how large pages are, and how soon they open."""
    for name, limit in (("xor", 180), ("wheat-seeds-neurons-unfolded", 600)):
        graph = load(_ROOT / "graphs" / f"{name}.json")
        try:
            page = _Page(browser, graph, folder / f"{name}.html")
        except DataError as error:
            result.notes.append(f"skipped: the page of {name}: {error}")
            continue
        size = page.path.stat().st_size / 1000
        opened = [page.open() for _ in range(rounds)]
        result.rows.append(Row(f"opening the page of {name}", median(opened),
                               text=duration(median(opened))))  # fmt: skip
        result.targets.append(Target(f"size of the page of {name}", limit, size, unit=" kB"))
        if name == "xor":
            took = Target("opening the page of xor", 300, 1000 * median(opened),
                          1000 * min(opened), unit=" ms", spread=spread(opened))  # fmt: skip
            result.targets.append(took)
