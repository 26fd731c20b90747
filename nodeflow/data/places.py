"""Where data files are looked for, and where fetched ones go."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from nodeflow import disk
from nodeflow.errors import DataError, FileError
from nodeflow.jsontext import json_of

FETCHABLE = ("mnist", "wheat-seeds")


def user_folder() -> Path:
    """Return the user's own folder for nodeflow's data; it need not be there."""
    from nodeflow.homes import user_folder as folder_of

    return folder_of("data")


def places(folder: Path | None) -> Iterator[Path]:
    """Yield the folders that relative sources are looked for in, the first one first.

    The user's own is seldom needed, and to find it takes longer than to read a small table.
    """
    yield Path(folder) if folder else Path.cwd()
    named = os.environ.get("NODEFLOW_DATA")
    if named:
        yield Path(named)
    yield user_folder()


def escapes(source: str) -> bool:
    """Return whether a source of a graph file leads out of the folder that it starts from."""
    depth = 0
    for part in source.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False


def refuse_unnamed(name: str, path: Path, folder: Path) -> None:
    """Raise `DataError` where a graph file leads out of its folder, to where nobody let it.

    A person lets graphs read in a folder by NODEFLOW_DATA, by `nodeflow data allow`, by naming a
    file there for a new network, or in the editor.
    """
    real = Path(os.path.realpath(path))
    if any(real.is_relative_to(os.path.realpath(one)) for one in [folder, *named_folders()]):
        return
    raise DataError(
        f"'{name}' leads out of the folder of the graph, to {real.parent}: "
        f"`nodeflow data allow {shlex.quote(str(real.parent))}` lets graphs read there, "
        "or copy the file beside the graph"
    )


_named: list[Path] = []
"""The folders that were named in this process: the home may be read-only."""


def kept_in() -> Path:
    """Return the file that lists the folders that a person named; it need not be there."""
    return user_folder() / "folders.json"


def named_folders() -> list[Path]:
    """Return the folders that a person named for data."""
    named = os.environ.get("NODEFLOW_DATA")
    return [*([Path(named)] if named else []), user_folder(), *map(Path, _kept()), *_named]


def _kept() -> list[str]:
    """Return the folders in the list; a damaged one counts as empty."""
    try:
        return _listed()
    except (OSError, ValueError):
        return []


def _listed() -> list[str]:
    """Return the folders in the list; raises `OSError`, and `ValueError` for a damaged one."""
    try:
        found = json_of(kept_in().read_text("utf-8"))
    except FileNotFoundError:
        return []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError
    return found


def name_folder(folder: Path) -> bool:
    """Let graphs read data in a folder, from now on; return whether that is kept.

    It is not where the list cannot be written, or is damaged: what is in it stays then.
    """
    real = Path(os.path.realpath(folder))
    if real in named_folders():
        return True
    _named.append(real)
    path = kept_in()
    try:
        text = json.dumps([*_listed(), str(real)], indent=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write(path, text.encode())
    except (OSError, ValueError, FileError):
        return False
    return True
