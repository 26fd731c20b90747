"""How a table is read, as the command `data look` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from nodeflow.terminal.look import clean, console, plural, print_inset, table, title
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.data import Reading

_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "blanks", "|": "bars"}
_MOST_COLUMNS, _MOST_CLASSES = 40, 6


def show_reading(reading: Reading) -> None:
    """Print the columns of a table, what becomes of each, and what was decided."""
    out = console()
    said = [plural(reading.rows, "row"), plural(len(reading.columns), "column")]
    if reading.separator:
        said.append("separated by " + _SIGNS.get(reading.separator, f"'{reading.separator}'"))
    said.append("with a header" if reading.header else "without a header")
    if reading.decimal == ",":
        said.append("decimal commas")
    out.print(title(clean(reading.file), ", ".join(said)))
    out.print()
    rows = table("column", "holds", "range", "missing", "role", "becomes", numbers=("missing",))
    for column in reading.columns[:_MOST_COLUMNS]:
        span = ""
        if column.range is not None:
            span = f"{show(column.range[0])} … {show(column.range[1])}"
        elif column.classes is not None:
            names = ", ".join(map(clean, column.classes[:_MOST_CLASSES]))
            span = names + (", …" if len(column.classes) > _MOST_CLASSES else "")
        cells = (column.kind, span, str(column.missing or ""), column.role, column.becomes)
        rows.add_row(Text(clean(column.name)), *map(Text, cells))
    print_inset(out, rows)
    if len(reading.columns) > _MOST_COLUMNS:
        out.print(Text(f"  … and {len(reading.columns) - _MOST_COLUMNS} more"))
    out.print()
    out.print(Text("  " + clean(reading.summary)))
    for note in reading.notes:
        out.print(Text("  · " + clean(note)))
