"""The row kernel of each type against its NumPy function, which is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_nodes import CASES, NODE, Case, Fed, computed, graph_of, rows, theta
from numpy.testing import assert_allclose

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.engine.cells import BLAS_FROM
from nodeflow.engine.kernel.sums import SHORT
from nodeflow.formula import FUNCTIONS, names, parse

TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}


def held(case: Case, values, got: np.ndarray, dtype=np.float64, samples: int = 1) -> None:
    """Hold a value of the tape against the type's function, to rounding."""
    wanted = case.truth(values, samples)
    tolerance = TOLERANCE[dtype]
    scale = max(1.0, float(np.abs(wanted).max(initial=0)))
    assert got.dtype == dtype
    assert got.size == wanted.size
    assert_allclose(got.ravel(), wanted.ravel(), rtol=tolerance, atol=tolerance * scale)


def test_every_type_with_a_row_kernel_has_a_case() -> None:
    lowered = {name for name, type_ in CATALOG.items() if type_.is_own and type_.lower}
    assert lowered
    assert lowered <= {case.type for case in CASES}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row_is_the_numpy_function(case: Case, dtype, tmp_path) -> None:
    # In one batch from constants, or picked out of the wider rows of a data set, also one alone.
    for n, stored in ((2, False), (7, False), (1, True), (2, True), (7, True)):
        if not case.batched and (n, stored) != (2, False):
            continue
        values = case.values(n)
        folder = tmp_path / str(n) if stored else None
        if folder is not None:
            folder.mkdir()
        graph = graph_of(case, values, folder)
        got = computed(graph, f"{NODE}.{case.node_type.outputs[0].name}", dtype)
        held(case, values, got, dtype, n if case.batched else 1)


def off_the_tape(case: Case, graph, n: int, dtype=np.float64) -> np.ndarray:
    """Return the node's value after all rows were executed, NaN and Infinity let through."""
    machine = nf.Run(graph, batch="all", dtype=dtype).machine
    machine.update(0)
    return machine.read(f"{NODE}.{case.node_type.outputs[0].name}", n)


# Products around the sizes at which another loop, or BLAS, takes over; odd sizes leave remainders.
PRODUCTS = [
    (1, 1, 1),
    (2, 3, 5),
    (7, 14, 10),
    (2, 15, 16),
    (3, 16, 17),
    (5, 41, 23),
    (1, 97, 31),
    (4, 50, 40),
    (33, 301, 60),
    (33, 303, 67),
    (1, 801, 751),
]


def test_the_products_cover_every_loop() -> None:
    sizes = [n * i * o for n, i, o in PRODUCTS]
    assert any(size < BLAS_FROM for size in sizes)
    assert any(size > BLAS_FROM for size in sizes)
    for terms in (SHORT - 1, SHORT):  # with a bias and without
        assert {terms, terms - 1} & {i for _, i, _ in PRODUCTS}
    assert any(n % 2 and o % 4 for n, i, o in PRODUCTS if i >= SHORT)


@pytest.mark.parametrize("source", ["own cells", "columns of a data set"])
@pytest.mark.parametrize("shape", PRODUCTS, ids=str)
def test_large_products(shape, source, tmp_path) -> None:
    n, inner, outer = shape
    cases = [
        Case("weighted_sum", {"a": (rows(inner),), "weights": (theta(outer, inner),)}),
        Case(
            "weighted_sum",
            {"a": (rows(inner),), "weights": (theta(outer, inner),), "bias": (theta(outer),)},
        ),
        Case("blame", {"delta": (rows(outer),), "weights": (theta(outer, inner),)}),
        Case("weight_gradient", {"delta": (rows(outer),), "a": (rows(inner),)}),
        Case("bias_gradient", {"delta": (rows(outer),)}),
    ]
    for number, case in enumerate(cases):
        folder = None
        if source != "own cells":
            folder = tmp_path / str(number)
            folder.mkdir()
        values = case.values(n)
        graph = graph_of(case, values, folder)
        for dtype in TOLERANCE:
            held(case, values, off_the_tape(case, graph, n, dtype), dtype)


FLAT = [
    *((name, "z") for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "softmax")),
    *((name, "a a") for name in ("add", "multiply")),
    *((name, "a b") for name in ("subtract", "divide")),
]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("features", [9, 10, 61])
@pytest.mark.parametrize(("name", "ports"), FLAT)
def test_many_numbers_at_once(name, ports, features, dtype) -> None:
    ports_ = {}
    for port in ports.split():
        ports_[port] = (*ports_.get(port, ()), rows(features, "off zero"))
    matrices = {
        port: (theta(3, features, domain="off zero"),) * len(there)
        for port, there in ports_.items()
    }
    for case in (Case(name, ports_), Case(name, matrices)):
        if name == "softmax" and not case.batched:
            continue
        values = case.values(7)
        held(case, values, off_the_tape(case, graph_of(case, values), 7, dtype), dtype)


@pytest.mark.parametrize("features", [3, 61])
@pytest.mark.parametrize(
    "activation",
    ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax"],
)
def test_many_slopes_at_once(activation, features) -> None:
    case = Case(
        "delta", {"blame": (rows(features),), "a": (rows(features),)}, {"activation": activation}
    )
    values = case.values(7)
    held(case, values, off_the_tape(case, graph_of(case, values), 7))


def test_a_number_scales_many_rows() -> None:
    for features in (3, 61):
        case = Case("multiply", {"a": (Fed("row", (1,)), rows(features))})
        values = case.values(7)
        held(case, values, off_the_tape(case, graph_of(case, values), 7))


# --- the ends of the range ----------------------------------------------------------------------

EXTREME = [800.0, -800.0, 0.0, -0.0, 1e-300, -1e-300, 5e-324, 30.0, -30.0, 709.5, -745.0, 1.0]
SHARES = [0.0, 1.0, 1e-300, 5e-324, 1 - 2**-53, 0.5, 1e-8, 1.0, 0.0, 0.25, 0.75, 1e-30]


def extreme_cases() -> list[tuple[Case, dict]]:
    """Return every row of functions with the hardest numbers, few of them and many."""
    found = []
    for times in (1, 7):
        z = np.array(EXTREME * times)
        share = np.array(SHARES * times)
        width = len(z)
        both = np.stack([z, z[::-1]])
        shares = np.stack([share, share[::-1]])
        bits = (np.stack([share, share[::-1]]) > 0.6).astype(float)
        one = np.full((2, 1), 1.0)
        for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax"):
            found.append((Case(name, {"z": (rows(width),)}), {"z": [both]}))
            case = Case(
                "delta", {"blame": (rows(width),), "a": (rows(width),)}, {"activation": name}
            )
            found.append((case, {"blame": [np.ones_like(both)], "a": [np.clip(both, -1, 1)]}))
        wires = {"a": (rows(width),)}
        found += [(Case(name, wires), {"a": [both]}) for name in ("exp", "log", "sum", "mean")]
        found += [
            (Case("power", wires, {"exponent": exponent}), {"a": [both]})
            for exponent in (2.0, -1.0, 0.5, 0.0, 3.0)
        ]
        found += [
            (Case(name, {"a": (rows(width), rows(width))}), {"a": [both, both[::-1]]})
            for name in ("add", "multiply")
        ]
        for name in ("subtract", "divide"):
            case = Case(name, {"a": (rows(width),), "b": (rows(width),)})
            found.append((case, {"a": [both], "b": [np.roll(both, 1, axis=1)]}))
        for text in (*(f"{f}(a)" for f in FUNCTIONS), "max(a, b)", "min(a, b)", "a ^ b", "a / b"):
            wanted = {"a": [both], "b": [np.roll(both, 1, axis=1)]}
            given = {key: wanted[key] for key in names(parse(text))}
            case = Case("expression", {key: (rows(width),) for key in given}, {"formula": text})
            found.append((case, given))
        for name in ("cross_entropy", "categorical_cross_entropy"):
            ports = {"a": (rows(width),), "y": (rows(width),)}
            found.append((Case(name, ports), {"a": [shares], "y": [bits]}))
            case = Case(f"{name}_blame", {"blame": (rows(1),), **ports})
            found.append((case, {"blame": [one], "a": [shares], "y": [bits]}))
    return found


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("case", "values"), [pytest.param(*found, id=str(found[0])) for found in extreme_cases()]
)
def test_the_ends_of_the_range(case, values, dtype) -> None:
    given = {port: [there.astype(dtype) for there in many] for port, many in values.items()}
    with np.errstate(all="ignore"):
        wanted = case.truth(given, 2)
        got = off_the_tape(case, graph_of(case, values), 2, dtype)
    assert not (np.isnan(got) & ~np.isnan(wanted)).any()
    assert (np.isnan(got) == np.isnan(wanted)).all()
    tiny = np.finfo(dtype).tiny
    assert_allclose(got, wanted, rtol=TOLERANCE[dtype], atol=10 * tiny)


def test_nan_stays_nan() -> None:
    for name in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "softmax", "identity"):
        for width in (3, 80):
            case = Case(name, {"z": (theta(width),)})
            graph = graph_of(case, {"z": [np.ones(width)]})
            run = nf.Run(graph)
            run.machine.write("in-z-0.value", np.full(width, np.nan))
            run.machine.update(0)
            assert np.isnan(run.machine.read(f"{NODE}.a", 1)).all(), (name, width)
