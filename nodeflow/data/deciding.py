"""From a sheet to a table: what becomes of its columns, once it is known which is which.

The rules, in the order in which they are asked, are in docs/data.md. Whatever is decided is
said in the table's `Reading`; whatever has two readings is refused with both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.analysis import label_names
from nodeflow.data.kinds import distinct, looks_like_classes
from nodeflow.data.options import Options
from nodeflow.data.remarks import how_many, remarks
from nodeflow.data.roles import Roles
from nodeflow.data.sheet import ColumnReading, Reading, Sheet
from nodeflow.data.table import (
    MOST_CLASSES,
    FloatArray,
    Table,
    classify,
    frozen,
    number_name,
    one_hot_of,
)
from nodeflow.errors import DataError


def table_of(sheet: Sheet, options: Options) -> Table:
    """Return the table that a sheet is, or raise DataError, one sentence."""
    return _Decision(sheet, options).table()


def reading_of(sheet: Sheet, options: Options) -> Reading:
    """Return how a sheet is read; what refuses it is its `fault`, and no error."""
    return _Decision(sheet, options).looked()


def numbers_for_features(sheet: Sheet, options: Options) -> list[int]:
    """Return the columns of numbers that will be features, as far as the rows there tell."""
    roles = Roles(sheet, options)
    with suppress(DataError):
        roles.find()
    return [i for i in roles.features if roles.facts[i].kind == "numbers"]


class _Decision:
    def __init__(self, sheet: Sheet, options: Options) -> None:
        self.sheet, self.options = sheet, options
        self.roles = Roles(sheet, options)
        self.facts, self.names, self.notes = self.roles.facts, self.roles.names, self.roles.notes
        self.kind = self.why = ""

    # -- what comes out

    def table(self) -> Table:
        """Return the table, or raise the first fault."""
        self.roles.find()
        features = self.roles.features
        if not features:
            if not self.options.features and len(self.roles.live) > len(self.roles.targets):
                left = next(iter(self.roles.left.items()))
                msg = f"no column is left for the features: {self.names[left[0]]} {left[1].why}"
                raise self.sheet.fault(f"{msg}; --features names columns")
            raise self.sheet.fault("no column is left for the features; name fewer target columns")
        for i in self.roles.live:
            if self.facts[i].fault and i not in self.roles.left:
                raise self._broken(i)
        rows = self._rows(features)
        y, classes = self._target(rows)
        x, names = self._features(features, rows)
        self.notes += remarks(self.roles, classes)
        return Table(frozen(x), frozen(y), names, classes, how=self._reading())

    def looked(self) -> Reading:
        """Return how the table is read, with its fault if it has one."""
        try:
            reading = self.table().reading
        except DataError as error:
            if self.roles.single and self.roles.targets and not self.kind:
                with suppress(DataError):  # what is there may still tell classes from numbers
                    fact = self.facts[self.roles.targets[0]]
                    if not fact.fault:
                        self._target(~fact.missing)
            return replace(self._reading(), fault=str(error))
        if reading is None:
            raise AssertionError("a table of a sheet has a reading")
        return reading

    def _broken(self, column: int) -> DataError:
        fact = self.facts[column]
        asked = column in self.roles.targets
        drop = "" if asked else f", or leave the column out with --drop {column}"
        return self.sheet.fault(f"{fact.fault}{drop}", fact.fault_row, column)

    # -- rows

    def _rows(self, features: Sequence[int]) -> NDArray[np.bool_]:
        """Return which rows are kept, or raise the first missing value."""
        used = [*features, *self.roles.targets]
        gone = np.zeros(self.sheet.rows, bool)
        for i in used:
            if self.facts[i].gaps:
                gone |= self.facts[i].missing
        how = self.options.missing
        if not gone.any():
            return ~gone
        if how in ("refuse", "keep"):
            row = int(gone.argmax())
            column = min(i for i in used if self.facts[i].missing[row])
            cell = self._cell(column, row)
            what = f"'{cell}' marks a missing value" if cell else "the cell is empty"
            count = int(gone.sum())
            more = f" ({count} rows have such cells)" if count > 1 else ""
            mean = "" if column in self.roles.targets else ", --missing mean fills it"
            raise self.sheet.fault(
                f"{what}; fill it in, or delete the row{more}: --missing drop leaves such rows out"
                f"{mean}",
                row, column,
            )  # fmt: skip
        if how == "mean":
            filled = [i for i in features if self.facts[i].missing.any()]
            if filled:
                names = ", ".join(f"'{self.names[i]}'" for i in filled[:8])
                self.notes.append(f"missing values filled with the column's mean: {names}")
            gone = np.logical_or.reduce([self.facts[i].missing for i in self.roles.targets])
        if gone.any():
            self.notes.append(f"{how_many(int(gone.sum()), 'row')} with missing values left out")
        if gone.all():
            raise self.sheet.fault("every row has a missing value; --missing mean fills them")
        return np.asarray(~gone)

    def _cell(self, column: int, row: int) -> str:
        cells = self.sheet.columns[column].cells
        return "" if cells is None else cells[row]

    # -- y

    def _target(self, rows: NDArray[np.bool_]) -> tuple[FloatArray, tuple[str, ...]]:
        wanted = self.options.target_kind
        if not self.roles.single:
            self.kind = "numbers"
            if wanted == "classes":
                raise self.sheet.fault("several targets are numbers; name one column for classes")
            for i in self.roles.targets:
                self._refuse_texts(i)
            return np.column_stack([self._values(i)[rows] for i in self.roles.targets]), ()
        i = self.roles.targets[0]
        fact = self.facts[i]
        if fact.kind in ("text", "dates") or (fact.kind == "yes/no" and wanted != "numbers"):
            return self._text_classes(i, rows)
        values = self._values(i) if rows.all() else self._values(i)[rows]
        classes, why = looks_like_classes(values)
        if wanted != "auto":
            classes, why = wanted == "classes", "as asked for"
        elif fact.form != replace(fact.form, before="", after="") and classes:
            classes, why = False, f"they are written with '{fact.form.before or fact.form.after}'"
        self.kind, self.why = "classes" if classes else "numbers", why
        if classes:
            if wanted == "auto" and len(distinct(values)[0]) > 2:
                self.notes.append(
                    f"the target's whole numbers are {len(distinct(values)[0])} classes; "
                    "--target-kind numbers reads them as numbers"
                )
            return classify(values, file=self.sheet.file, column=i + 1)
        if len(values) > 1 and (values == values[0]).all():
            raise self.sheet.fault(
                f"every row has the target {number_name(values[0])}; there is nothing to learn, "
                "name another column with --target",
                column=i,
            )
        return values.reshape(-1, 1), ()

    def _text_classes(self, i: int, rows: NDArray[np.bool_]) -> tuple[FloatArray, tuple[str, ...]]:
        fact = self.facts[i]
        if self.options.target_kind == "numbers":
            self._refuse_texts(i)
        self.kind = "classes"
        codes = fact.places if rows.all() else fact.places[rows]
        counted = np.bincount(codes, minlength=len(fact.texts)) > 0
        there = np.flatnonzero(counted)
        names = [fact.texts[code] for code in there.tolist()]
        asked = self.options.target_kind == "classes" or fact.declared
        if fact.kind == "dates" and not asked:
            raise self.sheet.fault(
                f"'{names[0]}' is a date, and dates are neither classes nor numbers; name another "
                "column with --target, or --target-kind classes",
                0, i,
            )  # fmt: skip
        if not asked and len(names) > max(2, len(codes) // 2) and len(codes) >= 5:
            raise self.sheet.fault(
                f"the target has {len(names)} different texts in {len(codes)} rows, as names or "
                "ids have; name another column with --target, or --target-kind classes",
                column=i,
            )
        self.why = "TRUE and FALSE" if fact.kind == "yes/no" else _texts(len(names))
        if fact.declared:
            self.why = "the file declares its classes"
        numbered = codes if counted.all() else (np.cumsum(counted) - 1)[codes]
        return one_hot_of(numbered, tuple(names), file=self.sheet.file, column=i + 1)

    def _refuse_texts(self, i: int) -> None:
        fact = self.facts[i]
        if fact.kind in ("text", "dates"):
            row = int((fact.places >= 0).argmax())
            msg = f"'{fact.texts[fact.places[row]]}' is text in a column of numbers; write a number"
            raise self.sheet.fault(msg, row, i)

    def _values(self, i: int) -> FloatArray:
        return self.facts[i].numbers

    # -- x

    def _features(
        self, features: Sequence[int], rows: NDArray[np.bool_]
    ) -> tuple[FloatArray, tuple[str, ...]]:
        names: list[str] = []
        parts: list[FloatArray] = []
        if self._read_side_by_side(features) and rows.all() and self.sheet.x is not None:
            return self.sheet.x, tuple(self.names[i] for i in features)
        for i in features:
            for name, values in self._expanded(i, rows):
                names.append(name)
                parts.append(values)
        return _side_by_side(parts), tuple(names)

    def _read_side_by_side(self, features: Sequence[int]) -> bool:
        """Tell whether the features are the columns of the sheet's x, one by one."""
        x = self.sheet.x
        return (
            x is not None
            and x.shape[1] == len(features)
            and all(
                self.facts[i].values is not None
                and self.facts[i].values is self.sheet.columns[i].values
                and not self.facts[i].gaps
                and np.shares_memory(self.facts[i].numbers[:1], x[:1, place])
                for place, i in enumerate(features)
            )
        )

    def _expanded(self, i: int, rows: NDArray[np.bool_]) -> Iterator[tuple[str, FloatArray]]:
        """Give the columns of numbers that a feature becomes."""
        fact, name = self.facts[i], self.names[i]
        whole = bool(rows.all())
        if fact.kind in ("numbers", "yes/no"):
            values = self._values(i)
            values = values if whole else values[rows]
            if fact.gaps:
                gap = np.isnan(values)
                values = np.where(gap, values[~gap].mean(), values) if gap.any() else values
            yield name, values
            return
        codes = fact.places[rows]
        if (codes < 0).any():
            codes = np.where(codes < 0, np.bincount(codes[codes >= 0]).argmax(), codes)
        if len(fact.texts) > MOST_CLASSES:
            raise self.sheet.fault(
                f"the column has {len(fact.texts)} different texts, and at most {MOST_CLASSES} can "
                "be features; leave it out with --drop",
                column=i,
            )
        if self.options.text == "ordinal" and not fact.declared:
            yield name, codes.astype(np.float64)
            return
        for code, text in enumerate(fact.texts):
            yield f"{name}={text}", (codes == code).astype(np.float64)

    # -- the reading

    def _reading(self) -> Reading:
        shown = self.sheet.columns[:1000]
        columns = tuple(self._column_reading(i) for i in range(len(shown)))
        names = tuple(self.names[i] for i in self.roles.targets)
        commas = any(fact.form.decimal == "," for fact in self.facts)
        decimal = self.options.decimal if self.options.decimal != "auto" else self.sheet.decimal
        if decimal == "auto":
            decimal = "," if commas else "."
        return Reading(
            self.sheet.file, self.sheet.format, self.sheet.separator, decimal,
            self.sheet.names, self.sheet.rows, columns,
            (names[0] if self.roles.single else names) if names else None,
            self.kind, self.why, tuple(self.notes),
        )  # fmt: skip

    def _column_reading(self, i: int) -> ColumnReading:
        fact, roles = self.facts[i], self.roles
        role = "target" if i in roles.targets else "left out" if i in roles.left else "feature"
        if fact.kind == "empty":
            role = "left out"
        span = None
        if fact.kind == "numbers" and fact.values is not None and not fact.fault:
            span = fact.span
        kind, classes = fact.kind, None
        if fact.kind == "text" and (roles.holds_classes(i) or fact.declared or role == "target"):
            kind = "classes"
        if fact.kind == "yes/no" or kind == "classes":
            classes = tuple(label_names(fact)[:MOST_CLASSES])
        if role == "target" and roles.single and self.kind == "classes":
            kind, classes = "classes", tuple(label_names(fact)[:MOST_CLASSES])
        becomes = {"target": self.kind or "the target", "left out": "nothing"}.get(role, "a number")
        if role == "feature" and fact.kind == "text":
            ordinal = self.options.text == "ordinal"
            becomes = "a number" if ordinal else f"{len(fact.texts)} numbers 0 or 1"
        missing = int(np.count_nonzero(fact.missing))
        return ColumnReading(self.names[i], kind, role, span, missing, classes, becomes)


def _texts(count: int) -> str:
    return f"{count} texts that repeat" if count > 1 else "one text everywhere"


def _side_by_side(columns: Sequence[FloatArray]) -> FloatArray:
    """Return columns as one array in the order of rows; a large one is made by two threads."""
    x = np.empty((len(columns[0]), len(columns)))
    step = max(64, 2**17 // len(columns))  # rows that stay in the cache while they are turned

    def turn(at: int) -> None:
        for i, column in enumerate(columns):
            x[at : at + step, i] = column[at : at + step]

    starts = range(0, len(x), step)
    if len(starts) < 4:
        for at in starts:
            turn(at)
        return x
    from concurrent.futures import ThreadPoolExecutor  # a small table needs none

    with ThreadPoolExecutor(2, "nodeflow-table") as pool:
        deque(pool.map(turn, starts), maxlen=0)
    return x
