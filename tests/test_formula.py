"""Formulas: read by the rules, worth what arithmetic says, and nothing else let in."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import expressions, smooth

import nodeflow as nf
from nodeflow.errors import GraphError
from nodeflow.formula import derivative, evaluate, names, parse, write
from nodeflow.graph import Graph

A, B = 1.25, -0.75

VALUES = [
    ("a", A),
    ("2", 2.0),
    ("-a", -A),
    ("+a", A),
    ("- -a", A),
    ("a + b - 2", A + B - 2),
    ("a - b - 2", A - B - 2),
    ("a - (b - 2)", A - (B - 2)),
    ("2 * a / b", 2 * A / B),
    ("a / b / 2", A / B / 2),
    ("a / (b / 2)", A / (B / 2)),
    ("2 ^ 3 ^ 2", 512.0),
    ("(2 ^ 3) ^ 2", 64.0),
    ("-a ^ 2", -(A**2)),
    ("(-a) ^ 2", A**2),
    ("a^-1", 1 / A),
    ("a·b × 2", A * B * 2),
    ("a ÷ b − 1", A / B - 1),
    ("a ** 2", A**2),
    ("1e-3 + .5 + 1_000", 1000.501),
    ("0x10 + 0b11", 19.0),
    ("pi * e", math.pi * math.e),
    ("exp(a) + log(a)", math.exp(A) + math.log(A)),
    ("sqrt(a) * sin(b) - cos(b)", math.sqrt(A) * math.sin(B) - math.cos(B)),
    ("tanh(a) + sigmoid(b)", math.tanh(A) + 1 / (1 + math.exp(-B))),
    ("erf(a) - erf(b)", math.erf(A) - math.erf(B)),
    ("abs(b) + sign(b) + sign(0)", abs(B) - 1),
    ("step(a) + step(b) + step(0)", 1.0),
    ("max(a, b) - min(a, b)", A - B),
    ("max(min(a, 1), 0)", 1.0),
    ("  a  ", A),
    ("(a +\n b)", A + B),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_formula_is_worth_what_arithmetic_says(text, value) -> None:
    found = evaluate(parse(text), {"a": A, "b": B})
    assert float(found) == pytest.approx(value, rel=1e-15, abs=1e-300)
    rows = evaluate(parse(text), {"a": np.full((2, 3), A), "b": np.full((2, 1), B)})
    np.testing.assert_allclose(rows, value, rtol=1e-15)


def test_division_by_zero_is_infinite_and_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(parse("1 / a"), {"a": np.array(0.0)}) == np.inf
        assert np.isnan(evaluate(parse("log(a)"), {"a": np.array(-1.0)}))
        assert evaluate(parse("10 ^ 400"), {}) == np.inf
        assert evaluate(parse("sigmoid(a)"), {"a": np.array(-1e9)}) == 0


def test_names_come_in_the_order_in_which_they_appear() -> None:
    assert names(parse("c * a + max(b, a) - exp(_d) + 2")) == ("c", "a", "b", "_d")
    assert names(parse("pi + 2 * e")) == ()
    assert names(parse("Θ_1 * __class__ + exp")) == ("Θ_1", "__class__", "exp")


DERIVATIVES = [
    ("2", "a", "0"),
    ("b", "a", "0"),
    ("a", "a", "1"),
    ("a + b", "a", "1"),
    ("b - a", "a", "(-1)"),
    ("a * b", "a", "b"),
    ("a * a", "a", "(a + a)"),
    ("a ^ 2", "a", "(2 * (a ^ (2 - 1)))"),
    ("exp(a)", "a", "exp(a)"),
    ("log(a)", "a", "(1 / a)"),
    ("sin(b)", "a", "0"),
    ("step(a) + sign(a)", "a", "0"),
]


@pytest.mark.parametrize(("text", "name", "slope"), DERIVATIVES)
def test_simple_derivatives_are_simple(text, name, slope) -> None:
    assert write(derivative(parse(text), name)) == slope


SLOPES = [
    "a / b",
    "b / a",
    "b ^ a",
    "a ^ b",
    "a ^ a",
    "a ^ 2.5 - a ^ (-1)",
    "sqrt(a) * log(a)",
    "sin(a) * cos(a * b)",
    "erf(a * b) * b",
    "tanh(a * b) - sigmoid(a / b)",
    "abs(a - 3) * abs(b)",
    "max(a, b) * min(a, 2 * b)",
    "sign(a) * step(b) * a",
    "exp(-a ^ 2 / 2)",
    "1 / (1 + exp(-(a * b + 1)))",
]


@pytest.mark.parametrize("text", SLOPES)
@pytest.mark.parametrize("name", ["a", "b"])
def test_a_derivative_is_the_slope(text, name) -> None:
    tree = parse(text)
    slope = derivative(tree, name)
    for a, b in ((1.3, 0.7), (0.4, 2.1)):
        at = {"a": a, "b": b}

        def moved(step, at=at):
            return float(evaluate(tree, {**at, name: at[name] + step}))

        h = 1e-3
        difference = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        assert float(evaluate(slope, at)) == pytest.approx(difference, rel=1e-8, abs=1e-8)


@given(smooth(["a", "b"]), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
@settings(max_examples=150, deadline=None)
def test_every_derivative_is_the_slope(text, a, b) -> None:
    tree, at, h = parse(text), {"a": a, "b": b}, 1e-3
    for name in names(tree):
        moved = [
            float(evaluate(tree, {**at, name: at[name] + step})) for step in (h, -h, 2 * h, -2 * h)
        ]
        difference = (8 * (moved[0] - moved[1]) - (moved[2] - moved[3])) / (12 * h)
        size = max(map(abs, moved))
        found = float(evaluate(derivative(tree, name), at))
        assert found == pytest.approx(difference, rel=1e-6, abs=1e-6 * max(1, size))


@given(expressions())
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_back(tree) -> None:
    text = write(tree)
    again = parse(text)
    assert again == tree
    assert repr(again) == repr(tree)  # −0 is not 0
    assert write(again) == text
    assert names(again) == names(tree)


@given(expressions())
@settings(max_examples=150, deadline=None)
def test_every_derivative_can_be_written_and_read(tree) -> None:
    for name in names(tree):
        slope = derivative(tree, name)
        assert parse(write(slope)) == slope


ONLY = "; only numbers, names, + - * / ^ and functions are allowed"
REFUSED = [
    ("a.b", f"the formula 'a.b' holds 'a.b'{ONLY}"),
    ("a[0]", f"the formula 'a[0]' holds 'a[0]'{ONLY}"),
    ("a.__class__", f"the formula 'a.__class__' holds 'a.__class__'{ONLY}"),
    ("lambda: 1", f"the formula 'lambda: 1' holds 'lambda: 1'{ONLY}"),
    ("[x for x in a]", f"the formula '[x for x in a]' holds '[x for x in a]'{ONLY}"),
    ("{1: 2}", f"the formula '{{1: 2}}' holds '{{1: 2}}'{ONLY}"),
    ("a, b", f"the formula 'a, b' holds '(a, b)'{ONLY}"),
    ("'a'", f"the formula \"'a'\" holds \"'a'\"{ONLY}"),
    ("f'{a}'", f"the formula \"f'{{a}}'\" holds \"f'{{a}}'\"{ONLY}"),
    ("a if b else 2", f"the formula 'a if b else 2' holds 'a if b else 2'{ONLY}"),
    ("1if a else 2", f"the formula '1if a else 2' holds '1 if a else 2'{ONLY}"),
    ("a < b", f"the formula 'a < b' holds 'a < b'{ONLY}"),
    ("a and b", f"the formula 'a and b' holds 'a and b'{ONLY}"),
    ("not a", f"the formula 'not a' holds 'not a'{ONLY}"),
    ("~a", f"the formula '~a' holds '~a'{ONLY}"),
    ("a % b", f"the formula 'a % b' holds 'a % b'{ONLY}"),
    ("a // b", f"the formula 'a // b' holds 'a // b'{ONLY}"),
    ("a @ b", f"the formula 'a @ b' holds 'a @ b'{ONLY}"),
    ("(a := 1)", f"the formula '(a := 1)' holds '(a := 1)'{ONLY}"),
    ("True", f"the formula 'True' holds 'True'{ONLY}"),
    ("None", f"the formula 'None' holds 'None'{ONLY}"),
    ("...", f"the formula '...' holds '...'{ONLY}"),
    ("1j", f"the formula '1j' holds '1j'{ONLY}"),
    ("1e400", f"the formula '1e400' holds '1e309'{ONLY}"),
    ("exp(x=1)", f"the formula 'exp(x=1)' holds 'exp(x=1)'{ONLY}"),
    ("exp(*a)", f"the formula 'exp(*a)' holds '*a'{ONLY}"),
    ("a.exp(2)", f"the formula 'a.exp(2)' holds 'a.exp(2)'{ONLY}"),
    ("exp(a)(b)", f"the formula 'exp(a)(b)' holds 'exp(a)(b)'{ONLY}"),
    ("exp(a, b)", "the formula 'exp(a, b)': exp takes 1 value, not 2"),
    ("exp()", "the formula 'exp()': exp takes 1 value, not 0"),
    ("max(a)", "the formula 'max(a)': max takes 2 values, not 1"),
    ("min(a, b, c)", "the formula 'min(a, b, c)': min takes 2 values, not 3"),
    ("tan(a)", "the formula 'tan(a)' uses 'tan'; did you mean 'tanh'?"),
    ("__import__('os')",
     'the formula "__import__(\'os\')" uses \'__import__\'; there is abs, cos, erf, exp, log, max, '
     "min, sigmoid, sign, sin, sqrt, step, tanh"),
]  # fmt: skip


UNREADABLE = [
    "", "   ", "a +", "a b", "2a", "(a", "*a", "a = 1", "a; b", "a # b", "#", "import os", "a\0b",
    "\ud800", "∞", "lambda", "yield", "a\n+ b", "'a",
]  # fmt: skip


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_formula_is_refused_in_one_sentence(text) -> None:
    with pytest.raises(GraphError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"the formula {text!r} cannot be read")


@pytest.mark.parametrize(
    ("text", "at"), [("a + )", 5), ("  a + )", 7), ("a^2^b )", 7), ("a·b )", 5), ("a # b", 3)]
)
def test_the_place_is_that_in_what_was_typed(text, at) -> None:
    with pytest.raises(GraphError) as caught:
        parse(text)
    assert str(caught.value) == f"the formula {text!r} cannot be read at character {at}"


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_everything_else_is_refused_in_one_sentence(text, sentence) -> None:
    with pytest.raises(GraphError) as caught:
        parse(text)
    assert str(caught.value) == sentence


DEEP = {
    "a long sum": "+".join(["a"] * 500),
    "signs": "-" * 900 + "a",
    "functions": "sin(" * 120 + "a" + ")" * 120,
    "powers": "2**" * 300 + "a",
    "lists": "[" * 150 + "]" * 150,
    "attributes": "a" + ".b" * 5000,
    "calls": "a" + "()" * 3000,
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_deeply_is_refused(name) -> None:
    with pytest.raises(GraphError) as caught:
        parse(DEEP[name])
    assert len(str(caught.value)) < 250


def test_brackets_cost_no_depth_and_a_hundred_levels_are_read() -> None:
    assert parse("(" * 150 + "a" + ")" * 150) == ("name", "a")
    tree = parse("+".join(["a"] * 100))
    assert float(evaluate(tree, {"a": 0.5})) == 50.0
    assert evaluate(derivative(tree, "a"), {}) == 100.0
    assert parse(write(tree)) == tree
    with pytest.raises(GraphError, match=r"is nested more than 100 deep$"):
        parse("+".join(["a"] * 101))


def test_long_texts_are_refused_unread() -> None:
    with pytest.raises(GraphError) as caught:
        parse("a" * 20_001)
    assert str(caught.value) == "the formula has 20001 characters; at most 20000 are read"


@given(st.text(max_size=40) | st.text("ab12.+-*/^()[]{}'\"\\,:=#%@!<>_ \n", max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused(text) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree, sentence = None, ""
        try:
            tree = parse(text)
        except GraphError as error:
            sentence = str(error)
        assert "\n" not in sentence
        if tree is not None:
            assert parse(write(tree)) == tree
            evaluate(tree, dict.fromkeys(names(tree), 0.5))


# --- the node ------------------------------------------------------------------------------------


def trained(text: str) -> Graph:
    """Return a graph that trains through an expression of z."""
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4]], id="x")
    z = nf.weighted_sum(x, nf.parameter(value=[[0.5, -0.7]], id="w"), id="z")
    inputs = [z for _ in nf.expression.ports_in({"formula": text})]
    return Graph.of(nf.gradient_descent(nf.expression(*inputs, formula=text, id="f"), id="train"))


@pytest.mark.parametrize(
    "text", ["value * value", "blame ^ 2", "id * id", "samples * e", "exp + 1"]
)
def test_ports_may_be_called_like_other_things(text) -> None:
    found = nf.check(trained(text))
    assert found.valid
    assert "w" in found.nodes


def test_a_port_cannot_be_called_like_the_setting() -> None:
    with pytest.raises(GraphError) as caught:
        trained("formula + 1")
    assert str(caught.value) == (
        "the formula uses the name 'formula', which is the node's setting: choose another"
    )


def test_a_long_derivative_is_read_and_one_that_is_too_long_refused() -> None:
    long = "sin(" * 40 + "z" + ")" * 40
    assert len(write(derivative(parse(long), "z"))) > 1000
    assert nf.check(trained(long)).valid
    with pytest.raises(GraphError) as caught:
        nf.unfold(trained("sin(" * 95 + "z" + ")" * 95))
    assert str(caught.value) == (
        "the derivative by 'z' of the formula is too long to write out: "
        "split the formula over several nodes"
    )
