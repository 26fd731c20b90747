"""From text to rows of cells: which sign separates the columns, and which quotes hold a cell."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from nodeflow.data.numerals import plain_number
from nodeflow.errors import DataError

SEPARATORS = ("\t", ";", ",", "|", " ")
"""In the order in which they are tried; a blank stands for any run of blanks and tabs."""

_TRIED_ROWS = 200


@dataclass(frozen=True)
class Dialect:
    """How text is cut: the separator (" " is any run of blanks and tabs) and the quote."""

    separator: str = ","
    quote: str = '"'


@dataclass(frozen=True)
class Row:
    """The cells of a row, without blanks around them, and the line where it begins."""

    cells: list[str]
    line: int


def dialect_of(text: str, separator: str = "auto") -> Dialect:
    """Return the dialect that gives the most rows of one width.

    Among equals the first of SEPARATORS wins: semicolons come before commas, since with them a
    comma is often a decimal point.
    """
    tried = SEPARATORS if separator == "auto" else (separator,)
    quotes = '"' if '"' in text or "'" not in text else "'\""
    best, found = 0.0, Dialect(separator if separator != "auto" else ",", '"')
    for sign in tried:
        if sign != " " and sign not in text:
            continue
        for quote in quotes:
            dialect = Dialect(sign, quote)
            widths = list(islice(_widths(text, dialect), _TRIED_ROWS))
            counts = Counter(width for width in widths if width > 1)
            if not counts:
                continue
            often = counts.most_common(1)[0][1]
            # One odd row, a title or a footer, must not count against the right separator.
            share = often / len(widths)
            if _cuts_quotes(text, dialect):
                share /= 2
            if sign == " " and share < 0.9:
                share /= 2  # sentences have blanks too
            runs = (
                sign == " "
                and share == 1
                and found.separator == "\t"
                and (best < 1 or _holds_numbers_in_a_cell(text, found))
            )
            if runs or share > best + (0.1 if best >= 0.9 else 0):
                best, found = share, dialect
    return found


def _cuts_quotes(text: str, dialect: Dialect) -> bool:
    """Tell whether a separator stands inside quotes, so that cells hold half of them."""
    try:
        rows = list(islice(_reader(text, dialect, strict=False), 20))
    except csv.Error:
        return False
    return any(cell.count(dialect.quote) % 2 for row in rows for cell in row)


def _holds_numbers_in_a_cell(text: str, dialect: Dialect) -> bool:
    """Tell whether cells that tabs part hold several numbers, parted by blanks."""
    for row in islice(_reader(text, dialect, strict=False), 1, 4):
        for cell in row:
            parts = cell.split()
            if len(parts) > 1 and all(plain_number(part) is not None for part in parts):
                return True
    return False


def _widths(text: str, dialect: Dialect) -> Iterator[int]:
    try:
        for row in _reader(text, dialect, strict=False):
            cells = _trimmed(row) if dialect.separator == " " else row
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield len(cells)
    except csv.Error:
        return


def rows_of(file: str, text: str, dialect: Dialect, first_line: int = 1) -> Iterator[Row]:
    """Give the rows of a text that are not blank.

    Raises DataError for a quote that is not closed.
    """
    reader = _reader(text, dialect, strict=True)
    line = 1
    blanks = dialect.separator == " "
    try:
        for row in reader:
            cells = _trimmed(row) if blanks else [cell.strip() for cell in row]
            if len(cells) > 1 or any(cells):
                yield Row(cells, line + first_line - 1)
            line = reader.line_num + 1
    except csv.Error:
        msg = "a quoted cell does not end well; close its quote, and double a quote inside it"
        raise DataError(msg, file=file, row=line + first_line - 1) from None


def _reader(text: str, dialect: Dialect, *, strict: bool) -> csv._reader:  # type: ignore[name-defined]
    if dialect.separator == " ":
        text = text.replace("\t", " ")
    return csv.reader(
        StringIO(text, newline=""),
        delimiter=dialect.separator,
        quotechar=dialect.quote,
        skipinitialspace=True,
        strict=strict,
    )


def _trimmed(row: list[str]) -> list[str]:
    """Return the cells without those that blanks at the ends of a line make."""
    cells = [cell.strip() for cell in row]
    if len(cells) > 1 and not cells[0]:
        del cells[0]
    if len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return cells
