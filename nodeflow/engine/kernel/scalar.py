"""Every elementwise function of the engine, one number at a time, in plain arithmetic.

Whatever applies a function to each number of a value, in a step, in an epoch, in a layer or in
one neuron, applies the one that stands here; so no bit depends on the machine's mathematical
library, or on how many numbers are computed side by side. A float32 is widened, computed as
float64 and rounded once at the end.

A function without `@branching` is straight-line code: both sides of each choice are computed,
for many numbers at once. Nothing is fused: each operation rounds as it is written.

Polynomials are minimax fits by E. Remez's exchange algorithm (see J.-M. Muller, "Elementary
Functions: Algorithms and Implementation", 3rd ed., 2016, chapter 3), made for this file in 200
bits, the coefficients then rounded to float64. They are evaluated in pairs and pairs of pairs
(G. Estrin, "Organization of Computer Systems", 1960), so that multiplications need not wait for
each other. Where a sum's rounding error is needed, it is found exactly by T. Dekker's "A
Floating-Point Technique for Extending the Available Precision" (1971).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nodeflow.engine.kernel.language import (
    INFINITY,
    NAN,
    Double,
    Function,
    Whole,
    bits,
    divide,
    from_bits,
    multiply_high,
    shift_right,
    sqrt,
    to_double,
    to_whole,
    wrap,
)

_Scalar = TypeVar("_Scalar", bound=Callable[..., float])


def branching(function: _Scalar) -> _Scalar:
    """Mark a function that uses `if` and `while`: it is compiled for one number at a time."""
    function.__dict__["branching"] = True
    return function


_SIGN = -0x8000000000000000
_SIZE = 0x7FFFFFFFFFFFFFFF
_UPPER = -0x8000000  # all but the lowest 27 bits
_FRACTION = 0xFFFFFFFFFFFFF  # the 52 bits behind the point
_TINY = 2.2250738585072014e-308  # the smallest normal float64
_SAME = 1.1102230246251565e-16  # 2⁻⁵³: below, eˣ − 1 and ln(1 + x) round to x
_LEAK = 0.01
_SMALLER = 6.223015277861142e-61  # 2⁻²⁰⁰

# ln 2 in two parts, the first of 41 bits: whole numbers up to 11 bits times it are exact.
_LN2_HIGH = 0.693147180559663
_LN2_LOW = 2.8235290563031577e-13
_PER_LN2 = 1.4426950408889634
# 1.5 · 2⁵² + 2046: adding it rounds to a whole number k, and leaves k + 2046 in the lowest bits.
_ROUNDER = 6755399441057790.0

# (eʳ − 1 − r − r²/2) / r³ for |r| ≤ ln 2 / 2; as a part of eʳ it is wrong by less than 2⁻⁶³
_E0 = 0.16666666666666682
_E1 = 0.0416666666666667
_E2 = 0.008333333333316872
_E3 = 0.0013888888888865644
_E4 = 0.00019841269896802655
_E5 = 2.480158736421424e-05
_E6 = 2.7557234443176306e-06
_E7 = 2.755723936310234e-07
_E8 = 2.5112180116861974e-08
_E9 = 2.0925489291060553e-09

# bits(1) − bits(√½): added, it makes the exponent that of a mantissa between √½ and √2
_TO_MIDDLE = 0x3FF0000000000000 - 0x3FE6A09E667F3BCD
_ROOT_HALF = 0x3FE6A09E667F3BCD
_WHOLE = 0x4330000000000000  # the bits of 2⁵²: a whole number in its lowest bits is added to it
_WHOLE_BIAS = 4503599627371519.0  # 2⁵² + 1023

# (2 artanh s − 2s) / s³ by s² for |s| ≤ (√2 − 1)/(√2 + 1); as a part of 2 artanh s / s: 2⁻⁵⁸
_L0 = 0.6666666666666734
_L1 = 0.3999999999941596
_L2 = 0.28571428742127936
_L3 = 0.22222198596551954
_L4 = 0.18183563291575353
_L5 = 0.15314072593477032
_L6 = 0.14795769905519715

# (2 artanh s / s − 2 − 2s²/3 − 2s⁴/5) / s⁶ by s², for `power`
_G0 = 0.28571428571433155
_G1 = 0.22222222220014431
_G2 = 0.1818181860511673
_G3 = 0.1538457292521709
_G4 = 0.13335761981027897
_G5 = 0.11685066923720629
_G6 = 0.11910750441816412
_THIRDS = 0.6666666666666666  # 2/3 in two parts
_THIRDS_LOW = 3.700743415417188e-17
_FIFTHS = 0.4  # 2/5 in two parts
_FIFTHS_LOW = -2.2204460492503132e-17
_SPLITTER = 134217729.0  # 2²⁷ + 1

# π/2 in three parts, the first two of 33 bits
_QUARTER_1 = 1.5707963267341256
_QUARTER_2 = 6.077100506303966e-11
_QUARTER_3 = 2.0222662487959506e-21
# π/2 in two parts
_QUARTER = 1.5707963267948966
_QUARTER_LOW = 6.123233995736766e-17
_PER_QUARTER = 0.6366197723675814

# (sin r − r) / r³ by r², |r| ≤ π/4
_S0 = -0.16666666666666632
_S1 = 0.00833333333332243
_S2 = -0.00019841269829818671
_S3 = 2.75573136949196e-06
_S4 = -2.5050758482717677e-08
_S5 = 1.5896812020407783e-10

# (cos r − 1 + r²/2) / r⁴ by r², |r| ≤ π/4
_C0 = 0.0416666666666666
_C1 = -0.0013888888888874127
_C2 = 2.4801587289484126e-05
_C3 = -2.7557314352805515e-07
_C4 = 2.087572332795175e-09
_C5 = -1.1359650239415004e-11

# erf x / x − 1 by x² − ½, |x| ≤ 1
_F0 = -0.0345312613301327
_F1 = -0.2810721780454342
_F2 = 0.0794099867559369
_F3 = -0.01828388448915294
_F4 = 0.0034802744965693726
_F5 = -0.0005611894221158102
_F6 = 7.829649689378896e-05
_F7 = -9.61480868303025e-06
_F8 = 1.0536323329633856e-06
_F9 = -1.0420373153107294e-07
_F10 = 9.432410621566716e-09
_F11 = -7.797685113567648e-10

# e^(x²) (1 − erf x) by (x − 3)/(x + 3), 1 ≤ x ≤ 6, weighted by e^(−x²)
_X0 = 0.17900115118138998
_X1 = -0.32623356004316445
_X2 = 0.2456038017077678
_X3 = -0.1501159365458074
_X4 = 0.07166583744699727
_X5 = -0.024392489858692266
_X6 = 0.0042692335953816
_X7 = 0.0007083096716062093
_X8 = -0.000594987443337034
_X9 = 5.024380729945766e-05
_X10 = 7.165588029291317e-05
_X11 = -6.4178744194948075e-06
_X12 = -6.572071456108547e-06


# --- what others are made of --------------------------------------------------------------------


def absolute(x: Double) -> Double:
    """Return |x|."""
    return from_bits(bits(x) & _SIZE)


def _with_sign(size: Double, x: Double) -> Double:
    """Return a number that is not negative with the sign of x."""
    return from_bits(bits(size) | (bits(x) & _SIGN))


def _exp_tail(high: Double, low: Double) -> Double:
    """Return e^(high − low) − 1 − high, where high is at most ln 2 / 2 in size, low tiny."""
    r = high - low
    r2 = r * r
    r4 = r2 * r2
    near = (_E0 + _E1 * r) + r2 * (_E2 + _E3 * r)
    far = (_E4 + _E5 * r) + r2 * (_E6 + _E7 * r) + r4 * (_E8 + _E9 * r)
    return 0.5 * r2 + (r2 * r * (near + r4 * far) - low)


def exp(x: Double) -> Double:
    """Return e^x.

    x = k ln 2 + r with ln 2 in two parts (W. Cody and W. Waite, "Software Manual for the
    Elementary Functions", 1980), a polynomial for eʳ, |r| ≤ ln 2 / 2, and 2ᵏ as the product of
    two powers of two, since one alone may lie outside of float64 where the result does not.
    """
    d = 710.0 if x > 710.0 else x
    d = -746.0 if d < -746.0 else d
    t = d * _PER_LN2 + _ROUNDER
    k = t - _ROUNDER
    high = d - k * _LN2_HIGH
    found = 1.0 + (high + _exp_tail(high, k * _LN2_LOW))
    both = bits(t)
    half = shift_right(both, 1)
    return found * from_bits(half << 52) * from_bits((both - half) << 52)


def _exp_sum(x: Double, rest: Double) -> Double:
    """Return e^(x + rest) for |x| ≤ 746, where rest is at most a rounding error of x.

    As `exp`, but the rounding error of 1 + r is added to the rest of the sum.
    """
    t = x * _PER_LN2 + _ROUNDER
    k = t - _ROUNDER
    high = x - k * _LN2_HIGH
    about = 1.0 + high
    found = about + ((high - (about - 1.0)) + _exp_tail(high, k * _LN2_LOW - rest))
    both = bits(t)
    half = shift_right(both, 1)
    return found * from_bits(half << 52) * from_bits((both - half) << 52)


def _remainder(a: Double, a_low: Double, b: Double, b_low: Double, q: Double) -> Double:
    """Return what a + a_low − q (b + b_low) is, where q is a / b rounded.

    The upper halves of q and b have 26 bits, so that their product is exact.
    """
    q_high = from_bits(bits(q) & _UPPER)
    b_high = from_bits(bits(b) & _UPPER)
    near = (a - q_high * b_high) + (a_low - q * b_low)
    return near - (q_high * (b - b_high) + (q - q_high) * b)


def expm1(x: Double) -> Double:
    """Return e^x − 1 without loss where x is small.

    As `exp`; with h = r as far as it is exact and c = eʳ − 1 − h, e^x − 1 = (2ᵏ − 1 + 2ᵏ h) +
    2ᵏ c, and the rounding errors of the first sum and of r are made good in the second. All of it
    is halved until the end, so that 2ᵏ is in the range of float64 where the result is.
    """
    d = 710.0 if x > 710.0 else x
    d = -40.0 if d < -40.0 else d
    t = d * _PER_LN2 + _ROUNDER
    k = t - _ROUNDER
    high = d - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    c = _exp_tail(high, low) + r * ((high - r) - low)
    scale = from_bits((bits(t) - 1024) << 52)  # half of 2ᵏ
    one = scale - 0.5
    first = scale * high
    total = one + first
    error = (first - (total - one)) + ((scale - one) - 0.5)
    found = 2.0 * (total + (error + scale * c))
    return x if absolute(x) < _SAME else found


def log(x: Double) -> Double:
    """Return ln x: −∞ at 0, NaN below.

    x = 2ᵏ (1 + f) with √½ ≤ 1 + f < √2, and with s = f / (2 + f), ln(1 + f) = 2 artanh s = 2s +
    s R(s²). 2s is written as f − (f²/2 − s f²/2), whose first term is exact. (For s: P. Tang,
    "Table-Driven Implementation of the Logarithm Function", 1990.)
    """
    small = x < _TINY
    n = bits(x * 18014398509481984.0 if small else x)  # 2⁵⁴
    moved = n + _TO_MIDDLE
    k = from_bits(shift_right(moved, 52) | _WHOLE) - _WHOLE_BIAS
    k = k - 54.0 if small else k
    f = from_bits((moved & _FRACTION) + _ROOT_HALF) - 1.0
    s = f / (2.0 + f)
    half = 0.5 * f * f
    whole = k * _LN2_HIGH
    total = whole + f
    error = f - (total - whole)
    rest = s * (half + _log_tail(s * s)) + k * _LN2_LOW
    found = total + (error - (half - rest))
    found = found if x < INFINITY else x
    return found if x > 0.0 else (-INFINITY if x == 0.0 else NAN)


def _log_tail(z: Double) -> Double:
    """Return (2 artanh s − 2s) / s for z = s²."""
    z2 = z * z
    z4 = z2 * z2
    low = (_L0 + _L1 * z) + z2 * (_L2 + _L3 * z)
    high = (_L4 + _L5 * z) + z2 * _L6
    return z * (low + z4 * high)


def log1p(x: Double) -> Double:
    """Return ln(1 + x) without loss where x is small: −∞ at −1, NaN below.

    As `log` of u = 1 + x, with the rounding error e of this sum in first order: ln(u + e) ≈ ln u
    + e/u.
    """
    u = 1.0 + x
    lost = x - (u - 1.0) if x < 1.0 else 1.0 - (u - x)
    n = bits(u)
    moved = n + _TO_MIDDLE
    exponent = shift_right(moved, 52)
    k = from_bits(exponent | _WHOLE) - _WHOLE_BIAS
    f = from_bits((moved & _FRACTION) + _ROOT_HALF) - 1.0
    s = f / (2.0 + f)
    # e/u, where 2⁻ᵏ comes doubled; of 1/(1 + f) = (1 − s)/(1 + s) a few digits are enough
    more = lost * from_bits((2047 - exponent) << 52) * (0.5 - s * (1.0 - s))
    half = 0.5 * f * f
    whole = k * _LN2_HIGH
    total = whole + f
    error = f - (total - whole)
    rest = s * (half + _log_tail(s * s)) + (k * _LN2_LOW + more)
    found = total + (error - (half - rest))
    found = found if x < INFINITY else x
    found = found if x > -1.0 else (-INFINITY if x == -1.0 else NAN)
    return x if absolute(x) < _SAME else found


# --- activations --------------------------------------------------------------------------------


def sigmoid(x: Double) -> Double:
    """Return 1 / (1 + e^−x).

    e^−x = 2ᵏ (about + rest) is added to 1 in its two parts, the larger number last, so that the
    sum is rounded about once. Both are made smaller where they would overflow, and the quotient
    is subnormal where it has to be. The next layer waits for this number: nothing is clamped on
    the way to it, the ends of the range are put in place behind it.
    """
    t = -x * _PER_LN2 + _ROUNDER
    k = t - _ROUNDER
    high = -x - k * _LN2_HIGH
    about = 1.0 + high
    rest = (high - (about - 1.0)) + _exp_tail(high, k * _LN2_LOW)
    large = x < -600.0
    one = _SMALLER if large else 1.0
    scale = from_bits((bits(t) - (1023 + 200 if large else 1023)) << 52)
    left = x < 0.0
    power = about * scale
    total = (power if left else one) + ((one if left else power) + rest * scale)
    q = one / total
    q = 0.0 if x < -746.0 else q
    return 1.0 if x > 40.0 else q


def tanh(x: Double) -> Double:
    """Return tanh x = m / (m + 2) = 1 − 2 / (m + 2) with m = e^2|x| − 1, and the sign of x.

    The first quotient is taken up to m = 2, the second from there on. m and m + 2 are in two parts,
    as in `expm1`; the quotient of the first parts is corrected by what it lacks.
    """
    size = 2.0 * absolute(x)
    d = 44.0 if size > 44.0 else size
    t = d * _PER_LN2 + _ROUNDER
    k = t - _ROUNDER
    high = d - k * _LN2_HIGH
    low = k * _LN2_LOW
    scale = from_bits((bits(t) - 1023) << 52)
    first = scale * high
    second = scale * _exp_tail(high, low)
    one = scale - 1.0
    total = one + first
    rest = (first - (total - one)) + second
    m = total + rest
    m_low = rest - (m - total)
    n = m + 2.0
    large = m > 2.0
    top = 2.0 if large else m
    n_low = (top - (n - (m if large else 2.0))) + m_low
    q = top / n
    per_n = 0.5 * (q if large else 1.0 - q)
    q = q + _remainder(top, 0.0 if large else m_low, n, n_low, q) * per_n
    return _with_sign(1.0 - q if large else q, x)


def softplus(x: Double) -> Double:
    """Return ln(1 + e^x) as max(x, 0) + ln(1 + e^−|x|)."""
    return (0.0 if x <= 0.0 else x) + log1p(exp(-absolute(x)))


def relu(x: Double) -> Double:
    """Return max(x, 0); NaN stays NaN."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: Double) -> Double:
    """Return x above 0, x/100 elsewhere."""
    return x if x > 0.0 else _LEAK * x


def step(x: Double) -> Double:
    """Return 1 above 0, 0 elsewhere."""
    return 1.0 if x > 0.0 else 0.0


def sign(x: Double) -> Double:
    """Return 1 above 0, −1 below, and x itself where it is 0 or NaN."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)


# --- arithmetic ---------------------------------------------------------------------------------


def copy(x: Double) -> Double:
    """Return x."""
    return x


def square(x: Double) -> Double:
    """Return x²."""
    return x * x


def sqrt_(x: Double) -> Double:
    """Return √x, rounded correctly; NaN below 0."""
    return sqrt(x)


def add(x: Double, y: Double) -> Double:
    """Return x + y."""
    return x + y


def subtract(x: Double, y: Double) -> Double:
    """Return x − y."""
    return x - y


def multiply(x: Double, y: Double) -> Double:
    """Return x y."""
    return x * y


def quotient(x: Double, y: Double) -> Double:
    """Return x / y; a division by 0 gives ±Infinity or NaN."""
    return divide(x, y)


def maximum(x: Double, y: Double) -> Double:
    """Return the greater of x and y; NaN where one of them is NaN."""
    return x if x >= y or x != x else y


def minimum(x: Double, y: Double) -> Double:
    """Return the smaller of x and y; NaN where one of them is NaN."""
    return x if x <= y or x != x else y


def _lost(a: Double, b: Double, product: Double) -> Double:
    """Return a b − product exactly, where product is a b rounded (T. Dekker, 1971)."""
    far = a * _SPLITTER
    a_high = far - (far - a)
    a_low = a - a_high
    far = b * _SPLITTER
    b_high = far - (far - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@branching
def power(x: Double, y: Double) -> Double:
    """Return x^y.

    Whole exponents up to 64 in size are products, by repeated squaring, and the reciprocal of one
    where the exponent is negative: x² is x x to the bit, and powers of whole numbers are exact. So
    that the rounding errors of many factors do not add up, they are sums of two float64 (T. Dekker,
    1971), rounded at the end. Where that would leave the range, and for all other exponents, it is
    e^(y ln |x|), whose exponent has about 68 bits in two parts (the series is that of `log` with
    its first terms in two parts), with the sign of (−1)^y; the power ½ is the square root.

    As in C (ISO 9899, annex F): x⁰ = 1 and 1^y = 1 for all x and y, NaN too; a negative x has
    powers with whole exponents only; powers of 0 and Infinity keep the sign of odd exponents.
    """
    if y == 0.0 or x == 1.0:
        return 1.0
    if x != x or y != y:
        return x + y
    size = absolute(x)
    span = absolute(y)
    far = span >= 9007199254740992.0  # 2⁵³: from here on all are whole, and even
    n = to_whole(0.0 if far else span)
    whole = far or to_double(n) == span
    odd = whole and n & 1 == 1
    if whole and n == 1:
        return x if y > 0.0 else divide(1.0, x)
    if y == 2.0:
        return x * x
    if whole and 0 < n <= 64:
        product = 1.0
        product_low = 0.0
        base = x
        base_low = 0.0
        while n > 0:
            if n & 1 == 1:
                p = product * base
                p_low = _lost(product, base, p) + (product * base_low + product_low * base)
                product = p + p_low
                product_low = p_low - (product - p)
            p = base * base
            p_low = _lost(base, base, p) + 2.0 * (base * base_low)
            base = p + p_low
            base_low = p_low - (base - p)
            n = n >> 1
        # where no part of a product has left the range
        if 1e-270 < absolute(product) < 1e270:
            if y > 0.0:
                return product
            q = 1.0 / product
            p = q * product
            return q + q * (((1.0 - p) - _lost(q, product, p)) - q * product_low)
    turn = -1.0 if x < 0.0 and odd else 1.0
    if size == 0.0 or size == INFINITY:
        great = (size == 0.0) == (y < 0.0)
        return _with_sign(INFINITY if great else 0.0, x if odd else 1.0)
    if size == 1.0 and span == INFINITY:
        return 1.0
    if x < 0.0 and not whole:
        return NAN
    if size == 1.0:
        return turn
    if y == 0.5:
        return sqrt(x)
    if span > 1e20:  # even, and so great that all others leave the range
        return INFINITY if (size > 1.0) == (y > 0.0) else 0.0

    small = size < _TINY
    moved = bits(size * 18014398509481984.0 if small else size) + _TO_MIDDLE
    k = to_double(shift_right(moved, 52) - 1023)
    if small:
        k = k - 54.0
    m = from_bits((moved & _FRACTION) + _ROOT_HALF)
    f = m - 1.0
    below = m + 1.0
    one = below - m
    below_low = (m - (below - one)) + (1.0 - one)
    # s is f by m + 1, in two parts
    s = f / below
    p = s * below
    s_low = (((f - p) - _lost(s, below, p)) - s * below_low) / below
    # z is s²
    z = s * s
    z_low = _lost(s, s, z) + 2.0 * (s * s_low)
    # ln m = s (2 + z (2/3 + z (2/5 + z (…))))
    z2 = z * z
    tail = (_G0 + _G1 * z) + z2 * ((_G2 + _G3 * z) + z2 * ((_G4 + _G5 * z) + z2 * _G6))
    tail = z * tail
    a = _FIFTHS + tail
    a_low = ((_FIFTHS - a) + tail) + _FIFTHS_LOW
    p = z * a
    p_low = _lost(z, a, p) + (z * a_low + z_low * a)
    a = _THIRDS + p
    a_low = ((_THIRDS - a) + p) + (_THIRDS_LOW + p_low)
    p = z * a
    p_low = _lost(z, a, p) + (z * a_low + z_low * a)
    a = 2.0 + p
    a_low = ((2.0 - a) + p) + p_low
    p = s * a
    p_low = _lost(s, a, p) + (s * a_low + s_low * a)
    # ln |x| = k ln 2 + ln m
    first = k * _LN2_HIGH
    high = first + p
    low = (p - (high - first)) + (p_low + k * _LN2_LOW)
    a = high + low
    a_low = low - (a - high)
    p = y * a
    if absolute(p) > 746.0:
        return turn * (INFINITY if p > 0.0 else 0.0)
    return turn * _exp_sum(p, _lost(y, a, p) + y * a_low)


# --- sine, cosine, the error function -----------------------------------------------------------


@branching
def _two_over_pi(n: Whole) -> Whole:
    """Return the n-th 64 bits behind the point of 2/π, from 0; 0 before the point."""
    if n < 9:
        if n < 4:
            if n < 2:
                return 0 if n < 0 else (-6703182060581546711 if n == 0 else -277156292786332224)
            return -2638381946312093631 if n == 2 else -121206125134887583
        if n < 6:
            return -5249950069107600672 if n == 4 else 452944820249399836
        if n < 8:
            return -135693905287338178 if n == 6 else -1692731182770600828
        return -1613291254968254911
    if n < 14:
        if n < 11:
            return 4148332274289687028 if n == 9 else -7168499653074671557
        if n < 13:
            return 2303758334597371919 if n == 11 else -1211730484530615009
        return 7869616827067468215
    if n < 17:
        if n < 16:
            return 5712322887342352941 if n == 14 else 8441921394348257659
        return 4397547296490951402
    return 7780917995555872008 if n == 17 else 6197850593633725355


@branching
def _less(a: Whole, b: Whole) -> Whole:
    """Return 1 where a < b as numbers of 64 bits without a sign, else 0."""
    return 1 if a ^ _SIGN < b ^ _SIGN else 0


@branching
def _turned_sine(x: Double, quarters: Whole) -> Double:
    """Return sin(x + quarters · π/2) for x ≥ 0.

    x = n π/2 + r with |r| ≤ π/4, r in two parts; then one of two polynomials. Up to a million,
    π/2 is subtracted in three parts (Cody and Waite, 1980), unless x comes so close to a multiple
    of π/2 that this is too coarse. There, and for large x, x · 2/π is computed in whole numbers of
    192 bits from those binary digits of 2/π that count (M. Payne and R. Hanek, "Radian Reduction
    for Trigonometric Functions", 1983).
    """
    if not x < INFINITY:
        return NAN
    turns = quarters
    r = x
    low = 0.0
    near = x <= 0.7853981633974483
    if not near and x < 1000000.0:
        n = to_whole(x * _PER_QUARTER + 0.5)
        k = to_double(n)
        about = x - k * _QUARTER_1
        part = k * _QUARTER_2
        high = about - part
        near = absolute(high) > 0.000244140625  # 2⁻¹²
        rest = ((about - high) - part) - k * _QUARTER_3
        r = high + rest
        low = (high - r) + rest
        turns = quarters + n
    if not near:
        # x = m · 2^e; y = m · (2/π · 2^(e − 2)) is x in turns, of which only the fraction counts
        n = bits(x)
        m = (n & _FRACTION) | (_FRACTION + 1)
        place = (n >> 52) - 1077
        word = place >> 6
        shift = place & 63
        w0 = _two_over_pi(word)
        w1 = _two_over_pi(word + 1)
        w2 = _two_over_pi(word + 2)
        if shift > 0:
            w3 = _two_over_pi(word + 3)
            w0 = wrap(w0 << shift) | shift_right(w1, 64 - shift)
            w1 = wrap(w1 << shift) | shift_right(w2, 64 - shift)
            w2 = wrap(w2 << shift) | shift_right(w3, 64 - shift)
        carried = multiply_high(m, w2)
        y2 = wrap(m * w2)
        y1 = wrap(m * w1 + carried)
        y0 = wrap(m * w0 + multiply_high(m, w1) + _less(y1, carried))
        # two bits count quarters; the others are the fraction of one, rounded to the nearest
        f0 = wrap(y0 << 2) | shift_right(y1, 62)
        f1 = wrap(y1 << 2) | shift_right(y2, 62)
        turns = quarters + shift_right(y0, 62) + shift_right(f0, 63)
        a = to_double(f0 >> 32) * 2.3283064365386963e-10  # 2⁻³²
        b = to_double(f0 & 0xFFFFFFFF) * 5.421010862427522e-20  # 2⁻⁶⁴
        c = to_double(shift_right(f1, 32)) * 1.262177448353619e-29  # 2⁻⁹⁶
        d = to_double(f1 & 0xFFFFFFFF) * 2.938735877055719e-39  # 2⁻¹²⁸
        high = a + b
        rest = b - (high - a)
        part = high + c
        about = part - high
        rest = rest + (((high - (part - about)) + (c - about)) + d)
        k = part + rest
        rest = rest - (k - part)
        r = k * _QUARTER
        low = _lost(k, _QUARTER, r) + (k * _QUARTER_LOW + rest * _QUARTER)
    z = r * r
    z2 = z * z
    half = 0.5 * z
    one = 1.0 - half
    if turns & 1 == 0:
        s = (_S0 + _S1 * z) + z2 * ((_S2 + _S3 * z) + z2 * (_S4 + _S5 * z))
        found = r + (z * r * s + low * one)
    else:
        s = (_C0 + _C1 * z) + z2 * ((_C2 + _C3 * z) + z2 * (_C4 + _C5 * z))
        found = one + (((1.0 - one) - half) + (z2 * s - r * low))
    return -found if turns & 2 == 2 else found


@branching
def sin(x: Double) -> Double:
    """Return sin x, x in radians, also of huge numbers; see `_turned_sine`."""
    found = _turned_sine(absolute(x), 0)
    return -found if bits(x) < 0 else found


@branching
def cos(x: Double) -> Double:
    """Return cos x, x in radians, also of huge numbers; see `_turned_sine`."""
    return _turned_sine(absolute(x), 1)


def erf(x: Double) -> Double:
    """Return the error function 2/√π ∫₀ˣ e^(−t²) dt.

    Up to 1 it is x + x P(x² − ½), beyond 1 − e^(−x²) Q(t) with t = (x − 3)/(x + 3), since e^(x²)
    times the complementary function is smooth (J. Schonfelder, "Chebyshev Expansions for the Error
    and Related Functions", 1978); from 6 on it is 1.
    """
    size = absolute(x)
    d = 6.0 if size > 6.0 else size
    z = d * d
    d_high = from_bits(bits(d) & _UPPER)
    z_low = (d_high * d_high - z) + (d - d_high) * (d + d_high)
    u = (1.0 if z > 1.0 else z) - 0.5
    u2 = u * u
    u4 = u2 * u2
    low = (_F0 + _F1 * u) + u2 * (_F2 + _F3 * u)
    middle = (_F4 + _F5 * u) + u2 * (_F6 + _F7 * u)
    high = (_F8 + _F9 * u) + u2 * (_F10 + _F11 * u)
    near = d + d * (low + u4 * (middle + u4 * high))
    t = (d - 3.0) / (d + 3.0)
    t2 = t * t
    t4 = t2 * t2
    low = (_X0 + _X1 * t) + t2 * (_X2 + _X3 * t)
    middle = (_X4 + _X5 * t) + t2 * (_X6 + _X7 * t)
    high = (_X8 + _X9 * t) + t2 * (_X10 + _X11 * t) + t4 * _X12
    far = 1.0 - _exp_sum(-z, -z_low) * (low + t4 * (middle + t4 * high))
    return _with_sign(near if d <= 1.0 else far, x)


# --- slopes: blame times the derivative, from the activation's output ----------------------------


def delta_sigmoid(blame: Double, a: Double) -> Double:
    """Return blame · σ′(z) = blame a (1 − a), where a = σ(z)."""
    return blame * (a * (1.0 - a))


def delta_tanh(blame: Double, a: Double) -> Double:
    """Return blame · tanh′(z) = blame (1 − a²), where a = tanh z."""
    return blame * (1.0 - a * a)


def delta_relu(blame: Double, a: Double) -> Double:
    """Return blame where a = max(z, 0) is above 0, 0 elsewhere."""
    return blame if a > 0.0 else 0.0


def delta_leaky_relu(blame: Double, a: Double) -> Double:
    """Return blame where a is above 0, a hundredth of it elsewhere."""
    return blame if a > 0.0 else _LEAK * blame


def delta_softplus(blame: Double, a: Double) -> Double:
    """Return blame · softplus′(z) = blame (1 − e^−a), where a = softplus z."""
    return blame * -expm1(-a)


# --- costs, a term at a time ---------------------------------------------------------------------


def _safe(x: Double) -> Double:
    """Return x, but at least the smallest normal float64, so that its logarithm is finite."""
    return _TINY if x <= _TINY else x


def squared_difference(a: Double, y: Double) -> Double:
    """Return (a − y)²."""
    return (a - y) * (a - y)


def cross_entropy_term(a: Double, y: Double) -> Double:
    """Return −(y ln a + (1 − y) ln(1 − a)), finite at 0 and 1."""
    return -(y * log(_safe(a)) + (1.0 - y) * log(_safe(1.0 - a)))


def cross_entropy_blame(blame: Double, a: Double, y: Double) -> Double:
    """Return blame times the derivative of `cross_entropy_term` by a: (1 − y)/(1 − a) − y/a."""
    return blame * ((1.0 - y) / _safe(1.0 - a) - y / _safe(a))


def cross_entropy_logit_term(z: Double, y: Double) -> Double:
    """Return the cross-entropy of σ(z) from z itself: max(z, 0) − z y + ln(1 + e^−|z|)."""
    return ((0.0 if z <= 0.0 else z) - z * y) + log1p(exp(-absolute(z)))


def categorical_term(a: Double, y: Double) -> Double:
    """Return −y ln a, finite at 0."""
    return -(y * log(_safe(a)))


def categorical_blame(blame: Double, a: Double, y: Double) -> Double:
    """Return blame times the derivative of `categorical_term` by a: −y/a."""
    return -blame * y / _safe(a)


SCALARS: dict[str, Function] = {
    "copy": copy,
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sqrt": sqrt_,
    "square": square,
    "sin": sin,
    "cos": cos,
    "erf": erf,
    "abs": absolute,
    "sign": sign,
    "step": step,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "softplus": softplus,
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": quotient,
    "power": power,
    "maximum": maximum,
    "minimum": minimum,
    "delta_sigmoid": delta_sigmoid,
    "delta_tanh": delta_tanh,
    "delta_relu": delta_relu,
    "delta_leaky_relu": delta_leaky_relu,
    "delta_softplus": delta_softplus,
    "squared_difference": squared_difference,
    "cross_entropy_term": cross_entropy_term,
    "cross_entropy_blame": cross_entropy_blame,
    "cross_entropy_logit_term": cross_entropy_logit_term,
    "categorical_term": categorical_term,
    "categorical_blame": categorical_blame,
}
"""Each operation and its function, which has as many parameters as the operation has operands."""

SLOPES: dict[str, str] = {
    "sigmoid": "delta_sigmoid",
    "tanh": "delta_tanh",
    "relu": "delta_relu",
    "leaky_relu": "delta_leaky_relu",
    "softplus": "delta_softplus",
}
"""Each activation and the function that multiplies blame by its slope."""
