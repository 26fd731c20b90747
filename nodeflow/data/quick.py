"""Large tables in text, read in blocks by pandas or NumPy: the same sheet, an order faster.

The careful reader decides from the first and last lines what the table is; then all rows are read
a block of lines at a time, by pandas where it is installed, else by `numpy.loadtxt`. Whatever is
not plain (an empty cell at the end of a row, a mistyped number, a decimal comma, a footer) is
handed back to the careful reader, which finds the line and says it.

Measured on 100 MB (benchmarks/tables.py): pandas 3.1 is the fastest of pandas, Polars, pyarrow,
numpy.loadtxt and csv, exact to the last bit, and takes the least memory of the first three. It
reads without Python's lock: a file by several threads of its own, and two blocks at once by two of
ours.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import numerals
from nodeflow.data.numerals import MARKS, plain_number
from nodeflow.data.options import Options
from nodeflow.data.reading import tell
from nodeflow.data.sheet import Column, Sheet

if TYPE_CHECKING:
    from concurrent.futures import Future

LARGE = 2**20
"""Bytes; below it the careful reader is as quick as pandas is imported."""
_HEAD, _WIDE_HEAD, _TAIL = 2**14, 2**18, 2**13
_BLOCK = 2**22
"""Bytes that are read at once: larger blocks take no less time, and more memory."""
_FEW = 12
_THREADS = 2
_WHOLE = 2**28
"""Bytes of a file that pandas reads at once: from a path, and only so, it uses all cores itself."""
_TEXT = "S64"
"""A text in a table that NumPy reads; longer ones are the careful reader's."""

_Part: TypeAlias = "NDArray[Any] | tuple[NDArray[np.intp], list[str]]"
"""A piece of a column: its numbers, or its texts as places in a list (−1 is missing)."""


class _NotPlain(ValueError):
    """A block holds what the careful reader should look at."""


def quick_sheet(path: Path, options: Options) -> Sheet | None:
    """Return the columns of a large text file; None if the careful reader should read it."""
    head = _head(path, options) if options.encoding == "auto" else None
    if head is None:
        return None
    sheet, width, first = head
    parts: list[list[_Part]] = [[] for _ in sheet.columns]
    rows, done, size = 0, 0, path.stat().st_size
    tell(path.name, 0)
    try:
        for length, count, columns in _blocks_read(path, sheet, width, first):
            rows, done = rows + count, done + length
            tell(path.name, min(1.0, done / size))
            for there, part in zip(parts, columns, strict=True):
                there.append(part)
    except (ValueError, UnicodeError, MemoryError):  # pandas' ParserError is a ValueError
        return None
    made = [
        _column(column, there, options) for column, there in zip(sheet.columns, parts, strict=True)
    ]
    read = tuple(column for column in made if column is not None)
    if len(read) < width:
        return None
    return Sheet(
        sheet.file, read, range(first, first + rows), sheet.format, names=sheet.names,
        separator=sheet.separator, notes=sheet.notes,
    )  # fmt: skip


# --- a block at a time --------------------------------------------------------------------------

_Block: TypeAlias = tuple[int, int, list[_Part]]
"""A block's length in bytes, its number of rows, and its columns."""


def _blocks_read(path: Path, sheet: Sheet, width: int, first: int) -> Iterator[_Block]:
    """Yield the rows from line `first` on, in order: all at once, or in blocks."""
    try:
        import pandas as pd  # noqa: F401
    except ImportError:
        return _read(path, first, _numpy_reader(sheet))
    read = _pandas_reader(sheet, width)
    if path.stat().st_size <= _WHOLE:
        return iter([read(path, first - 1)])
    return _read(path, first, read)


def _read(path: Path, first: int, read: Callable[[bytes], _Block]) -> Iterator[_Block]:
    """Yield what `read` makes of each block; a few are read at once."""
    from concurrent.futures import ThreadPoolExecutor  # a small table needs none

    waiting: deque[Future[_Block]] = deque()
    with ThreadPoolExecutor(_THREADS, "nodeflow-table") as pool:
        try:
            for block in _blocks(path, first):
                waiting.append(pool.submit(read, block))
                if len(waiting) > _THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _blocks(path: Path, first: int) -> Iterator[bytes]:
    """Yield the lines of a file from line `first` (1 is the first) on, many at a time."""
    with path.open("rb") as stream:
        if first == 1 and stream.read(3) != b"\xef\xbb\xbf":  # the mark of UTF-8
            stream.seek(0)
        for _ in range(first - 1):
            stream.readline()
        while block := stream.read(_BLOCK):
            block += stream.readline()
            if b'"' in block and block.count(b'"') % 2:
                raise _NotPlain  # a cell may go on in the next block
            yield block


class _Read(Protocol):
    def __call__(self, source: bytes | Path, skip: int = 0, /) -> _Block: ...


def _pandas_reader(sheet: Sheet, width: int) -> _Read:
    import pandas as pd

    marks, separator = sorted(MARKS), _sign(sheet.separator or ",")

    def read(source: bytes | Path, skip: int = 0) -> _Block:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # it is looked at below
            frame = pd.read_csv(
                source if isinstance(source, Path) else BytesIO(source), header=None,
                skiprows=skip, sep=separator, na_values=marks, keep_default_na=False,
                encoding="utf-8",
            )  # fmt: skip
        if frame.shape[1] != width or frame.iloc[:, -1].isna().any():
            raise _NotPlain  # a row may be short
        length = source.stat().st_size if isinstance(source, Path) else len(source)
        return length, len(frame), [_part(column) for _, column in frame.items()]

    return read


def _numpy_reader(sheet: Sheet) -> Callable[[bytes], _Block]:
    kinds: list[tuple[str, str]] = [
        (f"c{i}", "<f8" if all(plain_number(cell) is not None for cell in cells) else _TEXT)
        for i, cells in enumerate(column.cells or () for column in sheet.columns)
    ]
    separator = None if sheet.separator == " " else sheet.separator or ","

    def read(block: bytes) -> _Block:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a block of empty lines
            rows = np.loadtxt(
                BytesIO(block), dtype=np.dtype(kinds), delimiter=separator, comments=None,
                quotechar='"', ndmin=1, encoding="utf-8",
            )  # fmt: skip
        return len(block), len(rows), [_piece(rows[name]) for name, _ in kinds]

    return read


def _piece(values: NDArray[Any]) -> _Part:
    if values.dtype.kind == "f":
        return np.ascontiguousarray(values)
    texts, codes = np.unique(values, return_inverse=True)
    if max(map(len, texts.tolist()), default=0) >= values.dtype.itemsize:
        raise _NotPlain
    return _cleaned(codes, [text.decode() for text in texts.tolist()])


def _head(path: Path, options: Options) -> tuple[Sheet, int, int] | None:
    """Return what the first lines are read as, the number of columns, and the first data line."""
    from nodeflow.data.textfile import sheet_from_text
    from nodeflow.errors import DataError

    with path.open("rb") as stream:
        start = stream.read(_HEAD)
        if start.count(b"\n") < _FEW:  # of wide tables a few lines need more
            start += stream.read(_WIDE_HEAD)
        stream.seek(max(0, path.stat().st_size - _TAIL))
        end = stream.read()
        if end.count(b"\n") < 2:
            stream.seek(max(0, path.stat().st_size - _WIDE_HEAD))
            end = stream.read()
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"'" in start or b"\0" in start:
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


def _part(series: Any) -> _Part:
    if series.dtype.kind in "iuf":
        return np.asarray(series.to_numpy())
    if series.dtype.kind == "b":
        return np.asarray(1 - series.to_numpy().astype(np.intp)), ["TRUE", "FALSE"]
    codes, texts = series.factorize()
    return _cleaned(codes, [str(text) for text in texts])


def _cleaned(codes: NDArray[np.intp], texts: list[str]) -> _Part:
    """Return texts without blanks around them; marks of missing values are places −1."""
    if any('"' in text for text in texts):
        raise _NotPlain  # a quote after a blank
    cells = [text.strip() for text in texts]
    missing = np.array([*(cell in MARKS for cell in cells), False])
    return (np.where(missing[codes], -1, codes) if missing.any() else codes), cells


def _column(column: Column, parts: list[_Part], options: Options) -> Column | None:
    """Return a column as the careful reader would; None if it should look at it."""
    fills = options.missing in ("drop", "mean")
    numbers = [part for part in parts if isinstance(part, np.ndarray)]
    if len(numbers) == len(parts):
        values = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
        parts.clear()
        if not _finite(values) and (not fills or np.isinf(values).any()):
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


def _finite(values: NDArray[Any]) -> bool:
    """Tell whether all numbers are finite: their sum tells it alone unless it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())
