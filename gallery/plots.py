"""One style for all the pictures that are plotted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Colours that stay apart for colour-blind people (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_STYLE = {
    "svg.hashsalt": "nodeflow",  # the same numbers give the same bytes
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}


@contextmanager
def figure(
    path: Path, columns: int = 1, rows: int = 1, wide: float = 6.4, high: float = 3.2
) -> Iterator[Any]:
    """Yield axes (an array for several columns or rows), and write the picture to `path`."""
    with mpl.rc_context(_STYLE):
        made = Figure(figsize=(wide, high), layout="constrained", facecolor="white")
        yield made.subplots(rows, columns, squeeze=True)
        made.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)


def tiles(axes: Any, rows: NDArray[Any], side: int, columns: int) -> None:
    """Show each row of numbers as a square image, each scaled by its own largest magnitude."""
    count = -(-len(rows) // columns)
    sheet = np.full((count * (side + 1) - 1, columns * (side + 1) - 1), np.nan)
    for place, row in enumerate(rows):
        top, left = place // columns * (side + 1), place % columns * (side + 1)
        largest = np.abs(row).max() or 1.0
        sheet[top : top + side, left : left + side] = row.reshape(side, side) / largest
    axes.imshow(sheet, cmap="PuOr", vmin=-1, vmax=1, interpolation="nearest")
    axes.set_axis_off()
