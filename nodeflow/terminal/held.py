"""Values that a step holds without calculating them: rows of numbers, long ones shortened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.terminal.look import shape_of
from nodeflow.workings.bodies import body_of
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.step import Step

_ROWS, _COLUMNS = 5, 10


def held_lines(step: Step, room: int) -> list[str]:
    """Return the lines of a step that only holds values, () if it calculated them.

    Matrices are told row by row; what is longer than `room` allows ends in … and has its shape.
    """
    if body_of(step.type) is not None:
        return []
    told = [value_lines(port, value, room) for port, value in step.outputs.items() if value.size]
    if all(len(lines) == 1 for lines in told):
        joined = ", ".join(lines[0] for lines in told)
        if len(joined) <= room:
            return [joined] if joined else []
    return [line for lines in told for line in lines]


def value_lines(name: str, value: NDArray[Any], room: int) -> list[str]:
    """Return a value under its name, matrices row by row, what is longer than `room` shortened."""
    head = f"{name} = "
    if value.size == 1:
        return [head + show(value.flat[0])]
    rows = np.reshape(value, (-1, value.shape[-1]))
    shown = rows if len(rows) <= _ROWS else rows[: _ROWS - 1]
    cells = [[show(number) for number in row[:_COLUMNS]] for row in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    shape = f"  ({shape_of(rows) if len(rows) > 1 else value.size})"
    fits = _fitting(widths, room - len(head) - 2)
    whole = fits == rows.shape[1]
    if not whole:
        fits = _fitting(widths, room - len(head) - len(shape) - len("[, …]"))
    end = "]" if whole else ", …]"
    lines = []
    for row in cells:
        aligned = (f"{cell:>{width}}" for cell, width in zip(row[:fits], widths, strict=False))
        lines.append(f"[{', '.join(aligned)}{end}")
    if len(shown) < len(rows):
        lines.append(" ⋮")
    if not whole or len(shown) < len(rows):
        lines[0] += shape
    return [(head if not place else " " * len(head)) + line for place, line in enumerate(lines)]


def _fitting(widths: list[int], room: int) -> int:
    """Return how many columns fit side by side, at least one."""
    taken, fits = 0, 0
    for width in widths:
        taken += width + 2 * (fits > 0)
        if taken > room and fits:
            break
        fits += 1
    return fits
