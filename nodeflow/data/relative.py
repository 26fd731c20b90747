"""How a graph file names a data file: by the path from its own folder."""

from __future__ import annotations

import os
from pathlib import Path

from nodeflow.data.bundled import BUNDLED
from nodeflow.data.generators import GENERATORS
from nodeflow.errors import DataError


def relative_source(data: str, folder: Path, start: Path | None = None) -> str:
    """Return a data source as a graph file in `folder` names it.

    A file or folder that is there, seen from `start` (by default the current folder), becomes a
    path relative to `folder`; names that are found elsewhere (generators, NODEFLOW_DATA) stay as
    they are. Raises DataError for a path that cannot be relative, as on another drive.
    """
    found = there(data, start)
    if found is None:
        if Path(data).is_absolute():
            raise DataError(f"there is no data set '{data}'")
        return data
    try:
        relative = os.path.relpath(
            Path(os.path.realpath(found.parent)) / found.name, os.path.realpath(folder)
        )
    except ValueError:
        raise DataError(
            f"'{data}' is on another drive than the graph file, which can only name it by a "
            "relative path; copy one beside the other"
        ) from None
    text = Path(relative).as_posix()
    return f"./{text}" if text in GENERATORS or text in BUNDLED else text


def there(data: str, start: Path | None = None) -> Path | None:
    """Return the file or folder that a source means in a folder, if it lies there."""
    if data in GENERATORS or data in BUNDLED:
        return None
    path = (start or Path()) / data
    endings = () if path.suffix or not path.name else (".csv", ".tsv", ".npz")
    tried = [path, *(path.with_name(path.name + ending) for ending in endings)]
    try:
        return next((one for one in tried if one.is_file()), path if path.is_dir() else None)
    except (OSError, ValueError):
        return None
