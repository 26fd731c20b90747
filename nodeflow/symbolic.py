"""Arithmetic of expressions: values as rows of formulas, numbers worked out at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nodeflow import formula as formulas

Part = formulas.Expression
Row = list[Part]
Rows = list[Row]
"""A value: a row of expressions a sample."""
ZERO, ONE = formulas.ZERO, formulas.ONE


def rounded(number: float) -> float:
    """Return a number without what rounding left behind in its last digits: 0.1·3 is 0.3."""
    return float(f"{number:.15g}")


def number(value: float) -> Part:
    """Return a number as an expression."""
    return ("number", float(value))


def plus(a: Part, b: Part) -> Part:
    """Return a sum; numbers are added at once."""
    if ZERO in (a, b):
        return b if a == ZERO else a
    if a[0] == b[0] == "number":
        return number(rounded(a[1] + b[1]))
    return ("+", a, b)


def times(a: Part, b: Part) -> Part:
    """Return a product; numbers are multiplied at once."""
    if ZERO in (a, b):
        return ZERO
    if ONE in (a, b):
        return b if a == ONE else a
    if a[0] == b[0] == "number":
        return number(rounded(a[1] * b[1]))
    return ("*", b, a) if b[0] == "number" else ("*", a, b)


def minus(a: Part, b: Part) -> Part:
    """Return a difference."""
    if b == ZERO:
        return a
    if a[0] == b[0] == "number":
        return number(rounded(a[1] - b[1]))
    return ("-", a, b)


def square(a: Part) -> Part:
    """Return a², not worked out."""
    return ("**", a, number(2))


def total(parts: Sequence[Part]) -> Part:
    """Return the sum of expressions."""
    found = ZERO
    for part in parts:
        found = plus(found, part)
    return found


def side_by_side(parts: Sequence[Rows]) -> Rows:
    """Return values joined along their features; a single row is repeated."""
    tall = max(map(len, parts))
    return [
        [one for rows in parts for one in rows[at if len(rows) > 1 else 0]] for at in range(tall)
    ]


def paired(a: Rows, b: Rows, function: Callable[[Part, Part], Part]) -> Rows:
    """Return what a function makes of two values, number by number, with broadcasting."""
    tall, wide = max(len(a), len(b)), max(len(a[0]), len(b[0]))

    def at(rows: Rows, row: int, column: int) -> Part:
        line = rows[row if len(rows) > 1 else 0]
        return line[column if len(line) > 1 else 0]

    return [[function(at(a, i, j), at(b, i, j)) for j in range(wide)] for i in range(tall)]


def folded(values: Sequence[Rows], function: Callable[[Part, Part], Part]) -> Rows:
    """Return what a function makes of several values, one after the other."""
    found = values[0]
    for other in values[1:]:
        found = paired(found, other, function)
    return found


def put(part: Part, values: dict[str, Part]) -> Part:
    """Return an expression with others in place of names."""
    if part[0] == "number":
        return part
    if part[0] == "name":
        return values.get(part[1], part)
    return (part[0], *(put(one, values) for one in part[1:]))


def of_formula(parsed: Part, inputs: dict[str, list[Rows]]) -> Rows:
    """Return a formula of values by name, number by number."""
    names = [name for name in inputs if inputs[name]]
    if not names:
        return [[parsed]]
    whole = [inputs[name][0] for name in names]
    tall, wide = max(map(len, whole)), max(len(rows[0]) for rows in whole)
    made = []
    for i in range(tall):
        row = []
        for j in range(wide):
            values = {}
            for name, rows in zip(names, whole, strict=True):
                line = rows[i if len(rows) > 1 else 0]
                values[name] = line[j if len(line) > 1 else 0]
            row.append(put(parsed, values))
        made.append(row)
    return made
