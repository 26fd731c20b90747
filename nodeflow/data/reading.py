"""What all readers of files share: the size limit, and faults of the file system as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeAlias

from nodeflow.errors import DataError

MOST_BYTES = 2**31
Watch: TypeAlias = Callable[[str, float], None]
"""Told the name of a file and the share of it that is read, from 0 to 1."""

_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let `watch` be told how far the reading of large files is, inside the block."""
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)


def tell(file: str, share: float) -> None:
    """Tell whoever watches how much of a file is read."""
    watch = _watch.get()
    if watch is not None:
        watch(file, min(share, 1.0))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "the system refused").lower()
        msg = f"the file cannot be read ({reason}); check that it is there and may be read"
        raise DataError(msg, file=path.name) from error


def check_size(path: Path) -> None:
    """Raise DataError for an empty file and for one over 2 GiB."""
    with reading(path):
        size = path.stat().st_size
    if size == 0:
        raise DataError("the file is empty, it has zero bytes; save it again", file=path.name)
    if size > MOST_BYTES:
        msg = f"the file has {size / 2**30:.1f} GiB, and at most 2 can be read; take a part of it"
        raise DataError(msg, file=path.name)
