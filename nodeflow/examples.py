"""Graphs that come with nodeflow: what there is, and each of them as a value or as a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from nodeflow import disk
from nodeflow.errors import FileError, nearest
from nodeflow.files import load
from nodeflow.graph import Graph

_IN_WHEEL = Path(__file__).parent / "samples"
_IN_REPOSITORY = Path(__file__).parents[1] / "graphs"


@dataclass(frozen=True)
class Sample:
    """A graph that comes with nodeflow."""

    name: str
    about: str
    file: Path


def folder() -> Path:
    """Return where the graph files are: in the package, or in the repository beside it."""
    for place in (_IN_WHEEL, _IN_REPOSITORY):
        if place.is_dir():
            return place
    raise FileError(
        "the graphs that come with nodeflow are not there: it runs from a zip, or from a part of "
        "its files; pip install nodeflow has them",
        file=str(_IN_WHEEL),
    )


@cache
def samples() -> dict[str, Sample]:
    """Return all samples by name; of a folder of them the name has the folder's before it."""
    root = folder()
    found = {}
    for file in sorted(root.rglob("*.json")):
        name = file.relative_to(root).with_suffix("").as_posix()
        found[name] = Sample(name, load(file).about, file)
    return found


def sample(name: str) -> Graph:
    """Return a graph that comes with nodeflow, such as "xor"; raises `FileError`.

    A table that lies beside it is read there; other files that it names are looked for where the
    user's own are.
    """
    file = _found(name)
    graph = load(file)
    return graph if _tables(graph, file.parent) else replace(graph, folder=None)


def write(name: str, target: Path) -> list[Path]:
    """Copy a sample, with the arrays and tables beside it, into a folder; raises `FileError`.

    A table that is there already, since another sample has it too, stays.
    """
    file = _found(name)
    tables = _tables(load(file), file.parent)
    there = [file, *(one for one in (file.with_suffix(".npz"),) if one.exists()), *tables]
    copies = [target / one.name for one in there]
    try:
        texts = [one.read_bytes() for one in there]
        for one, copy, text in zip(there, copies, texts, strict=True):
            if copy.exists() and not (one in tables and copy.read_bytes() == text):
                raise FileError("is there already; move it away first", file=str(copy))
        for copy, text in zip(copies, texts, strict=True):
            if not copy.exists():
                disk.write(copy, text)
    except OSError as error:
        why = (error.strerror or "the system refused").lower()
        raise FileError(f"cannot be written ({why})", file=str(target)) from None
    return copies


def _tables(graph: Graph, place: Path) -> list[Path]:
    """Return the files in a folder that a graph reads its rows from."""
    sources = (graph.settings(key)["source"] for key in graph.datasets)
    named = dict.fromkeys(one for one in sources if isinstance(one, str) and one.strip())
    return [place / one for one in named if Path(one).name == one and (place / one).is_file()]


def _found(name: str) -> Path:
    file = folder() / f"{name}.json"
    known = [one.relative_to(folder()).with_suffix("").as_posix()
             for one in folder().rglob("*.json")]  # fmt: skip
    if name not in known:
        raise FileError(f"there is no sample '{name}'{nearest(name, known)}")
    return file
