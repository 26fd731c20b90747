"""The user's files: preferences, recent graphs, and the journal that survives a crash.

Nothing here may stop the editor: what cannot be read or written is one sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, get_args

from nodeflow import disk
from nodeflow.difference import difference
from nodeflow.editor.background import Service
from nodeflow.editor.state.kept import Recovery
from nodeflow.editor.state.preferences import Preferences, ThemeName, ValuesShown
from nodeflow.errors import FileError, NodeflowError
from nodeflow.files import Fault, load, load_marked, save
from nodeflow.graph import Graph
from nodeflow.homes import user_folder
from nodeflow.jsontext import json_of
from nodeflow.scene import Scene

_ABOUT = ".about"
_RECENT = 12
_BOXES = 300
"""The most nodes that a thumbnail shows; more could not be told apart."""
_DELAY = 1.0
"""Seconds from a change to the journal: what is changed meanwhile is written with it."""
_AGAIN = 5.0
_BEGUN = 60.0
"""Seconds within which a journal's folder gets its lock."""
_LIMIT = 1_000_000
_CHOICES = {"theme": get_args(ThemeName), "values": get_args(ValuesShown)}
_SCALES = (0.5, 4.0)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A graph as a few rectangles: left, top, right, bottom of all, and the nodes' boxes."""

    bounds: tuple[int, int, int, int] = (0, 0, 0, 0)
    boxes: tuple[tuple[int, int, int, int, str], ...] = ()
    """x, y, width, height and family, which gives the colour."""


@dataclass(frozen=True, slots=True)
class Recent:
    """A file that was open; `missing` if it is not there any more."""

    path: Path
    missing: bool = False
    thumbnail: Thumbnail = Thumbnail()


class Store:
    """Preferences, recent files and the journal of one editor."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._claimed: dict[Path, IO[bytes]] = {}

    # -- preferences

    @staticmethod
    def _preferences() -> Path:
        return config_folder() / "preferences.json"

    def load_preferences(self) -> tuple[Preferences, str]:
        """Return the preferences, and a sentence if they could not be read.

        A file that is broken is put aside, so that nothing of it is lost.
        """
        path = self._preferences()
        try:
            return _checked(_read(path)), ""
        except FileNotFoundError:
            return Preferences(), ""
        except (OSError, ValueError) as error:
            aside = path.with_suffix(".broken.json")
            why = disk.reason(error) if isinstance(error, OSError) else str(error)
            try:
                path.replace(aside)
            except OSError:
                return Preferences(), f"{path}: {why}; the defaults are used"
            return Preferences(), f"{path}: {why}; it was put aside as {aside.name}"

    def save_preferences(self, preferences: Preferences) -> None:
        """Write the preferences; raises `FileError`."""
        _write(self._preferences(), asdict(preferences))

    # -- recent files

    @staticmethod
    def _recent() -> Path:
        return state_folder() / "recent.json"

    def recent(self) -> list[Recent]:
        """Return the files that were open last, the last one first."""
        try:
            return [_recent(entry) for entry in _read(self._recent())[:_RECENT]]
        except (OSError, ValueError, TypeError, KeyError):
            return []  # it is a convenience, and will be written again

    def remember(self, path: Path, drawn: Scene) -> None:
        """Put a file first among the recent ones; raises `FileError`."""
        path = path.absolute()
        others = [found for found in self.recent() if found.path != path]
        entries = [Recent(path, thumbnail=thumbnail(drawn)), *others][:_RECENT]
        _write(
            self._recent(),
            [{"path": str(entry.path), **asdict(entry.thumbnail)} for entry in entries],
        )

    # -- journal

    def journal(self, graph: Graph, path: Path | None) -> None:
        """Have a changed graph written to the journal, soon and in another thread."""
        if self._journal is None:
            self._journal = Journal()
        self._journal.put(graph, path)

    def forget(self) -> None:
        """Remove the journal: its graph is saved, or nobody wants it."""
        if self._journal is not None:
            self._journal.drop()

    def problem(self) -> str:
        """Return why the journal could not be written, once for each reason, else ""."""
        return "" if self._journal is None else self._journal.problem()

    def left_behind(self) -> list[Recovery]:
        """Return what editors left behind that did not end well, the newest first.

        They are claimed by this editor: no other one is offered them while it lives.
        """
        found = []
        for folder in (config_folder(), state_folder()):
            disk.clear_leftovers(folder)
        for folder in _folders():
            if self._journal is not None and folder == self._journal.folder:
                continue
            lock = self._claimed.get(folder) or claim(folder)
            if lock is None:
                _remove_empty(folder)
                continue  # its editor is alive, or another one was faster
            if not _has_graph(folder):
                remove(folder, lock)  # its editor ended before it wrote any
                continue
            self._claimed[folder] = lock
            with contextlib.suppress(OSError, NodeflowError, ValueError, TypeError):
                recovery = _recovery(folder)
                if recovery.changes:
                    found.append(recovery)
                else:
                    self.discard(recovery)
        return sorted(found, key=lambda recovery: -recovery.time)

    def adopt(self, recovery: Recovery) -> None:
        """Go on with a recovered graph: its journal is this editor's own from now on."""
        lock = self._claimed.pop(recovery.folder, None)
        if lock is None:
            return
        if self._journal is not None:
            self._journal.close()
        self._journal = Journal(recovery.folder, lock)

    def discard(self, recovery: Recovery) -> None:
        """Remove what was left behind."""
        lock = self._claimed.pop(recovery.folder, None)
        if lock is not None:
            remove(recovery.folder, lock)

    def close(self, *, keep: bool = False) -> str:
        """End cleanly: the journal is removed, what was not recovered is offered again.

        To `keep` it is to have what is in it offered again, too; returns why it cannot be, or "".
        """
        why = ""
        if self._journal is not None:
            why = self._journal.close(keep=keep)
            self._journal = None
        for lock in self._claimed.values():
            lock.close()
        self._claimed.clear()
        return why


class Journal:
    """Writes the newest graph in the background, whole or not at all.

    Its folder has the graph's file, what is to be known about it, and a lock that the operating
    system lets go when the process ends, however it ends.
    """

    def __init__(self, folder: Path | None = None, lock: IO[bytes] | None = None) -> None:
        self.folder = folder or journal_folder() / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = lock
        self._loop = Service("journal", self._work)
        self._changed = self._loop.changed
        self._wanted: tuple[Graph, Path | None] | None = None
        self._about: dict[str, str | None] | None = None
        self._since = 0.0
        self._drops = 0
        self._problem = self._reported = ""
        self._disk = threading.Lock()  # held while files of the journal are touched
        self._loop.start()

    def put(self, graph: Graph, path: Path | None) -> None:
        """Have a graph written; returns at once."""
        with self._changed:
            if self._wanted is None:
                self._since = time.monotonic()
            self._wanted = graph, path
            self._changed.notify_all()

    def problem(self) -> str:
        """Return what went wrong, if it was not reported yet."""
        with self._changed:
            found, self._problem = self._problem, ""
            self._reported = found or self._reported
            return found or self._loop.fault()

    def drop(self) -> None:
        """Remove what is written, and what waits to be."""
        with self._changed:
            self._wanted = None
            self._drops += 1
            self._changed.notify_all()
        with self._disk:
            self._remove()

    def close(self, *, keep: bool = False) -> str:
        """End the thread, and remove everything; to `keep` it is to write what waits instead.

        Returns why that could not be written, or "".
        """
        with self._changed:
            if not keep:
                self._wanted = None
        self._loop.close()
        if keep:
            self._write_wanted()
        with self._disk:
            if not keep:
                self._remove()
            elif self._lock is not None:
                self._lock.close()
        return self.problem() if keep else ""

    def _remove(self) -> None:
        remove(self.folder, self._lock)
        self._lock = self._about = None

    def _work(self) -> None:
        while not self._loop.closed:
            with self._changed:
                self._loop.wait(lambda: self._wanted, None)
                # A graph that is given up meanwhile is waited for no longer.
                self._loop.wait(
                    lambda: self._wanted is None, self._since + _DELAY - time.monotonic()
                )
            if not self._loop.closed:
                self._write_wanted()

    def _write_wanted(self) -> None:
        problem = ""
        with self._disk:
            with self._changed:
                wanted, self._wanted, drops = self._wanted, None, self._drops
            if wanted is None:
                return
            try:
                self._write(*wanted)
            except (NodeflowError, OSError, RecursionError) as error:
                why = disk.reason(error) if isinstance(error, OSError) else str(error)
                problem = f"changes are not kept for a crash: {why}"
        with self._changed:
            if problem and drops == self._drops:
                if self._wanted is None:  # a newer one comes first
                    self._wanted = wanted
                self._since = time.monotonic() + _AGAIN
            if not problem:
                self._reported = ""
            self._problem = problem if problem != self._reported else ""

    def _write(self, graph: Graph, path: Path | None) -> None:
        about = {
            "path": None if path is None else str(path.absolute()),
            # Where the paths in the settings start.
            "folder": None if graph.folder is None else str(graph.folder.absolute()),
        }
        if self._about not in (None, about):
            self._remove()  # that was another graph
        with disk.writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock or claim(self.folder, new=True)
        if self._about is None:
            _write(self.folder / _ABOUT, about)
            self._about = about
        save(graph, _kept_in(self.folder, path), backup=False)


# --- folders and files --------------------------------------------------------------------------


def config_folder() -> Path:
    """Return the folder of the preferences; it need not be there."""
    return user_folder("config")


def state_folder() -> Path:
    """Return the folder of recent files and journals; it need not be there."""
    return user_folder("state")


def journal_folder() -> Path:
    """Return the folder in which each editor has one for its journal."""
    return state_folder() / "journal"


def _read(path: Path) -> Any:
    """Return what a small JSON file holds; raises `OSError` or `ValueError`."""
    if not path.exists():
        raise FileNotFoundError(str(path))
    try:
        return json_of(disk.read(path, _LIMIT, lambda size: "is too large"))
    except FileError as error:
        raise ValueError(str(error).removeprefix(f"{path}: ")) from None
    except ValueError:
        raise ValueError("is not JSON") from None


def _write(path: Path, value: Any) -> None:
    """Write a small JSON file, whole or not at all; raises `FileError`."""
    data = json.dumps(value, ensure_ascii=True, indent=1).encode()
    with disk.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write(path, data)


_WIDEST = 4000.0
"""No panel is wider, in pixels at scale 1."""


def _checked(found: Any) -> Preferences:
    """Return preferences as they were read; raises `ValueError` where one cannot be.

    Those that this version does not know are left out.
    """
    if not isinstance(found, dict):
        raise ValueError("is not an object")  # noqa: TRY004  all of this is about the contents
    defaults = Preferences()
    chosen: dict[str, Any] = {}
    for name, default in asdict(defaults).items():
        value = found.get(name, default)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise ValueError(f"{name} cannot be {value!r}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f"{name} cannot be {value!r}; there is {', '.join(_CHOICES[name])}")
        if name in ("library", "side") and not -_WIDEST <= value <= _WIDEST:
            raise ValueError(f"{name} cannot be {value!r}")
        if name == "scale" and not _SCALES[0] <= value <= _SCALES[1]:
            raise ValueError(f"scale must be from {_SCALES[0]} to {_SCALES[1]}, not {value}")
        chosen[name] = value
    return replace(defaults, **chosen)


# --- recent files -------------------------------------------------------------------------------


def thumbnail(drawn: Scene) -> Thumbnail:
    """Return the thumbnail of a graph as it is drawn."""
    nodes = list(drawn.nodes.values())[:_BOXES]
    return Thumbnail(drawn.bounds, tuple((n.x, n.y, n.width, n.height, n.family) for n in nodes))


def _recent(entry: Any) -> Recent:
    path = Path(entry["path"])
    left, top, right, bottom = map(int, entry["bounds"])
    boxes = tuple(
        (int(x), int(y), int(width), int(height), str(family))
        for x, y, width, height, family in entry["boxes"]
    )
    return Recent(path, not path.exists(), Thumbnail((left, top, right, bottom), boxes))


# --- journals -----------------------------------------------------------------------------------


def _folders() -> Sequence[Path]:
    try:
        return sorted(found for found in journal_folder().iterdir() if found.is_dir())
    except OSError:
        return []


def claim(folder: Path, *, new: bool = False) -> IO[bytes] | None:
    """Return the lock of a journal, or None if a living process holds it.

    The operating system lets go of it when the process ends. A number of a process would not
    do: another process may have the same one, after a restart or on a machine that shares the
    folder.
    """
    stream: IO[bytes] | None = None
    try:
        stream = (folder / "lock").open("ab" if new else "r+b")
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if stream is not None:
            stream.close()
        return None
    return stream


def remove(folder: Path, lock: IO[bytes] | None) -> None:
    """Remove a journal; without what it is about, nobody takes it for one any more."""
    with contextlib.suppress(OSError):
        (folder / _ABOUT).unlink()
    if lock is not None:
        lock.close()  # not every system removes files that are open
    shutil.rmtree(folder, ignore_errors=True)


def _has_graph(folder: Path) -> bool:
    """Return whether a journal holds more than a lock, what it is about, and half a file."""
    try:
        names = {found.name for found in folder.iterdir()}
    except OSError:
        return True
    return any(name not in ("lock", _ABOUT) and not name.endswith(".tmp") for name in names)


def _remove_empty(folder: Path) -> None:
    """Remove a journal without a lock in which nothing is, unless it was begun just now."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > _BEGUN:
            folder.rmdir()


def _kept_in(folder: Path, path: Path | None) -> Path:
    """Return the file of a journal's graph.

    It is called as the graph's own file, and its arrays with it: placeholders, whose settings
    nobody understands, refer to arrays by that name.
    """
    return folder / ("graph.json" if path is None else path.name)


def _recovery(folder: Path) -> Recovery:
    """Read what lies in a journal's folder."""
    about = _read(folder / _ABOUT)
    path = None if about["path"] is None else Path(about["path"])
    where = None if about["folder"] is None else Path(about["folder"])
    file = _kept_in(folder, path)
    graph = replace(load(file), folder=where)
    saved: Graph | None = None
    faults: tuple[Fault, ...] = ()
    if path is not None:
        with contextlib.suppress(FileError):
            saved, faults = load_marked(path)
    if saved is not None:
        changes = tuple(str(change) for change in difference(saved, graph))
    elif path is not None:
        changes = (f"its file {path.name} is not there or cannot be read", _counted(graph))
    else:
        changes = (f"never saved: {_counted(graph)}",)
    name = graph.name or (path.stem if path is not None else "untitled")
    return Recovery(name, path, file.stat().st_mtime, changes, graph, saved, folder, faults)


def _counted(graph: Graph) -> str:
    nodes, wires = len(graph.nodes), len(graph.wires)
    return f"{nodes} node{'s' * (nodes != 1)}, {wires} wire{'s' * (wires != 1)}"
