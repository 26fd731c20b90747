"""A table before it is decided what its columns are: what every format gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.errors import DataError


@dataclass(frozen=True, eq=False)
class Column:
    """One column, in one of three ways.

    `cells` hold its texts, or `values` its numbers (NaN is missing), or `codes` the places of its
    cells among `texts`, which all differ (−1 is missing).

    `typed`: the format says that the cells are texts, whatever they look like, with "" for a
    missing one; `levels` are the classes it declares, in its order. `role` is what the format
    says of the column: target, feature, or left out; "" if it says nothing.
    """

    name: str
    cells: Sequence[str] | None = None
    values: NDArray[Any] | None = None
    typed: bool = False
    levels: tuple[str, ...] = ()
    role: str = ""
    codes: NDArray[np.intp] | None = None
    texts: tuple[str, ...] = ()
    span: tuple[float, float] | None = None
    """The least and the largest of `values` where they are known, and all are there and finite."""
    like: str = ""
    """What the numbers were written like, see `numerals.written_like`; `cells` tell it, too.
    Durations have it from their reader."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The columns of a file, and what was found about how they are written.

    `lines[i]` is the line of row i in the file, from 1. `names` says whether the file names its
    columns; a column without a name of its own has the name "".
    """

    file: str
    columns: tuple[Column, ...]
    lines: Sequence[int]
    format: str
    names: bool = True
    separator: str | None = None
    decimal: str = "auto"
    thousands: str = "auto"
    notes: tuple[str, ...] = ()
    x: NDArray[np.float64] | None = None
    """An array whose columns, all of them in order, are the `values` of some columns."""

    @property
    def rows(self) -> int:
        """The number of rows of data."""
        return len(self.lines)

    def fault(self, msg: str, row: int | None = None, column: int | None = None) -> DataError:
        """Return what is wrong with the file, with the place where it is: row and column from 0."""
        line = None if row is None else self.lines[row]
        place = None if column is None else column + 1
        return DataError(msg, file=self.file, row=line, column=place)


@dataclass(frozen=True)
class ColumnReading:
    """What a column is taken for, and what becomes of it."""

    name: str
    kind: str
    """numbers, classes (texts that repeat), text, dates, yes/no, or empty."""
    role: str
    """target, feature, or left out."""
    range: tuple[float, float] | None
    missing: int
    classes: tuple[str, ...] | None
    becomes: str
    """What the network gets of it, in words."""

    def as_dict(self) -> dict[str, Any]:
        """Return the column as the command `data look --json` shows it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "role": self.role,
            "range": None if self.range is None else list(self.range),
            "missing": self.missing,
            "classes": None if self.classes is None else list(self.classes),
            "becomes": self.becomes,
        }


@dataclass(frozen=True)
class Reading:
    """What was decided about a file, and why.

    `target` names the target column (several: all of them), `target_kind` is classes or numbers,
    `why` says what spoke for it. `fault` is the sentence that refuses the table, "" if it can be
    used.
    """

    file: str
    format: str
    separator: str | None
    decimal: str
    header: bool
    rows: int
    columns: tuple[ColumnReading, ...]
    target: str | tuple[str, ...] | None
    target_kind: str
    why: str
    notes: tuple[str, ...]
    fault: str = ""

    @property
    def summary(self) -> str:
        """The decision about the target in one line."""
        if self.target is None:
            return "target: not decided"
        name = self.target if isinstance(self.target, str) else ", ".join(self.target)
        kind = f", {self.target_kind}" if self.target_kind else ""
        return f"target: {name}{kind}" + (f" ({self.why})" if self.why else "")

    def lines(self, most: int = 8) -> list[str]:
        """Return the reading as so many columns, the target, notes and fault, a line each."""
        said = [f"{self.rows:,} rows; {self.summary}"]
        for column in self.columns[:most]:
            span = "" if column.range is None else f", {column.range[0]:g} … {column.range[1]:g}"
            span = span or (f", {', '.join(column.classes[:4])}" if column.classes else "")
            gaps = f", {column.missing} missing" if column.missing else ""
            said.append(f"{column.name}: {column.kind}{span}{gaps} → {column.becomes}")
        if len(self.columns) > most:
            said.append(f"… and {len(self.columns) - most} more columns")
        said += [f"· {note}" for note in self.notes[:most]]
        return said + ([f"! {self.fault}"] if self.fault else [])

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as the command `data look --json` prints it."""
        return {
            "file": self.file,
            "format": self.format,
            "separator": self.separator,
            "decimal": self.decimal,
            "header": self.header,
            "rows": self.rows,
            "columns": [column.as_dict() for column in self.columns],
            "target": self.target if isinstance(self.target, str | None) else list(self.target),
            "target_kind": self.target_kind,
            "why": self.why,
            "notes": list(self.notes),
            "fault": self.fault or None,
        }
