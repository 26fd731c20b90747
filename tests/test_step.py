"""What a step tells: its formula with numbers."""

from __future__ import annotations

import re

import networks
import numpy as np
import pytest

import nodeflow as nf
from nodeflow.engine.step import Step
from nodeflow.explain import explain
from nodeflow.workings.bodies import body_of
from nodeflow.workings.shown import show


def filled(type_: str, settings=None, outputs=(), **inputs) -> str:
    given = {name: np.atleast_2d(np.array(value, float)) for name, value in inputs.items()}
    full = nf.declare.CATALOG[type_].check(settings or {}, "n")
    value = nf.declare.CATALOG[type_].compute(given, full)
    name = nf.declare.CATALOG[type_].outputs[0].name
    return Step(0, 0, 0, "forward", "n", type_, given, {name: np.asarray(value)}, "", full).formula


FORMULAS = [
    ("sigmoid", {"z": 0.5}, {}, "a = 1 / (1 + e^(−0.5)) = 0.6225"),
    ("tanh", {"z": -1}, {}, "a = tanh(−1) = −0.7616"),
    ("relu", {"z": -1}, {}, "a = max(0, −1) = 0"),
    ("softplus", {"z": 1}, {}, "a = ln(1 + e^1) = 1.3133"),
    ("error", {"a": 0.7, "y": -1}, {}, "e = 0.7 − (−1) = 1.7"),
    ("squared_error", {"a": [0.5, 2], "y": [1, 0]}, {}, "cost = (0.5 − 1)² + (2 − 0)² = 4.25"),
    ("squared_error", {"a": 3, "y": 1}, {"half": True}, "cost = 0.5·(3 − 1)² = 2"),
    ("subtract", {"a": 1, "b": 3}, {}, "value = 1 − 3 = −2"),
    ("divide", {"a": 1, "b": -4}, {}, "value = 1 / (−4) = −0.25"),
    ("power", {"a": -3}, {"exponent": 2}, "value = (−3)² = 9"),
    ("delta", {"blame": 2, "a": 0.5}, {}, "delta = 2·0.5·(1 − 0.5) = 0.5"),
    ("delta", {"blame": 2, "a": 0.5}, {"activation": "tanh"}, "delta = 2·(1 − 0.5²) = 1.5"),
    ("delta", {"blame": 2, "a": 3}, {"activation": "relu"}, "delta = 2·1 = 2"),
    ("delta", {"blame": 2, "a": 1}, {"activation": "softplus"}, "delta = 2·(1 − e^(−1)) = 1.2642"),
    ("bias_gradient", {"delta": 0.25}, {}, "gradient = 0.25"),
    ("bias_gradient", {"delta": [[1], [2]]}, {}, "gradient = 1 + 2 = 3"),
    ("exp", {"a": 0}, {}, "value = e^0 = 1"),
]


@pytest.mark.parametrize(("type_", "inputs", "settings", "text"), FORMULAS)
def test_the_formula_holds_the_numbers(type_, inputs, settings, text) -> None:
    assert filled(type_, settings, **inputs) == text


def test_a_layer_writes_out_its_first_neuron() -> None:
    """The sum of Mazur's first hidden neuron, as the article prints it."""
    x = nf.constant(value=[0.05, 0.10])
    w = nf.parameter(value=[[0.15, 0.20], [0.25, 0.30]])
    run = nf.Run(nf.Graph.of(nf.weighted_sum(x, w, nf.parameter(value=[0.35, 0.35]), id="hidden")))
    step = run.advance("update")
    assert step.formula == "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"


def test_long_sums_keep_their_largest_terms() -> None:
    x = nf.constant(value=list(range(1, 11)))
    w = nf.parameter(value=[[1.0] * 10])
    step = nf.Run(nf.Graph.of(nf.weighted_sum(x, w))).advance("update")
    assert step.formula == ("z = 1·6 + 1·7 + 1·8 + 1·9 + 1·10 + (5 smaller terms: 15) = 55")


def test_what_is_0_in_a_long_sum_is_only_counted() -> None:
    x = nf.constant(value=[0, 0, 3, 0, 0, 0, 2, 0])
    w = nf.parameter(value=[[1.0] * 8, [0.0] * 8])
    step = nf.Run(nf.Graph.of(nf.weighted_sum(x, w))).advance("update")
    assert step.formula == "z₁ = 1·3 + 1·2 + (6 terms of 0) = 5"
    x = nf.constant(value=[0.0] * 8)
    step = nf.Run(nf.Graph.of(nf.weighted_sum(x, w))).advance("update")
    assert step.formula == "z₁ = 1·0 + (7 terms of 0) = 0"


@pytest.mark.parametrize("options", [{"batch": 1}, {"batch": 3, "l2": 0.1}, {"trainer": "adam"}])
def test_the_formula_is_the_first_line_of_the_explanation(options) -> None:
    run = nf.Run(networks.net("iris", (4, 5, 3), **options))
    while run.update == 0:
        step = run.step()
        if body_of(step.type):
            assert step.formula == explain(run, step).lines[0].text


def test_what_only_holds_numbers_lists_them() -> None:
    run = nf.Run(networks.net("iris", (4, 5, 3), batch=1))
    found = {}
    while run.update == 0:
        step = run.step()
        found[step.node] = step.formula
    assert re.fullmatch(r"x = \[.+, .+, .+, .+\], y = \[[01], [01], [01]\]", found["data"])
    assert found["theta1"].endswith(", …]")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (123456.7, "123456.7"),
        (1234567.0, "1.235e+06"),
        (1e-7, "1e−07"),
        (float("nan"), "NaN"),
        (float("-inf"), "−Infinity"),
        (0.30000001, "0.3"),
        (12.34567, "12.3457"),
    ],
)
def test_numbers_are_shown_as_a_person_writes_them(number, text) -> None:
    assert show(number) == text
