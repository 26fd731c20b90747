"""From text to rows of cells: which sign separates the columns, and which quotes hold a cell."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from nodeflow.data.numerals import TwoForms, form_of, is_number, plain_number
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
    comma is often a decimal point. Bars and blanks come behind, for texts have them too, and win
    over commas that stand inside of numbers or texts.
    """
    tried = SEPARATORS if separator == "auto" else (separator,)
    quotes = '"' if '"' in text or "'" not in text else "'\""
    best, wide, found = 0.0, 0, Dialect(separator if separator != "auto" else ",", '"')
    for sign in tried:
        if sign != " " and sign not in text:
            continue
        for quote in quotes:
            dialect = Dialect(sign, quote)
            widths = list(islice(_widths(text, dialect), _TRIED_ROWS))
            counts = Counter(width for width in widths if width > 1)
            if not counts:
                continue
            width, often = counts.most_common(1)[0]
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
                and (_is_ragged(text, found, wide) or _holds_numbers_in_a_cell(text, found))
            )
            inside = (
                sign in "| "
                and found.separator == ","
                and share >= best
                and (
                    (sign == "|" and (share > best or width > wide))
                    or _commas_are_in_numbers(text, dialect, width, found)
                )
            )
            lists = (  # semicolons and tabs that stand inside of cells
                sign == ","
                and found.separator in "\t;"
                and share >= best > 0
                and width >= wide
                and (share > best or _numbers(text, dialect, width) > _numbers(text, found, wide))
                and not _commas_are_in_numbers(text, found, wide, dialect)
            )
            if runs or inside or lists or share > best + (0.1 if best >= 0.9 else 0):
                best, wide, found = share, width, dialect
    return found


def _is_ragged(text: str, dialect: Dialect, width: int) -> bool:
    """Tell whether rows are cut into another number of cells; a title is not cut at all."""
    return any(w not in (1, width) for w in islice(_widths(text, dialect), _TRIED_ROWS))


def _commas_are_in_numbers(text: str, dialect: Dialect, width: int, commas: Dialect) -> bool:
    """Tell whether commas are the marks of numbers, if the columns are parted by another sign.

    They are not where a cut by commas leaves numbers, too, as in "3 126,684 959".
    """
    rows = _first_rows(text, dialect, width)
    marked = [cell for row in rows[1:] or rows for cell in row if "," in cell]
    if not marked or not all(is_number(cell) and not cell.endswith(",") for cell in marked):
        return False
    cut = islice(_reader(text, commas, strict=False), 20)
    parted = [cell.strip() for row in cut if len(row) > 1 for cell in row]
    parted = [cell for cell in parted if dialect.separator in cell]
    try:
        return not parted or form_of(parted, ".", "") is None
    except TwoForms:
        return True


def _first_rows(text: str, dialect: Dialect, width: int) -> list[list[str]]:
    rows = [
        _trimmed(row) if dialect.separator == " " else [cell.strip() for cell in row]
        for row in islice(_reader(text, dialect, strict=False), 20)
    ]
    return [row for row in rows if len(row) == width]


def _numbers(text: str, dialect: Dialect, width: int) -> int:
    """Return how many cells of the first rows are plain numbers."""
    rows = _first_rows(text, dialect, width)
    return sum(plain_number(cell) is not None for row in rows for cell in row)


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
    blanks = dialect.separator == " "
    if not blanks and f"{dialect.quote} " in text:
        text = _without_blanks_behind_quotes(text, dialect)
    reader = _reader(text, dialect, strict=True)
    line = 1
    try:
        for row in reader:
            cells = _trimmed(row) if blanks else [cell.strip() for cell in row]
            if len(cells) > 1 or any(cells):
                yield Row(cells, line + first_line - 1)
            line = reader.line_num + 1
    except csv.Error:
        msg = "a quoted cell does not end well; close its quote, and double a quote inside it"
        raise DataError(msg, file=file, row=line + first_line - 1) from None


def _without_blanks_behind_quotes(text: str, dialect: Dialect) -> str:
    """Leave out blanks between the end of a quoted cell and the separator, as those before it."""
    sign, quote = re.escape(dialect.separator), dialect.quote
    inside = rf"[^{quote}]*(?:{quote}{quote}[^{quote}]*)*"
    cell = rf"((?:^|{sign}) *{quote}{inside}{quote}) *(?={sign}|\r?$)"
    return re.sub(cell, r"\1", text, flags=re.MULTILINE)


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
