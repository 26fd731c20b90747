"""Rows that apply a scalar function number by number, with broadcasting."""

from __future__ import annotations

from nodeflow.engine.kernel.language import (
    COMPILED,
    Cells,
    Function,
    Whole,
    first_lanes,
    put_first,
    spread,
)
from nodeflow.engine.kernel.sums import LANES


def each_of_one(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    dst_c: Whole,
    a: Whole,
    a_r: Whole,
    a_c: Whole,
) -> None:
    """Y = f(a), number by number."""
    if COMPILED and dst_c == 1 and a_c == 1:
        if dst_r == cols and a_r == cols:
            cols = rows * cols
            rows = 1
        for r in range(rows):
            to = dst + r * dst_r
            x = a + r * a_r
            for j in range(0, cols, LANES):
                rest = cols - j
                put_first(cells, to + j, function(first_lanes(cells, x + j, rest)), rest)
    else:
        for r in range(rows):
            for j in range(cols):
                cells[dst + r * dst_r + j * dst_c] = function(cells[a + r * a_r + j * a_c])


def each_of_two(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    dst_c: Whole,
    a: Whole,
    a_r: Whole,
    a_c: Whole,
    b: Whole,
    b_r: Whole,
    b_c: Whole,
) -> None:
    """Y = f(a, b), number by number."""
    if COMPILED and dst_c == 1 and a_c == 1 and b_c == 1:
        if dst_r == cols and a_r == cols and b_r == cols:
            cols = rows * cols
            rows = 1
        for r in range(rows):
            to = dst + r * dst_r
            x = a + r * a_r
            y = b + r * b_r
            for j in range(0, cols, LANES):
                rest = cols - j
                f = function(first_lanes(cells, x + j, rest), first_lanes(cells, y + j, rest))
                put_first(cells, to + j, f, rest)
    elif COMPILED and dst_c == 1 and a_c == 0 and b_c == 1:
        for r in range(rows):
            to = dst + r * dst_r
            x = a + r * a_r
            y = b + r * b_r
            for j in range(0, cols, LANES):
                rest = cols - j
                f = function(spread(cells[x]), first_lanes(cells, y + j, rest))
                put_first(cells, to + j, f, rest)
    else:
        for r in range(rows):
            for j in range(cols):
                x = a + r * a_r + j * a_c
                y = b + r * b_r + j * b_c
                cells[dst + r * dst_r + j * dst_c] = function(cells[x], cells[y])


def each_of_three(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    dst_c: Whole,
    a: Whole,
    a_r: Whole,
    a_c: Whole,
    b: Whole,
    b_r: Whole,
    b_c: Whole,
    c: Whole,
    c_r: Whole,
    c_c: Whole,
) -> None:
    """Y = f(a, b, c), number by number."""
    for r in range(rows):
        for j in range(cols):
            x = a + r * a_r + j * a_c
            y = b + r * b_r + j * b_c
            z = c + r * c_r + j * c_c
            cells[dst + r * dst_r + j * dst_c] = function(cells[x], cells[y], cells[z])


def error_slope(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    error: Whole,
    a: Whole,
    y: Whole,
    blame: Whole,
    factor: Whole,
    delta: Whole,
) -> None:
    """E = a − y, b = c·e and δ = f(b, a), all of them without gaps."""
    size = rows * cols
    if COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            x = first_lanes(cells, a + j, rest)
            e = x - first_lanes(cells, y + j, rest)
            b = spread(cells[factor]) * e
            put_first(cells, error + j, e, rest)
            put_first(cells, blame + j, b, rest)
            put_first(cells, delta + j, function(b, x), rest)
    else:
        for j in range(size):
            e = cells[a + j] - cells[y + j]
            b = cells[factor] * e
            cells[error + j] = e
            cells[blame + j] = b
            cells[delta + j] = function(b, cells[a + j])
