"""Numbers as people and programs write them: one rule for all tables in text.

A plain number is what Python's `float` reads. Beyond that a whole column may have one form:
a decimal comma; thousands parted by commas, points, blanks or apostrophes; one currency before
or one unit after every number; percent; Fortran's exponent D; the minus sign −. The form is
taken off and said. Two forms in one column, or a form with two readings (3,126 is 3126 or
3.126), are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nodeflow.data.patterns import Pattern

MARKS = frozenset(
    {
        "", "?", "-", "--", ".", "—", "–", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "nan", "NaN",
        "NAN", "-nan", "-NaN", "null", "Null", "NULL", "None", "NaT", "#N/A N/A", "#DIV/0!",
        "#VALUE!", "#REF!", "#NUM!", "#NULL!", "1.#QNAN", "-1.#IND", "-nan(ind)", "\\N",
        "na", "n.a.", "N.A.", "---", "(null)", "<null>", "#NAME?", "#NV", "#WERT!", "#BEZUG!",
        "#ZAHL!", "#N/D", "#VALEUR!", "#NOMBRE!", "#¡VALOR!", "#¡NUM!", "#¡DIV/0!",
    }
)  # fmt: skip
"""Cells that stand for a missing value."""
DOUBTFUL = frozenset(
    {"missing", "unknown", "none", "nil", "undefined", "not available", "no data", "..", "...",
     "*", "**"}
)  # fmt: skip
"""Texts that may stand for a missing value, in whatever case, and may mean something themselves."""

YES = frozenset({"TRUE", "True", "true"})
NO = frozenset({"FALSE", "False", "false"})

_CURRENCY = (
    r"(?:US\$|A\$|C\$|R\$|[$€£¥₹₽₩₺]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|BRL|Rs\.?)"
)
_UNIT = r"(?:[^\W\d_]|[%‰°µ$€£¥₹₽₩/·^*²³.])(?:[^\W\d_]|[%‰°µ/·^*²³. ])*[23]?"
_NUMERAL = Pattern(
    rf"(?P<minus>[-+−–]?)\s*(?P<before>{_CURRENCY}?)\s*(?P<sign>[-+−–]?)"
    r"(?P<body>(?:\d|[.,]\d)(?:[\d.,'’]|[ \u00a0\u2009\u202f](?=\d{3}))*)"
    r"(?P<exponent>(?:[eEdD][-+−]?\d+)?)"
    rf"[ \u00a0\u202f]*(?P<after>(?:{_UNIT})?)"
)
_MINUS_BEHIND = Pattern(r"[^-+−–].*[.,]\d+ ?[-−]")
"""As accountants' programs write it; 2- alone is a mark in school."""
_BLANKS = Pattern("[ \u00a0\u2009\u202f]")
_GROUPS = {sign: Pattern(rf"[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+") for sign in ",.'’ "}
_INDIAN = Pattern(r"[1-9]\d?(?:,\d\d)+,\d{3}")
_PLAIN = Pattern(r"\d+\.?\d*|\.\d+")

_DIGITS = 15
"""A float64 tells all whole numbers of up to 15 digits apart."""
LONGEST = 10**_DIGITS
"""The least whole number of more digits."""
_MONTH = "(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|okt|oct|nov|dez|dec)[a-z]*"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?:Z| ?[-+]\d{2}:?\d{2})?"
_DATE = Pattern(
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}[-. ]+{_MONTH}[-., ]+\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}}|\d{{4}}-\d{{2}})"
    rf"(?:[T ,]+{_TIME})?|{_TIME}",
    re.IGNORECASE,
)


def _match(cell: str) -> re.Match[str] | None:
    """Return the parts of a number in any form; (5.00) and 5.00- are −5."""
    if cell[:1] == "(" and cell[-1:] == ")" and cell[1:2] not in "-−":
        cell = f"-{cell[1:-1]}"
    elif _MINUS_BEHIND.fullmatch(cell):
        cell = f"-{cell[:-1]}"
    return _NUMERAL.fullmatch(cell)


def plain_number(cell: str) -> float | None:
    """Return the number in a cell, None for text; Python's own 1_000 is text."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def written_like(cells: Sequence[str]) -> str:
    """Return what plain numbers are written like: "ids", "codes", "thousands" with points, or "".

    Ids have more digits than a float; codes have zeros in front, as 00501 has.
    """
    whole = [cell for cell in cells if cell.isdigit()]
    if any(len(cell) > _DIGITS for cell in whole):
        return "ids"
    if any(len(cell) > 1 and cell[0] == "0" for cell in whole):
        return "codes"
    points = _GROUPS["."].fullmatch
    return "thousands" if cells and all(points(cell.lstrip("-")) for cell in cells) else ""


def is_date(cell: str) -> bool:
    """Tell whether a cell is a date, a time, or both."""
    return _DATE.fullmatch(cell) is not None and plain_number(cell) is None


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, in whatever form."""
    return plain_number(cell) is not None or (_match(cell) is not None and not is_date(cell))


@dataclass(frozen=True)
class Evidence:
    """What a column's cells say of the decimal mark: a cell that proves it, or "" if none does."""

    point: str = ""
    comma: str = ""
    either: str = ""
    """A cell with one comma that may be a decimal or a thousands mark: 3,126."""
    points: str = ""
    """A cell with one point that may be either: 3.126."""


@dataclass(frozen=True)
class Form:
    """How the numbers of a column are written."""

    decimal: str = "."
    thousands: str = ""
    before: str = ""
    after: str = ""
    minus: str = ""
    """How negative numbers are written if not with a sign in front: "brackets" or "behind"."""

    @property
    def percent(self) -> bool:
        """Whether every number is followed by a percent sign."""
        return self.after == "%"


class TwoForms(Exception):
    """The numbers of a column are written in two ways; the message says which."""


def evidence(cells: Iterable[str]) -> Evidence:
    """Return what a column says of its decimal mark; cells that are no numbers say nothing."""
    point = comma = either = points = ""
    for cell in cells:
        match = _match(cell)
        if match is None:
            continue
        body = _BLANKS.sub("", match["body"]).replace("'", "").replace("’", "")
        if body.endswith(","):
            continue
        commas, dots = body.count(","), body.count(".")
        if commas and dots:
            if body.rfind(",") > body.rfind("."):
                comma = comma or cell
            else:
                point = point or cell
        elif commas == 1:
            if _GROUPS[","].fullmatch(body) and not match["exponent"]:
                either = either or cell
            else:
                comma = comma or cell
        elif commas:
            point = point or cell
        elif dots == 1:
            if _GROUPS["."].fullmatch(body) and not match["exponent"]:
                points = points or cell
            else:
                point = point or cell
        elif dots:
            comma = comma or cell
    return Evidence(point, comma, either, points)


def form_of(cells: Sequence[str], decimal: str, thousands: str) -> Form | None:
    """Return the one form in which all cells are numbers; None if they are none.

    `decimal` is the mark that was decided; `thousands` the one that was, or "" for any but it.
    Raises TwoForms if most cells are numbers, but not all in one form.
    """
    affixes: dict[tuple[str, str], str] = {}
    used = ""
    odd = ""
    minus = ""
    for cell in cells:
        match = _match(cell)
        if match is None or is_date(cell):
            return None
        if cell[0] == "(":
            minus = "brackets"
        elif cell[-1] in "-−":
            minus = "behind"
        affixes.setdefault((match["before"], match["after"].strip()), cell)
        mark = _thousands(match["body"], decimal)
        if mark is None or (thousands and mark and mark != thousands):
            odd = odd or cell
        else:
            used = used or mark
    if odd:
        other = "comma" if decimal == "," else "point"
        raise TwoForms(f"'{odd}' is no number whose decimal mark is a {other}")
    if len(affixes) > 1:
        one, two, *_ = affixes.values()
        raise TwoForms(f"'{one}' and '{two}' are numbers in two forms")
    (before, after), *_ = affixes
    return Form(decimal, used, before, after, minus)


def _thousands(body: str, decimal: str) -> str | None:
    """Return the thousands mark of a number, "" if it has none, None if it is no number."""
    whole, mark, fraction = body.partition(decimal)
    if mark and not fraction.isdigit() and fraction:
        return None
    if whole.isdigit() or (not whole and fraction):
        return ""
    whole = _BLANKS.sub(" ", whole)
    for sign, groups in _GROUPS.items():
        if sign != decimal and groups.fullmatch(whole):
            return sign
    if decimal == "." and _INDIAN.fullmatch(whole):
        return ","
    return None


def read(cell: str, form: Form) -> float:
    """Return the number in a cell of that form; ValueError if it is none."""
    match = _match(cell)
    if match is None:
        raise ValueError(cell)
    body = _BLANKS.sub("", match["body"]).replace("'", "").replace("’", "")
    thousands = "." if form.decimal == "," else ","
    body = body.replace(thousands, "").replace(form.decimal, ".")
    if not _PLAIN.fullmatch(body):
        raise ValueError(cell)
    exponent = match["exponent"].replace("−", "-")
    exponent = re.sub("[dD]", "e", exponent)
    minus = (match["minus"] in ("-", "−", "–")) != (match["sign"] in ("-", "−", "–"))
    return float(f"{'-' if minus else ''}{body}{exponent}")
