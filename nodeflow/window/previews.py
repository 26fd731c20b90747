"""A value as a picture: bars and strips for every node, and what the views show.

The sign is told by colour and by place or strength; nothing is drawn for a single number. What a
view needs beyond its value (the plane of a boundary, the counts of a confusion) is evaluated in a
thread beside the window.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.graph import Graph
from nodeflow.theme import Theme
from nodeflow.window.colours import Colour, mixed, rgba

if TYPE_CHECKING:
    from nodeflow.data.splitting import Split
    from nodeflow.data.table import Table
    from nodeflow.editor.model import Editor, Live
    from nodeflow.engine.run import Run

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]
"""Rows × columns × red, green, blue, opacity, from 0 to 1."""

MOST_BARS, MOST_ROWS = 32, 16
"""More numbers are averaged down to so many."""
_LEAST_SIDE, _MOST_TILES = 4, 60
_FINEST = 250
"""A picture has at most about so many pixels a side: it goes to the display every frame."""
_SIDE, _MOST_POINTS, _MOST_COUNTED = 64, 240, 5000
_PAUSE = 0.15
"""Seconds between two evaluations of what the views show."""
_LONGEST = 1000
_AGAIN = 200
"""A run is given other weights so often before a new one is made: it remembers all of them."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled rectangle, in shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float
    colour: Colour


def patches(value: NDArray[Any], theme: Theme) -> tuple[Patch, ...]:
    """Return the picture of a value."""
    array = np.atleast_2d(np.asarray(value, dtype=float))
    if array.size < 2 or array.ndim != 2 or not np.isfinite(array).all():
        return ()
    if 1 in array.shape:
        return _bars(_fewer(array.reshape(1, -1), 1, MOST_BARS)[0], theme)
    return _cells(_fewer(array, MOST_ROWS, MOST_BARS), theme)


def _bars(row: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    largest = float(np.abs(row).max()) or 1.0
    low, high = min(float(row.min()), 0.0) / largest, max(float(row.max()), 0.0) / largest
    span = (high - low) or 1.0
    zero = high / span
    step = 1.0 / row.size
    gap = step * 0.15 if row.size <= 20 else 0.0
    found = []
    for number, share in enumerate((row / largest).tolist()):
        end = zero - share / span
        top, bottom = min(zero, end), max(zero, end)
        colour = mixed(theme.body, theme.positive if share >= 0 else theme.negative, 0.9)
        bottom = max(bottom, top + 0.06)  # a zero is a line, not nothing
        found.append(Patch(number * step + gap, top, (number + 1) * step - gap, bottom, colour))
    return tuple(found)


def _cells(array: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    rows, columns = array.shape
    largest = float(np.abs(array).max()) or 1.0
    high, wide = 1.0 / rows, 1.0 / columns
    return tuple(
        Patch(
            column * wide,
            row * high,
            (column + 1) * wide,
            (row + 1) * high,
            mixed(
                theme.canvas,
                theme.positive if number >= 0 else theme.negative,
                round(abs(number) / largest, 2),
            ),
        )
        for row, line in enumerate(array.tolist())
        for column, number in enumerate(line)
    )


def _fewer(array: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Return at most so many rows and columns, each the mean of those that it stands for."""
    for axis, most in ((0, rows), (1, columns)):
        size = array.shape[axis]
        if size > most:
            starts = np.arange(most) * size // most
            counts = np.diff(np.append(starts, size))
            sums = np.add.reduceat(array, starts, axis=axis)
            array = sums / (counts[:, None] if axis == 0 else counts)
    return array


# --- what views show ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Several:
    """Values of several wires, with what they come from; of bars, one value and class names."""

    names: tuple[str, ...]
    values: tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class Lines:
    """How values changed: (points, 2) each, of update and value."""

    names: tuple[str, ...]
    lines: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Plane:
    """The outputs of a network over the plane of its two inputs, and points with their class."""

    low: tuple[float, float]
    high: tuple[float, float]
    outputs: Floats
    """Rows from the top of the plane, columns from its left, a number an output."""
    points: Floats
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    middle: float = 0.5
    """What lies between two classes that one output tells."""


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each class (a row) was taken for each (a column)."""

    table: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def right(self) -> tuple[int, int]:
        """How many are on the diagonal, and how many there are."""
        return int(np.trace(self.table)), int(self.table.sum())


Content = NDArray[Any] | Several | Lines | Plane | Counts | str | None
"""What a node shows; a text says why there is nothing."""


def class_colours(theme: Theme) -> tuple[str, ...]:
    """Return colours for classes, which have marks and names as well."""
    return (
        theme.negative, theme.positive, theme.backward, theme.feedback, theme.forward,
        theme.problem, theme.selected, theme.faint, theme.border, theme.text,
    )  # fmt: skip


# --- pixels -------------------------------------------------------------------------------------


def _rgb(colour: str) -> Pixels:
    return np.array([part / 255 for part in rgba(colour)], np.float32)


def _blend(one: Pixels, other: Pixels, share: NDArray[Any]) -> Pixels:
    return np.asarray(one + (other - one) * share[..., None], np.float32)


def tones(array: Floats, theme: Theme, largest: Floats | float) -> Pixels:
    """Return numbers as colours: greys, or two colours where some are negative."""
    share = np.clip(np.abs(array) / largest, 0, 1)
    if array.min(initial=0.0) >= 0:
        return _blend(_rgb(theme.canvas), _rgb(theme.text), share)
    high = _blend(_rgb(theme.canvas), _rgb(theme.positive), share)
    low = _blend(_rgb(theme.canvas), _rgb(theme.negative), share)
    return np.where((array >= 0)[..., None], high, low).astype(np.float32)


def picture(value: NDArray[Any], theme: Theme, room: tuple[float, float]) -> Pixels | None:
    """Return a matrix as tiles, a row each, or as a heat map; None if it is no picture."""
    array = np.atleast_2d(np.asarray(value, float))
    if array.ndim != 2 or array.size < 2 or not np.isfinite(array).all():
        return None
    side = isqrt(array.shape[1])
    if side * side == array.shape[1] and side >= _LEAST_SIDE:
        return _enlarged(_tiles(array[:_MOST_TILES], side, theme, room))
    array = _fewer(array, _FINEST, _FINEST)
    return _enlarged(tones(array, theme, float(np.abs(array).max()) or 1.0))


def _tiles(array: Floats, side: int, theme: Theme, room: tuple[float, float]) -> Pixels:
    """Lay rows side by side, each as a square of its own brightness."""
    count = len(array)
    columns = max(range(1, count + 1), key=lambda n: min(room[0] / n, room[1] / -(-count // n)))
    lines, step = -(-count // columns), side + 1
    largest = np.maximum(np.abs(array).max(axis=1), 1e-12)[:, None]
    squares = tones(array, theme, largest).reshape(count, side, side, 4)
    sheet = np.empty((lines * step + 1, columns * step + 1, 4), np.float32)
    sheet[:] = _rgb(theme.border)
    if count < lines * columns:  # no frame around what is not there
        sheet[-step:, count % columns * step + 1 :] = _rgb(theme.body)
    for number, square in enumerate(squares):
        y, x = number // columns * step + 1, number % columns * step + 1
        sheet[y : y + side, x : x + side] = square
    return sheet


def _enlarged(pixels: Pixels) -> Pixels:
    """Return a picture with larger pixels: the display would blur small ones."""
    times = max(_FINEST // max(pixels.shape[:2]), 1)
    return np.ascontiguousarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def regions(plane: Plane, theme: Theme) -> Pixels:
    """Return the plane coloured by class, stronger where the network is surer; lines between."""
    outputs = plane.outputs
    if outputs.shape[2] == 1:
        gap = outputs[..., 0] - plane.middle
        chosen = (gap > 0).astype(int)
        sure = np.clip(np.abs(gap) / max(1 - plane.middle, 1e-9), 0, 1)
    else:
        chosen = outputs.argmax(axis=2)
        best = np.partition(outputs, -2, axis=2)
        sure = np.clip(best[..., -1] - best[..., -2], 0, 1)
    palette = np.stack([_rgb(colour) for colour in class_colours(theme)])
    pixels = _rgb(theme.canvas) + (palette[chosen % len(palette)] - _rgb(theme.canvas)) * (
        0.12 + 0.5 * sure[..., None]
    )
    edge = np.zeros(chosen.shape, bool)
    edge[:, 1:] |= chosen[:, 1:] != chosen[:, :-1]
    edge[1:] |= chosen[1:] != chosen[:-1]
    pixels[edge] = _rgb(theme.text)
    return np.ascontiguousarray(pixels, np.float32)


# --- what is collected while a network runs -----------------------------------------------------


class Traces:
    """The past of what enters plots: a point each time the run tells something."""

    def __init__(self) -> None:
        self._past: dict[str, dict[str, list[tuple[float, float]]]] = {}
        self._at = -1
        self._values: object = None

    def collect(self, plots: Mapping[str, Sequence[str]], live: Live) -> None:
        """Add what the run told last; a run that began again has no past."""
        if live.values is self._values:
            return
        self._values = live.values
        if live.update < self._at:
            self._past.clear()
        self._at = live.update
        for gone in self._past.keys() - plots.keys():
            del self._past[gone]
        for key, starts in plots.items():
            past = self._past.setdefault(key, {})
            for start in starts:
                value = live.values.get(start)
                if value is not None and np.size(value):
                    _append(past.setdefault(start, []), (live.update, float(np.mean(value))))

    def of(self, key: str, starts: Sequence[str]) -> Lines | None:
        """Return the past of what enters a plot."""
        past = self._past.get(key, {})
        names = tuple(start for start in starts if past.get(start))
        return Lines(names, tuple(np.array(past[name]) for name in names)) if names else None


def _append(line: list[tuple[float, float]], point: tuple[float, float]) -> None:
    if line and line[-1][0] == point[0]:
        line[-1] = point  # the same moment, looked at again
        return
    line.append(point)
    if len(line) > _LONGEST:
        del line[1:-1:2]


# --- what is evaluated beside -------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Job:
    graph: Graph
    tables: Mapping[str, Table]
    live: Live
    views: tuple[str, ...]


@dataclass(eq=False)
class _Cut:
    """A run of a part of the graph, with rows in place of its data."""

    made_from: tuple[object, ...]
    run: Run
    used: int = 0


@dataclass(eq=False)
class _Bench:
    """What the thread keeps from one evaluation to the next."""

    graph: object = None
    splits: dict[str, Split] = field(default_factory=dict)
    cuts: dict[str, _Cut] = field(default_factory=dict)
    rows: dict[str, Floats] = field(default_factory=dict)


class Beside:
    """Evaluates boundaries and confusions in a thread; the newest weights win."""

    def __init__(self) -> None:
        self.found: dict[str, Plane | Counts | str] = {}
        self._changed = threading.Condition()
        self._job: _Job | None = None
        self._news: dict[str, Plane | Counts | str] | None = None
        self._working = False
        self._asked: tuple[object, ...] = ()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something will come."""
        return self._working

    def look(self, editor: Editor, views: tuple[str, ...]) -> bool:
        """Ask for what the views of an editor show; return whether something has come."""
        asked = (editor.graph.nodes, editor.graph.wires, editor.live.values, views)
        if views and not _alike(asked, self._asked) and editor.live.weights:
            self._asked = asked
            self._ask(_Job(editor.graph, editor.inference.tables, editor.live, views))
        with self._changed:
            news, self._news = self._news, None
        if news is not None:
            self.found = news
        return news is not None

    def _ask(self, job: _Job) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="nodeflow-views", daemon=True)
            self._thread.start()
        with self._changed:
            self._job, self._working = job, True
            self._changed.notify_all()

    def _work(self) -> None:
        bench = _Bench()
        while True:
            with self._changed:
                while self._job is None:
                    self._changed.wait()
                job, self._job = self._job, None
            found = {key: _shown(bench, job, key) for key in job.views}
            with self._changed:
                self._news = found
                self._working = self._job is not None
            time.sleep(_PAUSE)


def _alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is tuple and a == b) for a, b in zip(one, other, strict=True)
    )


def _shown(bench: _Bench, job: _Job, key: str) -> Plane | Counts | str:
    """Return what a view shows, or why not: a fault must not end the thread."""
    if bench.graph is not job.graph.nodes:
        bench.graph = job.graph.nodes
        bench.splits, bench.cuts, bench.rows = {}, {}, {}
    inputs = {name: wires[0].start for name, wires in job.graph.inputs(key).items() if wires}
    try:
        if job.graph.nodes[key].type == "boundary":
            return _plane(bench, job, key, inputs)
        return _counts(bench, job, key, inputs)
    except KeyError as error:
        return f"wire {error.args[0]} as well" if error.args[0] in ("x", "a", "y") else "no data"
    except Exception as error:  # noqa: BLE001  whatever it is, the window lives on
        return str(error)


def _split_of(bench: _Bench, job: _Job, data: str) -> Split | None:
    """Return the rows of a data set, as training sees them."""
    from nodeflow.data.splitting import split_by

    if data not in job.tables:
        return None
    if data not in bench.splits:
        settings, seed = job.graph.settings(data), job.graph.training.seed
        bench.splits[data] = split_by(settings, job.tables[data], seed)
    return bench.splits[data]


def _plane(bench: _Bench, job: _Job, key: str, inputs: Mapping[str, str]) -> Plane | str:
    start, goal = inputs["x"], inputs["a"]
    split = _split_of(bench, job, start.rpartition(".")[0])
    rows = np.atleast_2d(job.live.values[start] if split is None else split.x)
    if rows.shape[1] != 2:
        return f"x has {rows.shape[1]} numbers, not 2"
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = np.maximum((high - low) * 0.2, 1e-6)
    low, high = low - margin, high + margin
    if key not in bench.rows:
        across, down = np.linspace(low[0], high[0], _SIDE), np.linspace(high[1], low[1], _SIDE)
        bench.rows[key] = np.stack(np.meshgrid(across, down), axis=2).reshape(-1, 2)
    outputs = _answers(bench, job, key, (start, goal), bench.rows[key])
    outputs = outputs.reshape(_SIDE, _SIDE, -1)
    names: tuple[str, ...] = () if split is None else split.classes
    points, classes, middle = np.zeros((0, 2)), np.zeros(0, int), 0.5
    if split is not None:
        step = -(-len(split.x) // _MOST_POINTS)
        points, targets = np.asarray(split.x[::step], float), split.y[::step]
        if split.y.shape[1] == 1:
            middle = float(split.y.min() + split.y.max()) / 2
        classes = _classes(targets, middle)
    if not names and outputs.shape[2] == 1:
        shown = middle if split is None else float(split.in_units(np.array([[middle]]))[0, 0])
        names = (f"below {shown:g}", f"above {shown:g}")
    corners = (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
    return Plane(*corners, outputs, points, classes, names, middle)


def _counts(bench: _Bench, job: _Job, key: str, inputs: Mapping[str, str]) -> Counts | str:
    goal, target = inputs["a"], inputs["y"]
    data = target.rpartition(".")[0]
    split = _split_of(bench, job, data)
    if split is None:
        return "y must come from a data set"
    if key not in bench.rows:
        bench.rows[key] = np.asarray(split.x[:_MOST_COUNTED], float)
    outputs = _answers(bench, job, key, (f"{data}.x", goal), bench.rows[key])
    targets = split.y[: len(outputs)]
    middle = float(split.y.min() + split.y.max()) / 2 if split.y.shape[1] == 1 else 0.5
    count = max(targets.shape[1], 2)
    table = np.zeros((count, count), int)
    np.add.at(table, (_classes(targets, middle), _classes(outputs, middle)), 1)
    return Counts(table, split.classes)


def _classes(outputs: NDArray[Any], middle: float) -> NDArray[np.int64]:
    if outputs.shape[1] == 1:
        return np.asarray(outputs[:, 0] > middle, np.int64)
    return np.asarray(outputs.argmax(axis=1), np.int64)


def _answers(bench: _Bench, job: _Job, key: str, ends: tuple[str, str], rows: Floats) -> Floats:
    """Return an output of the network for rows that take the place of its input."""
    made_from = (job.graph.nodes, job.graph.wires)
    cut = bench.cuts.get(key)
    if (
        cut is None
        or cut.used > _AGAIN
        or any(a is not b for a, b in zip(cut.made_from, made_from, strict=True))
    ):
        from nodeflow.engine.run import Run
        from nodeflow.explain.quality import fed

        cut = bench.cuts[key] = _Cut(made_from, Run(fed(job.graph, *ends, rows)))
    cut.used += 1
    own = cut.run.weights.keys()
    cut.run.set_weights({name: job.live.weights[name] for name in own if name in job.live.weights})
    cut.run.evaluate()
    return np.asarray(cut.run[ends[1]], float)
