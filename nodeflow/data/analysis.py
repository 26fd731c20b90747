"""What the columns of a sheet hold: numbers in a form, classes, dates, texts, or nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import numerals
from nodeflow.data.kinds import distinct
from nodeflow.data.numerals import MARKS, NO, YES, Form, TwoForms, plain_number
from nodeflow.data.options import Options
from nodeflow.data.sheet import Column, Sheet
from nodeflow.data.table import number_name

_FEW_WORDS, _OFTEN = 10, 3


@dataclass(frozen=True, eq=False)
class Facts:
    """A column, understood.

    `kind` is numbers, yes/no (TRUE and FALSE), text, dates or empty. `values` are its numbers
    (NaN is missing), `codes` the place of each cell in `texts` (−1 is missing). `fault` is why a
    column of numbers cannot be used: `fault_row` is where, or None.
    """

    name: str
    kind: str
    missing: NDArray[np.bool_]
    values: NDArray[np.floating[Any]] | None = None
    codes: NDArray[np.intp] | None = None
    texts: tuple[str, ...] = ()
    form: Form = field(default_factory=Form)
    declared: bool = False
    role: str = ""
    fault: str = ""
    fault_row: int | None = None
    ambiguous: bool = False
    """Whether the numbers have two readings."""
    mixed: bool = False
    """Whether numbers are among the texts."""
    like: str = ""
    """What plain numbers are besides: ids, codes, thousands, durations; "" if nothing."""
    known_span: tuple[float, float] | None = None
    """The span, where the reader has found it already."""

    @property
    def different(self) -> int:
        """How many different values there are."""
        if self.values is not None:
            return len(distinct(self.present)[0])
        return len(self.texts)

    @property
    def numbers(self) -> NDArray[Any]:
        """The values of a column of numbers."""
        if self.values is None:
            raise AssertionError(f"'{self.name}' holds no numbers")
        return self.values

    @cached_property
    def present(self) -> NDArray[Any]:
        """The numbers that are there."""
        return self.numbers[~self.missing] if self.gaps else self.numbers

    @cached_property
    def gaps(self) -> bool:
        """Whether any value is missing."""
        return self.known_span is None and bool(self.missing.any())

    @cached_property
    def span(self) -> tuple[float, float]:
        """The least and the largest number."""
        if self.known_span is not None:
            return self.known_span
        return float(self.present.min()), float(self.present.max())

    @property
    def places(self) -> NDArray[np.intp]:
        """The places of a column's cells in `texts`."""
        if self.codes is None:
            raise AssertionError(f"'{self.name}' holds no texts")
        return self.codes


def analysed(sheet: Sheet, options: Options) -> list[Facts]:
    """Return what each column of a sheet holds."""
    marks = frozenset({""}) if options.missing == "keep" else MARKS
    more = options.missing_mark or ()
    none = np.zeros(sheet.rows, bool)
    coded = [_marked(_coded(column, marks, none), more) for column in sheet.columns]
    thousands = options.thousands if options.thousands != "auto" else sheet.thousands
    decimal = options.decimal if options.decimal != "auto" else _OTHER.get(thousands, sheet.decimal)
    signs = _Signs(decimal, thousands, sheet.separator)
    signs.look(sheet.columns, coded)
    return [_facts(column, code, signs) for column, code in zip(sheet.columns, coded, strict=True)]


@dataclass(frozen=True, eq=False)
class _Coded:
    """A column's numbers if all of them are plain; its different texts otherwise."""

    missing: NDArray[np.bool_]
    values: NDArray[np.floating[Any]] | None
    codes: NDArray[np.intp] | None = None
    texts: tuple[str, ...] = ()
    kind: str = ""
    span: tuple[float, float] | None = None


def _coded(column: Column, marks: frozenset[str], none: NDArray[np.bool_]) -> _Coded:
    """Return a column without its marks of missing values; `none` says that none is missing."""
    if column.values is not None and column.span is not None:
        return _Coded(none, column.values, span=column.span)
    if column.values is not None:
        return _Coded(np.isnan(column.values), column.values)
    if column.codes is not None:
        return _Coded(column.codes < 0, None, column.codes, column.texts)
    cells = column.cells or ()
    if not column.typed:
        values = _plain(cells)
        if values is not None:
            return _Coded(none, values)
        marks = marks | {""}
    else:
        marks = frozenset({""})
    places: dict[str, int] = {}
    codes = np.fromiter(
        (-1 if cell in marks else places.setdefault(cell, len(places)) for cell in cells),
        dtype=np.intp,
        count=len(cells),
    )
    return _Coded(codes < 0, None, codes, tuple(places), "text" if column.typed else "")


def _marked(coded: _Coded, marks: Sequence[str]) -> _Coded:
    """Return a column in which further marks stand for missing values."""
    if not marks:
        return coded
    numbers = [number for number in map(plain_number, marks) if number is not None]
    if coded.values is not None:
        missing = coded.missing | np.isin(coded.values, numbers)
        if not missing.any():
            return coded
        values = np.where(missing, np.nan, coded.values)
        return _Coded(missing, values)
    found = np.array([text in marks or plain_number(text) in numbers for text in coded.texts], bool)
    if coded.codes is None or not found.any():
        return coded
    place = np.append(np.where(found, -1, np.cumsum(~found) - 1), -1)
    codes = place[coded.codes]
    texts = tuple(text for text, gone in zip(coded.texts, found, strict=True) if not gone)
    return _Coded(codes < 0, None, codes, texts, coded.kind)


def _plain(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Return plain finite numbers, None if there is anything else."""
    try:
        values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
    except ValueError:
        return None
    if not np.isfinite(values).all() or any("_" in cell for cell in cells):
        return None
    return values


_OTHER = {",": ".", ".": ","}
"""The decimal mark where a thousands mark is known."""


class _Signs:
    """The decimal and the thousands mark: those that were given, or what all columns say."""

    def __init__(self, decimal: str, thousands: str, separator: str | None) -> None:
        self.decimal, self.thousands, self.separator = decimal, thousands, separator
        self.comma = self.point = self.doubt = False

    def look(self, columns: Sequence[Column], coded: Sequence[_Coded]) -> None:
        """Find which marks are proven anywhere in the table."""
        plain = []
        for column, code in zip(columns, coded, strict=True):
            if code.values is not None:
                plain.append(column.cells or ())
            elif code.kind != "text" and _mostly_numbers(code.texts):
                there = numerals.evidence(code.texts)
                self.comma = self.comma or bool(there.comma)
                self.point = self.point or bool(there.point)
                self.doubt = self.doubt or bool(there.either)
        if self.comma or self.doubt:
            self.point = self.point or any(numerals.evidence(cells).point for cells in plain)

    @property
    def only_comma(self) -> bool:
        """Whether commas are decimal and no point is."""
        return self.comma and not self.point

    def decide(self, texts: Sequence[str]) -> tuple[str, str]:
        """Return the decimal mark of a column, and why it is in doubt ("" if it is not)."""
        found = numerals.evidence(texts)
        if self.decimal != "auto":
            return self.decimal, ""
        if found.comma and found.point:
            return ".", (
                f"'{found.comma}' has a decimal comma and '{found.point}' a decimal point; write "
                "one mark everywhere, or name it with --decimal"
            )
        if found.comma:
            return ",", ""
        if found.point:
            return ".", ""
        if found.either:
            if self.only_comma:
                return ",", ""
            if self.separator == "," and not self.comma:
                return ".", ""
            whole, _, rest = found.either.partition(",")
            return ".", (
                f"'{found.either}' is {whole}{rest} or {whole}.{rest}; "
                "--thousands , or --decimal , decides"
            )
        if found.points and self.only_comma:
            return ",", ""
        return ".", ""


def _mostly_numbers(texts: Sequence[str]) -> bool:
    return 2 * sum(map(numerals.is_number, texts)) > len(texts)


def _facts(column: Column, coded: _Coded, signs: _Signs) -> Facts:
    base = Facts(
        column.name, "numbers", coded.missing, coded.values, coded.codes, coded.texts,
        role=column.role, declared=bool(column.levels), known_span=coded.span,
    )  # fmt: skip
    if coded.span is None and coded.missing.all():
        return replace(base, kind="empty")
    if coded.values is not None:
        base = replace(base, like=column.like or numerals.written_like(column.cells or ()))
        if coded.span is not None:
            return base
        bad = np.flatnonzero(np.isinf(coded.values))
        if len(bad):
            return replace(base, fault="the number is not finite", fault_row=int(bad[0]))
        said = signs.decimal == ","
        if column.cells is not None and (said or (signs.decimal == "auto" and signs.only_comma)):
            return _points_again(base, column.cells, said=said)
        return base
    if coded.kind == "text":
        return _in_order(base, column.levels)
    return _texts(base, signs)


def _points_again(base: Facts, cells: Sequence[str], *, said: bool) -> Facts:
    """Read 1.234 as 1234 where commas are decimal; a column with points of its own keeps them.

    If it was `said` that commas are decimal, such points are refused.
    """
    found = numerals.evidence(cells)
    if found.point:
        if not said:
            return base
        row = next(i for i, cell in enumerate(cells) if cell == found.point)
        why = "has a decimal point, but the decimal mark is a comma here; write a comma"
        return replace(base, fault=f"'{found.point}' {why}", fault_row=row)
    if not found.points:
        return base
    form = Form(",", ".")
    return replace(base, values=np.array([numerals.read(cell, form) for cell in cells]), form=form)


def _texts(base: Facts, signs: _Signs) -> Facts:
    texts, codes = base.texts, base.places
    if set(texts) <= YES | NO:
        truth = np.array([float(text in YES) for text in texts] + [np.nan])
        return replace(_in_order(base, ()), kind="yes/no", values=truth[codes])
    if all(map(numerals.is_date, texts)):
        return _in_order(replace(base, kind="dates"), ())
    if _are_words(texts, codes):
        return _in_order(replace(base, kind="text", mixed=True), ())
    decimal, doubt = signs.decide(texts)
    plain = [plain_number(text) for text in texts]
    if all(value is not None for value in plain) and decimal == ".":
        return _with_values(base, [float(value) for value in plain if value is not None], Form())
    thousands = "" if signs.thousands == "auto" else signs.thousands
    try:
        form = numerals.form_of(texts, decimal, thousands)
    except TwoForms as two:
        counts = np.bincount(codes[codes >= 0])
        if len(texts) <= _FEW_WORDS and counts.min() >= _OFTEN and not doubt and _named(texts):
            return _in_order(replace(base, kind="text"), ())
        if signs.decimal == "auto" and doubt:
            return _faulty(base, doubt, ambiguous=True)
        return _faulty(base, f"{two}; write them in one form")
    if form is not None and doubt:
        return _faulty(base, doubt, ambiguous=True)
    if form is not None:
        return _with_values(base, [numerals.read(text, form) for text in texts], form)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    good = np.array([numerals.is_number(text) for text in texts])
    if 2 * counts[good].sum() > counts.sum():
        odd = np.flatnonzero((codes >= 0) & ~good[codes])
        if not len(odd):
            return _faulty(base, f"'{texts[0]}' is a number in a form of its own; write it plainly")
        row = int(odd[0])
        text = texts[codes[row]]
        fault = f"'{_short(text)}' is text in a column of numbers; write a number"
        if len(odd) > 1 and (codes[odd] == codes[row]).all() and text == _short(text):
            fault += f", or say with --missing-mark {shlex.quote(text)} that it stands for none"
        return replace(base, fault=fault, fault_row=row)
    return _in_order(replace(base, kind="text"), ())


def _are_words(texts: Sequence[str], codes: NDArray[np.intp]) -> bool:
    """Tell whether numbers and texts are words of a short list: 2, 3, 4, 5more.

    Each odd one comes three times at least; a mistyped number does not.
    """
    odd = [i for i, text in enumerate(texts) if plain_number(text) is None]
    if len(texts) > _FEW_WORDS or not odd or len(odd) == len(texts):
        return False
    if any(_short_form(texts[i]) for i in odd):
        return False
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    return bool((counts[odd] >= _OFTEN).all())


def _named(texts: Sequence[str]) -> bool:
    """Tell whether all texts hold letters: 1st, 2nd, 3rd."""
    return all(any(sign.isalpha() for sign in text) for text in texts)


def _short_form(text: str) -> bool:
    """Tell whether a text is a number with a mark or a sign, and no word."""
    return numerals.is_number(text) and not any(sign.isalpha() for sign in text)


def _with_values(base: Facts, values: Sequence[float], form: Form) -> Facts:
    """Return a column of numbers from the numbers of its different texts."""
    whole = np.array([*values, np.nan])
    bad = np.flatnonzero(~np.isfinite(whole[:-1]))
    if len(bad) and base.codes is not None:
        row = int(np.flatnonzero(base.codes == bad[0])[0])
        cell = _short(base.texts[bad[0]])
        fault = f"'{cell}' is not a finite number; write a number, or delete the row"
        return replace(base, fault=fault, fault_row=row)
    return replace(base, values=whole[base.places], form=form)


def _faulty(base: Facts, fault: str, *, ambiguous: bool = False) -> Facts:
    """Return a column of numbers that cannot be read, with the first cell that says so."""
    named = next((i for i, text in enumerate(base.texts) if f"'{text}'" in fault), 0)
    row = int(np.flatnonzero(base.places == named)[0])
    return replace(base, fault=fault, fault_row=row, ambiguous=ambiguous)


def _in_order(base: Facts, levels: tuple[str, ...]) -> Facts:
    """Return a column of texts whose `texts` are in order: sorted, or as the format declares."""
    there = set(base.texts)
    order = [level for level in levels if level in there] if levels else sorted(there)
    place = {text: i for i, text in enumerate(order)}
    place |= {text: len(place) for text in there if text not in place}
    move = np.array([*(place[text] for text in base.texts), -1], dtype=np.intp)
    kind = base.kind if base.kind == "dates" else "text"
    return replace(base, kind=kind, texts=tuple(order), codes=move[base.places])


def _short(cell: str) -> str:
    return cell if len(cell) <= 40 else cell[:39] + "…"


def label_names(facts: Facts) -> list[str]:
    """Return what the different values are called, in order."""
    if facts.kind in ("text", "dates"):
        return list(facts.texts)
    if facts.kind == "yes/no":
        return sorted(set(facts.texts))
    return [number_name(value) for value in distinct(facts.numbers[~facts.missing])[0].tolist()]
