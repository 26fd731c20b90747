"""Where data files are looked for, and where fetched ones go."""

from __future__ import annotations

import os
from pathlib import Path

FETCHABLE = ("mnist", "wheat-seeds")


def user_folder() -> Path:
    """Return the user's own folder for nodeflow's data; it need not be there."""
    from platformdirs import user_data_dir

    return Path(user_data_dir("nodeflow"))


def places(folder: Path | None) -> list[Path]:
    """Return the folders that relative sources are looked for in, the first one first."""
    named = os.environ.get("NODEFLOW_DATA")
    middle = [Path(named)] if named else []
    return list(dict.fromkeys([Path(folder) if folder else Path.cwd(), *middle, user_folder()]))
