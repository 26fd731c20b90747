"""From a source's name to its table."""

from __future__ import annotations

# Readers are imported when a file of their kind is read: a graph without data needs none.
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from nodeflow.data.bundled import BUNDLED, bundled
from nodeflow.data.generators import GENERATORS
from nodeflow.data.places import FETCHABLE, places
from nodeflow.data.reading import reading
from nodeflow.data.shrunk import SHRUNK, shrunk
from nodeflow.data.table import Table
from nodeflow.errors import DataError, nearest

if TYPE_CHECKING:
    from nodeflow.data.csvfile import Target

_TEXT = (".csv", ".tsv", ".txt")
_TRIED = (".csv", ".tsv", ".npz")
_KEPT = 4

_cache: OrderedDict[Hashable, Table] = OrderedDict()
_lock = Lock()


def load(source: str, *, target: Target = None, folder: Path | None = None) -> Table:
    """Return the table of a source: a generator's or a bundled set's name, or a path.

    `mnist-20x20` is made from the files of `mnist`, see `shrunk`.

    A relative path is looked for in `folder` (by default the current one), in the folder that
    the environment variable NODEFLOW_DATA names, and in the user's data folder. A name without
    an ending is also tried with .csv, .tsv and .npz, and as a folder of MNIST's four files.
    `target` chooses the columns of a CSV or TSV file that become y, see `read_csv`.

    A file is read again only if it changed. Raises DataError, one sentence, for every fault.
    """
    name = str(source)
    if not name.strip() or "\0" in name:
        raise DataError("the data source has no name; name a data set or a file")
    if name in GENERATORS or name in BUNDLED:
        _no_target(name, target)
        return GENERATORS[name]() if name in GENERATORS else bundled(name)
    from nodeflow.data.csvfile import checked_target

    if name == SHRUNK:
        _no_target(name, target)
        return _read_shrunk(_find("mnist", folder))
    return _read(_find(name, folder), checked_target(target))


def _no_target(name: str, target: Target) -> None:
    if target is not None and target != "":
        msg = f"'{name}' has its target already; a target column is for CSV and TSV files"
        raise DataError(msg)


def _find(name: str, folder: Path | None) -> Path:
    """Return the file or folder that a path means."""
    from nodeflow.data.idx import idx_files

    path = Path(name)
    with reading(path):
        searched = [path.parent] if path.is_absolute() else places(folder)
    barren = None
    with reading(path):
        for candidate in (one for place in searched for one in _candidates(place / name)):
            if candidate.is_file():
                return candidate
            if candidate.is_dir():
                if idx_files(candidate):
                    return candidate
                barren = barren or candidate
    if barren:
        msg = (
            "the folder is not a data set; name a file in it, or put MNIST's four files "
            "(train-images-idx3-ubyte, …) there"
        )
        raise DataError(msg, file=barren.name or str(barren))
    if name in FETCHABLE:
        where = " or ".join(map(str, searched))
        what = "its four files into a folder mnist" if name == "mnist" else f"{name}.csv"
        msg = f"'{name}' is not here yet; run `nodeflow data get {name}`, or put {what} in {where}"
        raise DataError(msg)
    where = ", ".join(map(str, searched))
    hint = nearest(name, [*GENERATORS, *BUNDLED, *FETCHABLE, SHRUNK, *_files_in(searched)])
    raise DataError(f"there is no data set '{name}' (looked in {where}){hint}")


def _candidates(path: Path) -> Iterator[Path]:
    if path.suffix or not path.name:
        yield path
        return
    if not path.is_dir():
        yield path
    for ending in _TRIED:
        yield path.with_name(path.name + ending)
    yield path


def _files_in(folders: list[Path]) -> Iterator[str]:
    for folder in folders:
        try:
            yield from sorted(p.name for p in folder.iterdir() if p.suffix in _TRIED)
        except OSError:
            continue


def _read(path: Path, target: str | int | tuple[str | int, ...] | None) -> Table:
    """Return the table in a file or folder, from memory if nothing changed."""
    from nodeflow.data.csvfile import read_csv
    from nodeflow.data.idx import idx_files, read_idx
    from nodeflow.data.npz import read_npz

    is_text = path.suffix.lower() in _TEXT
    if not is_text:
        _no_target(path.name, target)
    is_idx = path.is_dir() or "ubyte" in path.name or "idx" in path.suffix
    files = idx_files(path) if is_idx else [path]

    def read() -> Table:
        if is_text:
            return read_csv(path, target)
        if is_idx:
            return read_idx(files)
        if path.suffix.lower() == ".npz":
            return read_npz(path)
        msg = "this kind of file cannot be read; save it as .csv, .tsv, .npz or IDX"
        raise DataError(msg, file=path.name)

    return _remembered(target, files, read)


def _read_shrunk(path: Path) -> Table:
    """Return the shrunk table of MNIST's training files; the whole one is not kept."""
    from nodeflow.data.idx import idx_files, read_idx

    files = idx_files(path)[:2]
    return _remembered(SHRUNK, files, lambda: shrunk(read_idx(files)))


def _remembered(what: Hashable, files: list[Path], read: Callable[[], Table]) -> Table:
    """Return what was read from these files before, or read them if one has changed."""
    key: list[Hashable] = [what]
    for file in files:
        with reading(file):
            status = file.stat()
            key += [file.resolve(), status.st_mtime_ns, status.st_size]
    stamp = tuple(key)
    with _lock:
        if stamp in _cache:
            _cache.move_to_end(stamp)
            return _cache[stamp]
    table = read()
    with _lock:
        _cache[stamp] = table
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return table
