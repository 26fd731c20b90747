"""Tables in text: CSV and TSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from nodeflow.data.reading import check_size, reading
from nodeflow.data.table import FloatArray, Table, classify, feature_names, frozen
from nodeflow.errors import DataError, nearest

Target: TypeAlias = str | int | Sequence[str | int] | None

DELIMITERS = ("\t", ";", ",")
MOST_NUMBER_CLASSES = 20


@dataclass(frozen=True)
class _Sheet:
    """The cells of a file: `lines` says where each row begins, `header` is () if there is none."""

    file: str
    rows: list[list[str]]
    lines: list[int]
    header: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.rows[0])


def read_csv(path: Path, target: Target = None) -> Table:
    """Return the table in a text file, separated by commas, semicolons or tabs.

    A header is found by itself. `target` is the column that becomes y: its name or its number
    from 0 (negative: from the end), by default the last one. Text, and whole numbers of at most
    20 different values, are classes and become one-hot (rows, classes); other numbers are used
    as they are (rows, 1). A list of columns is used as it is (rows, columns), without classes.

    Raises DataError with the line in the file and the column, both from 1.
    """
    check_size(path)
    with reading(path):
        data = path.read_bytes()
    sheet = _sheet(path.name, _decode(data, path.name))
    chosen, single = _target_columns(sheet, checked_target(target))
    kept = [i for i in range(sheet.width) if i not in chosen]
    if not kept:
        msg = "no column is left for the features; name fewer target columns"
        raise DataError(msg, file=sheet.file)
    names = sheet.header or feature_names(sheet.width)
    x = np.column_stack([_numbers(sheet, i) for i in kept])
    features = tuple(names[i] for i in kept)
    if single:
        y, classes = _outputs(sheet, chosen[0])
    else:
        y, classes = np.column_stack([_numbers(sheet, i) for i in chosen]), ()
    return Table(frozen(x), frozen(y), features, classes)


def checked_target(target: Target) -> str | int | tuple[str | int, ...] | None:
    """Return the target in one form, None for the empty name; DataError for anything else."""
    if target is None or target == "":
        return None
    if not isinstance(target, list | tuple):
        return _one_target(target)
    if not target:
        raise DataError("the list of target columns is empty; name at least one")
    return tuple(_one_target(one) for one in target)


def _one_target(target: object) -> str | int:
    if isinstance(target, bool) or not isinstance(target, str | int):
        raise DataError(f"a target column is a name or a number from 0, not {target!r}")
    return target


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError("the text is not UTF-8; save it as UTF-8", file=file, row=row) from None


def _split_rows(file: str, text: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not blank, and the line where each begins."""
    delimiter = _delimiter(text)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if len(cells) > 1 or any(cells):
                rows.append(cells)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error:
        msg = "a quoted cell does not end well; close its quote, and double a quote inside it"
        raise DataError(msg, file=file, row=line) from None
    if not rows:
        raise DataError("the file has only blank lines; add rows of numbers", file=file)
    return rows, lines


def _sheet(file: str, text: str) -> _Sheet:
    rows, lines = _split_rows(file, text)
    width = len(rows[0])
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            msg = f"the row has {len(row)} cells, but row {lines[0]} has {width}; make them equal"
            raise DataError(msg, file=file, row=line)
    if width == 1:
        msg = "there is only one column; separate the columns by commas, semicolons or tabs"
        raise DataError(msg, file=file)
    header: tuple[str, ...] = ()
    if _has_header(rows):
        unnamed = feature_names(width)
        header = tuple(cell or unnamed[i] for i, cell in enumerate(rows[0]))
        rows, lines = rows[1:], lines[1:]
        if not rows:
            msg = "the file has only a header; add a row of numbers"
            raise DataError(msg, file=file)
    for row, line in zip(rows, lines, strict=True):
        if "" in row:
            msg = "the cell is empty; fill it in, or delete the row"
            raise DataError(msg, file=file, row=line, column=row.index("") + 1)
    return _Sheet(file, rows, lines, header)


def _delimiter(text: str) -> str:
    """Return the first delimiter that gives equal rows, or else the one with the most cells.

    Semicolons come before commas, since with them a comma is often a decimal point.
    """
    most, best = 0, ","
    for delimiter in DELIMITERS:
        widths = list(islice(_widths(text, delimiter), 20))
        if widths and widths[0] > 1 and len(set(widths)) == 1:
            return delimiter
        if sum(widths) > most:
            most, best = sum(widths), delimiter
    return best


def _widths(text: str, delimiter: str) -> Iterator[int]:
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
            if len(row) > 1 or any(cell.strip() for cell in row):
                yield len(row)
    except csv.Error:
        return


def _has_header(rows: list[list[str]]) -> bool:
    """Tell whether the first row names the columns.

    It does if most number columns begin with a text: a single one may be a mistyped number,
    which must not make a row of numbers vanish.
    """
    first, rest = rows[0], rows[1:]
    texts = [_number(cell) is None for cell in first]
    if not rest:
        return all(texts)
    votes = [
        text
        for i, text in enumerate(texts)
        if first[i] and sum(_number(row[i]) is not None for row in rest) * 2 > len(rest)
    ]
    if votes:
        return any(votes) and sum(votes) * 2 >= len(votes)
    return (
        all(texts)
        and all(first)
        and not any(first[i] == row[i] for row in rest for i in range(len(first)))
    )


def _number(cell: str) -> float | None:
    """Return the number in a cell, None for text; Python's own 1_000 is text."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _numbers(sheet: _Sheet, column: int) -> FloatArray:
    """Return a column of finite numbers (rows,)."""
    values = np.empty(len(sheet.rows))
    for i, row in enumerate(sheet.rows):
        cell = row[column]
        value = _number(cell)
        if value is not None and math.isfinite(value):
            values[i] = value
            continue
        if value is not None:
            msg = f"'{cell}' is not a finite number; write a number, or delete the row"
        elif _number(cell.replace(",", ".", 1)) is not None:
            msg = f"'{_short(cell)}' has a decimal comma; write a point instead"
        else:
            msg = f"'{_short(cell)}' is text in a column of numbers; write a number"
        raise DataError(msg, file=sheet.file, row=sheet.lines[i], column=column + 1)
    return values


def _short(cell: str) -> str:
    return cell if len(cell) <= 40 else cell[:39] + "…"


def _outputs(sheet: _Sheet, column: int) -> tuple[FloatArray, tuple[str, ...]]:
    """Return y and the class names of a single target column."""
    cells = [row[column] for row in sheet.rows]
    numeric = sum(_number(cell) is not None for cell in cells)
    # A few texts among numbers are mistakes, not classes.
    if numeric * 2 <= len(cells):
        return classify(cells, file=sheet.file, column=column + 1)
    values = _numbers(sheet, column)
    whole = bool((values == np.round(values)).all())
    if whole and len(np.unique(values)) <= MOST_NUMBER_CLASSES:
        return classify(values.tolist(), file=sheet.file, column=column + 1)
    return values.reshape(-1, 1), ()


def _target_columns(
    sheet: _Sheet, target: str | int | tuple[str | int, ...] | None
) -> tuple[list[int], bool]:
    """Return the target columns from 0, and whether a single one was meant."""
    if target is None:
        return [sheet.width - 1], True
    if isinstance(target, str | int):
        return [_column(sheet, target)], True
    columns = [_column(sheet, one) for one in target]
    if len(set(columns)) < len(columns):
        raise DataError("a target column is named twice; name it once", file=sheet.file)
    return columns, False


def _column(sheet: _Sheet, wanted: str | int) -> int:
    if isinstance(wanted, str):
        places = [i for i, name in enumerate(sheet.header) if name == wanted]
        if len(places) == 1:
            return places[0]
        if places:
            msg = f"{len(places)} columns are called '{wanted}'; give the target's number from 0"
            raise DataError(msg, file=sheet.file)
        try:
            wanted = int(wanted)
        except ValueError:
            hint = nearest(wanted, sheet.header)
            if not sheet.header:
                hint = f", for the file has no header; give a number from 0 to {sheet.width - 1}"
            raise DataError(f"there is no column '{wanted}'{hint}", file=sheet.file) from None
    if not -sheet.width <= wanted < sheet.width:
        msg = (
            f"there is no column {wanted}; the target is a number from 0 to {sheet.width - 1}, "
            f"or from -{sheet.width} to -1 counted from the end"
        )
        raise DataError(msg, file=sheet.file)
    return wanted % sheet.width
