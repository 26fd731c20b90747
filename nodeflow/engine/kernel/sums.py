"""In which order numbers are added: it depends on how many there are, and on nothing else.

Fewer than `SHORT` numbers are added from the first to the last, as a person does. More are added
in eight lanes: number k goes to lane k mod 8, each lane in order, and the lanes are added in
pairs, ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). So eight additions can be under way at once,
and a layer, its neurons, `add`, `sum` and `mean` still give the same bits on every machine.
Sums over the samples of a batch run in order, however many there are.
"""

from __future__ import annotations

from nodeflow.engine.kernel.language import Cells, Double, Function, Real, Whole

LANES = 8
SHORT = 16
"""Numbers from which a sum is added up in lanes."""


def first(a: Double, b: Double) -> Double:  # noqa: ARG001 (a sum is of two numbers each)
    """Return the first of two numbers: what a plain sum adds up."""
    return a


def order_of_addition(count: int) -> list[tuple[int, int]]:
    """Return the additions of a sum of `count` numbers: pairs of places, the second to the first.

    The sum ends up at place 0; later pairs read what earlier ones wrote.
    """
    if count < SHORT:
        return [(0, place) for place in range(1, count)]
    found = [(place % LANES, place) for place in range(LANES, count)]
    return [*found, (0, 4), (2, 6), (0, 2), (1, 5), (3, 7), (1, 3), (0, 1)]


def sum_of(
    function: Function,
    cells: Cells,
    count: Whole,
    a: Whole,
    a_c: Whole,
    b: Whole,
    b_c: Whole,
) -> Real:
    """Return Σ f(aⱼ, bⱼ) over `count` ≥ 1 numbers, each `a_c` and `b_c` cells apart."""
    total: float = function(cells[a], cells[b])
    if count < SHORT:
        for j in range(1, count):
            total = total + function(cells[a + j * a_c], cells[b + j * b_c])
        return total
    s1 = function(cells[a + a_c], cells[b + b_c])
    s2 = function(cells[a + 2 * a_c], cells[b + 2 * b_c])
    s3 = function(cells[a + 3 * a_c], cells[b + 3 * b_c])
    s4 = function(cells[a + 4 * a_c], cells[b + 4 * b_c])
    s5 = function(cells[a + 5 * a_c], cells[b + 5 * b_c])
    s6 = function(cells[a + 6 * a_c], cells[b + 6 * b_c])
    s7 = function(cells[a + 7 * a_c], cells[b + 7 * b_c])
    at = a + LANES * a_c
    by = b + LANES * b_c
    for _ in range(1, count // LANES):
        total = total + function(cells[at], cells[by])
        s1 = s1 + function(cells[at + a_c], cells[by + b_c])
        s2 = s2 + function(cells[at + 2 * a_c], cells[by + 2 * b_c])
        s3 = s3 + function(cells[at + 3 * a_c], cells[by + 3 * b_c])
        s4 = s4 + function(cells[at + 4 * a_c], cells[by + 4 * b_c])
        s5 = s5 + function(cells[at + 5 * a_c], cells[by + 5 * b_c])
        s6 = s6 + function(cells[at + 6 * a_c], cells[by + 6 * b_c])
        s7 = s7 + function(cells[at + 7 * a_c], cells[by + 7 * b_c])
        at = at + LANES * a_c
        by = by + LANES * b_c
    rest = count % LANES
    if rest > 0:
        total = total + function(cells[at], cells[by])
    if rest > 1:
        s1 = s1 + function(cells[at + a_c], cells[by + b_c])
    if rest > 2:
        s2 = s2 + function(cells[at + 2 * a_c], cells[by + 2 * b_c])
    if rest > 3:
        s3 = s3 + function(cells[at + 3 * a_c], cells[by + 3 * b_c])
    if rest > 4:
        s4 = s4 + function(cells[at + 4 * a_c], cells[by + 4 * b_c])
    if rest > 5:
        s5 = s5 + function(cells[at + 5 * a_c], cells[by + 5 * b_c])
    if rest > 6:
        s6 = s6 + function(cells[at + 6 * a_c], cells[by + 6 * b_c])
    found: float = ((total + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
    return found
