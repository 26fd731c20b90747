"""Training that nobody saved: kept in the user's folder, and offered when its graph is opened.

Nothing here may stop the editor: what cannot be written is one sentence.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow import disk
from nodeflow.editor.background import PATIENCE, Job, fault_text
from nodeflow.editor.documents.store import claim, remove, state_folder
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.live import NO_RUN, Live
from nodeflow.errors import NodeflowError
from nodeflow.files import save_run

_PAUSE = 1.0
"""Seconds between two writes, since who goes step by step rests after each of them."""
_TIMES = 10.0
"""They also are so many times as long as the last write: a processor is left to the rest."""
_AGAIN = 5.0
_EVERY = 60.0
"""Seconds after which training that goes on is written, too."""
_GRAPHS, _LINES = 20, 3
"""How many graphs have training kept, and of how many lines each: the oldest go."""


class KeptTraining:
    """Keeps what one editor trains until it is saved, in the background, whole or not at all.

    Its folder has a run file for each line of training (what a reset or a change began anew is
    another one), and a lock that the operating system lets go when the process ends.
    """

    def __init__(self) -> None:
        self.folder = training_folder() / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: IO[bytes] | None = None
        self._shown: tuple[Path | None, Live] | None = None
        self._safe: dict[int, int] = {}
        """By line: the update up to which it was written or saved."""
        self._last: tuple[Path, int, Mapping[str, NDArray[Any]]] | None = None
        """What was written, saved or gone on with last: another line may begin with the same."""
        self._jobs: list[Job[None]] = []
        self._next, self._written = 0.0, monotonic()
        self._problem = self._reported = ""
        self._closed = False
        self._disk = threading.Lock()  # held while files are touched, and what is known of them

    def show(self, path: Path | None, live: Live | None) -> None:
        """Have the training of a graph kept as soon as it rests; to be called once a frame."""
        if live is not None:
            before = None if self._shown is None else self._shown[1]
            if before is not None and (live.line != before.line or live.update < before.update):
                self._begin()  # a reset, another line, a moment before: what was come to is kept
            self._shown = path, live
        if self._shown is None or not self._is_new(self._shown[1]):
            return
        self._jobs = [job for job in self._jobs if not job.done()]
        live, now = self._shown[1], monotonic()
        rests = live.state not in ("training", "playing", "preparing")
        if not self._jobs and now >= self._next and (rests or now - self._written > _EVERY):
            self._begin()

    def leave(self, live: Live | None) -> None:
        """Write what was trained: another document takes its place, or its run begins anew."""
        if live is not None and self._shown is not None:
            self._shown = self._shown[0], live
        self._begin()
        self._shown = None

    def write(self) -> None:
        """Write what was trained now, unless it is on the disk."""
        path, live = self._shown or (None, NO_RUN)
        if path is not None:
            self._write(path, live)

    def saved(self, path: Path, live: Live) -> None:
        """Remove what was kept of the training that was saved."""
        with self._disk:
            self._note(path, live.line, live.update, live.memory)
            with contextlib.suppress(OSError):
                self._file(path, live.line).unlink()
            self._remove_if_empty()

    def resumed(self, path: Path | None, offer: SavedTraining) -> None:
        """Know what is gone on with: as it is, it need not be kept another time."""
        if path is not None:
            self._last = path, int(offer.meta.get("updates", -1)), offer.weights

    def of(self, path: Path) -> list[Path]:
        """Return what is kept of a graph: by this editor, and by those that have ended."""
        own = self.folder
        found = training_folder().glob(f"*/{_name(path)}-*.run.npz")
        return [file for file in found if file.parent == own or _is_left(file.parent)]

    def problem(self) -> str:
        """Return why training could not be kept, once for each reason, else ""."""
        found, self._problem = self._problem, ""
        self._reported = found or self._reported
        return found

    def close(self, live: Live | None = None) -> str:
        """Write what is not saved, and end; returns why that could not be written, or ""."""
        if live is not None and self._shown is not None:
            self._shown = self._shown[0], live
        for job in self._jobs:
            job.done(PATIENCE)
        self.write()
        with self._disk:
            self._closed = True
            self._remove_if_empty()
            if self._lock is not None:
                self._lock.close()
        return self.problem()

    def _is_new(self, live: Live) -> bool:
        """Whether a run has come further than what is safe; going back in it loses nothing."""
        return bool(live.reached) and live.update > self._safe.get(live.line, 0)

    def _begin(self) -> None:
        path, live = self._shown or (None, NO_RUN)
        if path is not None and self._is_new(live):
            self._jobs.append(Job("keeping training", lambda _: self._write(path, live)))

    def _file(self, path: Path, line: int) -> Path:
        return self.folder / f"{_name(path)}-{line}.run.npz"

    def _note(self, path: Path, line: int, update: int, memory: Mapping[str, NDArray[Any]]) -> None:
        self._safe[line] = update
        self._last = path, update, memory

    def _write(self, path: Path, live: Live) -> None:
        problem, began = "", monotonic()
        with self._disk:
            if self._closed or not self._is_new(live):
                return
            try:
                if not self._is_last(path, live):
                    self._put(self._file(path, live.line), live)
            except (NodeflowError, OSError) as error:
                why = disk.reason(error) if isinstance(error, OSError) else str(error)
                problem = f"training is not kept until it is saved: {why}"
            except Exception as error:  # noqa: BLE001  the editor lives on
                problem = fault_text(error)
            else:
                self._note(path, live.line, live.update, live.memory)
            self._written = monotonic()
            pause = max(_PAUSE, _TIMES * (self._written - began))
            self._next = self._written + (_AGAIN if problem else pause)
            self._problem = problem if problem != self._reported else ""
            self._reported = self._reported if problem else ""

    def _is_last(self, path: Path, live: Live) -> bool:
        if self._last is None or self._last[:2] != (path, live.update):
            return False
        known = self._last[2]
        return known.keys() == live.memory.keys() and all(
            np.array_equal(value, live.memory[key]) for key, value in known.items()
        )

    def _put(self, file: Path, live: Live) -> None:
        with disk.writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock or claim(self.folder, new=True)
        save_run(file, live.memory, list(live.history), live.reached)
        _clear()

    def _remove_if_empty(self) -> None:
        if self._lock is not None and not any(self.folder.glob("*.run.npz")):
            remove(self.folder, self._lock)
            self._lock = None


def training_folder() -> Path:
    """Return the folder in which each editor has one for the training that was not saved."""
    return state_folder() / "training"


def _name(path: Path) -> str:
    """Return what the files of a graph's training begin with, wherever links lead to it."""
    return sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]


def _is_left(folder: Path) -> bool:
    """Whether the editor of a folder has ended."""
    lock = claim(folder)
    if lock is not None:
        lock.close()
    return lock is not None


def _clear() -> None:
    """Remove what is too old, and the folders of editors that have ended in which nothing is."""
    graphs: dict[str, list[tuple[int, Path]]] = {}
    for file in training_folder().glob("*/*.run.npz"):
        with contextlib.suppress(OSError):  # another editor was faster
            graphs.setdefault(file.name[:16], []).append((file.stat().st_mtime_ns, file))
    newest = sorted((sorted(files, reverse=True) for files in graphs.values()), reverse=True)
    for number, files in enumerate(newest):
        for _, file in files[_LINES:] if number < _GRAPHS else files:
            with contextlib.suppress(OSError):
                file.unlink()
    for folder in training_folder().iterdir():
        disk.clear_leftovers(folder)
        if not any(folder.glob("*.run.npz")) and (lock := claim(folder)) is not None:
            remove(folder, lock)
