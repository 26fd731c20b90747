"""Python's search for cyclic garbage, held back where it would find none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 100_000
"""Objects, without those that are gone again."""


@contextmanager
def collection_paused() -> Iterator[None]:
    """Hold cyclic garbage collection back, as while a large graph is built.

    Ten thousands of small objects that all stay would be searched again and again. So many count
    as old afterwards: they are searched with everything else, when Python next does that. Fewer
    are not worth it, since Python forgets what it has counted so far.
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
