"""Run files, `NAME.run.npz`: trained weights and the history of their training."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from nodeflow.disk import destination, read, write, writing
from nodeflow.equality import ByContent
from nodeflow.errors import FileError
from nodeflow.files.arrays import MAX_NUMBERS, Archive, packed
from nodeflow.files.names import trained_by
from nodeflow.files.text import MAX_BYTES, at, decode, describe, plain, special, too_large
from nodeflow.jsontext import json_of

_FORMAT = "nodeflow-run"
_VERSION = 1


_MOST_EPOCHS = 2**40
_Count = Annotated[int, Meta(ge=0, le=_MOST_EPOCHS)]


class ReachedForm(Struct, frozen=True):
    """How far a run has come (`Run.reached`). Keys that are not listed are kept as they are."""

    graph: str = ""
    epochs: _Count = 0
    updates: _Count = 0
    seed: Annotated[int, Meta(ge=0)] = 0
    batch: Annotated[int, Meta(ge=1)] | Literal["all"] = 1
    dtype: Literal["float64", "float32"] = "float64"
    straight: bool = False
    tallies: list[float] = []


class LineForm(Struct, frozen=True):
    """A line of the history. Keys that are not listed are kept as they are."""

    epoch: _Count
    cost: float | None = None
    train_accuracy: float | None = None
    test_cost: float | None = None
    test_accuracy: float | None = None


_EXPECTED = {
    "graph": "a text", "epochs": "a whole number from 0", "updates": "a whole number from 0",
    "seed": "a whole number from 0", "batch": 'a whole number from 1, or "all"',
    "dtype": "float64 or float32", "straight": "true or false", "tallies": "a list of numbers",
    "epoch": "a whole number from 0",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class RunFile(ByContent):
    """What a run file holds: weights by address, one record an epoch, and what belongs to it."""

    weights: dict[str, NDArray[Any]]
    history: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)


def save_run(
    path: str | os.PathLike[str],
    weights: Mapping[str, NDArray[Any]],
    history: Sequence[Mapping[str, Any]],
    meta: Mapping[str, Any],
) -> None:
    """Write weights (float64 or float32), history and meta, whole or not at all.

    The same contents give the same bytes. Raises `FileError`.
    """
    path = Path(path)
    arrays: dict[str, NDArray[Any]] = {}
    for name, given in weights.items():
        values = np.asarray(given)
        if "." not in name:
            raise FileError(f"'{name}' is no address of weights (node.port)", file=str(path))
        if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
            raise FileError(
                f"the weights '{name}' are of {values.dtype.name}, not float64 or float32",
                file=str(path),
            )
        arrays[name] = values
    try:
        arrays["history"] = _text(list(history))
        arrays["meta"] = _text({"format": _FORMAT, "version": _VERSION, "meta": meta})
    except (TypeError, UnicodeEncodeError) as error:
        raise FileError(f"cannot be saved: {error}", file=str(path)) from None
    _refuse_foreign(path)
    with writing(path):
        write(path, packed(arrays))


def require_place(path: str | os.PathLike[str]) -> None:
    """Raise `FileError` where a run could not be saved: better before a training than after."""
    path = Path(path)
    with writing(path):
        destination(path)
    _refuse_foreign(path)


def _refuse_foreign(path: Path) -> None:
    """Raise `FileError` where the run would replace what is no run, or that of another graph."""
    owners = [one for one in trained_by(path) if _is_graph(one)]
    if len(owners) > 1:
        raise FileError(
            f"cannot be saved: {owners[0].name} and {owners[1].name} would both have their "
            "training in it; give one of them another name",
            file=str(path),
        )
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        with Archive(path) as archive:
            known = {"meta", "history"} <= set(archive.names)
    except FileError:
        known = False
    if not known:
        raise FileError(
            "cannot be saved: there is a file of this name that holds no training; move it away, "
            "or give the graph another name",
            file=str(path),
        )


def _is_graph(path: Path) -> bool:
    try:
        return decode(read(path, MAX_BYTES, too_large)).get("format") == "nodeflow"
    except (AttributeError, FileError):
        return False


def load_run(path: str | os.PathLike[str]) -> RunFile:
    """Return the contents of a run file, or raise `FileError`. Nothing in it is executed."""
    path = Path(path)
    with Archive(path) as archive:
        if "meta" not in archive.names or "history" not in archive.names:
            raise FileError("this is not a run file: it has no history", file=str(path))
        head = _json(archive, "meta", path)
        if not isinstance(head, dict) or head.get("format") != _FORMAT:
            raise FileError("this is not a run file of nodeflow", file=str(path))
        version = head.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise FileError("its version is not a whole number from 1", file=str(path))
        if version > _VERSION:
            raise FileError(
                f"was written by a newer nodeflow (run file version {version}, "
                f"this one reads up to {_VERSION}): update nodeflow",
                file=str(path),
            )
        history, meta = _json(archive, "history", path), head.get("meta")
        if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
            raise FileError("its history is not a list of records", file=str(path))
        if not isinstance(meta, dict):
            raise FileError("its meta is not an object", file=str(path))
        _check(meta, ReachedForm, ("meta",), path)
        try:
            msgspec.convert(history, list[LineForm])
        except msgspec.ValidationError:
            for number, line in enumerate(history):
                _check(line, LineForm, ("history", number), path)
        weights: dict[str, NDArray[Any]] = {}
        room = MAX_NUMBERS
        for name in archive.names:
            if name not in ("meta", "history"):
                weights[name] = archive.read(name, ("<f8", "<f4"), room).copy()
                room -= weights[name].size
    return RunFile(weights, history, meta)


def _check(
    found: Mapping[str, Any], form: type[Struct], place: tuple[str | int, ...], path: Path
) -> None:
    """Raise `FileError` for a value that cannot be gone on from."""
    needed = {"epoch": 0} if form is LineForm else {}
    if not found.keys() >= needed.keys():
        raise FileError('"epoch" is missing', file=str(path), path=at(*place))
    for key in form.__struct_fields__:
        try:
            msgspec.convert({**needed, key: found[key]} if key in found else needed, form)
        except msgspec.ValidationError:
            wanted = _EXPECTED.get(key, "a number")
            raise FileError(
                f"expected {wanted}, got {describe(found[key])}; train again, and save",
                file=str(path),
                path=at(*place, key),
            ) from None


def _text(value: Any) -> NDArray[np.uint8]:
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def _json(archive: Archive, name: str, path: Path) -> Any:
    data = archive.read(name, ("|u1",)).tobytes()
    try:
        found = special(json_of(data))
        if b"\\ud" in data.lower():  # half a character is no text
            json.dumps(found, ensure_ascii=False).encode()
    except ValueError:
        raise FileError(f"its {name} is not JSON", file=str(path)) from None
    return found
