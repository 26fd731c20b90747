"""Arrays in `.npz` files: fixed bytes when written, nothing trusted when read, never pickle."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nodeflow.disk import reading
from nodeflow.errors import FileError

MAX_NUMBERS = 100_000_000
"""The most numbers in all arrays of a graph or a run."""
_MAX_MEMBERS = 100_000
_FREE, _RATIO = 16 * 2**20, 50
"""An array takes 16 MB, or 50 times what it is packed into."""
_DATE = (1980, 1, 1, 0, 0, 0)


def digest(values: NDArray[Any]) -> str:
    """Return the SHA-256 of an array: its dtype and shape as a line, then its bytes.

    The line is ASCII, such as "<f8 30x784"; the bytes follow row by row, little-endian.
    """
    values = _fixed(values)
    head = f"{values.dtype.str} {'x'.join(map(str, values.shape))}\n"
    return hashlib.sha256(head.encode() + values.tobytes()).hexdigest()


def _fixed(values: NDArray[Any]) -> NDArray[Any]:
    """Return the array row by row and little-endian."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(values.shape)


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of a `.npz` file; the same arrays give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", date_time=_DATE)
            member.create_system = 3  # otherwise the bytes would tell the operating system
            content = io.BytesIO()
            npy.write_array(content, _fixed(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue())
    return stream.getvalue()


class Archive:
    """The arrays of a `.npz` file, each read and checked when it is asked for.

    Raises `FileError` when there is no such file or it is no archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path):
            if path.is_dir():
                raise FileError("this is a folder, not a file", file=str(path))
            if path.exists() and not path.is_file():
                raise FileError("this is a device or a pipe, not a file", file=str(path))
            try:
                self._zip = zipfile.ZipFile(path)
            except OSError:
                raise
            except Exception:  # noqa: BLE001  on hostile bytes it raises whatever its parts raise
                raise FileError("is not a .npz file, or a damaged one", file=str(path)) from None
        names = self._zip.namelist()
        if len(names) > _MAX_MEMBERS:
            self.close()
            raise FileError(f"holds over {_MAX_MEMBERS} arrays", file=str(path))
        self.names = tuple(sorted(n.removesuffix(".npy") for n in names if n.endswith(".npy")))

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, name: str, dtypes: Iterable[str], room: int = MAX_NUMBERS) -> NDArray[Any]:
        """Return one array, or raise `FileError`.

        Its header is checked before its numbers are read: one of `dtypes` (such as "<f8"), and
        at most `room` numbers.
        """
        if name not in self.names:
            raise self._error(f"there is no array '{name}' in it")
        member = self._zip.getinfo(f"{name}.npy")
        if member.file_size > _FREE + _RATIO * member.compress_size:
            raise self._error(
                f"the array '{name}' unpacks from {member.compress_size:,} bytes to "
                f"{member.file_size:,}, which no weights do"
            )
        try:
            with self._zip.open(f"{name}.npy") as stream:
                version = npy.read_magic(stream)
                read_header = (
                    npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                )
                shape, fortran, dtype = read_header(stream)
                self._check_header(name, shape, dtype, dtypes, room)
                count = math.prod(shape) * dtype.itemsize
                data = stream.read(count)
                rest = stream.read(1)  # reading past the end checks the archive's CRC
        except FileError:
            raise
        except Exception:  # noqa: BLE001  on hostile bytes they raise whatever their parts raise
            raise self._error(f"the array '{name}' is damaged") from None
        if len(data) != count or rest:
            raise self._error(f"the array '{name}' is damaged")
        order = shape[::-1] if fortran else shape
        values = np.frombuffer(data, dtype).reshape(order)
        return values.T if fortran else values

    def _check_header(
        self, name: str, shape: Any, dtype: np.dtype[Any], dtypes: Iterable[str], room: int
    ) -> None:
        if dtype.hasobject:
            raise self._error(f"the array '{name}' holds Python objects, which are never read")
        if dtype.str not in dtypes:
            wanted = " or ".join(np.dtype(text).name for text in dtypes)
            raise self._error(f"the array '{name}' is of {dtype.name}, not {wanted}")
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise self._error(f"the array '{name}' is damaged")
        if math.prod(shape) > room:
            raise self._error(
                f"the array '{name}' declares {math.prod(shape)} numbers; "
                f"a file's arrays hold at most {MAX_NUMBERS}"
            )

    def _error(self, message: str) -> FileError:
        return FileError(message, file=str(self.path))
