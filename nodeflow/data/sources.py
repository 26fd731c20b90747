"""From a source's name to its table."""

from __future__ import annotations

# Readers are imported when a file of their kind is read: a graph without data needs none.
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock

from nodeflow.data import formats, memory
from nodeflow.data.bundled import BUNDLED, bundled
from nodeflow.data.generators import GENERATORS
from nodeflow.data.options import Options, Target, checked_target
from nodeflow.data.places import FETCHABLE, escapes, places, refuse_unnamed
from nodeflow.data.reading import reading
from nodeflow.data.sheet import Reading
from nodeflow.data.shrunk import SHRUNK, shrunk
from nodeflow.data.table import Table, reading_of_table
from nodeflow.errors import DataError, nearest

_TRIED = (".csv", ".tsv", ".npz")
_PACKED = (".zip", ".xz", ".bz2", ".zst", ".7z", ".rar", ".gz")
_KEPT = 4

_cache: OrderedDict[Hashable, Table] = OrderedDict()
_lock = Lock()


def load(
    source: str,
    *,
    target: Target = None,
    folder: Path | None = None,
    options: Options | None = None,
) -> Table:
    """Return the table of a source: a generator's or a bundled set's name, or a path.

    `mnist-20x20` is made from the files of `mnist`, see `shrunk`.

    A relative path is looked for in `folder` (by default the current one), in the folder that
    the environment variable NODEFLOW_DATA names, and in the user's data folder. A name without
    an ending is also tried with .csv, .tsv and .npz, and as a folder of MNIST's four files.
    `options` say how a file is read; `target` alone is short for options with a target.

    A file is read again only if it changed. Raises DataError, one sentence, for every fault.
    """
    name = str(source)
    said = _said(options, target)
    if not name.strip() or "\0" in name:
        raise DataError("the data source has no name; name a data set or a file")
    if name.startswith(memory.PREFIX):
        return _remembered((said, memory.version(name), name), [], lambda: memory.held(name, said))
    if name in GENERATORS or name in BUNDLED:
        _no_options(name, said)
        return _generated(name) if name in GENERATORS else bundled(name)

    if name == SHRUNK:
        _no_options(name, said)
        return _read_shrunk(_find("mnist", folder))
    return _read(_find(name, folder), said)


def look(source: str, *, folder: Path | None = None, options: Options | None = None) -> Reading:
    """Return how a file is read: its columns, its target, and what was decided why.

    What refuses the table is the reading's `fault`; raises DataError where no columns are found.
    """
    said = _said(options, None)
    known = source in GENERATORS or source in BUNDLED or source == SHRUNK
    known = known or str(source).startswith(memory.PREFIX)
    path = None if known else _find(str(source), folder)
    found = None if path is None or path.is_dir() else formats.look(path, said)
    if found is not None:
        return found
    return reading_of_table(str(source), load(source, folder=folder, options=said))


@cache
def _generated(name: str) -> Table:
    return GENERATORS[name]()


def _said(options: Options | None, target: Target) -> Options:
    said = (options or Options()).checked()
    return said if target is None else replace(said, target=checked_target(target))


def _no_options(name: str, options: Options) -> None:
    given = options.given()
    if given == ("target",):
        msg = f"'{name}' has its target already; a target column is for CSV and TSV files"
        raise DataError(msg)
    if given:
        raise DataError(f"'{name}' has no {given[0]}; that is for tables in files")


def file_of(source: str, folder: Path | None = None) -> Path | None:
    """Return the file that a source is read from; None where that is no file, or not there."""
    if source in GENERATORS or source in BUNDLED or source.startswith(memory.PREFIX):
        return None
    try:
        return _find(source, folder)
    except DataError:
        return None


_AS_FILE = {"wheat-seeds": "wheat-seeds.csv"}
"""What fetched data is called where it is one file: graphs name that as well."""


def _find(name: str, folder: Path | None) -> Path:
    """Return the file or folder that a path means."""
    path = Path(name)
    barren = None
    with reading(path):
        there = [path.parent] if path.is_absolute() else places(folder)
        for candidate in (one for place in there for one in _candidates(place / name)):
            if folder is not None and escapes(name) and candidate.exists():
                refuse_unnamed(name, candidate, folder)
            if candidate.is_file():
                return candidate
            if candidate.is_dir():
                if _idx_files(candidate):
                    return candidate
                barren = barren or candidate
        searched = [path.parent] if path.is_absolute() else [*dict.fromkeys(places(folder))]
    if barren:
        msg = (
            "the folder is not a data set; name a file in it, or put MNIST's four files "
            "(train-images-idx3-ubyte, …) there"
        )
        raise DataError(msg, file=barren.name or str(barren))
    fetched = next((one for one in FETCHABLE if name in (one, _AS_FILE.get(one))), None)
    if fetched is not None:
        where = " or ".join(map(str, searched))
        what = _AS_FILE.get(fetched, f"its four files into a folder {fetched}")
        raise DataError(
            f"'{name}' is not here yet; run `nodeflow data get {fetched}`, or put {what} in {where}"
        )
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


def _read(path: Path, options: Options) -> Table:
    """Return the table in a file or folder, from memory if nothing changed."""
    is_table = not path.is_dir() and formats.has_options(path)
    is_idx = not is_table and (path.is_dir() or "ubyte" in path.name or "idx" in path.name)
    if not is_table:
        _no_options(path.name, options)
    files = _idx_files(path) if is_idx else [path]

    def read() -> Table:
        if is_idx:
            from nodeflow.data.idx import read_idx

            return read_idx(files)
        table = formats.read(path, options)
        if table is None and path.suffix.lower() in _PACKED:
            raise DataError(
                "this is a packed file; unpack it, or pack it as .csv.gz", file=path.name
            )
        if table is None:
            msg = f"this kind of file cannot be read; save it as {formats.KNOWN}"
            raise DataError(msg, file=path.name)
        return table

    return _remembered(options, files, read)


def _idx_files(path: Path) -> list[Path]:
    from nodeflow.data.idx import idx_files

    return idx_files(path)


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
