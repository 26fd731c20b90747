"""Exports: a graph as a picture, a film, a page or numbers, by the ending of the file.

One module per format. Each has a function `make(job) -> Made` that returns all that is in the
file, and a line in `FORMATS`; modules are imported when they are asked for. The file is written
whole or not at all, by `export` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from os import PathLike, path
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeflow.errors import ExportError, nearest

if TYPE_CHECKING:
    from nodeflow.graph import Graph

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do; what it raises ends the work."""


class Cancelled(Exception):
    """What a `Progress` raises to end the work: nobody wants it any more; no file is left."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen; each format takes some of them."""

    theme: str | None = None
    """dark or light; None is dark, on a page what the reader's system has."""
    scale: float | None = None
    """Pixels a canvas unit; None is 2, or less where the picture would be too large."""
    bare: bool = False
    """Whether a picture leaves out the graph that it was made from."""
    trained: bool = False
    """Whether the weights are those of the run file beside the graph."""
    epochs: int | None = None
    """How many epochs to train first; of a page, how many it plays."""
    shown: tuple[int, int] | None = None
    """The first and the last epoch of a film, counted from 0."""
    begin: str | None = None
    until: str | None = None
    samples: int | None = None
    history: Sequence[Mapping[str, Any]] | None = None
    """What a table holds instead of a training: one line per epoch."""
    recorded: bool = False
    """Whether a page plays a recording, instead of computing."""
    rows: int | None = None
    """How many rows of each data set a page that computes has; None is all of them, of a large
    one 500."""
    float32: bool = False
    """Whether a page computes in float32, or an ONNX model does."""
    neurons: bool = False
    """Whether a page that computes has the graph's layers as neurons, too."""
    operations: bool = False
    """And as single operations."""
    code: str | None = None
    """The library of a program: numpy, torch or jax."""
    backward: bool = False
    """Whether an ONNX model is a training step."""
    program: str | None = None
    """Whose JSON is written: brainjs, brainjs2, or None for the weights by address."""
    level: str = "step"
    speed: float = 2.0
    """Steps (or what `level` says) a second."""
    size: tuple[int, int] = (960, 600)
    """Width and height of a film, in pixels."""

    def __post_init__(self) -> None:
        if self.theme not in (None, "dark", "light"):
            raise ExportError(f"a theme is dark or light, not {self.theme!r}")
        if self.rows is not None and self.rows < 1:
            raise ExportError(f"a page has 1 row of the data or more, not {self.rows}")
        if not 0.1 <= self.speed <= 50:
            raise ExportError(f"a speed is 0.1 to 50 steps a second, not {self.speed:g}")
        if self.scale is not None and not 0 < self.scale < float("inf"):
            raise ExportError(f"a scale is a number above 0, not {self.scale:g}")


def _quiet(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Job:
    """A graph to export. `file` is where the graph lies, if it has been saved."""

    graph: Graph
    file: Path | None = None
    options: Options = field(default_factory=Options)
    progress: Progress = _quiet


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it: the contents of the file, and what there is to tell about them."""

    data: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    """The facts in a few words."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Further files, by what takes the place of the ending: they lie there before this one."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is, its module, and the options that it takes."""

    about: str
    module: str
    takes: tuple[str, ...] = ()
    make: str = "make"
    """The function in the module."""


_LIBRARIES = ("numpy.py", "torch.py", "jax.py")
"""Names of programs that would import themselves."""
_WEIGHTS = ("trained", "epochs")
_PICTURE = ("theme", "trained", "epochs")
_SPAN = ("begin", "until", "samples", "level")
_FILM = ("theme", *_SPAN, "shown", "speed", "size")
FORMATS = {
    ".svg": Format("the canvas as a drawing", "svg", _PICTURE),
    ".png": Format(
        "the canvas in pixels; can be opened again", "png", (*_PICTURE, "scale", "bare")
    ),
    ".gif": Format("slow motion, for a page or a slide", "gif", _FILM),
    ".mp4": Format("slow motion as a video", "mp4", _FILM),
    ".html": Format(
        "a page that computes: to step, to train, to change",
        "page",
        ("theme", *_SPAN, "epochs", "recorded", "rows", "float32", "neurons", "operations"),
    ),
    ".dot": Format("the graph for Graphviz", "dot"),
    ".json": Format("the weights by address", "weights", ("trained", "epochs", "program")),
    ".csv": Format("the history, one line per epoch", "table", ("epochs", "history")),
    ".py": Format("a program of its own that trains", "networks", ("code", "epochs"), "program"),
    ".onnx": Format(
        "for ONNX: forward, or a training step",
        "networks",
        (*_WEIGHTS, "backward", "float32"),
        "onnx",
    ),
    ".safetensors": Format("weights for PyTorch and others", "networks", _WEIGHTS, "safetensors"),
    ".keras": Format("for Keras 3", "networks", _WEIGHTS, "keras"),
    ".mat": Format("weights for MATLAB and Octave", "networks", _WEIGHTS, "mat"),
    ".net": Format("for FANN", "networks", _WEIGHTS, "fann"),
}
"""By ending."""


def format_of(out: str | PathLike[str]) -> Format:
    """Return the format of a file's ending; raises `ExportError` with the known ones."""
    ending = Path(out).suffix.lower()
    if ending not in FORMATS:
        what = f"'{ending}' is no ending" if ending else "the file's name has no ending"
        known = ", ".join(FORMATS)
        raise ExportError(f"{what} that nodeflow can export to; choose one of {known}")
    return FORMATS[ending]


def refused(out: str | PathLike[str], given: Mapping[str, Any]) -> list[str]:
    """Return those of the options' names that the format does not take."""
    takes = format_of(out).takes
    return [name for name in given if name not in takes]


def destination(graph: Graph, out: str | PathLike[str], file: Path | None = None) -> Path:
    """Return the real file that an export to `out` would write; `file` is where the graph lies.

    Raises `ExportError` and `FileError` where that cannot be, before anything is made.
    """
    format_of(out)
    from nodeflow import disk

    if Path(out).name.lower() in _LIBRARIES:
        raise ExportError(
            f"{out} would stand before the library of that name, which the program imports: "
            "choose another name"
        )
    with disk.writing(Path(out)):
        real = disk.destination(out)
        _spare_graphs(real, file, out)
    _spare_data(graph, real, out)
    return real


def _spare_graphs(real: Path, file: Path | None, out: str | PathLike[str]) -> None:
    """Raise `ExportError` where weights, or anything, would replace a graph."""
    own = file is not None and real == Path(path.realpath(file))
    if not own and real.suffix.lower() == ".json" and real.is_file():
        with real.open("rb") as stream:
            own = b'"format": "nodeflow"' in stream.read(200)
    if own:
        raise ExportError(f"{out} is a graph's own file: choose another name")


def _spare_data(graph: Graph, real: Path, out: str | PathLike[str]) -> None:
    """Raise `ExportError` where the history, or anything, would replace what the graph reads."""
    from nodeflow.data.sources import file_of

    if not real.is_file():
        return
    for key in graph.datasets:
        source = file_of(graph.settings(key)["source"], graph.folder)
        if source is not None and path.realpath(source) == str(real):
            raise ExportError(f"{out} is the data that '{key}' reads: choose another name")


def export(
    graph: Graph,
    out: str | PathLike[str],
    *,
    file: Path | None = None,
    progress: Progress = _quiet,
    **options: Any,
) -> Made:
    """Write a graph to `out` in the format of its ending, whole or not at all.

    `file` is where the graph lies: its run file is beside it. Options are the fields of
    `Options`. Raises `ExportError` for what cannot be made, `FileError` for what cannot be
    written, and whatever `progress` raises.
    """
    kind = format_of(out)
    names = {option.name for option in fields(Options)}
    if unknown := [name for name in options if name not in names]:
        raise ExportError(f"there is no option '{unknown[0]}'{nearest(unknown[0], names)}")
    if others := refused(out, options):
        raise ExportError(f"'{others[0]}' says nothing about {Path(out).suffix.lower()}")
    from nodeflow import disk

    real = destination(graph, out, file)
    module = import_module(f"nodeflow.export.{kind.module}")
    made: Made = getattr(module, kind.make)(Job(graph, file, Options(**options), progress))
    progress(1, 1)  # the last chance to end it
    for ending, data in made.beside.items():
        with disk.writing(Path(out).with_suffix(ending)):
            disk.write(real.with_suffix(ending), data)
    with disk.writing(Path(out)):
        disk.write(real, made.data)
    return made
