"""The text of a graph that travels compressed, in a picture or in an address."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from nodeflow.errors import FileError
from nodeflow.files.text import MAX_BYTES

_FREE, _RATIO = 2**26, 20
"""The text of a graph takes 64 MB, or 20 times what it is packed into; the text of a graph file is
packed to about a tenth, that of weights that are all 0 to a thousandth."""


def packed(*pieces: bytes) -> list[bytes]:
    """Return each piece of a text compressed, unless all were so small that they were refused."""
    small = [zlib.compress(piece, 9) for piece in pieces]
    fits = sum(map(len, pieces)) <= _room(small)
    return small if fits else [zlib.compress(piece, 0) for piece in pieces]


def unpacked(
    pieces: Sequence[bytes], *, where: str, damaged: str, instead: str, file: str
) -> bytes:
    """Return the text, or raise `FileError`: `damaged`, or that it is larger than any graph.

    `where` it is ("this picture") and what to open `instead` stand in the sentence.
    """
    room = _room(pieces)
    text = bytearray()
    for piece in pieces:
        stream = zlib.decompressobj()
        try:
            text += stream.decompress(piece, room + 1 - len(text))
        except zlib.error:
            raise FileError(damaged, file=file) from None
        if len(text) > room:
            raise FileError(
                f"the graph in {where} unpacks from {sum(map(len, pieces)):,} bytes to over "
                f"{room:,}, which no graph does: {instead}",
                file=file,
            )
        if not stream.eof:
            raise FileError(damaged, file=file)
    return bytes(text)


def _room(pieces: Sequence[bytes]) -> int:
    return min(MAX_BYTES, _FREE + _RATIO * sum(map(len, pieces)))
