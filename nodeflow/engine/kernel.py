"""The one compiled kernel: it executes rows of a tape, for one sample and whole epochs alike.

Small operations are plain index loops over unsigned offsets (signed ones make the compiler
check for negative indices, and slices cost more than the work); large products go to BLAS.
Stepping and training agree to the bit since both come through here; only where a product is
large may the compiler reorder a sum, once for both.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types, uint64
from numba.extending import intrinsic

from nodeflow.engine import ops as o

OPS = 175553305
"""CRC-32 of ops.py. Numba's cache watches this file alone: where operations are renumbered, this
line must change too, or machine code with the old numbers would go on being used."""
_LARGE = 2048
"""Products with so many multiplications run on slices, which vectorise."""
_HUGE = 600_000
"""Products with so many multiplications are handed to BLAS: below, its overhead shows."""
_WIDE = 64
"""Flat operations over so many numbers run on slices."""
_NOTHING = -1e30
"""Stands for ln 0 (`nodes.cost.NOTHING`)."""
_ONE = uint64(1)
_LEAK = 0.01

_compiled = njit(cache=True, nogil=True, error_model="numpy")
_reordered = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


@intrinsic
def _bits(_: Any, x: Any) -> Any:
    """Return the bits of a float64 as an int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _from_bits(_: Any, x: Any) -> Any:
    """Return the float64 that an int64's bits stand for."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


_ROUNDER = 6755399441055744.0  # 1.5 · 2⁵²: adding it rounds to a whole number


@_compiled
def _exp(x: float) -> float:
    """Return e^x to the last digit or two, in straight-line code that vectorises.

    x = k ln 2 + r with ln 2 in two parts (W. Cody and W. Waite, "Software Manual for the
    Elementary Functions", 1980), and Taylor's series for e^r, |r| ≤ ln 2 / 2. Beyond ±708 it
    stays at the ends of the range of float64; NaN stays NaN.
    """
    x = min(x, 709.0)
    x = max(x, -708.0)
    t = x * 1.4426950408889634 + _ROUNDER
    k = t - _ROUNDER
    r = x - k * 0.693147180369123816490
    r = r - k * 1.90821492927058770002e-10
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.388888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    p = p * (r * r) + r
    scale = _from_bits((_bits(t) + 1023) << 52)
    return scale + scale * p


@_compiled
def _large(op: int, cells: Any, dst: int, a: int, b: int, count: int) -> None:
    """Execute a flat operation over many numbers: loops over slices, which vectorise."""
    zero, one = cells.dtype.type(0), cells.dtype.type(1)
    out = cells[dst : dst + count]
    x = cells[a : a + count]
    y = cells[b : b + count]
    if op == o.FLAT_SIGMOID:
        for j in range(count):
            out[j] = 1 / (1 + _exp(-x[j]))
    elif op == o.FLAT_TANH:
        for j in range(count):
            out[j] = math.tanh(x[j])
    elif op == o.FLAT_RELU:
        for j in range(count):
            out[j] = x[j] if not x[j] <= 0 else zero
    elif op == o.FLAT_ADD:
        for j in range(count):
            out[j] = x[j] + y[j]
    elif op == o.FLAT_SUBTRACT:
        for j in range(count):
            out[j] = x[j] - y[j]
    elif op == o.FLAT_MULTIPLY:
        for j in range(count):
            out[j] = x[j] * y[j]
    elif op == o.SCALE:
        factor = cells[a]
        for j in range(count):
            out[j] = factor * y[j]
    elif op == o.FLAT_DELTA_SIGMOID:
        for j in range(count):
            out[j] = x[j] * (y[j] * (one - y[j]))
    elif op == o.FLAT_DELTA_TANH:
        for j in range(count):
            out[j] = x[j] * (one - y[j] * y[j])
    elif op == o.FLAT_DELTA_RELU:
        for j in range(count):
            out[j] = x[j] if y[j] > 0 else zero


@_reordered
def _large_sums(cells: Any, dst: int, a: int, b: int, rows: int, cols: int, inner: int) -> None:
    """z[r,j] = Σᵢ a[r,i]·Θ[j,i], in blocks of two rows by four neurons kept in registers."""
    zero = cells.dtype.type(0)
    for r in range(0, rows - 1, 2):
        x0 = cells[a + r * inner : a + (r + 1) * inner]
        x1 = cells[a + (r + 1) * inner : a + (r + 2) * inner]
        to = dst + r * cols
        for j in range(0, cols - 3, 4):
            w0 = cells[b + j * inner : b + (j + 1) * inner]
            w1 = cells[b + (j + 1) * inner : b + (j + 2) * inner]
            w2 = cells[b + (j + 2) * inner : b + (j + 3) * inner]
            w3 = cells[b + (j + 3) * inner : b + (j + 4) * inner]
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
            for k in range(inner):
                s00 += x0[k] * w0[k]
                s01 += x0[k] * w1[k]
                s02 += x0[k] * w2[k]
                s03 += x0[k] * w3[k]
                s10 += x1[k] * w0[k]
                s11 += x1[k] * w1[k]
                s12 += x1[k] * w2[k]
                s13 += x1[k] * w3[k]
            cells[to + j] = s00
            cells[to + j + 1] = s01
            cells[to + j + 2] = s02
            cells[to + j + 3] = s03
            cells[to + cols + j] = s10
            cells[to + cols + j + 1] = s11
            cells[to + cols + j + 2] = s12
            cells[to + cols + j + 3] = s13
        for j in range(cols - cols % 4, cols):
            w0 = cells[b + j * inner : b + (j + 1) * inner]
            s00 = s10 = zero
            for k in range(inner):
                s00 += x0[k] * w0[k]
                s10 += x1[k] * w0[k]
            cells[to + j] = s00
            cells[to + cols + j] = s10
    if rows % 2 == 1:
        x0 = cells[a + (rows - 1) * inner : a + rows * inner]
        for j in range(cols):
            w0 = cells[b + j * inner : b + (j + 1) * inner]
            s00 = zero
            for k in range(inner):
                s00 += x0[k] * w0[k]
            cells[dst + (rows - 1) * cols + j] = s00


@_compiled
def _large_gradient(
    cells: Any, dst: int, a: int, a_r: int, b: int, b_r: int, rows: int, cols: int, n_out: int
) -> None:
    """G[j,i] = Σᵣ δ[r,j]·a[r,i]: four samples at a time, added in their order."""
    for j in range(n_out):
        out = cells[dst + j * cols : dst + (j + 1) * cols]
        x0 = cells[b : b + cols]
        d0 = cells[a + j]
        for k in range(cols):
            out[k] = d0 * x0[k]
        r = 1
        while r + 3 < rows:
            x0 = cells[b + r * b_r : b + r * b_r + cols]
            x1 = cells[b + (r + 1) * b_r : b + (r + 1) * b_r + cols]
            x2 = cells[b + (r + 2) * b_r : b + (r + 2) * b_r + cols]
            x3 = cells[b + (r + 3) * b_r : b + (r + 3) * b_r + cols]
            d0 = cells[a + r * a_r + j]
            d1 = cells[a + (r + 1) * a_r + j]
            d2 = cells[a + (r + 2) * a_r + j]
            d3 = cells[a + (r + 3) * a_r + j]
            for k in range(cols):
                out[k] = (((out[k] + d0 * x0[k]) + d1 * x1[k]) + d2 * x2[k]) + d3 * x3[k]
            r += 4
        while r < rows:
            x0 = cells[b + r * b_r : b + r * b_r + cols]
            d0 = cells[a + r * a_r + j]
            for k in range(cols):
                out[k] += d0 * x0[k]
            r += 1


@_compiled
def _large_step(
    cells: Any, dst: int, a: int, count: int, alpha: Any, decay: Any, share: Any
) -> None:
    """Average and update a large parameter in place."""
    theta = cells[dst : dst + count]
    total = cells[a : a + count]
    if decay == 0:
        for j in range(count):
            theta[j] -= alpha * (total[j] * share)
    else:
        for j in range(count):
            theta[j] -= alpha * (total[j] * share + decay * theta[j])


@_compiled
def _large_bias(cells: Any, dst: int, bias: int, rows: int, cols: int) -> None:
    """Add a bias to many rows."""
    b = cells[bias : bias + cols]
    for r in range(rows):
        z = cells[dst + r * cols : dst + (r + 1) * cols]
        for j in range(cols):
            z[j] += b[j]


@_compiled
def _large_sum(cells: Any, dst: int, a: int, rows: int, cols: int) -> None:
    """Add up many rows, the first to the last."""
    out = cells[dst : dst + cols]
    for j in range(cols):
        out[j] = cells[a + j]
    for r in range(1, rows):
        x = cells[a + r * cols : a + (r + 1) * cols]
        for j in range(cols):
            out[j] += x[j]


@_compiled
def _unary(op: Any, x: Any) -> Any:
    zero, one = 0.0, 1.0
    if op == o.SIGMOID:
        return 1 / (1 + _exp(-x))
    if op == o.TANH:
        return math.tanh(x)
    if op == o.RELU:
        return x if not x <= 0 else zero
    if op == o.LEAKY_RELU:
        return x if x > 0 else _LEAK * x
    if op == o.SOFTPLUS:
        return max(x, zero) + math.log1p(math.exp(-abs(x)))
    if op == o.EXP:
        return math.exp(x)
    if op == o.LOG:
        return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)
    if op == o.SQRT:
        return math.sqrt(x) if x >= 0 else math.nan
    if op == o.SIN:
        return math.sin(x)
    if op == o.COS:
        return math.cos(x)
    if op == o.ABS:
        return abs(x)
    if op == o.SIGN:
        return one if x > 0 else (-one if x < 0 else x)
    return one if x > 0 else zero  # STEP


@_compiled
def _binary(op: Any, x: Any, y: Any) -> Any:
    if op == o.ADD:
        return x + y
    if op == o.SUBTRACT:
        return x - y
    if op == o.MULTIPLY:
        return x * y
    if op == o.DIVIDE:
        return x / y
    if op == o.POWER:
        if y == 2:
            return x * x
        return x**y
    if op == o.MAXIMUM:
        return x if x >= y or x != x else y
    if op == o.MINIMUM:
        return x if x <= y or x != x else y
    if op == o.DELTA_SIGMOID:
        return x * (y * (1 - y))
    if op == o.DELTA_TANH:
        return x * (1 - y * y)
    if op == o.DELTA_RELU:
        return x if y > 0 else 0.0
    if op == o.DELTA_LEAKY_RELU:
        return x if y > 0 else _LEAK * x
    return x * -math.expm1(-y)  # DELTA_SOFTPLUS


@_compiled
def _general(op: int, row: Any, rows: Any, cols: Any, cells: Any) -> None:
    """Execute an operation number by number, with broadcasting, or one of the rare ones."""
    dst = row[o.DST]
    dst_r = row[o.DST_R]
    a = row[o.A]
    a_r = row[o.A_R]
    a_c = row[o.A_C]
    if op >= o.SIGMOID and op <= o.STEP:
        for r in range(rows):
            for j in range(cols):
                cells[dst + r * dst_r + j] = _unary(op, cells[a + r * a_r + j * a_c])
    elif (op >= o.ADD and op <= o.MINIMUM) or (op >= o.DELTA_SIGMOID and op <= o.DELTA_SOFTPLUS):
        b = row[o.B]
        b_r = row[o.B_R]
        b_c = row[o.B_C]
        for r in range(rows):
            for j in range(cols):
                x = cells[a + r * a_r + j * a_c]
                cells[dst + r * dst_r + j] = _binary(op, x, cells[b + r * b_r + j * b_c])
    else:
        _rare(op, row, rows, cols, cells)


@_compiled
def _rare(op: int, row: Any, rows: Any, cols: Any, cells: Any) -> None:
    """Execute one of the operations that small networks seldom use."""
    dst = row[o.DST]
    dst_r = row[o.DST_R]
    a = row[o.A]
    a_r = row[o.A_R]
    b = row[o.B]
    b_r = row[o.B_R]
    inner = row[o.INNER]
    tiny = np.finfo(cells.dtype).tiny
    zero = cells.dtype.type(0)
    if op == o.SOFTMAX:
        for r in range(rows):
            at = a + r * a_r
            to = dst + r * dst_r
            top = cells[at]
            for j in range(_ONE, cols):
                top = max(top, cells[at + j])
            total = zero
            for j in range(cols):
                e = math.exp(cells[at + j] - top)
                cells[to + j] = e
                total = e if j == 0 else total + e
            for j in range(cols):
                cells[to + j] /= total
    elif op == o.SUM or op == o.MEAN:
        for r in range(rows):
            at = a + r * a_r
            total = cells[at]
            for j in range(_ONE, inner):
                total += cells[at + j]
            cells[dst + r * dst_r] = total if op == o.SUM else total / inner
    elif op == o.CROSS_ENTROPY or op == o.CATEGORICAL_CROSS_ENTROPY:
        for r in range(rows):
            total = zero
            for j in range(inner):
                x = cells[a + r * a_r + j]
                y = cells[b + r * b_r + j]
                part = y * math.log(x if x > tiny or x != x else tiny)
                if op == o.CROSS_ENTROPY:
                    left = 1 - x
                    part += (1 - y) * math.log(left if left > tiny or left != left else tiny)
                total = part if j == 0 else total + part
            cells[dst + r * dst_r] = -total
    elif op == o.CROSS_ENTROPY_LOGITS:
        # A the weighted sums z before a sigmoid, B the targets: Σ max(z, 0) − z y + ln(1 + e^−|z|)
        for r in range(rows):
            total = zero
            for j in range(inner):
                x = cells[a + r * a_r + j]
                part = max(x, zero) - x * cells[b + r * b_r + j] + math.log1p(math.exp(-abs(x)))
                total = part if j == 0 else total + part
            cells[dst + r * dst_r] = total
    elif op == o.SURPRISE:
        # A the logarithms of shares, B the targets: −Σ y ln a
        for r in range(rows):
            total = zero
            for j in range(inner):
                part = cells[b + r * b_r + j] * cells[a + r * a_r + j]
                total = part if j == 0 else total + part
            cells[dst + r * dst_r] = -total
    elif op == o.LOG_SOFTMAX:
        for r in range(rows):
            at = a + r * a_r
            to = dst + r * dst_r
            top = cells[at]
            for j in range(_ONE, cols):
                top = max(top, cells[at + j])
            total = zero
            for j in range(cols):
                e = math.exp(cells[at + j] - top)
                total = e if j == 0 else total + e
            total = math.log(total)
            for j in range(cols):
                cells[to + j] = (cells[at + j] - top) - total
    elif op == o.LOG_OTHERS:
        # ln(1 − a) of a softmax: the others of the largest are summed up by themselves
        lowest = cells.dtype.type(_NOTHING)
        for r in range(rows):
            at = a + r * a_r
            to = dst + r * dst_r
            most = uint64(0)
            for j in range(_ONE, cols):
                most = j if cells[at + j] > cells[at + most] else most
            top = cells[at + most]
            second = lowest
            total = zero
            for j in range(cols):
                total += math.exp(cells[at + j] - top)
                second = second if j == most else max(second, cells[at + j])
            among = zero
            for j in range(cols):
                among += zero if j == most else math.exp(cells[at + j] - second)
            for j in range(cols):
                if j != most:
                    cells[to + j] = math.log1p(-(math.exp(cells[at + j] - top) / total))
                elif cols == 1:
                    cells[to + j] = lowest
                else:
                    part = (second - top) + math.log(among) - math.log(total)
                    cells[to + j] = part if part > lowest or part != part else lowest
    elif op == o.SOFTMAX_BINARY_ERROR:
        # A the logarithms of the shares, B of what they leave; C and D the targets and their row
        # stride, INNER and FLAG those of 1 − y
        lowest = cells.dtype.type(_NOTHING)
        for r in range(rows):
            at = a + r * a_r
            by = b + r * b_r
            y = row[o.C] + r * row[o.D]
            missed = inner + r * row[o.FLAG]
            total = zero
            for j in range(cols):
                total += cells[y + j] + (cells[missed + j] if cells[by + j] > lowest else zero)
            for k in range(cols):
                taken = zero
                for j in range(cols):
                    if j != k and cells[by + j] > lowest:
                        apart = min(cells[at + k] - cells[by + j], zero)
                        taken += cells[missed + j] * math.exp(apart)
                delta = math.exp(cells[at + k]) * total - cells[y + k] - taken
                cells[dst + r * dst_r + k] = delta
    elif op == o.CROSS_ENTROPY_BLAME or op == o.CATEGORICAL_CROSS_ENTROPY_BLAME:
        # A the blame, B the outputs, C and D the targets and their row stride
        a_c = row[o.A_C]
        for r in range(rows):
            for j in range(cols):
                x = cells[b + r * b_r + j]
                y = cells[row[o.C] + r * row[o.D] + j]
                blame = cells[a + r * a_r + j * a_c]
                safe = x if x > tiny or x != x else tiny
                if op == o.CROSS_ENTROPY_BLAME:
                    left = 1 - x
                    other = left if left > tiny or left != left else tiny
                    cells[dst + r * dst_r + j] = blame * ((1 - y) / other - y / safe)
                else:
                    cells[dst + r * dst_r + j] = -blame * y / safe
    elif op == o.SOFTMAX_ERROR:
        for r in range(rows):
            total = zero
            for j in range(cols):
                y = cells[b + r * b_r + j]
                total = y if j == 0 else total + y
            for j in range(cols):
                cells[dst + r * dst_r + j] = cells[a + r * a_r + j] * total - cells[b + r * b_r + j]
    elif op == o.DELTA_SOFTMAX:
        for r in range(rows):
            total = zero
            for j in range(cols):
                part = cells[a + r * a_r + j * row[o.A_C]] * cells[b + r * b_r + j]
                total = part if j == 0 else total + part
            for j in range(cols):
                cells[dst + r * dst_r + j] = cells[b + r * b_r + j] * (
                    cells[a + r * a_r + j * row[o.A_C]] - total
                )
    elif op == o.PENALTY:
        # adds λ/2·Σ Θ² of one matrix; FLAG 2 begins the sum
        total = zero
        for j in range(inner):
            total += cells[a + j] * cells[a + j]
        part = cells[row[o.D]] * total
        cells[dst] = part if row[o.FLAG] == 2 else cells[dst] + part
    elif op == o.UNPICK:
        # A the blame, COLS the width of the whole, INNER how many were picked, from cell C on
        for r in range(rows):
            for j in range(cols):
                cells[dst + r * dst_r + j] = zero
            for j in range(inner):
                index = uint64(cells[row[o.C] + j])
                cells[dst + r * dst_r + index] += cells[a + r * a_r + j * row[o.A_C]]
    elif op == o.MEAN_BLAME:
        for r in range(rows):
            for j in range(cols):
                cells[dst + r * dst_r + j] = cells[a + r * a_r] / cols


@_compiled
def shuffle(order: Any, rows: int, seed: int, epoch: int) -> None:
    """Put 0 … rows − 1 into the order of an epoch: Fisher and Yates' shuffle, by splitmix64.

    A function of its arguments alone. G. Steele, D. Lea, C. Flood, "Fast Splittable
    Pseudorandom Number Generators", 2014.
    """
    for i in range(rows):
        order[i] = i
    state = uint64(seed) * uint64(0x9E3779B97F4A7C15) + uint64(epoch) * uint64(0xD1342543DE82EF95)
    for i in range(rows - 1, 0, -1):
        state = state + uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
        z = z ^ (z >> uint64(31))
        # the high 32 bits times (i + 1), shifted down: even for any size below 2³²
        j = np.int64(((z >> uint64(32)) * uint64(i + 1)) >> uint64(32))
        order[i], order[j] = order[j], order[i]


_HEAD, _TAIL, _TEST = 0, 1, 2


@_compiled
def drive(
    training: bool,
    ops: Any,
    head: int,
    tail: int,
    loads: int,
    cells: Any,
    feed: Any,
    order: Any,
    stats: Any,
    begin: int,
    end: int,
    first: int,
    samples: int,
    update_samples: int,
    sample: int,
    rows_fed: int,
    batch: int,
    loop: bool,
    seed: int,
    shuffled: bool,
    state: int,
    test_rows: int,
    test_most: int,
    history: Any,
    states: Any,
) -> int:
    """Execute rows of a tape, or train.

    Not training: rows `begin` to `end` for a pass over `samples` rows of the feed. `first` is
    the pass's first place in `order`, `sample` its number within the update, `update_samples`
    the n of the mean gradient. Returns the row it stopped at: `end`, or that of the first
    operation that only Python can do. Tallies go to the first half of `stats`, or to the second
    for `sample` −1 (rows that are only judged).

    Training: updates `begin` to `end`, counted over the whole run. A pass executes the rows up
    to `head`, those up to `tail` come once an update, those after it judge the test rows;
    the first `loads` rows load data, which a batch of all rows needs only once. After each
    epoch the test rows are judged, and a line of `history` (cost, hits, test cost, test hits)
    and a copy of the first `state` cells are written.

    All in one function, and no array ever assigned to a second name: a call, or counting
    references, once a sample would cost more than the work of a small network.
    """
    per_epoch = (rows_fed + batch - 1) // batch
    update, line, stage, within, tally = begin, 0, _HEAD, 0, 0
    zero, one = cells.dtype.type(0), cells.dtype.type(1)
    n = samples
    row, stop = begin, end
    if training:
        if begin >= end:
            return end
        row, stop, sample = 0, head, 0
        within = update % per_epoch
        if within == 0:
            stats[:4] = 0
        if shuffled:
            shuffle(order, rows_fed, seed, update // per_epoch)
        first = within * batch
        n = min(batch, rows_fed - first)
        samples, update_samples = 1 if loop else n, n
    elif sample < 0:
        tally = 4
    while True:
        reached = stop
        # The chain of comparisons compiles to a jump table: its length costs nothing. What
        # small networks seldom do is in `_general`.
        for i in range(uint64(row), uint64(stop)):
            op = np.int64(ops[i, o.OP])
            rows = ops[i, o.ROWS]
            if rows == 0:
                rows = uint64(samples)
            cols = ops[i, o.COLS]
            dst = ops[i, o.DST]
            a = ops[i, o.A]
            b = ops[i, o.B]
            if op == o.LOAD:
                # feed rows, B numbers each, are picked by the order of this epoch
                dst_r = ops[i, o.DST_R]
                for r in range(rows):
                    source = a + uint64(order[uint64(first) + r]) * b
                    to = dst + r * dst_r
                    for j in range(cols):
                        cells[to + j] = feed[source + j]
            elif op == o.WEIGHTED_SUM:
                # z[r,j] = Σᵢ Θ[j,i]·a[r,i] + b[j]; C is 1 + the offset of the bias, 0 without one
                dst_r = ops[i, o.DST_R]
                a_r = ops[i, o.A_R]
                inner = ops[i, o.INNER]
                bias = ops[i, o.C]
                if rows * cols * inner >= _LARGE and a_r == inner and dst_r == cols:
                    if rows * cols * inner < _HUGE:
                        _large_sums(cells, dst, a, b, rows, cols, inner)
                    else:
                        left = cells[a : a + rows * inner].reshape((rows, inner))
                        right = cells[b : b + cols * inner].reshape((cols, inner))
                        out = cells[dst : dst + rows * cols].reshape((rows, cols))
                        np.dot(left, right.T, out)
                    if bias > 0:
                        _large_bias(cells, dst, bias - _ONE, rows, cols)
                else:
                    for r in range(rows):
                        left_at = a + r * a_r
                        to = dst + r * dst_r
                        at = b
                        j = uint64(0)
                        # two neurons at a time: each sum keeps its order, but they overlap
                        while j + _ONE < cols:
                            by = at + inner
                            x = cells[left_at]
                            total = x * cells[at]
                            other = x * cells[by]
                            for k in range(_ONE, inner):
                                x = cells[left_at + k]
                                total += x * cells[at + k]
                                other += x * cells[by + k]
                            if bias > 0:
                                total += cells[bias - _ONE + j]
                                other += cells[bias + j]
                            cells[to + j] = total
                            cells[to + j + _ONE] = other
                            at = by + inner
                            j += uint64(2)
                        if j < cols:
                            total = cells[left_at] * cells[at]
                            for k in range(_ONE, inner):
                                total += cells[left_at + k] * cells[at + k]
                            if bias > 0:
                                total += cells[bias - _ONE + j]
                            cells[to + j] = total
                # with FLAG the activation follows at once, its result from cell D on
                after = np.int64(ops[i, o.FLAG])
                if after != 0:
                    a = ops[i, o.D]
                    if rows * cols >= _WIDE:
                        _large(after, cells, a, dst, dst, rows * cols)
                    elif after == o.FLAT_SIGMOID:
                        for j in range(rows * cols):
                            cells[a + j] = 1 / (1 + math.exp(-cells[dst + j]))
                    elif after == o.FLAT_TANH:
                        for j in range(rows * cols):
                            cells[a + j] = math.tanh(cells[dst + j])
                    else:
                        for j in range(rows * cols):
                            x = cells[dst + j]
                            cells[a + j] = x if not x <= 0 else zero
            elif op == o.ERROR_DELTA:
                # e = a − y, twice e (C the factor, D where), δ (INNER where, FLAG which)
                factor = cells[ops[i, o.C]]
                scaled = ops[i, o.D]
                delta = ops[i, o.INNER]
                after = np.int64(ops[i, o.FLAG])
                for j in range(rows * cols):
                    y = cells[a + j]
                    e = y - cells[b + j]
                    cells[dst + j] = e
                    e = factor * e
                    cells[scaled + j] = e
                    if after == o.FLAT_DELTA_SIGMOID:
                        cells[delta + j] = e * (y * (one - y))
                    elif after == o.FLAT_DELTA_TANH:
                        cells[delta + j] = e * (one - y * y)
                    else:
                        cells[delta + j] = e if y > 0 else zero
            elif op == o.FLAT_SIGMOID:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        cells[dst + j] = 1 / (1 + math.exp(-cells[a + j]))
            elif op == o.FLAT_TANH:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        cells[dst + j] = math.tanh(cells[a + j])
            elif op == o.FLAT_RELU:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        x = cells[a + j]
                        cells[dst + j] = x if not x <= 0 else zero
            elif op == o.FLAT_ADD:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        cells[dst + j] = cells[a + j] + cells[b + j]
            elif op == o.FLAT_SUBTRACT:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        cells[dst + j] = cells[a + j] - cells[b + j]
            elif op == o.FLAT_MULTIPLY:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        cells[dst + j] = cells[a + j] * cells[b + j]
            elif op == o.SCALE:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    factor = cells[a]
                    for j in range(rows * cols):
                        cells[dst + j] = factor * cells[b + j]
            elif op == o.FLAT_DELTA_SIGMOID:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        y = cells[b + j]
                        cells[dst + j] = cells[a + j] * (y * (one - y))
            elif op == o.FLAT_DELTA_TANH:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        y = cells[b + j]
                        cells[dst + j] = cells[a + j] * (one - y * y)
            elif op == o.FLAT_DELTA_RELU:
                if rows * cols >= _WIDE:
                    _large(op, cells, dst, a, b, rows * cols)
                else:
                    for j in range(rows * cols):
                        x = cells[a + j]
                        cells[dst + j] = x if cells[b + j] > 0 else zero
            elif op == o.BLAME:
                # b[r,i] = Σⱼ δ[r,j]·Θ[j,i]
                dst_r = ops[i, o.DST_R]
                a_r = ops[i, o.A_R]
                inner = ops[i, o.INNER]
                if rows * cols * inner >= _HUGE and a_r == inner and dst_r == cols:
                    left = cells[a : a + rows * inner].reshape((rows, inner))
                    right = cells[b : b + inner * cols].reshape((inner, cols))
                    out = cells[dst : dst + rows * cols].reshape((rows, cols))
                    np.dot(left, right, out)
                else:
                    for r in range(rows):
                        left_at = a + r * a_r
                        to = dst + r * dst_r
                        d = cells[left_at]
                        at = b
                        for k in range(cols):
                            cells[to + k] = d * cells[at + k]
                        for j in range(_ONE, inner):
                            d = cells[left_at + j]
                            at += cols
                            for k in range(cols):
                                cells[to + k] += d * cells[at + k]
                # with FLAG δ follows at once: C the activations, D where δ goes
                after = np.int64(ops[i, o.FLAG])
                if after != 0:
                    a = ops[i, o.C]
                    b = ops[i, o.D]
                    if rows * cols >= _WIDE:
                        _large(after, cells, b, dst, a, rows * cols)
                    elif after == o.FLAT_DELTA_SIGMOID:
                        for j in range(rows * cols):
                            y = cells[a + j]
                            cells[b + j] = cells[dst + j] * (y * (one - y))
                    elif after == o.FLAT_DELTA_TANH:
                        for j in range(rows * cols):
                            y = cells[a + j]
                            cells[b + j] = cells[dst + j] * (one - y * y)
                    else:
                        for j in range(rows * cols):
                            x = cells[dst + j]
                            cells[b + j] = x if cells[a + j] > 0 else zero
            elif op == o.WEIGHT_GRADIENT:
                # G[j,i] = Σᵣ δ[r,j]·a[r,i]: COLS is in, INNER out, A the δ, B the inputs
                a_r = ops[i, o.A_R]
                b_r = ops[i, o.B_R]
                n_out = ops[i, o.INNER]
                if rows * cols * n_out >= _LARGE and (
                    rows * cols * n_out < _HUGE or a_r != n_out or b_r != cols
                ):
                    _large_gradient(cells, dst, a, a_r, b, b_r, rows, cols, n_out)
                elif rows * cols * n_out >= _HUGE:
                    left = cells[a : a + rows * n_out].reshape((rows, n_out))
                    right = cells[b : b + rows * cols].reshape((rows, cols))
                    out = cells[dst : dst + n_out * cols].reshape((n_out, cols))
                    np.dot(left.T, right, out)
                else:
                    to = dst
                    for j in range(n_out):
                        d = cells[a + j]
                        for k in range(cols):
                            cells[to + k] = d * cells[b + k]
                        to += cols
                    for r in range(_ONE, rows):
                        to = dst
                        at = b + r * b_r
                        for j in range(n_out):
                            d = cells[a + r * a_r + j]
                            for k in range(cols):
                                cells[to + k] += d * cells[at + k]
                            to += cols
            elif op == o.BIAS_GRADIENT:
                if rows * cols >= _WIDE and ops[i, o.A_R] == cols:
                    _large_sum(cells, dst, a, rows, cols)
                else:
                    for j in range(cols):
                        cells[dst + j] = cells[a + j]
                    for r in range(_ONE, rows):
                        at = a + r * ops[i, o.A_R]
                        for j in range(cols):
                            cells[dst + j] += cells[at + j]
            elif op == o.STEP_WEIGHTS:
                # for one sample: gradient, average and update of a weight matrix in one go
                n_out = ops[i, o.INNER]
                alpha = cells[ops[i, o.C]]
                decay = cells[ops[i, o.D]]
                bias = ops[i, o.A_R]
                to = dst
                if bias > 0:
                    for j in range(n_out):
                        cells[bias - _ONE + j] -= alpha * cells[a + j]
                if decay == 0:
                    for j in range(n_out):
                        d = cells[a + j]
                        for k in range(cols):
                            cells[to + k] -= alpha * (d * cells[b + k])
                        to += cols
                else:
                    for j in range(n_out):
                        d = cells[a + j]
                        for k in range(cols):
                            theta = cells[to + k]
                            cells[to + k] = theta - alpha * (d * cells[b + k] + decay * theta)
                        to += cols
            elif op == o.STEP_MEAN:
                # average and update in one go
                alpha = cells[ops[i, o.C]]
                decay = cells[ops[i, o.D]]
                share = one / cells.dtype.type(update_samples)
                if cols >= _WIDE:
                    _large_step(cells, dst, a, cols, alpha, decay, share)
                elif decay == 0:
                    for j in range(cols):
                        cells[dst + j] -= alpha * (cells[a + j] * share)
                else:
                    for j in range(cols):
                        theta = cells[dst + j]
                        cells[dst + j] = theta - alpha * (cells[a + j] * share + decay * theta)
            elif op == o.SQUARED_ERROR:
                inner = ops[i, o.INNER]
                scale = cells[ops[i, o.D]]
                for r in range(rows):
                    at = a + r * ops[i, o.A_R]
                    by = b + r * ops[i, o.B_R]
                    e = cells[at] - cells[by]
                    total = e * e
                    for j in range(_ONE, inner):
                        e = cells[at + j] - cells[by + j]
                        total += e * e
                    cost = scale * total
                    cells[dst + r * ops[i, o.DST_R]] = cost
                    if ops[i, o.FLAG] == 1:
                        stats[tally + 0] += cost
                if ops[i, o.FLAG] == 1:
                    stats[tally + 2] += samples
            elif op == o.TALLY:
                # costs of the pass; one without a sample axis counts for every sample
                if ops[i, o.ROWS] == 0:
                    for r in range(rows):
                        stats[tally + 0] += cells[a + r * ops[i, o.A_R]]
                else:
                    stats[tally + 0] += cells[a] * samples
                stats[tally + 2] += samples
            elif op == o.TALLY_HITS:
                for r in range(rows):
                    stats[tally + 1] += cells[a + r * ops[i, o.A_R]]
                stats[tally + 3] += rows
            elif op == o.ACCURACY:
                inner = ops[i, o.INNER]
                for r in range(rows):
                    at = a + r * ops[i, o.A_R]
                    by = b + r * ops[i, o.B_R]
                    if inner == 1:
                        threshold = cells[ops[i, o.D]]
                        hit = (cells[at] >= threshold) == (cells[by] >= threshold)
                    else:
                        # chosen without branches: which class wins cannot be foreseen
                        top = cells[at]
                        most = cells[by]
                        best = uint64(0)
                        right = uint64(0)
                        for j in range(_ONE, inner):
                            x = cells[at + j]
                            y = cells[by + j]
                            best = j if x > top else best
                            top = max(top, x)
                            right = j if y > most else right
                            most = max(most, y)
                        hit = best == right
                    x = one if hit else zero
                    cells[dst + r * ops[i, o.DST_R]] = x
                    if ops[i, o.FLAG] == 1:
                        stats[tally + 1] += x
                if ops[i, o.FLAG] == 1:
                    stats[tally + 3] += rows
            elif op == o.AVERAGE:
                # A the total, B the weights, D the regularization
                decay = cells[ops[i, o.D]]
                share = one / cells.dtype.type(update_samples)
                cols *= rows
                if decay == 0:
                    for j in range(cols):
                        cells[dst + j] = cells[a + j] * share
                else:
                    for j in range(cols):
                        cells[dst + j] = cells[a + j] * share + decay * cells[b + j]
            elif op == o.UPDATE:
                alpha = cells[ops[i, o.C]]
                for j in range(rows * cols):
                    cells[dst + j] = cells[a + j] - alpha * cells[b + j]
            elif op == o.ACCUMULATE:
                cols *= rows
                if sample == 0:
                    for j in range(cols):
                        cells[dst + j] = cells[a + j]
                else:
                    for j in range(cols):
                        cells[dst + j] += cells[a + j]
            elif op == o.COPY:
                a_c = ops[i, o.A_C]
                for r in range(rows):
                    at = a + r * ops[i, o.A_R]
                    to = dst + r * ops[i, o.DST_R]
                    for j in range(cols):
                        cells[to + j] = cells[at + j * a_c]
            elif op == o.GRID:
                # many numbers of one operation (INNER), one after the other, with any strides
                which = np.int64(ops[i, o.INNER])
                dst_r = ops[i, o.DST_R]
                dst_c = ops[i, o.DST_C]
                a_r = ops[i, o.A_R]
                a_c = ops[i, o.A_C]
                b_r = ops[i, o.B_R]
                b_c = ops[i, o.B_C]
                if which == o.FLAT_MULTIPLY:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            cells[dst + r * dst_r + j * dst_c] = x * cells[b + r * b_r + j * b_c]
                elif which == o.FLAT_ADD:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            cells[dst + r * dst_r + j * dst_c] = x + cells[b + r * b_r + j * b_c]
                elif which == o.FLAT_SUBTRACT:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            cells[dst + r * dst_r + j * dst_c] = x - cells[b + r * b_r + j * b_c]
                elif which == o.COPY:
                    for r in range(rows):
                        for j in range(cols):
                            cells[dst + r * dst_r + j * dst_c] = cells[a + r * a_r + j * a_c]
                elif which == o.FLAT_SIGMOID:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            cells[dst + r * dst_r + j * dst_c] = 1 / (1 + math.exp(-x))
                elif which == o.FLAT_TANH:
                    for r in range(rows):
                        for j in range(cols):
                            cells[dst + r * dst_r + j * dst_c] = math.tanh(
                                cells[a + r * a_r + j * a_c]
                            )
                elif which == o.FLAT_RELU:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            cells[dst + r * dst_r + j * dst_c] = x if not x <= 0 else zero
                elif which == o.FLAT_DELTA_SIGMOID:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            y = cells[b + r * b_r + j * b_c]
                            cells[dst + r * dst_r + j * dst_c] = x * (y * (one - y))
                elif which == o.FLAT_DELTA_TANH:
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            y = cells[b + r * b_r + j * b_c]
                            cells[dst + r * dst_r + j * dst_c] = x * (one - y * y)
                else:  # FLAT_DELTA_RELU
                    for r in range(rows):
                        for j in range(cols):
                            x = cells[a + r * a_r + j * a_c]
                            y = cells[b + r * b_r + j * b_c]
                            cells[dst + r * dst_r + j * dst_c] = x if y > 0 else zero
            elif op == o.PYTHON:
                reached = np.int64(i)
                break
            else:
                _general(op, ops[i], rows, cols, cells)
        if not training:
            return reached
        if stage == _HEAD:
            if loop and sample + 1 < n:
                sample += 1
                first += 1
                continue
            if head < tail:
                stage, row, stop = _TAIL, head, tail
                continue
        if stage == _TEST:
            first += samples
            if first < rows_fed + test_rows:
                samples = min(test_most, rows_fed + test_rows - first)
                continue
            history[line, 2] = stats[4] / stats[6] if stats[6] > 0 else math.nan
            history[line, 3] = stats[5] / stats[7] if stats[7] > 0 else math.nan
            tally = 0
            line += 1
        elif within + 1 == per_epoch:
            history[line, 0] = stats[0] / stats[2] if stats[2] > 0 else math.nan
            history[line, 1] = stats[1] / stats[3] if stats[3] > 0 else math.nan
            history[line, 2] = math.nan
            history[line, 3] = math.nan
            for j in range(state):
                states[line, j] = cells[j]
            if test_rows > 0:
                stats[4:] = 0
                tally = 4
                stage, row, stop, sample = _TEST, tail, ops.shape[0], 0
                first, samples = rows_fed, min(test_most, test_rows)
                continue
            line += 1
        update += 1
        if update == end:
            return end
        within += 1
        if within == per_epoch:
            within = 0
            stats[:4] = 0
            if shuffled:
                shuffle(order, rows_fed, seed, update // per_epoch)
        first = within * batch
        n = min(batch, rows_fed - first)
        samples, update_samples, sample = 1 if loop else n, n, 0
        row = loads if per_epoch == 1 and not shuffled and not loop else 0
        stage, stop = _HEAD, head
