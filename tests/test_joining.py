"""Node types that are declared while the program runs, computed by the kernel like any other."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from helpers_kernel import WAYS, Program, executed, executing
from networks import net

import nodeflow as nf
from nodeflow.declare import CATALOG, node
from nodeflow.engine.kernel import language, registry, scalar
from nodeflow.engine.kernel.language import Double, divide
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS, fused, join
from nodeflow.engine.kernel.scalar import branching, exp, expm1
from nodeflow.engine.lowering import compute_by
from nodeflow.engine.machine import Machine
from nodeflow.errors import DeclarationError

STEEP = 1.0


def kernel_elu(z: Double) -> Double:
    return z if z > 0.0 else STEEP * expm1(z)


def kernel_elu_delta(blame: Double, a: Double) -> Double:
    return blame if a > 0.0 else blame * (a + STEEP)


@pytest.fixture
def elu(monkeypatch):
    """Declare ELU (D.-A. Clevert et al., 2016) with its rule, and let the kernel compute both."""

    @node("activation", formula="a = z if z > 0 else e^z − 1", shapes="elementwise", name="elu")
    def elu(z):
        """Pass positive weighted sums, bend negative ones smoothly to −1."""
        return np.where(z > 0, z, np.expm1(z))

    @node(
        "backward", formula="δ = b·(1 if a > 0 else a + 1)", outputs="delta",
        shapes="elementwise", name="elu_delta", no_backward="it is part of the backward pass",
    )  # fmt: skip
    def elu_delta(blame, a):
        """Multiply blame by the slope of an ELU."""
        return blame * np.where(a > 0, 1, a + 1)

    @elu.backward
    def _(blame, z, a):
        return {"z": elu_delta(blame, a)}

    compute_by(elu, kernel_elu)
    compute_by(elu_delta, kernel_elu_delta)
    monkeypatch.setattr(nf, "elu", elu, raising=False)
    yield elu
    for name in ("elu", "elu_delta"):
        CATALOG.remove(name)


@pytest.mark.usefixtures("elu")
def test_another_type_of_the_same_name_is_computed_by_its_own_function():
    CATALOG.remove("elu")

    @node("activation", formula="a = 2z", shapes="elementwise", name="elu", no_backward="a test")
    def doubled(z):
        """Double it: a plugin that was edited and is read again."""
        return 2 * z

    run = nf.Run(nf.Graph.of(doubled(nf.constant(value=[-3.0], id="z"), id="a")))
    run.evaluate()
    assert run["a.a"].ravel().tolist() == [-6.0]


def trained(graph, batch, way):
    machine = Machine(graph, seed=0, batch=batch, dtype="float64")
    history, states = np.zeros((3, 4)), np.zeros((3, machine.tape.state))
    with executing(way):
        machine.train(0, 3 * machine.per_epoch, history, states)
    return machine.cells[: machine.tape.state].copy()


def elu_net(act="elu"):
    return net("iris", (4, 9, 3), act=act, last="sigmoid", rate=0.1)


def test_an_elu_gives_the_same_bits_in_every_way(elu):
    graph = elu_net()
    for batch in (1, 5):
        found = [trained(graph, batch, way).tobytes() for way in WAYS]
        assert len(set(found)) == 1
    stepped = nf.Run(graph, batch=5)
    while stepped.update < 90:
        stepped.step()
    assert np.concatenate([w.ravel() for w in stepped.weights.values()]).size
    fast = nf.Run(graph, batch=5)
    fast.train(updates=90)
    for key, value in stepped.weights.items():
        assert fast.weights[key].tobytes() == value.tobytes()


def test_an_elu_is_what_its_numpy_function_says(elu):
    run = nf.Run(elu_net(), batch="all")
    run.advance("epoch")
    run.train(updates=1)
    z, a = run["hidden1.z"], run["hidden1.a.a"]
    np.testing.assert_allclose(a, elu.function(z), rtol=1e-15)
    assert nf.check(elu_net())


def test_an_elu_is_as_fast_as_a_built_in(elu):
    """At most 1.5 times a tanh, which is about as much work; through Python it is tens of times."""
    machines = [Machine(elu_net(act), seed=0, batch=1, dtype="float64") for act in ("elu", "tanh")]
    assert not any(call for machine in machines for call in machine.tape.calls)
    assert len(machines[0].fast.table) == len(machines[1].fast.table)
    best = [math.inf, math.inf]
    for _ in range(8):
        for number, machine in enumerate(machines):
            history, states = np.zeros((20, 4)), np.zeros((20, machine.tape.state))
            with executing("machine code"):
                started = time.perf_counter()
                machine.train(0, 20 * machine.per_epoch, history, states)
                best[number] = min(best[number], time.perf_counter() - started)
    assert best[0] < 1.5 * best[1]


# --- functions that cannot join ------------------------------------------------------------------


def by_numpy(x: Double) -> Double:
    return np.exp(x)


def by_math(x: Double) -> Double:
    return math.exp(x)


def plain_quotient(x: Double, y: Double) -> Double:
    return x / y


def endless(x: Double) -> Double:
    return x if x > 0.0 else endless(x + 1.0)


def first_of_two(x: Double) -> Double:
    return again(x)


def again(x: Double) -> Double:
    return first_of_two(x)


def unmarked(x: Double) -> Double:
    if x > 0.0:
        return x
    return 0.0


def forgetful(x: Double) -> Double:
    y = x  # noqa: F841


@branching
def sometimes(x: Double) -> Double:
    if x > 0.0:
        return x


def without_types(x):
    return x


def whole_numbers(x: int) -> int:
    return x


def four(a: Double, b: Double, c: Double, d: Double) -> Double:
    return a


def none() -> Double:
    return 1.0


def many(*x: Double) -> Double:
    return x


def powered(x: Double) -> Double:
    return x**2


def listed(x: Double) -> Double:
    return [x][0]


def named(x: Double) -> Double:
    return exp(x=x)


def too_many(x: Double) -> Double:
    return exp(x, x)


def member(x: Double) -> Double:
    return 1.0 if x in (1.0, 2.0) else 0.0


def unknown(x: Double) -> Double:
    return x * nowhere  # noqa: F821


def unknown_call(x: Double) -> Double:
    return nowhere(x)  # noqa: F821


@branching
def looped(x: Double) -> Double:
    for _ in range(3):
        x = x + 1.0
    else:
        x = x * 2.0
    return x


def made(slope):
    def line(x: Double) -> Double:
        return slope * x

    return line


REFUSED = {
    "np": (by_numpy, "not a function defined by `def` in Python"),
    "math": (by_math, "not a function defined by `def` in Python"),
    "quotient": (plain_quotient, "write divide(x, y)"),
    "recursion": (endless, "calls itself"),
    "mutual recursion": (first_of_two, "calls itself"),
    "unmarked": (unmarked, "marked with @branching"),
    "no result": (forgetful, "may end without a result"),
    "no result sometimes": (sometimes, "may end without a result"),
    "no types": (without_types, "annotate"),
    "whole numbers": (whole_numbers, "annotate"),
    "four": (four, "one, two or three numbers"),
    "none": (none, "one, two or three numbers"),
    "any number": (many, "one, two or three numbers"),
    "power": (powered, "no such operation"),
    "list": (listed, "in `"),
    "by name": (named, "arguments by name"),
    "too many": (too_many, "not as many arguments"),
    "member": (member, "an expression"),
    "unknown": (unknown, "'nowhere' is not known"),
    "unknown function": (unknown_call, "an unknown function"),
    "else of a loop": (looped, "a statement"),
    "closure": (made(2.0), "variables of a function around it"),
    "lambda": (lambda x: x, "not a function defined by `def`"),
    "class": (float, "not a function defined by `def`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_in_the_language_is_refused_in_a_sentence(name):
    function, why = REFUSED[name]
    count = len(BY_NUMBER)
    with pytest.raises(DeclarationError, match="cannot become a row of the kernel") as caught:
        join(f"refused {name}", function)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(BY_NUMBER) == count


def test_a_source_that_cannot_be_read_is_said():
    space = {"Double": "Double"}
    exec("def typed(x: Double) -> Double:\n    return x", space)
    with pytest.raises(DeclarationError, match="its source cannot be read"):
        join("typed at a prompt", space["typed"])


def test_built_in_names_are_taken():
    with pytest.raises(DeclarationError, match="built-in operation"):
        join("tanh", kernel_elu)


def test_a_function_that_does_not_fit_its_type_is_refused(elu):
    with pytest.raises(DeclarationError, match="a parameter of the function for each input"):
        compute_by(elu, kernel_elu_delta)
    with pytest.raises(DeclarationError, match="a parameter of the function for each input"):
        compute_by(CATALOG["concatenate"], kernel_elu)


# --- functions that join -------------------------------------------------------------------------


def tanh(x: Double) -> Double:  # not the kernel's own, which it calls under another name
    return 2.0 * scalar.tanh(0.5 * x)


def σ(ζ: Double) -> Double:
    """A name that is not ASCII."""
    return divide(1.0, 1.0 + exp(-ζ))


@branching
def collatz(x: Double) -> Double:
    steps = 0.0
    n = language.to_whole(x * x + 1.0)
    while n > 1 and steps < 50.0:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps = steps + 1.0
    return steps


def horner(x: Double) -> Double:
    total = 0.0
    for _ in range(20):
        total = total * x + 0.5
    return total


def lane(x: Double, y: Double) -> Double:
    """It has the name of a function that the compiler knows."""
    return x - y


def lanes(x: Double, y: Double, z: Double) -> Double:
    return lane(x, y) * (z if not x < y else -z)


JOINING = [tanh, σ, collatz, horner, lane, lanes]


@pytest.mark.parametrize("function", JOINING)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_function_that_joins_is_executed_alike(function, dtype):
    operation = join(f"joined {function.__name__}", function)
    program = Program(3, samples=2)
    for name in (operation.name, "tanh", operation.name):
        program.add(name)
    found = [executed(way, program.rows, program.cells(dtype)) for way in WAYS]
    assert found[0].same(found[1])
    assert found[0].same(found[2])


def test_a_name_stands_for_its_newest_function():
    """A cell of a notebook that is run again; what was laid out before keeps its function."""
    one, other = join("again", kernel_elu), join("again", tanh)
    assert one.number != other.number
    assert join("again", tanh) is other
    for operation, truth in ((one, kernel_elu(-1.0)), (other, tanh(-1.0))):
        row = [operation.number, 1, 1, 0, 1, 1, 1, 1, 1]
        for way in WAYS:
            cells = executed(way, [row], np.array([0.0, -1.0] + [0.0] * 16)).cells
            assert cells[0] == truth
    for name in ("layer", "again"):
        assert OPERATIONS.get(name) is not one


def test_a_fused_row_has_the_newest_function_too():
    join("fresh", kernel_elu)
    before = fused("layer", "fresh")
    join("fresh", σ)
    after = fused("layer", "fresh")
    assert (before.scalar, after.scalar) == (kernel_elu, σ)
    assert fused("layer", "fresh") is after


def test_numbers_of_operations_are_their_places():
    assert [operation.number for operation in registry.BY_NUMBER] == list(range(len(BY_NUMBER)))
