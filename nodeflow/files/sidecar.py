"""The `.npz` beside a graph file, in which its large arrays lie."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import Array, kind_of
from nodeflow.errors import FileError
from nodeflow.files.arrays import MAX_NUMBERS, Archive, digest
from nodeflow.files.form import ArrayForm
from nodeflow.files.text import at
from nodeflow.graph import Graph

_SOURCE = "source"
"""The setting that names a file, of what holds data."""
_KEYS = {"file", "array", "sha256"}
_HASH = re.compile(r"[0-9a-f]{64}")


def is_absolute(text: str) -> bool:
    """Return whether a path is absolute on any system."""
    return text.startswith(("/", "\\")) or bool(PureWindowsPath(text).drive)


def refuse_absolute(key: str, type_: str, settings: Mapping[str, Any]) -> None:
    """Raise `FileError` if a setting that names a file holds an absolute path."""
    name = _SOURCE
    text = settings.get(name) if kind_of(type_).holds_data else None
    if isinstance(text, str) and is_absolute(text):
        raise FileError(
            f"{key}.{name} is the absolute path {text!r}: write it relative to the graph file",
            path=at("nodes", key, "settings", name),
        )


def is_reference(value: Any) -> bool:
    """Return whether a setting's value stands for an array beside the file."""
    return isinstance(value, Mapping) and value.keys() == _KEYS


def without_references(graph: Graph) -> Graph:
    """Return the graph without the settings whose arrays were not read."""
    nodes = {
        key: replace(
            node,
            settings={name: v for name, v in node.settings.items() if not is_reference(v)},
        )
        if node.known is not None and any(map(is_reference, node.settings.values()))
        else node
        for key, node in graph.nodes.items()
    }
    return graph if nodes == graph.nodes else replace(graph, nodes=nodes)


def backup_of(path: Path) -> Path:
    """Return where the contents before the last save are kept."""
    return path.with_name(f"{path.name}.bak")


class Sidecars:
    """Reads the arrays that a graph file refers to; each file is opened once."""

    def __init__(self, folder: Path | None, *, read: bool = True) -> None:
        self.wanted = read
        self._folder = folder
        self._open: dict[Path, Archive] = {}
        self._found: dict[tuple[str, str, str], Array] = {}
        self._room = MAX_NUMBERS
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, value: Any) -> Array:
        """Return the array that `value` refers to; raises `FileError` without the graph file."""
        try:
            asked = msgspec.convert(value, ArrayForm)
        except msgspec.ValidationError:
            raise FileError(
                'an array beside the file is written {"file": …, "array": …, "sha256": …}'
            ) from None
        key = (asked.file, asked.array, asked.sha256)
        if key not in self._found:
            values = self._matching(asked)
            self._room -= values.size
            self._found[key] = Array(values)
        return self._found[key]

    def _matching(self, asked: ArrayForm) -> NDArray[Any]:
        path = self._path(asked.file)
        if not _HASH.fullmatch(asked.sha256):
            raise FileError("sha256 must be 64 digits and letters a to f")
        values = self._values(path, asked.array)
        if digest(values) == asked.sha256:
            return values
        # A save that was cut off between its two files leaves the old array in the backup; and
        # a graph's own backup belongs to it.
        with contextlib.suppress(FileError):
            kept = self._values(backup_of(path), asked.array)
            if digest(kept) == asked.sha256:
                return kept
        raise FileError(
            f"the array '{asked.array}' in {asked.file} is not the one that was saved "
            "(its sha256 differs): restore the file that belongs to the graph"
        )

    def _values(self, path: Path, name: str) -> NDArray[Any]:
        if path not in self._open:
            try:
                self._open[path] = self._stack.enter_context(Archive(path))
            except FileError as error:
                if isinstance(error.__context__, FileNotFoundError):
                    raise FileError(
                        f"the file {path.name} is missing, which holds its numbers: "
                        "keep it beside the graph file"
                    ) from error
                raise
        values = self._open[path].read(name, ("<f8",), self._room)
        if values.ndim not in (1, 2) or not values.size:
            shape = "×".join(map(str, values.shape)) or "a single number"
            raise FileError(f"the array '{name}' in {path.name} is {shape}, not a row or a matrix")
        return values

    def _path(self, text: str) -> Path:
        if self._folder is None:
            raise FileError(f"its numbers lie in {text} beside the file: load the file itself")
        parts = PurePosixPath(text).parts
        if is_absolute(text) or "\\" in text or ".." in parts or not parts or "\0" in text:
            raise FileError(f"the path {text!r} leaves the folder of the graph file")
        path = self._folder.joinpath(*parts)
        try:
            inside = path.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            raise FileError(f"the path {text!r} leaves the folder of the graph file")
        return path


def reference(file: str, array: str, values: NDArray[np.float64]) -> dict[str, str]:
    """Return what stands in the graph file for an array beside it."""
    return {"array": array, "file": file, "sha256": digest(values)}
