"""What a MATLAB file says of itself, looked at before SciPy believes it.

SciPy's reader takes the types of numbers and the indices of sparse matrices from the file as they
are: a damaged one would end the whole program. So the file is visited first, as the format
("MAT-File Format", The MathWorks, version 5) has it: elements of a type, a size and so many bytes,
of which a matrix has some in a fixed order. What is compressed is unpacked here, within bounds.
Only matrices of numbers and texts, and cells of texts, go on to SciPy: structures and objects hold
no table and no weights.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 12, 13))
_SIGNS = frozenset((2, 4, 16, 17, 18))
_TYPES = _NUMBERS | _SIGNS | {_MATRIX, _COMPRESSED}
"""Of elements: numbers of several kinds, texts, matrices, and what is compressed."""
_CELL, _CHAR, _SPARSE, _ARRAYS = 1, 4, 5, range(6, 16)
"""Classes of matrices."""
_TEXTS = frozenset((_CHAR,))
_KEPT = frozenset((_CELL, _CHAR, _SPARSE, *_ARRAYS))
_MOST_AXES = 32
_FREE, _RATIO = 64 * 2**20, 200
"""A variable takes 64 MB, or 200 times what it is packed into."""
MOST_NUMBERS = 100_000_000
"""The most numbers that a sparse matrix may have once its zeros are filled in."""


def sound(data: bytes) -> bytes:
    """Return the file's arrays with nothing compressed, as a file; raises `ValueError`.

    Files of version 4 and 7.3 are returned as they are: they are built in another way.
    """
    if not _is_known(data):
        return data
    return data[:_HEADER] + b"".join(_kept(*found) for found in _matrices(data))


def unread(data: bytes) -> list[str]:
    """Return the names of what `sound` leaves out: structures, objects, cells of anything else."""
    return [_name(*found) for found in _matrices(data) if not _kept(*found)]


def _is_known(data: bytes) -> bool:
    if len(data) < _HEADER or 0 in data[:4] or data[126:128] not in (b"IM", b"MI"):
        return False
    return data[125 if data[126:128] == b"IM" else 124] == 1


def _matrices(data: bytes) -> Iterator[tuple[bytes, int, int, str]]:
    """Yield where each variable begins and ends, in the file or in what was unpacked of it."""
    if not _is_known(data):
        return
    order = "<" if data[126:128] == b"IM" else ">"
    for kind, begin, end in _elements(data, _HEADER, len(data), order, aligned=False):
        if kind == _MATRIX:
            yield data, begin, end, order
        elif kind == _COMPRESSED:
            plain = _unpacked(data[begin:end])
            for inner, start, stop in _elements(plain, 0, len(plain), order):
                if inner == _MATRIX:
                    yield plain, start, stop, order


def _name(data: bytes, begin: int, end: int, order: str) -> str:
    """Return a variable's name, which stands before anything else in signs of one byte."""
    names = [data[a:b] for kind, a, b in islice(_elements(data, begin, end, order), 3) if kind == 1]
    return names[0].decode("ascii", "replace") if names else ""


def dense(value: Any) -> Any:
    """Return a sparse matrix written out, or raise `ValueError`; all else as it is."""
    if not hasattr(value, "toarray"):
        return value
    if math.prod(value.shape) > MOST_NUMBERS:
        rows, columns = value.shape
        raise ValueError(
            f"a sparse matrix of {rows:,} × {columns:,} has more than {MOST_NUMBERS:,} places"
        )
    value = value.tocsc() if value.format == "coo" else value  # of version 4, and checked
    pointers, places = value.indptr, value.indices  # SciPy's own check believes a last 0
    last = int(pointers[-1])
    if (
        int(pointers[0]) != 0
        or bool((np.diff(pointers) < 0).any())
        or not last <= min(len(places), len(value.data))
        or not all(0 <= place < value.shape[0] for place in _ends(places[:last]))
    ):
        raise ValueError("the places of a sparse matrix are not in it")
    return value.toarray()


def _ends(places: Any) -> tuple[int, ...]:
    return (int(places.min()), int(places.max())) if len(places) else ()


def _elements(
    data: bytes, at: int, end: int, order: str, *, aligned: bool = True
) -> Iterator[tuple[int, int, int]]:
    """Yield type, begin and end of the contents of each element in a part of the file."""
    while at < end:
        if at + 8 > end:
            raise ValueError("it breaks off")
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind >> 16:  # up to four bytes lie in the tag itself
            kind, size, begin, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise ValueError("a small element is too large")
        else:
            begin = at + 8
            padding = -size % 8 if aligned and kind != _COMPRESSED else 0
            after = begin + size + padding
        if kind not in _TYPES:
            raise ValueError(f"elements of type {kind} are not known")
        if begin + size > end:
            raise ValueError("it breaks off")
        yield kind, begin, begin + size
        at = after


def _kept(data: bytes, begin: int, end: int, order: str, only: frozenset[int] = _KEPT) -> bytes:
    """Return a matrix with its tag, or nothing where it is of none of the classes.

    Those are numbers and texts, and cells in which every one is a text.
    """
    inner = _elements(data, begin, end, order)

    def taken(what: str, kinds: frozenset[int]) -> bytes:
        kind, start, stop = next(inner, (0, 0, 0))
        if kind not in kinds:
            raise ValueError(f"a matrix without {what}")
        return data[start:stop]

    flags = taken("flags", frozenset((6,)))
    if len(flags) != 8:
        raise ValueError("a matrix without flags")
    (flag,) = struct.unpack(order + "I", flags[:4])
    class_, is_complex = flag & 0xFF, bool(flag & 0x800)
    if class_ not in only:
        return b""
    raw = taken("sizes", frozenset((5,)))
    if len(raw) % 4 or not 8 <= len(raw) <= 4 * _MOST_AXES:
        raise ValueError("a matrix without sizes")
    sizes = struct.unpack(f"{order}{len(raw) // 4}i", raw)
    taken("a name", frozenset((1, 16)))
    if class_ == _CELL:
        cells = list(inner)
        if len(cells) != math.prod(sizes) or any(kind != _MATRIX for kind, _, _ in cells):
            raise ValueError("cells are missing")
        if not all(_kept(data, start, stop, order, _TEXTS) for _, start, stop in cells):
            return b""
    elif class_ == _CHAR:
        taken("signs", _SIGNS)
    else:
        for _ in range(2 if class_ == _SPARSE else 0):
            taken("places", frozenset((5,)))
        for _ in range(1 + is_complex):
            taken("numbers", _NUMBERS)
    if any(size < 0 for size in sizes) or (class_ != _SPARSE and math.prod(sizes) > end - begin):
        raise ValueError(f"a matrix of {' × '.join(map(str, sizes))} is not in it")
    tag = struct.pack(order + "II", _MATRIX, end - begin)
    return tag + data[begin:end]


def _unpacked(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, _FREE + _RATIO * len(packed))
    except zlib.error as error:
        raise ValueError("what is compressed in it is damaged") from error
    if stream.unconsumed_tail:
        raise ValueError(
            f"{len(packed):,} bytes unpack to more than {len(found):,}, which no table does"
        )
    return found
