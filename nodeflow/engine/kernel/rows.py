"""The rows of a tape: what each operation does with the flat buffer.

A row's operands are the parameters of its function. Places are offsets into the cells; `_r` is
the distance between the rows of a value, `_c` that between its columns: 0 repeats a value, which
is how one row, or one number, meets a batch. `rows` 0 stands for as many as the pass has samples.
"""

from __future__ import annotations

from nodeflow.engine.kernel.language import (
    COMPILED,
    Cells,
    Context,
    Function,
    Whole,
    first_lanes,
    prefetch,
    put_first,
    spread,
    to_double,
    to_real,
    to_whole,
)
from nodeflow.engine.kernel.scalar import exp, log, log1p, multiply
from nodeflow.engine.kernel.sums import LANES, first, sum_of

LONG = 128
"""Numbers from which a row of the data is prefetched before it is read."""
LINE = 8
"""Numbers in a cache line of 64 bytes, at least."""
LOG_OF_NOTHING = -1e30
ROUNDED = 1e-14
"""Stands for ln 0, so that 0 times it is 0."""

# -- over the features of a sample


def sum_of_each(
    function: Function,
    cells: Cells,
    context: Context,
    rows: Whole,
    dst: Whole,
    dst_r: Whole,
    inner: Whole,
    a: Whole,
    a_r: Whole,
    b: Whole,
    b_r: Whole,
    scale: Whole,
    counts: Whole,
) -> None:
    """Y = s·Σⱼ f(aⱼ, bⱼ), a sum over the features of each row; tallied if it `counts`."""
    for r in range(rows):
        cells[dst + r * dst_r] = cells[scale] * sum_of(
            function, cells, inner, a + r * a_r, 1, b + r * b_r, 1
        )
    if counts == 1:
        tally(cells, context, rows, dst, dst_r, 0)


def softmax(
    cells: Cells, rows: Whole, cols: Whole, dst: Whole, dst_r: Whole, a: Whole, a_r: Whole
) -> None:
    """aⱼ = e^(zⱼ − m) / Σₖ e^(zₖ − m), m the largest: no power overflows."""
    for r in range(rows):
        at = a + r * a_r
        to = dst + r * dst_r
        top = cells[at]
        for j in range(1, cols):
            x = cells[at + j]
            top = x if x > top or x != x else top
        for j in range(cols):
            cells[to + j] = exp(cells[at + j] - top)
        total = sum_of(first, cells, cols, to, 1, to, 1)
        for j in range(cols):
            cells[to + j] = cells[to + j] / total


def log_softmax(
    cells: Cells, rows: Whole, cols: Whole, dst: Whole, dst_r: Whole, a: Whole, a_r: Whole
) -> None:
    """Return ln aⱼ = (zⱼ − m) − ln Σₖ e^(zₖ − m), m the largest z; also where aⱼ is 0 or 1.

    The sum is 1 + that of the others: next to 1 they would be lost.
    """
    for r in range(rows):
        at = a + r * a_r
        to = dst + r * dst_r
        most = 0
        for j in range(1, cols):
            x = cells[at + j]
            most = j if x > cells[at + most] or x != x else most
        top = cells[at + most]
        for j in range(cols):
            cells[to + j] = 0.0 if j == most else exp(cells[at + j] - top)
        total = log1p(sum_of(first, cells, cols, to, 1, to, 1))
        for j in range(cols):
            cells[to + j] = (cells[at + j] - top) - total


def log_others(
    cells: Cells, rows: Whole, cols: Whole, dst: Whole, dst_r: Whole, a: Whole, a_r: Whole
) -> None:
    """Return ln (1 − aⱼ) of a softmax; what the largest leaves to the others is their own sum."""
    for r in range(rows):
        at = a + r * a_r
        to = dst + r * dst_r
        most = 0
        for j in range(1, cols):
            most = j if cells[at + j] > cells[at + most] else most
        top = cells[at + most]
        second = LOG_OF_NOTHING
        for j in range(cols):
            x = cells[at + j]
            second = x if j != most and (x > second or x != x) else second
            cells[to + j] = exp(x - top)
        total = sum_of(first, cells, cols, to, 1, to, 1)
        for j in range(cols):
            cells[to + j] = 0.0 if j == most else exp(cells[at + j] - second)
        among = log(sum_of(first, cells, cols, to, 1, to, 1))
        for j in range(cols):
            share = exp(cells[at + j] - top) / total
            part = (second - top) + among - log(total) if j == most else log1p(-share)
            low = part < LOG_OF_NOTHING or (cols == 1 and part == part)
            cells[to + j] = LOG_OF_NOTHING if low else part


def softmax_binary_error(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    a: Whole,
    a_r: Whole,
    b: Whole,
    b_r: Whole,
    y: Whole,
    y_r: Whole,
    missed: Whole,
    missed_r: Whole,
) -> None:
    """δ of a binary cross-entropy behind softmax, from ln a, ln (1 − a), y and 1 − y.

    δₖ = aₖ·Σⱼ (yⱼ + mⱼ) − yₖ − Σ_{j≠k} mⱼ·aₖ/(1 − aⱼ), m = 1 − y.
    """
    for r in range(rows):
        at = a + r * a_r
        by = b + r * b_r
        right = y + r * y_r
        wrong = missed + r * missed_r
        total = 0.0
        for j in range(cols):
            part = cells[wrong + j] if cells[by + j] > LOG_OF_NOTHING else 0.0
            total = total + (cells[right + j] + part)
        for k in range(cols):
            taken = 0.0
            for j in range(cols):
                if j != k and cells[by + j] > LOG_OF_NOTHING:
                    apart = cells[at + k] - cells[by + j]
                    apart = 0.0 if apart > 0.0 else apart
                    taken = taken + cells[wrong + j] * exp(apart)
            share = exp(cells[at + k])
            cells[dst + r * dst_r + k] = share * total - cells[right + k] - taken


def delta_softmax(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    blame: Whole,
    blame_r: Whole,
    blame_c: Whole,
    a: Whole,
    a_r: Whole,
) -> None:
    """δⱼ = aⱼ·(bⱼ − Σₖ bₖ·aₖ)."""
    for r in range(rows):
        b = blame + r * blame_r
        x = a + r * a_r
        total = sum_of(multiply, cells, cols, b, blame_c, x, 1)
        for j in range(cols):
            cells[dst + r * dst_r + j] = cells[x + j] * (cells[b + j * blame_c] - total)


def softmax_error(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    a: Whole,
    a_r: Whole,
    y: Whole,
    y_r: Whole,
) -> None:
    """δⱼ = aⱼ·Σₖ yₖ − yⱼ: the slope of cross-entropy behind softmax.

    Of a share above ½ the parts of 1 − aⱼ are added up, which next to 1 would be lost:
    δⱼ = aⱼ·(Σₖ yₖ − yⱼ) − yⱼ·Σ_{k≠j} aₖ; but only where the shares add up to 1.
    """
    for r in range(rows):
        at = a + r * a_r
        by = y + r * y_r
        total = sum_of(first, cells, cols, by, 1, by, 1)
        for j in range(cols):
            share = cells[at + j]
            part = share * total - cells[by + j]
            if share > 0.5:
                rest = 0.0
                for k in range(cols):
                    if k != j:
                        rest = rest + cells[at + k]
                apart = rest - (1.0 - share)
                if apart >= -ROUNDED and apart <= ROUNDED:
                    part = share * (total - cells[by + j]) - cells[by + j] * rest
            cells[dst + r * dst_r + j] = part


def penalty(cells: Cells, dst: Whole, theta: Whole, size: Whole, scale: Whole) -> None:
    """C = s·Σ Θ², over all weights as one row of numbers."""
    cells[dst] = cells[scale] * sum_of(multiply, cells, size, theta, 1, theta, 1)


def accuracy(
    cells: Cells,
    context: Context,
    rows: Whole,
    inner: Whole,
    dst: Whole,
    dst_r: Whole,
    a: Whole,
    a_r: Whole,
    y: Whole,
    y_r: Whole,
    threshold: Whole,
    counts: Whole,
) -> None:
    """1 where the largest output is the target's, or a single one on its side of a threshold.

    Tallied if it `counts`.
    """
    for r in range(rows):
        at = a + r * a_r
        by = y + r * y_r
        if inner == 1:
            above = cells[at] >= cells[threshold]
            hit = above == (cells[by] >= cells[threshold])
            cells[dst + r * dst_r] = 1.0 if hit else 0.0
        else:
            # chosen without branches: which class wins cannot be foreseen
            top = cells[at]
            most = cells[by]
            best = 0
            right = 0
            for j in range(1, inner):
                x = cells[at + j]
                t = cells[by + j]
                best = j if x > top else best
                top = x if x > top else top
                right = j if t > most else right
                most = t if t > most else most
            cells[dst + r * dst_r] = 1.0 if best == right else 0.0
    if counts == 1:
        tally(cells, context, rows, dst, dst_r, 1)


def unpick(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    blame: Whole,
    blame_r: Whole,
    blame_c: Whole,
    count: Whole,
    indices: Whole,
) -> None:
    """Blame goes back to the features that were picked; the others get none."""
    for r in range(rows):
        to = dst + r * dst_r
        for j in range(cols):
            cells[to + j] = 0.0
        for j in range(count):
            index = to_whole(cells[indices + j])
            cells[to + index] = cells[to + index] + cells[blame + r * blame_r + j * blame_c]


# -- gradients and updates of whole parameters


def accumulate(cells: Cells, context: Context, size: Whole, dst: Whole, gradient: Whole) -> None:
    """Δ ← Δ + D; the first sample of an update begins anew."""
    if context.number == 0:
        copy_cells(cells, size, dst, gradient)
    elif COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            total = first_lanes(cells, dst + j, rest) + first_lanes(cells, gradient + j, rest)
            put_first(cells, dst + j, total, rest)
    else:
        for j in range(size):
            cells[dst + j] = cells[dst + j] + cells[gradient + j]


def average(
    cells: Cells,
    context: Context,
    size: Whole,
    dst: Whole,
    total: Whole,
    theta: Whole,
    decay: Whole,
) -> None:
    """D = Δ/n + λ·Θ."""
    share = 1.0 / to_real(context.count)
    shrink = cells[decay]
    if COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            mean = first_lanes(cells, total + j, rest) * spread(share)
            if shrink != 0:
                mean = mean + spread(shrink) * first_lanes(cells, theta + j, rest)
            put_first(cells, dst + j, mean, rest)
    else:
        for j in range(size):
            mean = cells[total + j] * share
            if shrink != 0:
                mean = mean + shrink * cells[theta + j]
            cells[dst + j] = mean


def update(
    cells: Cells, size: Whole, dst: Whole, theta: Whole, gradient: Whole, rate: Whole
) -> None:
    """Θ ← Θ − α·D."""
    alpha = cells[rate]
    if COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            step = spread(alpha) * first_lanes(cells, gradient + j, rest)
            put_first(cells, dst + j, first_lanes(cells, theta + j, rest) - step, rest)
    else:
        for j in range(size):
            cells[dst + j] = cells[theta + j] - alpha * cells[gradient + j]


def step_total(
    cells: Cells,
    context: Context,
    size: Whole,
    dst: Whole,
    total: Whole,
    rate: Whole,
    decay: Whole,
) -> None:
    """Average and update at once, in place: Θ ← Θ − α·(Δ/n + λ·Θ)."""
    share = 1.0 / to_real(context.count)
    alpha = cells[rate]
    shrink = cells[decay]
    if COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            theta = first_lanes(cells, dst + j, rest)
            mean = first_lanes(cells, total + j, rest) * spread(share)
            if shrink != 0:
                mean = mean + spread(shrink) * theta
            put_first(cells, dst + j, theta - spread(alpha) * mean, rest)
    else:
        for j in range(size):
            mean = cells[total + j] * share
            if shrink != 0:
                mean = mean + shrink * cells[dst + j]
            cells[dst + j] = cells[dst + j] - alpha * mean


# -- data in, tallies out


def load(
    cells: Cells,
    context: Context,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    column: Whole,
    width: Whole,
) -> None:
    """Fetch rows of the data, `width` numbers each, in the order of this epoch."""
    for r in range(rows):
        source = column + context.order[context.first + r] * width
        to = dst + r * dst_r
        if COMPILED:
            # The rows of the next pass lie anywhere: the memory has until then to bring them.
            ahead = context.first + rows + r
            if cols >= LONG and ahead < context.fed:
                coming = column + context.order[ahead] * width
                for j in range(0, cols, LINE):
                    prefetch(context.feed, coming + j)
            for j in range(0, cols, LANES):
                rest = cols - j
                put_first(cells, to + j, first_lanes(context.feed, source + j, rest), rest)
        else:
            for j in range(cols):
                cells[to + j] = context.feed[source + j]


def tally(cells: Cells, context: Context, rows: Whole, a: Whole, a_r: Whole, which: Whole) -> None:
    """Add costs (0) or hits (1) to what was tallied, and count their samples."""
    at = context.tally + which
    for r in range(rows):
        context.stats[at] = context.stats[at] + cells[a + r * a_r]
    context.stats[at + 2] = context.stats[at + 2] + to_double(rows)


def tally_shared(cells: Cells, context: Context, a: Whole) -> None:
    """Add a cost that all samples of the pass share: it counts once for each."""
    at = context.tally
    count = to_double(context.samples)
    context.stats[at] = context.stats[at] + cells[a] * count
    context.stats[at + 2] = context.stats[at + 2] + count


def python(context: Context, call: Whole) -> None:
    """Let Python execute a node type that has no row of its own."""
    context.call(call)


def copy_cells(cells: Cells, size: Whole, dst: Whole, a: Whole) -> None:
    """Copy numbers that lie side by side."""
    if COMPILED:
        for j in range(0, size, LANES):
            rest = size - j
            put_first(cells, dst + j, first_lanes(cells, a + j, rest), rest)
    else:
        for j in range(size):
            cells[dst + j] = cells[a + j]
