"""Tables in text: comments, titles, headers, units and footers told from rows of data."""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise, takewhile
from pathlib import Path

from nodeflow.data import numerals
from nodeflow.data.cutting import Dialect, Row, dialect_of, rows_of
from nodeflow.data.numerals import MARKS
from nodeflow.data.options import Options
from nodeflow.data.patterns import Pattern
from nodeflow.data.reading import MOST_BYTES, check_size, reading, tell
from nodeflow.data.sheet import Column, Sheet
from nodeflow.errors import DataError

_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""First bytes and what they say; those of UTF-32 begin with those of UTF-16."""
INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060\ufeff]")
"""Signs of no width: pages of the web, spreadsheets and joined files leave them in cells."""
_COMMENTS = ("#", "%", "//")
_FOOTER = Pattern(
    r"(?:grand |sub)?(?:totals?|sums?|average|mean|averages|count|summe|gesamt|mittelwert|"
    r"durchschnitt|somme|moyenne|totale|media|suma|source|quelle|note|notes)\b.*",
    re.IGNORECASE,
)
_STATISTIC = Pattern(
    r"min\.?|max\.?|minimum|maximum|mean|average|avg\.?|median|std\.?|st\.?dev\.?|std\.? ?dev\.?|"
    r"sd|standard deviation|mittelwert|standardabweichung|moyenne|media|sum|total|summe|count|n",
    re.IGNORECASE,
)
"""Below a table one of these may be a name, as Max is; two of them are what was calculated."""
_ORANGE_NUMBERS = frozenset({"c", "continuous", "n", "numeric"})
_ORANGE_CLASSES = frozenset({"d", "discrete", "categorical"})
_ORANGE_UNREAD = frozenset({"s", "string", "text", "t", "time", "basket"})
_ORANGE_KINDS = _ORANGE_NUMBERS | _ORANGE_CLASSES | _ORANGE_UNREAD
_ORANGE_FLAGS = Pattern(r"|(?:class|meta|ignore|skip|weight|[cmiw]|attr|-dc|[\w.]+=.*)( .*)?")
_ORANGE_NAME = Pattern(r"(?P<flag>[cimw])?(?P<kind>[CNDST])?(?P<last>(?<=[CNDST])[cimw])?#(.+)")
"""`cD#name`: what it is for in a small letter, what it holds in a capital, in either order."""
_PAIR = Pattern(r"\d+:[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_OTHERS = (
    (b"PK\x03\x04", "a zip or Excel file", "unpack it, or name it .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save it as .xlsx or CSV"),
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"%PDF", "a PDF", "save the table in it as CSV"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it"),
    (b"BZh9", "a bzip2 file", "unpack it"),
)
"""How files of other kinds begin, what they are, and what to do with them."""
_SEEN_FOR_HEADER = 5000
_TOLD = 20_000
"""Rows after which a watcher is told how far it is."""


def careful_sheet(path: Path, options: Options) -> Sheet:
    """Return the columns of a text file: cut, without what stands around the table.

    Raises DataError with the line in the file and the column, both from 1.
    """
    check_size(path)
    with reading(path):
        data = path.read_bytes()
    if path.suffix.lower() == ".gz" or data.startswith(b"\x1f\x8b"):
        data = _unpacked(data, path.name)
    _refuse_others(data, path.name)
    text, notes = decode(data, path.name, options.encoding)
    return sheet_from_text(path.name, text, options, notes)


def _unpacked(data: bytes, file: str) -> bytes:
    import gzip
    import zlib
    from io import BytesIO

    try:
        with gzip.open(BytesIO(data)) as stream:
            unpacked = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError("the gzip file is damaged; fetch it again", file=file) from error
    if len(unpacked) > MOST_BYTES:
        raise DataError("unpacked, the file has more than 2 GiB; take a part of it", file=file)
    if not unpacked:
        raise DataError("the file is empty, it has zero bytes; save it again", file=file)
    return unpacked


def _refuse_others(data: bytes, file: str) -> None:
    """Raise DataError for a file of another kind under the name of a text."""
    for mark, what, how in _OTHERS:
        if data.startswith(mark):
            raise DataError(f"this is {what}, whatever its name says; {how}", file=file)
    start = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        msg = "this is a page of the web or XML, not a table in text; save the table as CSV"
        raise DataError(msg, file=file)
    if re.match(rb'(?:\[\s*)?[\[{]\s*"[^"]*"\s*:', start):
        msg = "this is JSON, not a table in text; save the table as CSV"
        raise DataError(msg, file=file)


def decode(data: bytes, file: str, encoding: str = "auto") -> tuple[str, list[str]]:
    """Return the text in bytes, and what is to be said.

    If nothing was said it is UTF-8, or what its first bytes say. Raises DataError.
    """
    text, notes = _decoded(data, file, encoding)
    if (nul := text.find("\0")) >= 0:
        raise DataError(
            "there is a character NUL, as in damaged files and in those that are no text; delete "
            "it, or save the table as text",
            file=file, row=text.count("\n", 0, nul) + 1,
        )  # fmt: skip
    if not text.isascii() and (shown := INVISIBLE.sub("", text)) != text:
        return shown, [*notes, "invisible characters are left out"]
    return text, notes


def _decoded(data: bytes, file: str, encoding: str) -> tuple[str, list[str]]:
    if encoding != "auto":
        try:
            return data.decode(encoding).removeprefix("\ufeff"), []
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start) + 1
            raise DataError(f"the text is not {encoding}", file=file, row=row) from None
    for mark, name in _MARKED:
        if data.startswith(mark):
            try:
                return data.decode(name), [f"the text is {name.upper()}"]
            except UnicodeDecodeError:
                raise DataError(
                    f"the text is no whole {name.upper()}; save it as UTF-8", file=file
                ) from None
    if data[1:2] == b"\0" or data[:1] == b"\0":  # without its mark
        name = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        with suppress(UnicodeDecodeError):
            text = data.decode(name)
            if "\0" not in text:
                return text, ["the text is UTF-16"]
    if b"\0" in data:  # told by its row, whatever else cannot be read
        return data.decode("utf-8", "replace"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            "the text is not UTF-8; save it as UTF-8, or say how it is stored, such as "
            "--encoding windows-1252",
            file=file,
            row=row,
        ) from None


def sheet_from_text(file: str, text: str, options: Options, notes: Sequence[str] = ()) -> Sheet:
    """Return the columns of a table in text; raises DataError."""
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")  # as old Macs end lines
    return _Page(file, text, options, list(notes)).sheet()


def sheet_from_rows(
    file: str, rows: list[Row], options: Options, notes: Sequence[str], format_: str
) -> Sheet:
    """Return the columns of rows of cells that are cut already, all of one width."""
    page = _Page(file, "", options, list(notes))
    page.rows = rows
    page.format = format_
    return page.as_sheet()


class _Page:
    """A text on its way to a sheet: each step takes off what is no row of data."""

    def __init__(self, file: str, text: str, options: Options, notes: list[str]) -> None:
        self.file, self.text, self.options, self.notes = file, text, options, notes
        self.line = 1
        self.comment: Row | None = None
        self.header: Row | None = None
        self.roles: dict[int, str] = {}
        self.kinds: dict[int, str] = {}
        self.dialect = Dialect()
        self.rows: list[Row] = []
        self.row_names = False
        self.format = "text"
        self.separator: str | None = None

    def sheet(self) -> Sheet:
        separator = self._top()
        self.dialect = dialect_of(self.text, separator)
        self.separator = self.dialect.separator
        lines = self.text.count("\n") + 1
        for row in rows_of(self.file, self.text, self.dialect, self.line):
            self.rows.append(row)
            if len(self.rows) % _TOLD == 0:
                tell(self.file, len(self.rows) / lines)
        return self.as_sheet()

    def as_sheet(self) -> Sheet:
        """Return the sheet that the rows are, once titles, header and footers are told apart."""
        self._blank_rows()
        if not self.rows:
            raise self._fault("the file has only blank lines; add rows of numbers")
        self._sparse()
        self._widths()
        width = len(self.rows[0].cells)
        if width == 1:
            raise self._fault(self._why_one_column())
        self._header()
        self._footer()
        if not self.rows:
            raise self._fault("the file has only a header; add a row of numbers")
        return self._columns()

    def _why_one_column(self) -> str:
        cells = [row.cells[0] for row in self.rows]
        if sum(map(_formed, cells)) * 2 > len(cells):
            return (
                "there is only one column, and a network needs features beside its target; of a "
                "series, put what came before (one row up, two rows up, …) into columns of its own"
            )
        return (
            "there is only one column; separate the columns by commas, semicolons, tabs or "
            "blanks, or name the sign with --separator"
        )

    def _fault(self, msg: str, row: Row | None = None) -> DataError:
        return DataError(msg, file=self.file, row=None if row is None else row.line)

    # -- above the table

    def _top(self) -> str:
        """Take off the lines above the table: those to skip, sep=, comments."""
        separator = self.options.separator
        for number in range(self.options.skip):
            if not self.text:
                raise self._fault(f"the file has {number} lines, and all are skipped; skip fewer")
            self._next_line()
        while self.text:
            line = self.text.split("\n", 1)[0]
            match = re.fullmatch(r'\s*"?sep=(.|\\t)"?\s*', line, re.IGNORECASE)
            line = line.strip()
            if match:
                sign = "\t" if match[1] == "\\t" else match[1]
                separator = sign if separator == "auto" else separator
                said = {"\t": "a tab", " ": "a blank"}.get(sign, f"'{sign}'")
                self.notes.append(f"the first line says that {said} separates the columns")
                self._next_line()
            elif not line or line.startswith(_COMMENTS):
                if line:
                    self.comment = Row([line], self.line)
                self._next_line()
            else:
                break
        if self.comment is not None:
            many = self.comment.line
            self.notes.append(f"comments down to line {many} are skipped")
        return separator

    def _next_line(self) -> None:
        _, mark, self.text = self.text.partition("\n")
        self.line += bool(mark)

    def _blank_rows(self) -> None:
        rows = [row for row in self.rows if any(row.cells)]
        if gone := len(self.rows) - len(rows):
            self.notes.append(f"{gone} empty row{'s' * (gone > 1)} left out")
        self.rows = rows

    # -- one width

    def _widths(self) -> None:
        """Bring all rows to one width, or refuse the first that has another."""
        rows = self.rows
        every = Counter(len(row.cells) for row in rows)
        counts = Counter(len(row.cells) for row in (rows[1:] or rows))
        width = max(counts, key=lambda n: (counts[n], every[n], n))
        longer = [row for row in rows if len(row.cells) == width + 1]
        if longer and all(not row.cells[-1] for row in longer):
            self._cut(longer)
        if len(rows[0].cells) == width - 1 and all(
            not row.cells[-1] for row in rows[1:] if len(row.cells) == width
        ):
            self._cut([row for row in rows[1:] if len(row.cells) == width])
            width -= 1
        start = next(i for i, row in enumerate(rows) if len(row.cells) == width)
        end = len(rows) - next(i for i, r in enumerate(rows[::-1]) if len(r.cells) == width)
        self._leading(rows[:start], rows[start:end], width)
        body = rows[start:end]
        for row in body:
            if len(row.cells) != width:
                if row.cells[0].startswith("#"):
                    self.notes.append(
                        f"row {row.line}, '{_short(row.cells[0])}', is a comment: skipped"
                    )
                    continue
                first = self.header or body[0]
                raise self._fault(
                    f"the row has {len(row.cells)} cells, but row {first.line} has "
                    f"{len(first.cells)}; make them equal",
                    row,
                )
        for row in rows[end:]:
            alone = max(row.cells)
            words = not numerals.is_number(alone) or len(alone.split()) > 2
            text = sum(map(bool, row.cells)) == 1 and words
            if not (text or _FOOTER.fullmatch(row.cells[0]) or row.cells[0].startswith("#")):
                first = self.header or body[0]
                raise self._fault(
                    f"the row has {len(row.cells)} cells, but row {first.line} has "
                    f"{len(first.cells)}; make them equal",
                    row,
                )
            self.notes.append(f"row {row.line}, '{_short(row.cells[0])}', is no data: skipped")
        self.rows = [row for row in body if len(row.cells) == width]

    def _cut(self, rows: list[Row]) -> None:
        """Leave out the empty cell behind the separator that these rows end with."""
        for row in rows:
            del row.cells[-1]
        who = f"row {rows[0].line} ends" if len(rows) == 1 else f"{len(rows)} rows end"
        self.notes.append(f"{who} with a separator: the empty cell behind it is left out")

    def _leading(self, rows: list[Row], body: list[Row], width: int) -> None:
        """Judge the rows above the first one of the right width: titles, or a header."""
        last = rows[-1] if rows else None
        if last is not None and len(last.cells) > 1 and not _numbers_in(last.cells):
            there = f"the header has {len(last.cells)} names, the rows {width} cells"
            first = [row.cells[0] for row in body if len(row.cells) == width]
            two = _parted_thousands(body, width) if self.separator == "," else ""
            if two and len(last.cells) == width - 1:
                raise self._fault(
                    f"{there}: '{two}' is one number whose thousands a comma parts, or two cells; "
                    "write such numbers in quotes, or give the header a name for every cell",
                    last,
                )
            if len(last.cells) == width - 1 and len(set(first)) == len(first):
                self.header = Row(["", *last.cells], last.line)
                self.row_names = True
                rows = rows[:-1]
            elif not _is_title(last, body):
                raise self._fault(f"{there}; make them equal, or --skip leaves lines out", last)
        for row in rows:
            if not _is_title(row, body):
                raise self._fault(
                    f"the row has {len(row.cells)} cells, but the rows below have {width}; "
                    "make them equal, or leave the first lines out with --skip",
                    row,
                )
            self.notes.append(f"row {row.line}, '{_short(row.cells[0])}', is a title: skipped")

    def _sparse(self) -> None:
        """Refuse LIBSVM's form, in which a cell holds a feature's number and its value."""
        row = next((row for row in self.rows[:2] if len(row.cells) > 1), self.rows[0])
        cells = [cell for cell in row.cells[1:] if cell]
        if self.separator == " " and cells and all(map(_PAIR.fullmatch, cells)):
            raise self._fault(
                f"'{cells[0]}' is a number and a value, LIBSVM's form, which is not read; write a "
                "table with one column per feature",
                row,
            )

    # -- header

    def _header(self) -> None:
        wanted = self.options.header
        rows = self.rows
        if self.header is not None:
            return
        if wanted != "no":
            while len(rows) > 2 and len(rows[0].cells) > 2 and self._padded_title(rows):
                self.notes.append(f"row {rows[0].line}, '{_short(rows[0].cells[0])}', is a title: "
                                  "skipped")  # fmt: skip
                rows = rows[1:]
        if wanted == "yes" or (wanted == "auto" and self._has_header(rows)):
            self.header, rows = rows[0], rows[1:]
            rows = self._below_header(self.header, rows)
            repeated = [row for row in rows if row.cells == self.header.cells]
            if repeated:
                self.notes.append(f"row {repeated[0].line} is the header once more: skipped")
                rows = [row for row in rows if row.cells != self.header.cells]
        elif wanted == "auto" and self.comment is not None:
            text = self.comment.cells[0].lstrip("#%/ ")
            cells = [row.cells for row in rows_of(self.file, text, self.dialect)]
            if cells and len(cells[0]) == len(rows[0].cells) and not _numbers_in(cells[0]):
                self.header = Row(cells[0], self.comment.line)
                self.notes.append(f"the comment in line {self.comment.line} names the columns")
        self.rows = rows

    def _has_header(self, rows: list[Row]) -> bool:
        """Tell whether the first row names the columns.

        It does if most columns of numbers begin with a text: a single one may be a mistyped
        number, which must not make a row of numbers vanish.
        """
        first = rows[0].cells
        # The same row once more says nothing: a header is repeated where files were joined.
        rest = [row.cells for row in rows[1 : 1 + _SEEN_FOR_HEADER] if row.cells != first]
        texts = [cell not in MARKS and not _formed(cell) for cell in first]
        if not rest:
            return all(texts)
        formed = [
            i for i in range(len(first))
            if 2 * sum(_formed(row[i]) for row in rest) > sum(row[i] not in MARKS for row in rest)
        ]  # fmt: skip
        votes = [texts[i] for i in formed if first[i] not in MARKS]
        if votes and any(votes) and sum(votes) * 2 >= len(votes):
            return True
        if votes:
            return self._named_by_numbers(rows[0], rest, formed)
        return (
            all(texts)
            and all(first)
            and not any(first[i] == row[i] for row in rest for i in range(len(first)))
        )

    def _padded_title(self, rows: list[Row]) -> bool:
        """Tell whether the first row is a title with empty cells behind it."""
        title, below = rows[0].cells, rows[1].cells
        padded = bool(title[0]) and not any(title[1:]) and not _formed(title[0])
        if not padded or below.count("") >= title.count(""):
            return False
        return not _numbers_in(below) or self._has_header(rows[1:])

    def _named_by_numbers(self, first: Row, rest: list[list[str]], formed: list[int]) -> bool:
        """Tell whether a row that begins with numbers names the columns: years, wavelengths."""
        cells = first.cells
        words = [i for i in formed if cells[i] not in MARKS and not _formed(cells[i])]
        if any(re.search(r"\d", cells[i]) for i in words):
            return False  # a mistyped number is no name
        # pandas leaves the name of its row numbers empty.
        formed = [i for i in formed if i not in words and (cells[i] or i)]
        numbers = [_number_in_name(cells[i]) for i in formed]
        values = [number for number in numbers if number is not None and math.isfinite(number)]
        if len(rest) < 3 or len(values) < len(numbers):
            return False
        there = [i for i in range(len(cells)) if cells[i] or any(row[i] for row in rest)]
        others = [i for i in there if i not in formed and i not in words]
        steps = {round(b - a, 9) for a, b in pairwise(values)}
        even = len(values) > 2 and len(steps) == 1 and steps != {0.0}
        whole = all(value == round(value) for value in values)
        unlike = whole and len(set(values)) == len(values) and _mostly_fractions(rest, formed)
        new = [i for i in others if _is_new(cells[i], [row[i] for row in rest])]
        # Names of rows all differ: no text below says whether the one above them is a name too.
        unseen = all(cells[i] not in {row[i] for row in rest} for i in others)
        named = bool(words or new) and unseen
        counts = values == [*range(len(values))] or values == [*range(1, len(values) + 1)]
        beyond = even and _are_beyond(values, rest, formed)
        alone = unseen and not words and even and (counts or unlike or beyond)
        if (named and (even or unlike)) or (
            alone and sum(_evenly(row, formed) for row in rest) * 10 <= len(rest)
        ):
            note = f"row {first.line} names the columns by numbers; --header no reads it as data"
            if note not in self.notes:
                self.notes.append(note)
            return True
        odd = new if named and len(rest) >= 10 else others if unseen and unlike else []
        if odd and (named or len(formed) > 1):
            name = cells[odd[0]]
            raise DataError(
                f"the row is either a header or data: '{name}' is nowhere else in its column; "
                "--header yes or --header no decides",
                file=self.file, row=first.line, column=odd[0] + 1,
            )  # fmt: skip
        return False

    def _below_header(self, header: Row, rows: list[Row]) -> list[Row]:
        """Take off a second header row: Orange's kinds and flags, names below groups, units."""
        kinds = [cell.lower() for cell in rows[0].cells] if len(rows) > 2 else []
        if set(kinds) & _ORANGE_KINDS and all(_orange_kind(cell) for cell in kinds):
            flags = [cell.lower() for cell in rows[1].cells]
            if all(_ORANGE_FLAGS.fullmatch(flag) for flag in flags):
                for i, (kind, flag) in enumerate(zip(rows[0].cells, flags, strict=True)):
                    self._orange(i, kind, flag)
                self.notes.append("rows 2 and 3 are Orange's kinds and flags of the columns")
                return rows[2:]
        for i, cell in enumerate(header.cells):
            if match := _ORANGE_NAME.fullmatch(cell):
                self._orange(i, match["kind"] or "", match["flag"] or match["last"] or "")
                header.cells[i] = match[4]
        if len(rows) < 2:
            return rows
        second, rest = rows[0].cells, [row.cells for row in rows[1 : 1 + _SEEN_FOR_HEADER]]
        formed = [
            i for i in range(len(second)) if 2 * sum(_formed(row[i]) for row in rest) > len(rest)
        ]
        if not formed or any(_formed(second[i]) for i in formed):
            return rows
        if sum(second[i] not in MARKS for i in formed) < max(1, len(formed) / 2):
            return rows
        units = all(not re.search(r"\d", second[i]) or "(" in second[i] for i in formed)
        if len(formed) == 1 and not re.fullmatch(r"[(\[].*[)\]]", second[formed[0]]):
            return rows
        if header.cells.count("") > second.count("") or _are_groups(header.cells, second):
            names = _named_by_groups(header.cells, second)
            other = next((a for a, b in zip(names, second, strict=True) if a != b), "")
            told = f"it names groups, as in '{_short(other)}'" if other else "skipped"
            self.notes.append(f"row {header.line} stands above the names of the columns: {told}")
            self.header = Row(names, rows[0].line)
            return rows[1:]
        if units:
            shown = " ".join(second)
            self.notes.append(f"row {rows[0].line}, '{_short(shown)}', holds units: skipped")
            return rows[1:]
        return rows

    def _orange(self, i: int, kind: str, flag: str) -> None:
        kind = kind.lower()
        if flag in ("c", "class") or flag.startswith("class "):
            self.roles[i] = "target"
        elif flag in ("i", "ignore", "m", "meta", "skip", "w", "weight"):
            self.roles[i] = "left out"
        if kind in _ORANGE_UNREAD:
            self.roles.setdefault(i, "left out")
        elif kind and kind not in _ORANGE_NUMBERS:
            self.kinds[i] = kind

    # -- below the table

    def _statistics(self) -> None:
        """Take off the rows that a program has calculated: Min, Max, Mean, each once."""
        texts = [_first_text(row.cells) for row in self.rows]
        last = list(takewhile(_STATISTIC.fullmatch, texts[:-9:-1]))
        if len(last) < 2 or len(texts) < len(last) + 2 or any(texts.count(one) > 1 for one in last):
            return
        for row in self.rows[-len(last) :]:
            self.notes.append(f"row {row.line}, '{_first_text(row.cells)}', is no data: skipped")
        del self.rows[-len(last) :]

    def _footer(self) -> None:
        self._statistics()
        for _ in range(3):
            if len(self.rows) < 3:
                return
            last = self.rows[-1].cells
            at = next(i for i, cell in enumerate(last) if cell)
            before = [row.cells[at] for row in self.rows[:-1][:_SEEN_FOR_HEADER]]
            odd = _formed(before[-1]) or "" in last or last[at] not in before
            words = _FOOTER.fullmatch(last[at]) is not None
            alone = sum(map(bool, last)) == 1 and len(last) > 2 and not _formed(last[at])
            if not ((words and odd and last[at] not in before) or alone):
                return
            self.notes.append(f"row {self.rows[-1].line}, '{_short(last[at])}', is no data: "
                              "skipped")  # fmt: skip
            del self.rows[-1]

    # -- columns

    def _columns(self) -> Sheet:
        width = len(self.rows[0].cells)
        names = [""] * width if self.header is None else self.header.cells
        columns = []
        for i, cells in enumerate(zip(*(row.cells for row in self.rows), strict=True)):
            role = self.roles.get(i, "")
            if self.row_names and i == 0:
                role = "left out"
                self.notes.append("the header is one name shorter: the first column names the rows")
            kind = self.kinds.get(i, "")
            levels = () if kind in _ORANGE_CLASSES else tuple(kind.split())
            quoted: Sequence[str] = _unquoted(cells)
            if kind:
                marked = ["" if cell in MARKS else cell for cell in quoted]
                levels = levels or tuple(sorted(set(marked) - {""}))
                columns.append(Column(names[i], marked, typed=True, levels=levels, role=role))
            else:
                columns.append(Column(names[i], quoted, role=role))
        return Sheet(
            self.file, tuple(columns), [row.line for row in self.rows], self.format,
            names=self.header is not None, separator=self.separator, notes=tuple(self.notes),
        )  # fmt: skip


def _are_groups(groups: list[str], names: list[str]) -> bool:
    """Tell whether two rows of names tell the columns apart that neither of them does alone."""
    there = [pair for pair in zip(groups, names, strict=True) if any(pair)]
    return all(
        len(set(one)) < len(one) for one in ([a for a, _ in there], [b for _, b in there])
    ) and len(set(there)) == len(there)


def _named_by_groups(groups: list[str], names: list[str]) -> list[str]:
    """Return the names of columns below the names of groups, which count for what is behind them.

    A group's name stands before a name that is there twice, and for one that is missing; a single
    text is the title of the table, and names no group.
    """
    if sum(map(bool, groups)) < 2:
        return names
    found, group = [], ""
    for above, name in zip(groups, names, strict=True):
        group = above or group
        if not name:
            found.append(above)
        else:
            found.append(f"{group} {name}" if group and names.count(name) > 1 else name)
    return found


def _formed(cell: str) -> bool:
    """Tell whether a cell is a number or a date, in whatever form."""
    return (
        numerals.plain_number(cell) is not None
        or numerals.is_number(cell)
        or (numerals.is_date(cell))
    )


def _numbers_in(cells: Sequence[str]) -> bool:
    return any(numerals.plain_number(cell) is not None for cell in cells)


def _is_title(row: Row, body: Sequence[Row]) -> bool:
    """Tell whether a row above the table is a title: one text, or texts above a header."""
    there = [cell for cell in row.cells if cell]
    if len(there) == 1:
        return numerals.plain_number(there[0]) is None
    numbers = sum(numerals.plain_number(cell) is not None for cell in there)
    above = not _numbers_in(body[0].cells) and len(body) > 2 and _numbers_in(body[2].cells)
    return above and 2 * numbers <= len(there)


def _first_text(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if cell), "")


def _parted_thousands(rows: Sequence[Row], width: int) -> str:
    """Return two cells that may be one number, as 1,234 cut at its comma; "" if none may."""
    cells = [row.cells for row in rows if len(row.cells) == width]
    for i in range(1, width):
        pairs = [f"{row[i - 1]},{row[i]}" for row in cells]
        if all(re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", pair) for pair in pairs):
            return pairs[0]
    return ""


def _is_new(cell: str, others: Sequence[str]) -> bool:
    """Tell whether a cell is none of the texts below it, which all come more than once."""
    counts = Counter(others)
    return cell not in counts and cell not in MARKS and 2 * len(counts) <= len(others)


def _mostly_fractions(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> bool:
    """Tell whether most of some columns hold mostly numbers with fractions."""
    found = [
        i for i in columns
        if 2 * sum((numerals.plain_number(row[i]) or 0) % 1 != 0 for row in rows) > len(rows)
    ]  # fmt: skip
    return 2 * len(found) > len(columns)


def _number_in_name(cell: str) -> float | None:
    """Return the number that a name is, also with a decimal comma or a unit: 400 nm."""
    return numerals.plain_number(re.sub(r"(?<=\d) ?[nµm]?m$", "", cell).replace(",", "."))


def _are_beyond(
    values: Sequence[float], rows: Sequence[Sequence[str]], columns: Sequence[int]
) -> bool:
    """Tell whether numbers, one a column, are outside of all that stands below them."""
    for value, i in zip(values, columns, strict=True):
        below = [n for row in rows if (n := numerals.plain_number(row[i])) is not None]
        if not below or min(below) <= value <= max(below):
            return False
    return True


def _evenly(row: Sequence[str], columns: Sequence[int]) -> bool:
    numbers = [numerals.plain_number(row[i]) for i in columns]
    values = [number for number in numbers if number is not None]
    return len(values) == len(numbers) and len({b - a for a, b in pairwise(values)}) == 1


def _orange_kind(cell: str) -> bool:
    """Tell whether a cell is one of Orange's kinds; a list of values is one as well."""
    return cell.lower() in _ORANGE_KINDS or (" " in cell and not _formed(cell))


def _unquoted(cells: tuple[str, ...]) -> Sequence[str]:
    """Return the cells without the single quotes that stand around every text."""
    texts = [cell for cell in cells if cell[:1] == "'" and cell[-1:] == "'" and len(cell) > 1]
    if not texts or any(
        not (cell[:1] == "'" and cell[-1:] == "'") and not _formed(cell) and cell not in MARKS
        for cell in cells
    ):
        return cells
    return [cell[1:-1].strip() if cell[:1] == "'" else cell for cell in cells]


def _short(cell: str) -> str:
    return cell if len(cell) <= 40 else cell[:39] + "…"
