"""Tables of other libraries: Parquet (pyarrow), Excel (openpyxl), and pandas' DataFrame."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.data.cutting import Row
from nodeflow.data.options import Options, refuse_unheard
from nodeflow.data.reading import check_size, reading
from nodeflow.data.remarks import IN_DAYS
from nodeflow.data.sheet import Column, Sheet
from nodeflow.data.textfile import sheet_from_rows
from nodeflow.errors import DataError

_DAY = dt.timedelta(days=1)
_PER_DAY = {"s": 86_400, "ms": 86_400e3, "us": 86_400e6, "ns": 86_400e9}
"""How many of Arrow's units of a duration a day has."""
_INSTALL = "which is not installed; pip install nodeflow[tables]"


_OF_TEXT = ("header", "separator", "skip", "encoding")


def parquet_sheet(path: Path, options: Options) -> Sheet:
    """Return the columns of a Parquet file; raises DataError."""
    refuse_unheard(options, *_OF_TEXT, what="a Parquet file", file=path.name)
    check_size(path)
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"Parquet is read by pyarrow, {_INSTALL}", file=path.name) from None
    try:
        with reading(path):
            table = parquet.read_table(path)
        index = (table.schema.pandas_metadata or {}).get("index_columns", ())
        columns = [
            replace(_of_arrow(name, chunked), role="left out" if name in index else "")
            for name, chunked in zip(table.column_names, table.columns, strict=True)
        ]
    except DataError:
        raise
    except NotImplementedError as error:
        # Of a column that it has no type for pyarrow refuses the whole file: Polars' Int128.
        why = " ".join(str(error).split()).rstrip(".")
        msg = (
            f"pyarrow has no type for one of the columns ({why}); cast it to float64 and save again"
        )
        raise DataError(msg, file=path.name) from error
    except Exception as error:  # A damaged file can raise nearly anything.
        raise DataError("this is no whole Parquet file; save it again", file=path.name) from error
    return _sheet(path.name, columns, table.num_rows, "parquet")


def _of_arrow(name: str, chunked: Any) -> Column:
    import pyarrow as pa

    coded = pa.types.is_dictionary(chunked.type)
    column = chunked.cast(chunked.type.value_type) if coded else chunked
    if pa.types.is_duration(column.type):
        counted = column.cast(pa.int64()).cast(pa.float64(), safe=False)
        days = counted.to_numpy(zero_copy_only=False) / _PER_DAY[column.type.unit]
        return Column(name, values=np.asarray(days, np.float64), like="durations")
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        # Whole numbers beyond 2⁵³ are rounded, as in a table of text.
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Column(name, values=np.asarray(values, np.float64))
    return _of_objects(name, column.to_pylist())


def excel_sheet(path: Path, options: Options) -> Sheet:
    """Return the columns of the first sheet that is shown and not empty; raises DataError."""
    refuse_unheard(options, "separator", "encoding", what="a workbook", file=path.name)
    check_size(path)
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise DataError(f"Excel is read by openpyxl, {_INSTALL}", file=path.name) from None
    try:
        # Of what it leaves aside openpyxl warns: styles, colours of cells, lists to choose from.
        with reading(path), path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(stream, read_only=True, data_only=True)
            for first in _worksheets(book, path.name):
                # The size that a sheet states of itself is not always true; its cells are.
                first.reset_dimensions()
                durations: set[int] = set()
                rows = []
                for number, values in enumerate(first.iter_rows(values_only=True), 1):
                    rows.append(Row([_cell(value) for value in values], number))
                    durations.update(
                        j for j, value in enumerate(values, 1) if isinstance(value, dt.timedelta)
                    )
                if any(any(row.cells) for row in rows):
                    break
            width = max((len(row.cells) for row in rows), default=0)
            for row in rows:
                row.cells.extend([""] * (width - len(row.cells)))
            # Many libraries, SheetJS for one, write nothing of how to calculate.
            asked = book.calculation is not None and bool(book.calculation.fullCalcOnLoad)
            _check_formulas(path, first, rows, asked=asked)
    except DataError:
        raise
    except Exception as error:  # A damaged file can raise nearly anything.
        raise DataError("this is no whole Excel file; save it again", file=path.name) from error
    several = len(book.worksheets) > 1
    notes = [f"the sheet '{first.title}' is read, the first that has a table"] if several else []
    notes += [f"column {j} holds durations, {IN_DAYS}" for j in sorted(durations)]
    return sheet_from_rows(path.name, rows[options.skip :], options, notes, "excel")


def _worksheets(book: Any, name: str) -> list[Any]:
    """Return the sheets that are shown, or all where none is; raises DataError without any."""
    if not book.worksheets:
        raise DataError("this workbook has no sheet with cells", file=name)
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    return shown or list(book.worksheets)


def _check_formulas(path: Path, sheet: Any, rows: Sequence[Row], *, asked: bool) -> None:
    """Refuse formulas that no program has calculated yet; raises DataError.

    Libraries that write workbooks leave the value of a formula out, or write 0, and ask (`asked`)
    the spreadsheet program that opens the file to calculate them.
    """
    from openpyxl import load_workbook

    if not asked and all(any(column[1:]) for column in zip(*(r.cells for r in rows), strict=True)):
        return
    with path.open("rb") as stream:
        again = load_workbook(stream, read_only=True)[sheet.title]
        again.reset_dimensions()
        typed = again.iter_rows()
        places = [
            (row, j)
            for row, cells in zip(rows, typed, strict=True)
            for j, cell in enumerate(cells)
            if cell.data_type == "f"
        ]
    known = {j for row, j in places if row.cells[j] not in ("", "0")}
    for row, j in places:
        if j not in known:
            msg = "the formulas of this column have no values yet"
            msg += "; open the file in a spreadsheet program and save it there"
            raise DataError(msg, file=path.name, row=row.line, column=j + 1)


def frame_sheet(frame: Any, name: str) -> Sheet:
    """Return the columns of a pandas DataFrame; its index is left out."""
    columns = []
    for i, label in enumerate(frame.columns):
        series = frame.iloc[:, i]
        kind = series.dtype.kind if hasattr(series.dtype, "kind") else "O"
        if kind == "c":
            msg = "complex numbers have no order and no scale here; leave the column out"
            raise DataError(msg, file=name, column=i + 1)
        if kind in "iuf":
            columns.append(Column(str(label), values=series.to_numpy(np.float64, na_value=np.nan)))
        else:
            missing = series.isna().tolist()
            cells = [None if gone else v for gone, v in zip(missing, series.tolist(), strict=True)]
            columns.append(_of_objects(str(label), cells))
    return _sheet(name, columns, len(frame), "frame")


def _sheet(name: str, columns: list[Column], rows: int, format_: str) -> Sheet:
    if not columns or not rows:
        raise DataError("the table has no rows or no columns; add some", file=name)
    return Sheet(name, tuple(columns), range(1, rows + 1), format_)


def _of_objects(name: str, values: list[Any]) -> Column:
    """Return a column of texts, truths, dates or durations."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        numbers = [np.nan if value is None else float(value) for value in values]
        return Column(name, values=np.array(numbers))
    if all(issubclass(kind, dt.timedelta) for kind in kinds):
        days = [np.nan if value is None else value / _DAY for value in values]
        return Column(name, values=np.array(days), like="durations")
    return Column(name, [_cell(value) for value in values])


def _cell(value: object) -> str:
    """Return how a value is written in a table of text."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return repr(value / _DAY)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return repr(value) if isinstance(value, float) else str(value).strip()
