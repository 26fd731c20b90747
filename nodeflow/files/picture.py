"""A graph inside a PNG: its text, in pieces, is iTXt chunks with the keyword `nodeflow`.

Other programs give up on a picture (Pillow), or on its text (libpng), where one chunk unpacks to
more than they have room for, a megabyte or eight.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from nodeflow.errors import FileError
from nodeflow.files.unpacking import packed, unpacked

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"nodeflow"
_COMPRESSED = b"\0\x01\0\0\0"
"""Ends the keyword, says that zlib compressed the text, and names no language."""
_PIECE = 250_000
"""The most characters in a chunk; they take a megabyte at most."""
_AROUND = 12
"""Bytes of a chunk beside its contents: length, type and checksum."""


def is_picture(data: bytes) -> bool:
    """Return whether a file's contents are a PNG."""
    return data.startswith(_SIGNATURE)


def with_graph(png: bytes, text: str) -> bytes:
    """Return a PNG that carries the text of a graph file, before its end."""
    end = len(png) - _AROUND
    pieces = (text[at : at + _PIECE].encode("utf-8") for at in range(0, len(text), _PIECE))
    return b"".join([png[:end], *map(_chunk, packed(*pieces)), png[end:]])


def _chunk(content: bytes) -> bytes:
    body = b"iTXt" + _KEYWORD + _COMPRESSED + content
    return (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def graph_in(data: bytes, *, file: str = "") -> bytes:
    """Return the text of the graph that a PNG carries; raises `FileError`."""
    pieces = []
    for kind, content in _chunks(data, file):
        if kind == b"iTXt" and content.startswith(_KEYWORD + b"\0"):
            if not content.startswith(_KEYWORD + _COMPRESSED):
                raise FileError(_DAMAGED, file=file)
            pieces.append(content[len(_KEYWORD + _COMPRESSED) :])
    if not pieces:
        raise FileError(
            "this picture carries no graph: open the graph file it was made from, "
            "or export it again with its graph",
            file=file,
        )
    return unpacked(
        pieces,
        where="this picture",
        damaged=_DAMAGED,
        instead="open the graph file it was made from",
        file=file,
    )


_DAMAGED = "the graph in this picture is damaged: export it again from the graph file"


def _chunks(data: bytes, file: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the contents of each chunk whose checksum is right."""
    at = len(_SIGNATURE)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + _AROUND + size > len(data):
            raise FileError("the picture breaks off: it was not written to its end", file=file)
        body = data[at + 4 : at + 8 + size]
        check = int.from_bytes(data[at + 8 + size : at + _AROUND + size], "big")
        if body[:4] == b"iTXt" and zlib.crc32(body) != check:
            raise FileError(_DAMAGED, file=file)
        yield body[:4], body[4:]
        at += _AROUND + size
