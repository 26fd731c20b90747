"""Finished runs on disk, a line each, appended as they come: a sweep can go on where it stopped.

The first line says which sweep it is, by a digest of all that the results depend on. A line that
was cut off by a kill is left out, and its run is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from nodeflow.data import Options, load
from nodeflow.disk import is_ours, reading, writing
from nodeflow.errors import DataError, FileError, SweepError
from nodeflow.files import whole
from nodeflow.files.text import plain
from nodeflow.graph import Graph
from nodeflow.jsontext import json_of
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.engine import engine_digest
from nodeflow.sweeps.rows import Row, Rows

_FORMAT = "nodeflow-sweep"
_VERSION = 1
_SYNC_SECONDS = 0.5


def digest(plan: Plan) -> str:
    """Return what tells this sweep from others: the graph, its data, values, seeds and options."""
    graph = plan.graph
    about = {
        "engine": engine_digest(graph),
        "graph": whole(graph),
        "data": [_contents(graph, key) for key in graph.datasets],
        "axes": [[axis.address, list(axis.values)] for axis in plan.axes],
        "seeds": str(plan.seeds) if isinstance(plan.seeds, range) else list(plan.seeds),
        "options": [plan.epochs, plan.until, plan.curves, plan.dtype],
    }
    text = json.dumps(plain(about), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _contents(graph: Graph, key: str) -> str:
    """Return a digest of the rows of a data set."""
    settings = graph.settings(key)
    try:
        table = load(settings["source"], folder=graph.folder, options=Options.of(settings))
    except DataError:
        return ""  # the runs will say why
    found = hashlib.sha256()
    for array in (table.x, table.y):
        found.update(f"{array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def journal_of(out: Path) -> Path:
    """Return where the journal of a sweep into OUT lies."""
    return out.with_name(f"{out.name}.journal")


class Journal:
    """The journal of one sweep; threads may append at once."""

    def __init__(self, path: Path, plan: Plan, *, force: bool = False) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        head = {"format": _FORMAT, "version": _VERSION, "runs": len(plan), "digest": digest(plan)}
        self.rows = Rows(len(plan), until=plan.until is not None)
        # It is opened without emptying it: another sweep may be writing to it.
        with writing(path):
            self._file: RawIOBase = path.open("r+b" if path.exists() else "x+b", buffering=0)
        if not is_ours(self._file):
            self._file.close()
            raise SweepError(
                f"another program writes to {path} just now; wait until that sweep has ended, or "
                "write to another file"
            )
        try:
            self._begin(head, force=force)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, head: dict[str, Any], *, force: bool) -> None:
        """Read what is there, or write the first line."""
        self._end = 0
        if not force and self._file.seek(0, os.SEEK_END):
            self._end = self._read(head)
        with writing(self.path):
            self._file.truncate(self._end)
        if not self._end:
            self._write(json.dumps(head).encode() + b"\n")
            self._sync()

    def _read(self, head: dict[str, Any]) -> int:
        """Take over the rows of the journal; return where its last whole line ends."""
        end = 0
        decoder = msgspec.json.Decoder(tuple[int, dict[str, Any], dict[str, Any] | None])
        with reading(self.path), self.path.open("rb") as stream:
            for at, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    break  # cut off by a kill
                if at == 1:
                    self._compare(line, head)
                else:
                    try:
                        number, values, curves = decoder.decode(line)
                        self.rows.add(Row(number, values, curves))
                    except (msgspec.DecodeError, IndexError, RecursionError, TypeError, ValueError):
                        raise FileError(
                            f"line {at} is damaged; --force begins anew", file=str(self.path)
                        ) from None
                end += len(line)
        return end

    def _compare(self, line: bytes, head: dict[str, Any]) -> None:
        """Refuse a file that is no journal, and the journal of another sweep."""
        try:
            first = json_of(line)
        except ValueError:
            first = None
        if not isinstance(first, dict) or first.get("format") != _FORMAT:
            raise FileError("this is no journal of a sweep; move it away", file=str(self.path))
        if first.get("digest") != head["digest"]:
            raise SweepError(
                f"{self.path} is the journal of another sweep (another graph, data, values, seeds, "
                "options or engine); write to another file, or --force begins anew"
            )

    def append(self, row: Row) -> None:
        """Put a row to the others; it is on disk within half a second or so."""
        line = json.dumps(plain([row.number, row.values, row.curves]), ensure_ascii=False)
        with self._lock:
            self._write(line.encode() + b"\n")
            self.rows.add(row)
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                self._sync()

    def _write(self, data: bytes) -> None:
        """Append whole lines; where the disk is full, what is there stays as it was."""
        self._file.seek(self._end)
        written = 0
        try:
            with writing(self.path):
                while written < len(data):
                    written += self._file.write(data[written:]) or 0
        except FileError:
            with suppress(OSError):
                self._file.truncate(self._end)
            raise
        self._end += len(data)

    def _sync(self) -> None:
        with writing(self.path):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def discard(self) -> None:
        """Close the journal and take its file away, if it has no rows."""
        self._file.close()
        if not self.rows:
            self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self._sync()
        finally:
            self._file.close()
