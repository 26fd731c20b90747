"""Bytes from and to the disk: regular files only, and never half a file."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import IO, Any

from nodeflow.errors import FileError, nearest


def read(path: Path, limit: int, too_large: Callable[[int], str]) -> bytes:
    """Return a file's bytes, or raise `FileError`, also beyond `limit` bytes.

    `too_large` says that in a sentence.
    """
    with reading(path):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise FileError("this is a folder, not a file", file=str(path))
        with path.open("rb") as stream:
            data = stream.read(min(found.st_size, limit) + 1)
    if len(data) > limit:
        raise FileError(too_large(max(found.st_size, len(data))), file=str(path))
    return data


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the operating system says about reading `path` into a `FileError`.

    Devices and pipes are refused before: they may have no end.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise FileError("this is a device or a pipe, not a file", file=str(path))
        yield
    except FileNotFoundError:
        raise FileError(f"there is no such file{_sibling(path)}", file=str(path)) from None
    except PermissionError:
        raise FileError("there is no permission to read it", file=str(path)) from None
    except ValueError:
        raise FileError("a file's name cannot hold a NUL character", file=repr(str(path))) from None
    except OSError as error:
        raise FileError(f"cannot be read: {reason(error)}", file=str(path)) from error


def _sibling(path: Path) -> str:
    """Return the nearest file of the same ending, if one is near."""
    try:
        names = [found.name for found in path.parent.iterdir() if found.suffix == path.suffix]
    except (OSError, ValueError):
        return ""
    hint = nearest(path.name, names)
    return hint if "did you mean" in hint else ""


def reason(error: OSError) -> str:
    """Return what the operating system says, to stand after a colon."""
    text = error.strerror or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


def target(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path leads to, by links as well, which may be written or replaced.

    Raises `IsADirectoryError`, and `FileError` for a device or a pipe.
    """
    real = Path(os.path.realpath(path))
    if real.is_dir():
        raise IsADirectoryError
    if real.exists() and not real.is_file():
        raise FileError("cannot be saved: this is a device or a pipe, not a file", file=str(path))
    return real


def destination(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path leads to, if it can be written: to be asked before long work.

    Raises `OSError` where it cannot, and `FileError` as `target` does.
    """
    real = target(path)
    if not real.parent.is_dir():
        raise FileNotFoundError
    if not os.access(real.parent, os.W_OK):
        raise PermissionError
    return real


def _take_over(old: Path, new: Path) -> None:
    """Give a new file the owner, the group and the permission bits of the one it replaces."""
    with contextlib.suppress(OSError):
        status = old.stat()
        mine = new.stat()
        if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
            # Who is not root may give a file to a group of their own, and to no other person.
            with contextlib.suppress(OSError):
                os.chown(new, -1, status.st_gid)
            with contextlib.suppress(OSError):
                os.chown(new, status.st_uid, -1)
        new.chmod(stat.S_IMODE(status.st_mode))


_LEFT = re.compile(r"\.nodeflow-([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{8}\.tmp")
_HERE = f"{zlib.crc32(platform.node().encode()):08x}"
"""This machine: folders may be shared."""
_OLD = 3600.0
"""Seconds after which an unfinished file is taken to be abandoned."""


def clear_leftovers(folder: Path) -> None:
    """Remove what killed saves left in a folder; what a living process writes stays."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            found = _LEFT.fullmatch(entry.name)
            if found is None or not entry.is_file(follow_symlinks=False):
                continue
            with contextlib.suppress(OSError):
                killed = found[1] == _HERE and not _lives(int(found[2]))
                if killed or time.time() - entry.stat().st_mtime > _OLD:
                    Path(entry.path).unlink()


def _lives(process: int) -> bool:
    """Return whether a process of that number is there."""
    if sys.platform == "win32":
        return True  # the age decides: signal 0 would end it
    try:
        os.kill(process, 0)
    except (OverflowError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


class Pending:
    """New contents of a file, on the disk under another name until `commit`.

    A link stays one, and its file is replaced; nothing but a file is.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path = target(path)
        # The name says whose it is: what a killed save leaves is told from what is being written.
        self._new = path.with_name(f".nodeflow-{_HERE}-{os.getpid()}-{os.urandom(4).hex()}.tmp")
        try:
            with self._new.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            _take_over(path, self._new)
        except BaseException:
            self.discard()
            raise

    def commit(self) -> None:
        """Put the contents in the file's place."""
        self._new.replace(self.path)
        # The name is safe only once its folder is; not every system can do that.
        with contextlib.suppress(OSError):
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def discard(self) -> None:
        """Remove the contents if they have not been committed."""
        with contextlib.suppress(OSError):
            self._new.unlink()


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises `OSError`, and `FileError` as `target` does."""
    pending = Pending(path, data)
    try:
        pending.commit()
    except BaseException:
        pending.discard()
        raise


_FAR = 2**40


def is_ours(stream: IO[Any] | RawIOBase) -> bool:
    """Take an open file for this program alone, as long as it is open; False if another has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(_FAR)  # what is locked there cannot be read by anybody
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Where there are no locks (some shares) it is taken as ours.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the operating system says about writing `path` into a `FileError`."""
    try:
        yield
    except FileNotFoundError:
        raise FileError(
            f"cannot be saved: there is no folder '{path.parent}'", file=str(path)
        ) from None
    except IsADirectoryError:
        raise FileError("cannot be saved: this is a folder", file=str(path)) from None
    except PermissionError:
        raise FileError(
            "cannot be saved: there is no permission to write here", file=str(path)
        ) from None
    except ValueError:
        raise FileError("a file's name cannot hold a NUL character", file=repr(str(path))) from None
    except OSError as error:
        raise FileError(
            f"cannot be saved: {reason(error)}; what was there before is kept", file=str(path)
        ) from error
