"""The largest errors of the kernel's elementwise functions: `python -m benchmarks.ulps [COUNT]`.

Each function is computed at COUNT random points (1,000,000 unless told) of its whole range and
compared with mpmath's value to 160 bits. An error is counted in ulps: in gaps between neighbouring
float64 where the true value lies.
"""

from __future__ import annotations

import math
import random
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mpmath import mp, mpf

from nodeflow.engine.kernel.scalar import SCALARS

BITS = 160
_LIMIT = 2**1024  # what Infinity stands for, and where it begins
Point = tuple[float, ...]


def error(found: float, truth: Any) -> float:
    """Return how far a float64 is from the truth, in ulps; Infinity is as far off as 2¹⁰²⁴."""
    if mp.isnan(truth):
        return 0.0 if math.isnan(found) else math.inf
    if math.isnan(found):
        return math.inf
    truth = max(min(truth, mpf(_LIMIT)), -mpf(_LIMIT))
    value = mpf(found) if math.isfinite(found) else mpf(_LIMIT) * math.copysign(1, found)
    exponent = mp.frexp(truth)[1] - 53 if truth else -1074
    return float(abs(value - truth) / mpf(2) ** min(max(exponent, -1074), 971))


@dataclass(frozen=True)
class Case:
    """A function's true value, and the points at which it is measured."""

    truth: Callable[..., Any]
    draw: Callable[[random.Random], Point]


def _any(r: random.Random) -> float:
    """Draw from all finite float64 alike."""
    while True:
        found: float = struct.unpack("<d", r.randbytes(8))[0]
        if math.isfinite(found):
            return found


def _size(r: random.Random, low: float, high: float) -> float:
    """Draw a size between two powers of ten, with a sign."""
    return r.choice((-1, 1)) * 10 ** r.uniform(low, high)


def _real(r: random.Random) -> Point:
    kind = r.randrange(8)
    if kind == 0:
        return (_any(r),)
    if kind == 1:
        return (r.uniform(-1, 1),)
    if kind == 2:
        return (r.uniform(-6, 6),)
    if kind == 3:
        return (r.uniform(-50, 50),)
    if kind == 4:
        return (_size(r, -20, 3),)
    if kind == 5:
        return (r.uniform(709.7, 709.8),)
    if kind == 6:
        return (r.uniform(-746, -707),)
    return (r.choice((-1, 1)) + _size(r, -16, 0),)


def _positive(r: random.Random) -> Point:
    kind = r.randrange(4)
    if kind == 0:
        return (abs(_any(r)),)
    if kind == 1:
        return (1 + _size(r, -16, -0.01),)
    return (r.uniform(0, 3) if kind == 2 else 10 ** r.uniform(-324, -300),)


def _above_minus_one(r: random.Random) -> Point:
    kind = r.randrange(4)
    if kind == 0:
        return (abs(_any(r)),)
    if kind == 1:
        return (-1 + 10 ** r.uniform(-16, 0),)
    return (max(_size(r, -20, 3), -0.5),) if kind == 2 else (r.uniform(-0.999, 3),)


def _angle(r: random.Random) -> Point:
    kind = r.randrange(6)
    if kind == 0:
        return (_any(r),)
    if kind == 1:
        return (r.uniform(-10, 10),)
    if kind == 2:
        return (r.uniform(-2e6, 2e6),)
    if kind == 3:
        return (_size(r, -10, 30),)
    turns = r.randrange(2**20) if kind == 4 else r.randrange(2**52)  # next to a multiple of π/2
    return (float(turns * mp.pi / 2),)


def _pair(r: random.Random) -> Point:
    """Draw a base, and an exponent whose power is in the range of float64 and a little beyond."""
    kind = r.randrange(4)
    if kind == 0:
        x = abs(_any(r))
    else:
        x = 1 + _size(r, -16, -0.01) if kind == 1 else 10 ** r.uniform(-3, 3)
    most = r.uniform(-750, 715)
    y = most / math.log(x) if x not in (0, 1) and r.random() < 0.6 else _size(r, -5, 3)
    if r.random() < 0.2:
        y = round(2 * y) / 2
    return (x, y)


def _whole_power(r: random.Random) -> Point:
    n = r.randrange(-64, 65)
    return (r.choice((-1, 1)) * math.exp(r.uniform(-709, 709) / (n or 1)), float(n))


CASES: dict[str, Case] = {
    "exp": Case(mp.exp, _real),
    "expm1": Case(mp.expm1, _real),
    "log": Case(mp.log, _positive),
    "log1p": Case(mp.log1p, _above_minus_one),
    "tanh": Case(mp.tanh, _real),
    "sigmoid": Case(lambda x: 1 / (1 + mp.exp(-x)), _real),
    "softplus": Case(lambda x: max(x, 0) + mp.log1p(mp.exp(-abs(x))), _real),
    "sin": Case(mp.sin, _angle),
    "cos": Case(mp.cos, _angle),
    "erf": Case(mp.erf, _real),
    "power": Case(mp.power, _pair),
    "power, whole": Case(mp.power, _whole_power),
}
"""Each measured function; what stands behind a comma tells which points."""


def errors(name: str, count: int, seed: int = 0) -> Iterator[tuple[float, Point]]:
    """Yield the error at each of so many points, and the point."""
    case, function = CASES[name], SCALARS[name.partition(",")[0]]
    draws = random.Random(f"{name} {seed}")
    with mp.workprec(BITS):
        for point in islice(iter(lambda: case.draw(draws), None), count):
            yield error(function(*point), case.truth(*map(mpf, point))), point


def main() -> None:
    """Print the largest error of each function, where it is, and how many are not the nearest."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{'function':14} {'largest error':>13}  {'not nearest':>11}  at")
    for name in CASES:
        worst, where, far = 0.0, (), 0
        for found, point in errors(name, count):
            far += found > 0.5
            if found >= worst:
                worst, where = found, point
        print(
            f"{name:14} {worst:9.3f} ulp {far / count:12.2%}  {', '.join(map(repr, where))}",
            flush=True,
        )


if __name__ == "__main__":
    main()
