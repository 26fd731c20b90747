"""The text of a graph that travels compressed, in a picture or in an address."""

from __future__ import annotations

import zlib

from nodeflow.errors import FileError
from nodeflow.files.text import MAX_BYTES

_FREE, _RATIO = 2**26, 20
"""The text of a graph takes 64 MB, or 20 times what it is packed into; the text of a graph file is
packed to about a tenth, that of weights that are all 0 to a thousandth."""


def packed(text: bytes) -> bytes:
    """Return a text compressed, unless it were packed so small that it would be refused."""
    small = zlib.compress(text, 9)
    return small if len(text) <= _room(small) else zlib.compress(text, 0)


def unpacked(packed: bytes, *, where: str, damaged: str, instead: str, file: str) -> bytes:
    """Return the text, or raise `FileError`: `damaged`, or that it is larger than any graph.

    `where` it is ("this picture") and what to open `instead` stand in the sentence.
    """
    room = _room(packed)
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, room + 1)
    except zlib.error:
        raise FileError(damaged, file=file) from None
    if len(text) > room:
        raise FileError(
            f"the graph in {where} unpacks from {len(packed):,} bytes to over {room:,}, which no "
            f"graph does: {instead}",
            file=file,
        )
    if not stream.eof:
        raise FileError(damaged, file=file)
    return text


def _room(packed: bytes) -> int:
    return min(MAX_BYTES, _FREE + _RATIO * len(packed))
