"""Large tables in text, read in blocks by pandas or NumPy: the same sheet, an order faster.

The careful reader decides from the first and last lines what the table is; then all rows are read
a block of lines at a time, by pandas where it is installed, else by `numpy.loadtxt`. Whatever is
not plain (an empty cell at the end of a row, a mistyped number, a decimal comma, a footer) is
handed back to the careful reader, which finds the line and says it.

Measured on 100 MB (benchmarks/tables.py): pandas 3.1 is the fastest of pandas, Polars, pyarrow,
numpy.loadtxt and csv, exact to the last bit, and takes the least memory of the first three. It
reads without Python's lock, so that each processor reads a block of its own. Most of the time that
is not pandas' goes into memory that is touched for the first time. So the memory of a block is used
again, and what is read goes straight to its place in the table (`stacking`).
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.fannfile import fann_sheet
from nodeflow.data.numerals import MARKS, plain_number
from nodeflow.data.options import Options
from nodeflow.data.reading import check_size, reading, tell
from nodeflow.data.sheet import Sheet
from nodeflow.data.stacking import NotPlain, Numbers, Part, Stack, Texts
from nodeflow.data.textfile import INVISIBLE, careful_sheet, sheet_from_text

if TYPE_CHECKING:
    from concurrent.futures import Future

LARGE = 2**20
"""Bytes; below it the careful reader is as quick as pandas is imported."""
_HEAD, _WIDE_HEAD, _TAIL = 2**14, 2**18, 2**13
_BLOCK, _SMALL_BLOCK = 2**23, 2**21
"""Bytes that are read at once, and near the end of a file. Larger blocks take no less time, and
more memory; with blocks of half the size reading takes a sixth longer."""
_WIDE_BLOCK, _LINES = 2**24, 2**12
"""A wide table is read in blocks of `_LINES` lines, or of `_WIDE_BLOCK` bytes if that is less."""
_KEPT = 2**25 - 2**16
"""Bytes: the system's allocator keeps twice as much for the next block as was ever freed at once,
and what it gives back is fresh memory again. So a piece is freed that nobody has written to."""
_FEW = 12
_MOST_THREADS, _AHEAD = 6, 4
"""Threads, and blocks that are read ahead, lest on a busy machine one waits for the other."""
_TEXT = "S64"
"""A text in a table that NumPy reads; longer ones are the careful reader's."""


def text_sheet(path: Path, options: Options) -> Sheet:
    """Return the columns of a text file; a large one is read in blocks if it is plain.

    Raises DataError with the line in the file and the column, both from 1.
    """
    check_size(path)
    if path.suffix.lower() != ".gz":
        fann = fann_sheet(path, options)
        if fann is not None:
            return fann
        with reading(path):
            sheet = quick_sheet(path, options) if path.stat().st_size > LARGE else None
        if sheet is not None:
            return sheet
    return careful_sheet(path, options)


def quick_sheet(path: Path, options: Options) -> Sheet | None:
    """Return the columns of a large text file; None if the careful reader should read it."""
    plain = options.encoding == "auto" and options.decimal != "," and options.thousands != "."
    head = _head(path, options) if plain else None
    if head is None:
        return None
    from nodeflow.data.deciding import numbers_for_features

    sheet, first = head
    stack = Stack(sheet.columns, numbers_for_features(sheet, options))
    done, size = 0, path.stat().st_size
    tell(path.name, 0)
    try:
        for length, parts in _read(path, first, _reader(sheet)):
            done += length
            if parts:
                stack.put(parts, done / size)
            tell(path.name, done / size)
        columns, x = stack.filled(gaps=options.missing in ("drop", "mean"))
    except (ValueError, UnicodeError, MemoryError):  # pandas' ParserError is a ValueError
        return None
    if sheet.separator == ";" and any(column.like == "thousands" for column in columns):
        return None
    return Sheet(
        sheet.file, tuple(columns), range(first, first + stack.rows), sheet.format,
        names=sheet.names, separator=sheet.separator, notes=sheet.notes, x=x,
    )  # fmt: skip


# --- a block at a time --------------------------------------------------------------------------

_Block: TypeAlias = tuple[int, list[Part]]
"""A block's length in bytes, and its columns."""


class _Lines:
    """Whole lines of a file as a file of their own, which is read piece by piece.

    A block is never in memory as a whole: its memory would be fresh for each.
    """

    def __init__(self, path: Path, begin: int, end: int) -> None:
        self.path, self.begin, self.end = path, begin, end
        self.file: FileIO | None = None
        self.quotes = 0

    @property
    def length(self) -> int:
        return self.end - self.begin

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, as many as were asked for or fewer, none at the end.

        Raises NotPlain if a quoted cell may go on in the next block.
        """
        if self.file is None:
            self.file = FileIO(self.path)
            self.file.seek(self.begin)
        left = self.end - self.file.tell()
        piece = self.file.read(left if size < 0 else min(size, left)) if left else b""
        if b'"' in piece:
            self.quotes += piece.count(b'"')
        if (len(piece) == left or not piece) and self.quotes % 2:
            raise NotPlain
        return piece

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(2**18):
            yield piece


def _read(path: Path, first: int, read: Callable[[_Lines], _Block]) -> Iterator[_Block]:
    """Yield what `read` makes of each block from line `first` on; a few are read at once."""
    from concurrent.futures import ThreadPoolExecutor  # a small table needs none

    def closed(block: _Lines) -> _Block:
        with closing(block):
            return read(block)

    np.empty(_KEPT, np.uint8)
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[_Block]] = deque()
    with ThreadPoolExecutor(threads, "nodeflow-table") as pool:
        try:
            for block in _blocks(path, first, threads):
                waiting.append(pool.submit(closed, block))
                if len(waiting) >= threads + _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _blocks(path: Path, first: int, threads: int) -> Iterator[_Lines]:
    """Yield the lines of a file from line `first` (1 is the first) on, many for each thread."""
    with path.open("rb") as stream:
        if first == 1 and stream.read(3) != b"\xef\xbb\xbf":  # the mark of UTF-8
            stream.seek(0)
        for _ in range(first - 1):
            stream.readline()
        begin, size = stream.tell(), os.fstat(stream.fileno()).st_size
        length = max(_BLOCK, min(_LINES * len(stream.readline()), _WIDE_BLOCK))
        while begin < size:
            # The last blocks are smaller, lest all wait for one thread at the end.
            part = max((size - begin) // (2 * threads), _SMALL_BLOCK)
            stream.seek(begin + min(length, part))
            stream.readline()
            end = min(stream.tell(), size)
            yield _Lines(path, begin, end)
            begin = end


def _reader(sheet: Sheet) -> Callable[[_Lines], _Block]:
    try:
        import pandas as pd  # noqa: F401
    except ImportError:
        return _numpy_reader(sheet)
    return _pandas_reader(sheet)


def _pandas_reader(sheet: Sheet) -> Callable[[_Lines], _Block]:
    import pandas as pd

    marks, width = sorted(MARKS), len(sheet.columns)
    separator = r"\s+" if sheet.separator == " " else sheet.separator or ","

    def read(block: _Lines) -> _Block:
        try:
            frame = pd.read_csv(
                block, header=None, sep=separator, na_values=marks, keep_default_na=False,
                encoding="utf-8", low_memory=False,
            )  # fmt: skip
        except pd.errors.EmptyDataError:
            return block.length, []
        if frame.shape[1] != width or frame.iloc[:, -1].isna().any():
            raise NotPlain  # a row may be short
        return block.length, [_part(column) for _, column in frame.items()]

    return read


def _numpy_reader(sheet: Sheet) -> Callable[[_Lines], _Block]:
    kinds: list[tuple[str, str]] = [
        (f"c{i}", "<f8" if all(plain_number(cell) is not None for cell in cells) else _TEXT)
        for i, cells in enumerate(column.cells or () for column in sheet.columns)
    ]
    separator = None if sheet.separator == " " else sheet.separator or ","

    def read(block: _Lines) -> _Block:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a block of empty lines
            rows = np.loadtxt(
                BytesIO(block.read()), dtype=np.dtype(kinds), delimiter=separator, comments=None,
                quotechar='"', ndmin=1, encoding="utf-8",
            )  # fmt: skip
        return block.length, [_piece(rows[name]) for name, _ in kinds] if len(rows) else []

    return read


def _piece(values: NDArray[Any]) -> Part:
    if values.dtype.kind == "f":
        return Numbers.of(np.ascontiguousarray(values))
    texts, codes = np.unique(values, return_inverse=True)
    if max(map(len, texts.tolist()), default=0) >= values.dtype.itemsize:
        raise NotPlain
    return _cleaned(codes, [text.decode() for text in texts.tolist()])


def _head(path: Path, options: Options) -> tuple[Sheet, int] | None:
    """Return what the first lines are read as, and which is the first line of data."""
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
    if b"\r" in start.replace(b"\r\n", b""):
        return None  # a return alone ends a line, too, which no count of lines here sees
    try:
        text = start.rpartition(b"\n")[0].decode("utf-8-sig")
        tail = end.partition(b"\n")[2].decode()
        if INVISIBLE.search(text):
            return None
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
    return sheet, sheet.lines[0]


def _part(series: Any) -> Part:
    if series.dtype.kind in "iuf":
        return Numbers.of(np.asarray(series.to_numpy()))
    if series.dtype.kind == "b":
        return Texts(1 - series.to_numpy().astype(np.intp), ["TRUE", "FALSE"])
    codes, texts = series.factorize()
    return _cleaned(codes, [str(text) for text in texts])


def _cleaned(codes: NDArray[np.intp], texts: list[str]) -> Part:
    """Return texts without blanks around them; marks of missing values are places −1."""
    if any('"' in text or INVISIBLE.search(text) for text in texts):
        raise NotPlain  # a quote after a blank, or what nobody sees
    cells = [text.strip() for text in texts]
    there = [cell for cell in cells if cell not in MARKS]
    if len(there) == len(cells):
        return Texts(codes, cells)
    places = iter(range(len(there)))
    move = np.array([*(-1 if cell in MARKS else next(places) for cell in cells), -1], np.intp)
    return Texts(move[codes], there)
