"""The kernel's elementwise functions against mpmath, C's rules, and each other."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import random
import sys
from pathlib import Path

import pytest
from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.ulps import CASES, error, errors
from nodeflow.engine.kernel import language, scalar
from nodeflow.engine.kernel.scalar import SCALARS, SLOPES

ALLOWED = {
    "exp": 0.85,
    "expm1": 0.85,
    "log": 0.9,
    "log1p": 0.9,
    "tanh": 0.85,
    "sigmoid": 2.0,
    "softplus": 1.75,
    "sin": 0.85,
    "cos": 0.85,
    "erf": 1.25,
    "power": 0.85,
    "power, whole": 0.85,
}
"""The largest error of each function, in ulps: a little more than a search of millions found."""
POINTS = 8000
INF, NAN = math.inf, math.nan
LEAST, NORMAL, MOST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308


def alike(a: float, b: float) -> bool:
    """Tell whether two numbers are the same to the bit, all NaN being one."""
    return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def reals(seed: int, count: int = 2000) -> list[float]:
    r = random.Random(seed)
    spread = [r.choice((-1, 1)) * 10 ** r.uniform(-20, 2.8) for _ in range(count)]
    return [*spread, 0.0, -0.0, LEAST, -LEAST, NORMAL, MOST, -MOST, INF, -INF]


# --- accuracy


@pytest.mark.parametrize("name", CASES)
def test_no_error_is_larger_than_allowed(name):
    assert set(CASES) == set(ALLOWED)
    worst, where = max(errors(name, POINTS))
    assert worst <= ALLOWED[name], f"{name} at {where}"
    assert worst > 0.5 or "whole" in name, "points that do not try the function"


def test_an_error_is_counted_in_gaps_between_floats():
    assert error(1.0, mpf(1)) == 0
    assert error(math.nextafter(1.5, 2), mpf(1.5)) == 1
    assert error(math.nextafter(1, 0), mpf(1)) == 0.5  # the gap below 1 is half of that above
    assert error(0.0, mpf(LEAST)) == 1
    assert error(INF, mpf(MOST)) == 1
    assert error(MOST, mpf(MOST) * 2) == 1
    assert error(INF, mpf(MOST) * 2) == 0
    assert error(NAN, mpf(1)) == INF
    assert error(1.0, mp.nan) == INF
    assert error(2.0, mpf(1)) == 2**52


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize(
    "x",
    [
        6381956970095103 * 2.0**797,  # of all float64 it is next to a multiple of π/2
        MOST,
        1e22,
        2.0**1023,
        *(float(mp.pi / 2 * k) for k in (1, 2, 3, 4, 5, 355, 710, 2**20, 833719, 411557987)),
        *(math.nextafter(0.7853981633974483, way) for way in (0, 1)),
        *(math.nextafter(1e6, way) for way in (0, INF)),
    ],
)
def test_angles_that_are_hard_to_reduce(name, x):
    with mp.workprec(1400):
        truth = getattr(mp, name)(mpf(x))
        assert error(SCALARS[name](x), truth) <= ALLOWED[name]


def test_the_worst_angle_has_its_known_cosine():
    """J.-M. Muller, "Elementary Functions", names it and its distance from π/2: 4.687…e-19."""
    assert scalar.cos(6381956970095103 * 2.0**797) == -4.68716592425462761112e-19


@pytest.mark.parametrize(
    "x", [-20.0, -36.7, -37.0, -50.0, -500.0, -708.4, -709.0, -740.0, -745.0, -745.13]
)
def test_the_far_tail_of_the_sigmoid_keeps_its_digits(x):
    with mp.workprec(200):
        assert error(scalar.sigmoid(x), 1 / (1 + mp.exp(-mpf(x)))) <= 2
    assert scalar.sigmoid(x) > 0


# --- ends of the range and special values


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "exp",
            [
                (0, 1),
                (-0.0, 1),
                (INF, INF),
                (-INF, 0.0),
                (MOST, INF),
                (-MOST, 0.0),
                (LEAST, 1),
                (709.782712893384, 1.7976931348622732e308),
                (709.7827128933841, INF),
                (-745.1332191019411, LEAST),
                (-745.1332191019412, 0.0),
            ],
        ),
        (
            "expm1",
            [
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, INF),
                (-INF, -1),
                (-MOST, -1),
                (LEAST, LEAST),
                (709.7827128933841, INF),
                (-40, -1),
                (-NORMAL, -NORMAL),
                (1e-16, 1e-16),
            ],
        ),
        (
            "log",
            [
                (1, 0.0),
                (0.0, -INF),
                (-0.0, -INF),
                (-1, NAN),
                (-LEAST, NAN),
                (INF, INF),
                (-INF, NAN),
                (LEAST, -744.4400719213812),
                (MOST, 709.782712893384),
            ],
        ),
        (
            "log1p",
            [
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1, -INF),
                (-2, NAN),
                (INF, INF),
                (-INF, NAN),
                (MOST, 709.782712893384),
                (LEAST, LEAST),
                (-LEAST, -LEAST),
                (1e-16, 1e-16),
            ],
        ),
        (
            "tanh",
            [
                (0.0, 0.0),
                (-0.0, -0.0),
                (INF, 1),
                (-INF, -1),
                (MOST, 1),
                (LEAST, LEAST),
                (-LEAST, -LEAST),
                (20, 1),
                (-20, -1),
            ],
        ),
        ("sigmoid", [(0.0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0.0), (MOST, 1), (-MOST, 0.0)]),
        ("softplus", [(0.0, math.log(2)), (INF, INF), (-INF, 0.0), (MOST, MOST), (-MOST, 0.0)]),
        ("sin", [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (LEAST, LEAST)]),
        ("cos", [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (LEAST, 1)]),
        ("erf", [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (MOST, 1), (6, 1), (-7, -1)]),
        ("sqrt", [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-1, NAN), (4, 2), (-INF, NAN)]),
        ("relu", [(2, 2), (-2, 0.0), (0.0, 0.0), (-0.0, 0.0), (INF, INF), (-INF, 0.0)]),
        ("leaky_relu", [(2, 2), (-2, -0.02), (0.0, 0.0), (-0.0, -0.0), (-INF, -INF)]),
        ("step", [(2, 1), (-2, 0.0), (0.0, 0.0), (LEAST, 1), (INF, 1), (-INF, 0.0)]),
        ("sign", [(2, 1), (-2, -1), (0.0, 0.0), (-0.0, -0.0), (LEAST, 1), (-INF, -1)]),
        ("abs", [(2, 2), (-2, 2), (-0.0, 0.0), (-INF, INF), (-LEAST, LEAST)]),
        ("square", [(3, 9), (-3, 9), (1e200, INF), (-0.0, 0.0)]),
        ("copy", [(-0.0, -0.0), (INF, INF), (LEAST, LEAST)]),
    ],
)
def test_special_values(name, values):
    function = SCALARS[name]
    for x, expected in values:
        assert alike(function(float(x)), float(expected)), x
    assert alike(function(NAN), 0.0 if name == "step" else NAN)


PECULIAR = [
    *(0.0, 1.0, INF, 0.5, 2.0, 3.0, 5.0, 64.0, 65.0, 1e20, 1e300, MOST, LEAST, NORMAL),
    *(2.0**52 + 1, 2.0**53 - 1, 2.0**53, 1.5, math.nextafter(1, 0), math.nextafter(1, 2)),
]


def test_powers_of_peculiar_numbers_are_those_of_c():
    both = [sign * x for x in PECULIAR for sign in (1, -1)] + [NAN]
    for x, y in itertools.product(both, both):
        found = scalar.power(x, y)
        try:
            expected = math.pow(x, y)
        except OverflowError:
            odd = y % 2 == 1
            expected = -INF if x < 0 and odd else INF
        except ValueError:  # 0 to a negative power, or a negative number to a broken one
            odd = abs(y) % 2 == 1
            expected = (math.copysign(INF, x) if odd else INF) if x == 0 else NAN
        if not alike(found, expected):
            assert abs(found - expected) <= math.ulp(expected), (x, y)


def test_a_whole_power_is_the_product_rounded_once():
    r = random.Random(4)
    for _ in range(500):
        x = r.uniform(-4, 4)
        assert scalar.power(x, 2.0) == x * x
        assert scalar.power(x, 1.0) == x
        assert scalar.power(x, -1.0) == 1 / x
        assert scalar.power(abs(x), 0.5) == math.sqrt(abs(x))
    for base, n in itertools.product(range(-20, 21), range(1, 65)):
        exact = base**n
        if abs(exact) < 2**53 or base in (-16, -8, -4, -2, 2, 4, 8, 16):
            assert scalar.power(float(base), float(n)) == exact
            if base and abs(exact) & (abs(exact) - 1) == 0:
                assert scalar.power(float(base), float(-n)) == 1 / exact


def test_whole_powers_whose_product_leaves_the_range():
    assert scalar.power(2.0**17, -63.0) == 2.0**-1071
    assert scalar.power(-(2.0**17), -63.0) == -(2.0**-1071)
    assert scalar.power(2.0**-17, -60.0) == 2.0**1020
    assert scalar.power(1e200, 2.0) == INF
    assert scalar.power(-1e200, 3.0) == -INF
    assert alike(scalar.power(-1e-200, 3.0), -0.0)
    assert scalar.power(LEAST, -1.0) == INF


def test_maximum_and_minimum_let_nan_through():
    for x, y in itertools.product([-1.0, 2.0, INF, -INF, 0.0], repeat=2):
        assert scalar.maximum(x, y) == max(x, y)
        assert scalar.minimum(x, y) == min(x, y)
    for function in (scalar.maximum, scalar.minimum):
        assert math.isnan(function(NAN, 1.0))
        assert math.isnan(function(1.0, NAN))


def test_arithmetic_is_that_of_ieee_754():
    for x, y in itertools.product(reals(7, 30), repeat=2):
        assert alike(scalar.add(x, y), x + y)
        assert alike(scalar.subtract(x, y), x - y)
        assert alike(scalar.multiply(x, y), x * y)
        if y:
            assert alike(scalar.quotient(x, y), x / y)
    assert scalar.quotient(-1.0, 0.0) == -INF
    assert scalar.quotient(-1.0, -0.0) == INF
    assert math.isnan(scalar.quotient(0.0, 0.0))


# --- identities


@pytest.mark.parametrize("name", ["sin", "tanh", "erf", "sign", "copy"])
def test_odd_functions_are_odd_to_the_bit(name):
    function = SCALARS[name]
    for x in reals(1):
        assert alike(function(-x), -function(x)), x


@pytest.mark.parametrize("name", ["cos", "abs", "square"])
def test_even_functions_are_even_to_the_bit(name):
    function = SCALARS[name]
    for x in reals(2):
        assert alike(function(-x), function(x)), x


def test_inverse_functions_undo_each_other():
    r = random.Random(3)
    for _ in range(2000):
        x = r.uniform(-300, 300)
        # an error of x in its last digit is as many of e^x as x is great
        assert scalar.exp(-x) * scalar.exp(x) == pytest.approx(1, abs=4e-16)
        assert scalar.log(scalar.exp(x)) == pytest.approx(x, rel=3e-16, abs=3e-16)
        small = r.uniform(-0.3, 0.3)
        assert scalar.log1p(scalar.expm1(small)) == pytest.approx(small, rel=8e-16)
        assert scalar.sigmoid(small) + scalar.sigmoid(-small) == pytest.approx(1, abs=3e-16)
        sine, cosine = scalar.sin(x), scalar.cos(x)
        assert sine * sine + cosine * cosine == pytest.approx(1, abs=4e-16)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "erf"])
def test_bounded_functions_stay_in_their_bounds(name):
    function = SCALARS[name]
    for x in [*reals(5), *(n / 64 for n in range(-2600, 2600))]:
        assert -1 <= function(x) <= 1


# --- slopes and costs


def test_every_activation_has_a_slope_with_the_same_number_of_operands():
    activations = {"sigmoid", "tanh", "relu", "leaky_relu", "softplus"}
    assert set(SLOPES) == activations
    assert all(len(inspect.signature(SCALARS[SLOPES[name]]).parameters) == 2 for name in SLOPES)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("sigmoid", lambda z: 1 / (1 + mp.exp(-z))),
        ("tanh", mp.tanh),
        ("relu", lambda z: max(z, mpf(0))),
        ("leaky_relu", lambda z: z if z > 0 else z * mpf(0.01)),
        ("softplus", lambda z: mp.log(1 + mp.exp(z))),
    ],
)
def test_slopes_are_derivatives_times_blame(name, truth):
    r = random.Random(6)
    for _ in range(100):
        z, blame = r.uniform(-8, 8), r.uniform(-3, 3)
        a = SCALARS[name](z)
        expected = blame * float(mp.diff(truth, mpf(z)))
        # 1 − a has the rounding error of a, which weighs more the nearer a is to 1
        assert SCALARS[SLOPES[name]](blame, a) == pytest.approx(expected, rel=1e-11, abs=1e-15)


def _cross_entropy(a, y):
    return -(y * mp.log(a) + (1 - y) * mp.log(1 - a))


def _categorical(a, y):
    return -y * mp.log(a)


def test_costs_and_their_blame_are_the_closed_forms():
    r = random.Random(8)
    for _ in range(200):
        a, y, z, blame = (r.uniform(*ends) for ends in ((0.01, 0.99), (0, 1), (-30, 30), (-2, 2)))
        with mp.workprec(200):
            e, t, u = map(mpf, (a, y, z))
            costs = {"cross_entropy": _cross_entropy(e, t), "categorical": _categorical(e, t)}
            slopes = {"cross_entropy": (1 - t) / (1 - e) - t / e, "categorical": -t / e}
            logit = _cross_entropy(1 / (1 + mp.exp(-u)), t)
        for name, cost in costs.items():
            assert SCALARS[f"{name}_term"](a, y) == pytest.approx(float(cost), rel=1e-14)
            found = SCALARS[f"{name}_blame"](blame, a, y)
            assert found == pytest.approx(blame * float(slopes[name]), rel=1e-12, abs=1e-12)
        found = scalar.cross_entropy_logit_term(z, y)
        assert found == pytest.approx(float(logit), rel=1e-14, abs=1e-14)
        assert scalar.squared_difference(a, y) == (a - y) * (a - y)


def test_costs_of_certain_outputs_are_finite():
    for a, y in itertools.product((0.0, 1.0), repeat=2):
        cost = scalar.cross_entropy_term(a, y)
        assert cost == (0 if a == y else pytest.approx(708.3964185322641))
        assert math.isfinite(scalar.cross_entropy_blame(1.0, a, y))
    assert scalar.categorical_term(0.0, 1.0) == pytest.approx(708.3964185322641)
    assert scalar.cross_entropy_logit_term(38.0, 0.0) == 38
    assert scalar.cross_entropy_logit_term(-800.0, 1.0) == 800


# --- the kernel's language


def _called(function) -> list[str]:
    tree = ast.parse(inspect.getsource(function))
    return [n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call)]


def test_functions_keep_to_the_language_of_the_kernel():
    """What is compiled for many numbers at once has no branch and calls none that has one."""
    functions = [f for f in vars(scalar).values() if inspect.getmodule(f) is scalar]
    assert set(SCALARS.values()) <= set(functions)
    for function in filter(inspect.isfunction, functions):
        if function is scalar.branching:
            continue
        tree = ast.parse(inspect.getsource(function))
        nodes = [type(node) for node in ast.walk(tree)]
        assert not {ast.For, ast.Pow, ast.List, ast.Tuple, ast.Subscript, ast.Lambda} & {*nodes}
        branching = getattr(function, "branching", False)
        assert branching or not {ast.If, ast.While} & {*nodes}, function
        for name in _called(function):
            called = getattr(scalar, name)
            assert called is getattr(language, name, None) or called in functions, name
            assert branching or not getattr(called, "branching", False), name
            assert branching or name not in ("to_double", "to_whole", "multiply_high"), name
