"""Python's collection of cyclic garbage, paused where it would find none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 100_000
"""Objects that were made and are still there, from which they count as old."""


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collection of cyclic garbage, as while a large graph is built.

    Tens of thousands of small objects that all stay would be visited again and again. Afterwards
    as many as `_MANY` count as old: they are visited with everything else, when Python next does
    that. For fewer this is not worth it, since Python then forgets what it has counted.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            # What somebody else has frozen stays so.
            if gc.get_count()[0] > _MANY and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
