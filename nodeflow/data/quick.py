"""Large tables in text, by pandas where it is installed: the same sheet, an order faster.

The careful reader decides from the first and last lines what the table is; pandas then reads all
rows at once. Whatever is not plain (an empty cell at the end of a row, a mistyped number, a
decimal comma, a footer) is handed back to the careful reader, which finds the line and says it.

Measured on 100 MB (benchmarks/tables.py): pandas 3.1 is the fastest of pandas, Polars, pyarrow,
numpy.loadtxt and csv, exact to the last bit, and takes the least memory of the first three.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import numerals
from nodeflow.data.numerals import MARKS
from nodeflow.data.options import Options
from nodeflow.data.reading import tell
from nodeflow.data.sheet import Column, Sheet

LARGE = 2**20
"""Bytes; below it the careful reader is as quick as pandas is imported."""
_HEAD, _TAIL = 2**16, 2**14
_CHUNK = 2**24
"""Bytes that pandas reads at once: all at once takes no less time, and thrice the memory."""


def quick_sheet(path: Path, options: Options) -> Sheet | None:
    """Return the columns of a large text file; None if the careful reader should read it."""
    try:
        import pandas as pd
    except ImportError:
        return None
    head = _head(path, options)
    if head is None:
        return None
    sheet, width, first = head
    tell(path.name, 0)
    per_chunk = max(1000, _CHUNK * sheet.rows // _HEAD)
    parts: list[list[_Part]] = [[] for _ in sheet.columns]
    rows = 0
    try:
        for frame in pd.read_csv(
            path, header=None, skiprows=first - 1, sep=_sign(sheet.separator or ","),
            skipinitialspace=True, na_values=sorted(MARKS), keep_default_na=False,
            encoding="utf-8-sig" if first == 1 else "utf-8", chunksize=per_chunk,
        ):  # fmt: skip
            if frame.shape[1] != width or frame.iloc[:, -1].isna().any():
                return None  # a row may be short
            rows += len(frame)
            tell(path.name, rows * _HEAD / sheet.rows / path.stat().st_size)
            for i, there in enumerate(parts):
                there.append(_part(frame.iloc[:, i]))
    except (ValueError, UnicodeError, MemoryError):  # pandas' ParserError is a ValueError
        return None
    columns = [
        _column(column, there, options) for column, there in zip(sheet.columns, parts, strict=True)
    ]
    read = tuple(column for column in columns if column is not None)
    if len(read) < width:
        return None
    return Sheet(
        sheet.file, read, range(first, first + rows), sheet.format, names=sheet.names,
        separator=sheet.separator, notes=sheet.notes,
    )  # fmt: skip


def _head(path: Path, options: Options) -> tuple[Sheet, int, int] | None:
    """Return what the first lines are read as, the number of columns, and the first data line."""
    from nodeflow.data.textfile import sheet_from_text
    from nodeflow.errors import DataError

    with path.open("rb") as stream:
        start = stream.read(_HEAD)
        stream.seek(max(0, path.stat().st_size - _TAIL))
        end = stream.read()
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"'" in start:
        return None
    try:
        text = start.rpartition(b"\n")[0].decode("utf-8-sig")
        tail = end.partition(b"\n")[2].decode()
        sheet = sheet_from_text(path.name, text, options)
        last = sheet_from_text(
            path.name, tail, Options(header="no", separator=sheet.separator or ",")
        )
    except (DataError, UnicodeDecodeError):
        return None
    width = len(sheet.columns)
    steps = np.diff(np.asarray(sheet.lines))
    plain = len(last.columns) == width and not last.notes and bool((steps == 1).all())
    if not plain or sheet.rows < 3 or any(column.typed for column in sheet.columns):
        return None
    return sheet, width, sheet.lines[0]


def _sign(separator: str) -> str:
    return r"\s+" if separator == " " else separator


_Part: TypeAlias = "NDArray[Any] | tuple[NDArray[np.intp], list[str]]"
"""A piece of a column: its numbers, or its texts as places in a list (−1 is missing)."""


def _part(series: Any) -> _Part:
    if series.dtype.kind in "iuf":
        return np.asarray(series.to_numpy())
    if series.dtype.kind == "b":
        return np.asarray(1 - series.to_numpy().astype(np.intp)), ["TRUE", "FALSE"]
    codes, texts = series.factorize()
    return codes, [str(text).strip() for text in texts]


def _column(column: Column, parts: list[_Part], options: Options) -> Column | None:
    """Return a column as the careful reader would; None if it should look at it."""
    fills = options.missing in ("drop", "mean")
    numbers = [part for part in parts if isinstance(part, np.ndarray)]
    if len(numbers) == len(parts):
        values = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
        parts.clear()
        if not np.isfinite(values).all() and (not fills or np.isinf(values).any()):
            return None
        return Column(column.name, values=values, role=column.role)
    if numbers:
        return None
    places: dict[str, int] = {}
    pieces = []
    for part in parts:
        codes, texts = part
        move = np.array([*(places.setdefault(text, len(places)) for text in texts), -1], np.intp)
        pieces.append(move[codes])
    codes = np.concatenate(pieces)
    if any(numerals.is_number(text) for text in places) or (not fills and bool((codes < 0).any())):
        return None
    return Column(column.name, codes=codes, texts=tuple(places), role=column.role)
