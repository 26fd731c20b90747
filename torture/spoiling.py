"""How things are spoilt at random: values of JSON, bytes, and parts of archives.

What is packed or has a checksum is spoilt inside as well, and packed again: otherwise the checksum
would refuse all of it.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Spoil = Callable[[bytes, random.Random], bytes]

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3.5, -0.0, 1e300, 5e-324, 2**31, 2**63 - 1, 2**63, 2**64 - 1,
    10**9, 10**30, "", "a", "NaN", "Infinity", "-Infinity", "all", "x.value", "../../x.csv",
    "é\u202e\x1b[31m", "a" * 5000, "\ud800", [], [[]], [[], []], [[1], [1, 2]], [0, 0], [-1, 2],
    [100_000, 100_000], [2**40], [1] * 1025, [[1.0] * 40] * 40, {}, {"": 0}, {"a": {"b": []}},
    {"file": "x.npz", "array": "w.value", "sha256": "0" * 64}, [None, "a"],
)  # fmt: skip
_NAMES = ("next", "groups", "training", "mode", "places", "part", "note", "x.y", "é")
_PIECES = (
    b"\0", b"\xff", b"\r", b"\n", b"\t", b'"', b"{", b"}", b"[", b"]", b",", b":", b";", b"=",
    b"-", b"1e999", b"nan", b"9" * 400, b"0", b" ", b"\xef\xbb\xbf", b"\\ud800", b"[" * 3000,
)  # fmt: skip


def spoilt_bytes(data: bytes, dice: random.Random) -> bytes:
    """Return bytes of which some are changed, gone, there twice, or in another place."""
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data) + 1)
        end = at + dice.choice((0, 1, 1, 2, 9, 60))
        match dice.randrange(7):
            case 0:
                data = data[:at] + dice.randbytes(dice.randint(0, 3)) + data[end:]
            case 1:
                data = data[:at] + dice.choice(_PIECES) + data[end:]
            case 2 if at < len(data):
                data = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
            case 3:
                data = data[:at] + data[end:]
            case 4:
                data = data[:end] + data[at:]
            case 5:
                data = data[:at] if dice.random() < 0.3 else data[:at] + data[end:]
            case _:  # a number of four bytes, as sizes are written
                size = dice.choice((0, 1, 2**31 - 1, 2**32 - 1, dice.randrange(2**32)))
                data = data[:at] + size.to_bytes(4, dice.choice(("big", "little"))) + data[at + 4 :]
    return data


def spoilt_lines(data: bytes, dice: random.Random) -> bytes:
    """Return a text whose numbers, words or lines are changed."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        lines = data.splitlines(keepends=True) or [b""]
        at = dice.randrange(len(lines))
        words = lines[at].split(b" ")
        match dice.randrange(6):
            case 0:
                words[dice.randrange(len(words))] = dice.choice(
                    (b"-1", b"0", b"1e999", b"nan", b"99999999999", b"2", b"", b"0x7", b"1e-400")
                )
                lines[at] = b" ".join(words)
            case 1:
                dice.shuffle(words)
                lines[at] = b" ".join(words)
            case 2:
                del lines[at]
            case 3:
                lines.insert(dice.randrange(len(lines) + 1), lines[at])
            case 4:
                other = dice.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                return spoilt_bytes(data, dice)
        data = b"".join(lines)
    return data


# --- JSON ---------------------------------------------------------------------------------------


def spoilt_json(data: bytes, dice: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Return a JSON text some of whose values are others; sometimes its bytes are spoilt."""
    document = json.loads(data)
    other = json.loads(dice.choice(others)) if others else document
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        _spoil(document, dice, other)
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    return spoilt_bytes(text, dice) if dice.random() < 0.1 else text


def _spoil(document: Any, dice: random.Random, known: Any) -> None:
    places = list(_places(document))
    if not places:
        return
    parent, key = dice.choice(places)
    if dice.random() < 0.5:  # settings and wires rather than the words around them
        inner = [one for one in places if one[0] is not document]
        parent, key = dice.choice(inner or places)
    match dice.randrange(12):
        case 0 | 1:
            parent[key] = _copied(dice.choice(ODD))
        case 2 if there := list(_places(known)):
            other, name = dice.choice(there)
            parent[key] = _copied(other[name])
        case 3:
            other, name = dice.choice(places)
            parent[key], other[name] = _copied(other[name]), _copied(parent[key])
        case 4:
            del parent[key]
        case 5 if isinstance(parent, dict):
            parent[dice.choice(_NAMES)] = _copied(dice.choice(ODD))
        case 6 if isinstance(parent, list):
            parent.insert(key, _copied(parent[key]))
        case _:
            parent[key] = _near(parent[key], dice, places)


def _near(value: Any, dice: random.Random, places: Sequence[tuple[Any, Any]]) -> Any:
    """Return another value of the same kind: such a file is read, and more is done with it."""
    same = [p[k] for p, k in places if type(p[k]) is type(value) and p[k] is not value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        near = (value + 1, -value, value * 2, value / 2, value * 1e6, 0, 1, -1, 7)
        return dice.choice(near)
    if isinstance(value, str) and " -> " in value:
        start, _, end = value.partition(" -> ")
        wires = [text.partition(" -> ") for text in same if " -> " in text] or [(start, "", end)]
        begin, stop = dice.choice(wires), dice.choice(wires)
        return dice.choice((f"{begin[0]} -> {end}", f"{start} -> {stop[2]}", f"{end} -> {start}"))
    if isinstance(value, list) and value:
        cut = dice.randrange(len(value))
        return _copied(dice.choice((value[:cut], value[cut:], [*value, value[cut]], value[::-1])))
    return _copied(dice.choice(same)) if same else value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list | tuple) else value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    stack = [value] if isinstance(value, dict | list) else []
    while stack:
        found = stack.pop()
        keys = found if isinstance(found, dict) else range(len(found))
        for key in keys:
            yield found, key
            if isinstance(found[key], dict | list):
                stack.append(found[key])


# --- what is packed -----------------------------------------------------------------------------


def spoilt_archive(data: bytes, dice: random.Random) -> bytes:
    """Return a zip with a spoilt member, or without one; sometimes the zip itself is spoilt."""
    if dice.random() < 0.25:
        return spoilt_bytes(data, dice)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(dice.choice((1, 1, 2))):
        if not members:
            break
        name = dice.choice(sorted(members))
        other = dice.choice(sorted(members))
        match dice.randrange(8):
            case 0:
                del members[name]
            case 1:
                members[name], members[other] = members[other], members[name]
            case 2:
                members[other + ".npy"] = members[name]
            case _:
                members[name] = spoilt_member(members[name], dice)
    stream = io.BytesIO()
    packing = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


_NPY = b"\x93NUMPY"


def spoilt_member(data: bytes, dice: random.Random) -> bytes:
    """Return a member of an archive, spoilt as what it is: an array, JSON, or bytes."""
    if data.startswith(_NPY) and dice.random() < 0.7:
        return _spoilt_array(data, dice)
    if data.startswith(b"{") and dice.random() < 0.8:
        try:
            return spoilt_json(data, dice)
        except ValueError:
            return spoilt_bytes(data, dice)
    return spoilt_bytes(data, dice)


def _spoilt_array(data: bytes, dice: random.Random) -> bytes:
    if b"\n" not in data:
        return spoilt_bytes(data, dice)
    end = data.index(b"\n") + 1
    head, body = data[10:end], data[end:]
    if body.startswith((b"{", b"[")):  # a text of a run file
        try:
            text = spoilt_json(body, dice)
        except ValueError:
            text = spoilt_bytes(body, dice)
        head = head.replace(f"({len(body)},)".encode(), f"({len(text)},)".encode())
        body = text
    elif dice.random() < 0.5:
        swaps = (
            (b"<f8", dice.choice((b"<f4", b"<i8", b"|O", b"<c16", b">f8", b"|S8", b"<U2", b"|V8"))),
            (b"(", dice.choice((b"(1, ", b"(-1, ", b"(0, ", b"(99999999999, ", b"("))),
            (b")", dice.choice((b", 1)", b", 1000000000)", b",)", b"]", b")"))),
            (b"False", b"True"),
        )
        old, new = dice.choice(swaps)
        head = head.replace(old, new)
    else:
        body = spoilt_bytes(body, dice)
        if dice.random() < 0.5 and len(body) >= 8:  # NaN, infinity, or a very large number
            at = 8 * dice.randrange(len(body) // 8)
            odd = dice.choice(("7ff8000000000000", "7ff0000000000000", "7fe0000000000000"))
            body = body[:at] + bytes.fromhex(odd)[::-1] + body[at + 8 :]
    return data[:8] + len(head).to_bytes(2, "little") + head + body


def spoilt_picture(data: bytes, dice: random.Random) -> bytes:
    """Return a PNG whose chunks are spoilt, most of them with the right checksum."""
    if dice.random() < 0.2:
        return spoilt_bytes(data, dice)
    chunks, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += size + 12
    number = dice.choice([n for n, (kind, _) in enumerate(chunks) if kind == b"iTXt"])
    kind, content = chunks[number]
    head, packed = content[:13], content[13:]
    match dice.randrange(5):
        case 0:
            content = spoilt_bytes(content, dice)
        case 1:
            content = head + spoilt_bytes(packed, dice)
        case _:
            content = head + zlib.compress(spoilt_json(zlib.decompress(packed), dice))
    chunks[number] = kind, content
    if dice.random() < 0.1:
        chunks.append(chunks[number])
    whole = data[:8]
    for kind, content in chunks:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        whole += len(content).to_bytes(4, "big") + kind + content + check
    return whole


def spoilt_address(text: bytes, dice: random.Random) -> bytes:
    """Return what follows the # of a page's address, of a text of JSON, or spoilt."""
    packed = packed_address(spoilt_json(text, dice))
    return spoilt_bytes(packed, dice) if dice.random() < 0.2 else packed


def packed_address(text: bytes) -> bytes:
    """Return what follows the # of a page's address."""
    return urlsafe_b64encode(zlib.compress(text))
