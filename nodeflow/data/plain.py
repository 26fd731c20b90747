"""Tables of nothing but numbers and commas, read at once.

What the careful reader (`textfile`, `analysis`, `deciding`) asks of a table has one answer where
there is no header, no quote, no blank and no gap: the last column is the target, all others are
features. It takes ten times as long for it, half of that to be imported. Whatever is not as plain
is left to it, and so is everything that is to be said about the reading.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodeflow.data.kinds import looks_like_classes, whole_numbers
from nodeflow.data.options import Options
from nodeflow.data.reading import reading
from nodeflow.data.sheet import Reading
from nodeflow.data.table import Table, classify, feature_names, frozen

_MOST_BYTES = 2**18
_SIGNS = b"0123456789.,-\n"
_LONGEST = 25
_IDS = 15
"""Whole numbers of more digits are ids to the careful reader."""


def plain_table(path: Path, options: Options) -> Table | None:
    """Return the table in a file of plain numbers; None where the careful reader must decide.

    It would come to the same table: there the first row is one of data, since it has a fraction,
    and the first column is no target, since it has one, too.
    """
    if options.given() not in ((), ("target",)):
        return None
    with reading(path):
        if not 0 < path.stat().st_size <= _MOST_BYTES:
            return None
        data = path.read_bytes().replace(b"\r\n", b"\n")
    if data.translate(None, _SIGNS):
        return None
    text = data.decode("ascii")
    lines = text.removesuffix("\n").split("\n")
    commas = {line.count(",") for line in lines}
    width = 1 + commas.pop()
    if commas or width < 2 or options.target not in (None, -1, width - 1):
        return None
    cells = ",".join(lines).split(",")
    if any(len(cell) > _IDS and (len(cell) > _LONGEST or cell.isdigit()) for cell in cells):
        return None
    try:
        values = np.array([*map(float, cells)]).reshape(-1, width)
    except ValueError:
        return None
    first, y = values[:, 0], values[:, -1]
    if not np.isfinite(values).all() or whole_numbers(values[0]) or whole_numbers(first):
        return None
    classes, _ = looks_like_classes(y)
    if (y == y[0]).all():
        return None
    outputs, names = (
        classify(y, file=path.name, column=width) if classes else (y.reshape(-1, 1), ())
    )

    def told() -> Reading:
        from nodeflow.data.deciding import reading_of
        from nodeflow.data.textfile import sheet_from_text

        return reading_of(sheet_from_text(path.name, text, options), options)

    x = values[:, :-1]
    return Table(frozen(x), frozen(outputs), feature_names(width - 1), names, how=told)
