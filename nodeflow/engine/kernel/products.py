"""Rows of weighted sums, blame and gradients: products of matrices in a written order.

Every sum over features or neurons has the order of `sums`, those over samples run in order. Eight
numbers at a time are computed together where they belong to different sums, or are lanes of one.
"""

from __future__ import annotations

from nodeflow.engine.kernel.each import each_of_one, each_of_two
from nodeflow.engine.kernel.language import (
    COMPILED,
    Cells,
    Context,
    Function,
    Lanes,
    Real,
    Whole,
    add_at,
    add_first,
    called,
    first_lanes,
    lane,
    lanes,
    put_first,
    set_lane,
    spread,
    to_real,
)
from nodeflow.engine.kernel.scalar import multiply
from nodeflow.engine.kernel.sums import LANES, SHORT, sum_of


def sum_of_lanes(s: Lanes) -> float:
    """Add up the eight lanes of a long sum."""
    return ((lane(s, 0) + lane(s, 4)) + (lane(s, 2) + lane(s, 6))) + (
        (lane(s, 1) + lane(s, 5)) + (lane(s, 3) + lane(s, 7))
    )


@called
def long_sum(s: Lanes, cells: Cells, x: Whole, w: Whole, inner: Whole, bias: Whole) -> float:
    """Add what is left after the groups of eight, then the bias; return the sum of the lanes."""
    rest = inner % LANES
    done = inner - rest
    s = add_first(s, lanes(cells, x + done) * lanes(cells, w + done), rest)
    if bias >= 0:
        s = add_at(s, cells[bias], rest)
    return sum_of_lanes(s)


def weighted_sum(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    a: Whole,
    a_r: Whole,
    weights: Whole,
    bias: Whole,
    inner: Whole,
) -> None:
    """z[r,j] = Σᵢ Θ[j,i]·a[r,i] + b[j]: the bias is the last term; −1 stands for none."""
    terms = inner if bias < 0 else inner + 1
    if terms < SHORT:
        for r in range(rows):
            x = a + r * a_r
            to = dst + r * dst_r
            w = weights
            for j in range(cols):
                total = cells[x] * cells[w]
                for k in range(1, inner):
                    total = total + cells[x + k] * cells[w + k]
                if bias >= 0:
                    total = total + cells[bias + j]
                cells[to + j] = total
                w = w + inner
    elif COMPILED:
        j = 0
        while j + 3 < cols:  # four neurons stay at hand for all samples, two of these at a time
            w = weights + j * inner
            w1 = w + inner
            w2 = w1 + inner
            w3 = w2 + inner
            b = bias + j if bias >= 0 else -1
            b1 = b + 1 if bias >= 0 else -1
            b2 = b + 2 if bias >= 0 else -1
            b3 = b + 3 if bias >= 0 else -1
            for r in range(0, rows - 1, 2):
                x = a + r * a_r
                y = x + a_r
                to = dst + r * dst_r + j
                left = lanes(cells, x)
                other = lanes(cells, y)
                v = lanes(cells, w)
                v1 = lanes(cells, w1)
                v2 = lanes(cells, w2)
                v3 = lanes(cells, w3)
                s0 = left * v
                s1 = left * v1
                s2 = left * v2
                s3 = left * v3
                t0 = other * v
                t1 = other * v1
                t2 = other * v2
                t3 = other * v3
                for k in range(LANES, inner - LANES + 1, LANES):
                    left = lanes(cells, x + k)
                    other = lanes(cells, y + k)
                    v = lanes(cells, w + k)
                    v1 = lanes(cells, w1 + k)
                    v2 = lanes(cells, w2 + k)
                    v3 = lanes(cells, w3 + k)
                    s0 = s0 + left * v
                    s1 = s1 + left * v1
                    s2 = s2 + left * v2
                    s3 = s3 + left * v3
                    t0 = t0 + other * v
                    t1 = t1 + other * v1
                    t2 = t2 + other * v2
                    t3 = t3 + other * v3
                cells[to] = long_sum(s0, cells, x, w, inner, b)
                cells[to + 1] = long_sum(s1, cells, x, w1, inner, b1)
                cells[to + 2] = long_sum(s2, cells, x, w2, inner, b2)
                cells[to + 3] = long_sum(s3, cells, x, w3, inner, b3)
                to = to + dst_r
                cells[to] = long_sum(t0, cells, y, w, inner, b)
                cells[to + 1] = long_sum(t1, cells, y, w1, inner, b1)
                cells[to + 2] = long_sum(t2, cells, y, w2, inner, b2)
                cells[to + 3] = long_sum(t3, cells, y, w3, inner, b3)
            # The last four may have some of those before among them: they come out the same.
            j = cols - 4 if j + 4 < cols and j + 8 > cols else j + 4
        # What is left: all neurons of the last sample, or the few of a narrow layer.
        for r in range(rows - rows % 2 if cols > 3 else 0, rows):
            for j in range(cols):
                b = bias + j if bias >= 0 else -1
                cells[dst + r * dst_r + j] = long_product(
                    cells, a + r * a_r, weights + j * inner, inner, b
                )
    else:
        for r in range(rows):
            for j in range(cols):
                b = bias + j if bias >= 0 else -1
                cells[dst + r * dst_r + j] = long_product(
                    cells, a + r * a_r, weights + j * inner, inner, b
                )


def layer(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    a: Whole,
    a_r: Whole,
    weights: Whole,
    bias: Whole,
    inner: Whole,
    out: Whole,
    out_r: Whole,
) -> None:
    """Z = Θa + b, and f(z) from `out` on."""
    terms = inner if bias < 0 else inner + 1
    if COMPILED and rows == 1 and terms < SHORT and cols <= LANES:
        for r in range(rows):
            x = a + r * a_r
            w = weights
            z = spread(0.0)
            for j in range(cols):
                total = cells[x] * cells[w]
                for k in range(1, inner):
                    total = total + cells[x + k] * cells[w + k]
                if bias >= 0:
                    total = total + cells[bias + j]
                z = set_lane(z, total, j)
                w = w + inner
            put_first(cells, dst + r * dst_r, z, cols)
            put_first(cells, out + r * out_r, function(z), cols)
    else:
        weighted_sum(cells, rows, cols, dst, dst_r, a, a_r, weights, bias, inner)
        each_of_one(function, cells, rows, cols, out, out_r, 1, dst, dst_r, 1)


def long_product(cells: Cells, x: Whole, w: Whole, inner: Whole, bias: Whole) -> float:
    """Return Σᵢ wᵢ·xᵢ + b in lanes, for sums of at least `SHORT` terms."""
    if COMPILED:
        s = lanes(cells, x) * lanes(cells, w)
        for k in range(LANES, inner - LANES + 1, LANES):
            s = s + lanes(cells, x + k) * lanes(cells, w + k)
        total: float = long_sum(s, cells, x, w, inner, bias)
        return total
    found = [cells[x + k] * cells[w + k] for k in range(inner)]
    if bias >= 0:
        found.append(cells[bias])
    return in_lanes(found)


def in_lanes(terms: list[float]) -> float:
    """Add numbers in lanes, as long sums are."""
    s = terms[:LANES]
    for k in range(LANES, len(terms)):
        s[k % LANES] += terms[k]
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))


def blame(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    delta: Whole,
    delta_r: Whole,
    weights: Whole,
    inner: Whole,
) -> None:
    """b[r,i] = Σⱼ δ[r,j]·Θ[j,i]: what the neurons behind say about each input."""
    for r in range(rows):
        d = delta + r * delta_r
        to = dst + r * dst_r
        if COMPILED:
            for i in range(0, cols, LANES):
                w = weights + i
                if inner < SHORT:
                    s = spread(cells[d]) * lanes(cells, w)
                    for j in range(1, inner):
                        s = s + spread(cells[d + j]) * lanes(cells, w + j * cols)
                else:
                    s = long_blame(cells, d, w, cols, inner)
                put_first(cells, to + i, s, cols - i)
        else:
            for i in range(cols):
                cells[to + i] = sum_of(multiply, cells, inner, d, 1, weights + i, cols)


def layer_back(
    function: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    dst_r: Whole,
    delta: Whole,
    delta_r: Whole,
    weights: Whole,
    inner: Whole,
    a: Whole,
    a_r: Whole,
    out: Whole,
    out_r: Whole,
) -> None:
    """B = Θᵀδ, and f(b, a) from `out` on: the δ of the layer before."""
    if COMPILED and inner < SHORT:
        for r in range(rows):
            d = delta + r * delta_r
            for i in range(0, cols, LANES):
                rest = cols - i
                w = weights + i
                s = spread(cells[d]) * lanes(cells, w)
                for j in range(1, inner):
                    s = s + spread(cells[d + j]) * lanes(cells, w + j * cols)
                put_first(cells, dst + r * dst_r + i, s, rest)
                f = function(s, first_lanes(cells, a + r * a_r + i, rest))
                put_first(cells, out + r * out_r + i, f, rest)
    else:
        blame(cells, rows, cols, dst, dst_r, delta, delta_r, weights, inner)
        each_of_two(function, cells, rows, cols, out, out_r, 1, dst, dst_r, 1, a, a_r, 1)


def long_blame(cells: Cells, d: Whole, w: Whole, cols: Whole, inner: Whole) -> Lanes:
    """Return the blame of eight inputs, each a sum in lanes."""
    s0 = spread(cells[d]) * lanes(cells, w)
    s1 = spread(cells[d + 1]) * lanes(cells, w + cols)
    s2 = spread(cells[d + 2]) * lanes(cells, w + 2 * cols)
    s3 = spread(cells[d + 3]) * lanes(cells, w + 3 * cols)
    s4 = spread(cells[d + 4]) * lanes(cells, w + 4 * cols)
    s5 = spread(cells[d + 5]) * lanes(cells, w + 5 * cols)
    s6 = spread(cells[d + 6]) * lanes(cells, w + 6 * cols)
    s7 = spread(cells[d + 7]) * lanes(cells, w + 7 * cols)
    j = LANES
    while j + LANES <= inner:
        v = w + j * cols
        s0 = s0 + spread(cells[d + j]) * lanes(cells, v)
        s1 = s1 + spread(cells[d + j + 1]) * lanes(cells, v + cols)
        s2 = s2 + spread(cells[d + j + 2]) * lanes(cells, v + 2 * cols)
        s3 = s3 + spread(cells[d + j + 3]) * lanes(cells, v + 3 * cols)
        s4 = s4 + spread(cells[d + j + 4]) * lanes(cells, v + 4 * cols)
        s5 = s5 + spread(cells[d + j + 5]) * lanes(cells, v + 5 * cols)
        s6 = s6 + spread(cells[d + j + 6]) * lanes(cells, v + 6 * cols)
        s7 = s7 + spread(cells[d + j + 7]) * lanes(cells, v + 7 * cols)
        j = j + LANES
    rest = inner - j
    v = w + j * cols
    if rest > 0:
        s0 = s0 + spread(cells[d + j]) * lanes(cells, v)
    if rest > 1:
        s1 = s1 + spread(cells[d + j + 1]) * lanes(cells, v + cols)
    if rest > 2:
        s2 = s2 + spread(cells[d + j + 2]) * lanes(cells, v + 2 * cols)
    if rest > 3:
        s3 = s3 + spread(cells[d + j + 3]) * lanes(cells, v + 3 * cols)
    if rest > 4:
        s4 = s4 + spread(cells[d + j + 4]) * lanes(cells, v + 4 * cols)
    if rest > 5:
        s5 = s5 + spread(cells[d + j + 5]) * lanes(cells, v + 5 * cols)
    if rest > 6:
        s6 = s6 + spread(cells[d + j + 6]) * lanes(cells, v + 6 * cols)
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


def weight_gradient(
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    delta: Whole,
    delta_r: Whole,
    a: Whole,
    a_r: Whole,
    outputs: Whole,
) -> None:
    """G[j,i] = Σᵣ δ[r,j]·a[r,i], over the samples in order."""
    if COMPILED:
        each_gradient(
            store_lanes, cells, rows, cols, dst, delta, delta_r, a, a_r, outputs, 1.0, 1.0, 0.0
        )
    else:
        for j in range(outputs):
            for i in range(cols):
                g = gradient_number(cells, rows, delta + j, delta_r, a + i, a_r)
                cells[dst + j * cols + i] = g


def each_gradient(
    then: Function,
    cells: Cells,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    delta: Whole,
    delta_r: Whole,
    a: Whole,
    a_r: Whole,
    outputs: Whole,
    share: Real,
    alpha: Real,
    shrink: Real,
) -> None:
    """Compute a gradient eight numbers at a time, and do something with them.

    Four neurons at a time read the same inputs.
    """
    j = 0
    while j + 3 < outputs:
        to = dst + j * cols
        for i in range(0, cols, LANES):
            d = delta + j
            v = lanes(cells, a + i)
            g0 = spread(cells[d]) * v
            g1 = spread(cells[d + 1]) * v
            g2 = spread(cells[d + 2]) * v
            g3 = spread(cells[d + 3]) * v
            for r in range(1, rows):
                d = d + delta_r
                v = lanes(cells, a + i + r * a_r)
                g0 = g0 + spread(cells[d]) * v
                g1 = g1 + spread(cells[d + 1]) * v
                g2 = g2 + spread(cells[d + 2]) * v
                g3 = g3 + spread(cells[d + 3]) * v
            rest = cols - i
            then(cells, to + i, g0, share, alpha, shrink, rest)
            then(cells, to + cols + i, g1, share, alpha, shrink, rest)
            then(cells, to + 2 * cols + i, g2, share, alpha, shrink, rest)
            then(cells, to + 3 * cols + i, g3, share, alpha, shrink, rest)
        j = j + 4
    while j < outputs:
        to = dst + j * cols
        for i in range(0, cols, LANES):
            g = spread(cells[delta + j]) * lanes(cells, a + i)
            for r in range(1, rows):
                g = g + spread(cells[delta + j + r * delta_r]) * lanes(cells, a + i + r * a_r)
            then(cells, to + i, g, share, alpha, shrink, cols - i)
        j = j + 1


def store_lanes(
    cells: Cells,
    at: Whole,
    g: Lanes,
    share: Real,  # noqa: ARG001 (as `step_lanes` has it)
    alpha: Real,  # noqa: ARG001
    shrink: Real,  # noqa: ARG001
    rest: Whole,
) -> None:
    """Store up to eight neighbours of a gradient."""
    put_first(cells, at, g, rest)


def step_lanes(
    cells: Cells, at: Whole, g: Lanes, share: Real, alpha: Real, shrink: Real, rest: Whole
) -> None:
    """Update up to eight neighbours of a matrix by their summed gradient."""
    theta = lanes(cells, at)
    g = g * spread(share)
    if shrink != 0:
        g = g + spread(shrink) * theta
    put_first(cells, at, theta - spread(alpha) * g, rest)


def gradient_number(
    cells: Cells, rows: Whole, d: Whole, delta_r: Whole, x: Whole, a_r: Whole
) -> float:
    """Return one number of the gradient."""
    g: float = cells[d] * cells[x]
    for r in range(1, rows):
        g = g + cells[d + r * delta_r] * cells[x + r * a_r]
    return g


def bias_gradient(
    cells: Cells, rows: Whole, cols: Whole, dst: Whole, delta: Whole, delta_r: Whole
) -> None:
    """G[j] = Σᵣ δ[r,j], over the samples in order."""
    for j in range(cols):
        g = cells[delta + j]
        for r in range(1, rows):
            g = g + cells[delta + r * delta_r + j]
        cells[dst + j] = g


def step_weights(
    cells: Cells,
    context: Context,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    delta: Whole,
    delta_r: Whole,
    a: Whole,
    a_r: Whole,
    outputs: Whole,
    rate: Whole,
    decay: Whole,
) -> None:
    """Gradient, average and update of a weight matrix at once: Θ ← Θ − α·(G/n + λ·Θ)."""
    share = 1.0 / to_real(context.count)
    alpha = cells[rate]
    shrink = cells[decay]
    if COMPILED:
        each_gradient(
            step_lanes, cells, rows, cols, dst, delta, delta_r, a, a_r, outputs,
            share, alpha, shrink,
        )  # fmt: skip
    else:
        for j in range(outputs):
            to = dst + j * cols
            for i in range(cols):
                g = gradient_number(cells, rows, delta + j, delta_r, a + i, a_r) * share
                if shrink != 0:
                    g = g + shrink * cells[to + i]
                cells[to + i] = cells[to + i] - alpha * g


def step_bias(
    cells: Cells,
    context: Context,
    rows: Whole,
    cols: Whole,
    dst: Whole,
    delta: Whole,
    delta_r: Whole,
    rate: Whole,
    decay: Whole,
) -> None:
    """Gradient, average and update of a bias at once: b ← b − α·(Σᵣ δ[r]/n + λ·b)."""
    share = 1.0 / to_real(context.count)
    alpha = cells[rate]
    shrink = cells[decay]
    if COMPILED:
        for j in range(0, cols, LANES):
            rest = cols - j
            g = first_lanes(cells, delta + j, rest)
            for r in range(1, rows):
                g = g + first_lanes(cells, delta + r * delta_r + j, rest)
            g = g * spread(share)
            theta = first_lanes(cells, dst + j, rest)
            if shrink != 0:
                g = g + spread(shrink) * theta
            put_first(cells, dst + j, theta - spread(alpha) * g, rest)
    else:
        for j in range(cols):
            g = cells[delta + j]
            for r in range(1, rows):
                g = g + cells[delta + r * delta_r + j]
            g = g * share
            if shrink != 0:
                g = g + shrink * cells[dst + j]
            cells[dst + j] = cells[dst + j] - alpha * g
