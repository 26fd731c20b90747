"""How a table is to be read, as far as a person has said it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from nodeflow.errors import DataError, nearest

Target: TypeAlias = str | int | Sequence[str | int] | None
"""A column by name or number from 0 (negative: from the end), several of them, or none said."""

TARGET_KINDS = ("auto", "classes", "numbers")
HEADERS = ("auto", "yes", "no")
MISSING = ("refuse", "drop", "mean", "keep")
DECIMALS = ("auto", ".", ",")
TEXTS = ("onehot", "ordinal", "drop")

_CHOICES = {
    "target_kind": TARGET_KINDS,
    "header": HEADERS,
    "missing": MISSING,
    "decimal": DECIMALS,
    "text": TEXTS,
}
_SIGNS = {
    "comma": ",", "point": ".", "dot": ".", "semicolon": ";", "tab": "\t", "\\t": "\t",
    "blank": " ", "space": " ", "apostrophe": "'", "pipe": "|",
}  # fmt: skip
_THOUSANDS = (",", ".", "'", " ")


@dataclass(frozen=True)
class Options:
    """What was said about a table; the rest is found in it.

    `target`, `features` and `drop` name columns; `target_kind` is classes or numbers; `header`
    says whether the first row names the columns; `missing` is what becomes of cells without a
    value: they are refused, their rows are dropped, numbers get their column's mean (texts the
    most frequent one), or the marks (NA, ?, …) are kept as texts. `separator`, `decimal` and
    `thousands` are signs, `skip` the lines before the table, `text` what becomes of features
    that are texts: one column per text (onehot), one number per text (ordinal), or nothing (drop).
    `missing_mark` names further marks of a missing value, such as -999; `encoding` says how the
    file stores its text, such as windows-1252, where that is neither UTF-8 nor UTF-16.
    """

    target: Target = None
    target_kind: str = "auto"
    header: str = "auto"
    missing: str = "refuse"
    separator: str = "auto"
    decimal: str = "auto"
    thousands: str = "auto"
    skip: int = 0
    features: Target = None
    drop: Target = None
    text: str = "onehot"
    missing_mark: Any = None
    encoding: str = "auto"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Options:
        """Return the options among a dataset's settings, checked; raises DataError."""
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in settings.items() if key in names}).checked()

    def checked(self) -> Options:
        """Return the options in one form, or raise DataError, one sentence."""
        found: dict[str, Any] = {}
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            value = _SIGNS.get(value, value) if name == "decimal" else value
            if value not in allowed:
                raise DataError(f"there is no {name} '{value}'{nearest(value, allowed)}")
            found[name] = value
        separator = _SIGNS.get(self.separator, self.separator)
        if separator != "auto" and (len(separator) != 1 or separator.isalnum() or separator == '"'):
            msg = f"a separator is one sign, or tab or blank, not {self.separator!r}"
            raise DataError(msg)
        thousands = _SIGNS.get(self.thousands, self.thousands)
        if thousands not in ("auto", "none", *_THOUSANDS):
            msg = f"thousands are parted by a comma, point, blank or apostrophe, not {thousands!r}"
            raise DataError(msg)
        if thousands == found["decimal"] != "auto":
            raise DataError(f"'{thousands}' cannot be both the decimal and the thousands mark")
        if type(self.skip) is not int or self.skip < 0:
            raise DataError(f"skip is a number of lines from 0, not {self.skip!r}")
        _check_encoding(self.encoding)
        return Options(
            checked_target(self.target),
            separator=separator,
            thousands=thousands,
            skip=self.skip,
            features=_several(self.features),
            drop=_several(self.drop),
            missing_mark=_marks(self.missing_mark),
            encoding=self.encoding,
            **found,
        )

    def given(self) -> tuple[str, ...]:
        """Return the names of the options that say something."""
        plain = Options()
        return tuple(
            field.name
            for field in fields(self)
            if getattr(self, field.name) not in (getattr(plain, field.name), "", ())
        )


def refuse_unheard(options: Options, *names: str, what: str, file: str) -> None:
    """Raise DataError where one of these options says something: a table of that kind has none."""
    for name in options.given():
        if name in names:
            msg = f"'{name}' is for tables in text, and this is {what}; leave it out"
            raise DataError(msg, file=file)


def checked_target(target: Target) -> str | int | tuple[str | int, ...] | None:
    """Return the target in one form, None for the empty name; DataError for anything else."""
    if target is None or target == "":
        return None
    if not isinstance(target, list | tuple):
        return _one_target(target)
    if not target:
        raise DataError("the list of target columns is empty; name at least one")
    return tuple(_one_target(one) for one in target)


def _several(columns: Target) -> tuple[str | int, ...] | None:
    if isinstance(columns, str | int) and columns != "":
        columns = (columns,)
    return tuple(_one_target(one) for one in columns) if columns else None


def _marks(marks: Any) -> tuple[str, ...] | None:
    if marks is None or marks in ("", []):
        return None
    marks = marks if isinstance(marks, list | tuple) else (marks,)
    if any(isinstance(mark, bool) or not isinstance(mark, str | int | float) for mark in marks):
        raise DataError(f"a mark of a missing value is a text or a number, not {marks!r}")
    return tuple(str(mark) for mark in marks)


def _check_encoding(name: str) -> None:
    if name == "auto":
        return
    try:
        "".encode(name)
    except (LookupError, TypeError, ValueError):
        msg = f"there is no text encoding {name!r}; try utf-8, windows-1252 or latin-1"
        raise DataError(msg) from None


def _one_target(target: object) -> str | int:
    if isinstance(target, bool) or not isinstance(target, str | int):
        raise DataError(f"a target column is a name or a number from 0, not {target!r}")
    return target
