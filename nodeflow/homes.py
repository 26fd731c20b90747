"""The user's own folders: for data and node types, preferences, and recent files.

Not everybody has a home: in a container a program may run as a user whom nobody knows. Then the
folders are in a place where nothing is and nothing can be written. A shared temporary folder would
not do: from these folders node types are imported.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

_NOWHERE = Path(os.devnull) / "no home folder"


def user_folder(kind: Literal["config", "data", "state"]) -> Path:
    """Return a folder of the user's; it need not be there."""
    import platformdirs

    try:
        found = Path(getattr(platformdirs, f"user_{kind}_dir")("nodeflow"))
    except (OSError, RuntimeError, KeyError):
        return _NOWHERE
    # Where nobody knows a home, "~" may stand for itself.
    return found if found.is_absolute() else _NOWHERE
