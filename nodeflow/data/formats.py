"""Which reader reads which file: one line per format."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from nodeflow.data.options import Options
from nodeflow.data.sheet import Reading, Sheet
from nodeflow.data.table import Table

TEXT = (
    ".csv", ".tsv", ".txt", ".data", ".dat", ".tab", ".all", ".test", ".train", ".tra", ".tes",
    ".trn", ".tst", ".asc", ".prn", ".csv.gz", ".tsv.gz", ".txt.gz", ".data.gz",
)  # fmt: skip

_SHEETS = {
    **dict.fromkeys(TEXT, "quick.text_sheet"),
    ".arff": "arff.arff_sheet",
    ".parquet": "frames.parquet_sheet",
    ".xlsx": "frames.excel_sheet",
    ".xlsm": "frames.excel_sheet",
}
"""Formats of columns: a function from path and options to a `Sheet`."""
_TABLES = {".npz": "npz.read_npz", ".mat": "matfile.read_mat"}
"""Formats of arrays: a function from path and options to a `Table`."""

ENDINGS = (*_SHEETS, *_TABLES)
KNOWN = ".csv, .tsv, .txt, .data, .dat, .tab, .arff, .npz, .mat, .parquet, .xlsx or IDX"


def ending_of(path: Path) -> str:
    """Return the ending that a format is known by: .csv.gz is one."""
    name = path.name.lower()
    doubled = [ending for ending in _SHEETS if ending.count(".") == 2 and name.endswith(ending)]
    return doubled[0] if doubled else path.suffix.lower()


def has_options(path: Path) -> bool:
    """Tell whether a file's columns have options, such as the target."""
    return ending_of(path) in ENDINGS


def read(path: Path, options: Options) -> Table | None:
    """Return the table in a file, None if no format has its ending; raises DataError."""
    ending = ending_of(path)
    if ending in _TABLES:
        table: Table = _function(_TABLES[ending])(path, options)
        return table
    if ending in TEXT:
        from nodeflow.data.plain import plain_table

        plain = plain_table(path, options)
        if plain is not None:
            return plain
    sheet = _sheet(path, options)
    if sheet is None:
        return None
    from nodeflow.data.deciding import table_of

    return table_of(sheet, options)


def look(path: Path, options: Options) -> Reading | None:
    """Return how a file is read, None if no format has its ending; raises DataError."""
    ending = ending_of(path)
    if ending in _TABLES:
        table: Table = _function(_TABLES[ending])(path, options)
        return table.reading
    sheet = _sheet(path, options)
    if sheet is None:
        return None
    from nodeflow.data.deciding import reading_of

    return reading_of(sheet, options)


def _sheet(path: Path, options: Options) -> Sheet | None:
    where = _SHEETS.get(ending_of(path))
    if where is None:
        return None
    sheet: Sheet = _function(where)(path, options)
    return sheet


def _function(where: str) -> Callable[[Path, Options], Any]:
    module, _, name = where.partition(".")
    found: Callable[[Path, Options], Any] = getattr(import_module(f"nodeflow.data.{module}"), name)
    return found
