"""A sum has one order, whoever adds it up: rows of a layer, of neurons, of single operations."""

from __future__ import annotations

import re
from itertools import cycle

import numpy as np
import pytest
from helpers_kernel import (
    MACHINE,
    PYTHON,
    STRAIGHT,
    TIMES,
    WAYS,
    Program,
    executed,
    executing,
    same_bits,
)
from networks import net

import nodeflow as nf
from nodeflow.engine import cells, coalescing, executor, fusing, prepared
from nodeflow.engine.kernel import machine_code, products, statements, sums
from nodeflow.engine.kernel.registry import OPERATIONS
from nodeflow.engine.kernel.sums import order_of_addition
from nodeflow.engine.machine import Machine

ALL_WIDTHS = range(1, 131)
DTYPES = ("float64", "float32")


def row(name: str, **operands: int) -> list[int]:
    operation = OPERATIONS[name]
    return [operation.number, *(operands.get(operand, 0) for operand in operation.operands)]


def written(terms: np.ndarray) -> np.floating:
    """Add numbers as the documentation of `sums` says, each partial sum rounded."""
    if len(terms) < 16:
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total
    lanes = list(terms[:8])
    for place in range(8, len(terms)):
        lanes[place % 8] = lanes[place % 8] + terms[place]
    a, b, c, d, e, f, g, h = lanes
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


# --- one sum, in every form ----------------------------------------------------------------------


def sums_of(width: int, seed: int = 0) -> tuple[list[list[int]], dict[str, list[int]], Program]:
    """Return rows that add the products of `width` pairs of numbers in every form.

    Of each sum there are the place where it ends up and those of its terms; in two of them, the
    last term is a bias.
    """
    p = Program(width + 1000 * seed, samples=1)
    one, zero = p.take(1), p.take(1)
    p.fixed |= {one: 1.0, zero: 0.0}
    a, weights, bias = p.take(width), p.take(width), p.take(1)
    terms = p.take(width + 1)
    wholes = {"rows": 1, "cols": 1, "inner": width, "weights": weights, "dst_r": 1}
    made = [
        row("multiply", rows=1, cols=width, dst=terms, dst_c=1, a=a, a_c=1, b=weights, b_c=1),
        row("copy", rows=1, cols=1, dst=terms + width, dst_c=1, a=bias, a_c=1),
    ]
    ends: dict[str, list[int]] = {"plain": [], "bias": []}

    def add(kind: str, name: str, **operands: int) -> None:
        ends[kind].append(p.take(1))
        made.append(row(name, dst=ends[kind][-1], **operands))

    add("plain", "weighted_sum", a=a, **wholes, bias=-1)
    add("bias", "weighted_sum", a=a, **wholes, bias=bias)
    add("plain", "blame", delta=a, delta_r=width, **wholes)
    add("plain", "sum", rows=1, inner=width, a=terms, b=terms, scale=one)
    for kind, count in (("plain", width), ("bias", width + 1)):
        copied = p.take(count)
        alike = {"rows": 1, "dst_c": 1, "a_c": 1, "b_c": 1}
        made.append(row("copy", **alike, cols=count, dst=copied, a=terms))
        for place, other in order_of_addition(count):
            to, more = copied + place, copied + other
            made.append(row("add", **alike, cols=1, dst=to, a=to, b=more))
        ends[kind].append(copied)
    out = p.take(1)
    made.append(row("layer.relu", **wholes, a=a, bias=-1, dst=p.take(1), out=out, out_r=1))
    made.append(row("add", rows=1, cols=1, dst=out, dst_c=1, a=ends["plain"][0], b=zero))
    p.rows = made
    return made, {**ends, "terms": [terms, width]}, p


def disagreeing(width: int, way: str, dtype: str, seed: int = 0) -> list[str]:
    """Return which sums of this width have not the bits of the written order."""
    made, ends, program = sums_of(width, seed)
    cells = executed(way, made, program.cells(dtype), updates=1).cells
    terms, count = ends["terms"]
    products_ = cells[terms : terms + count + 1]
    found = []
    for kind, more in (("plain", 0), ("bias", 1)):
        truth = written(products_[: count + more])
        found += [f"{kind} {place}" for place in ends[kind] if cells[place] != truth]
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", [PYTHON, MACHINE])
def test_every_sum_is_added_in_the_written_order(way, dtype):
    for width in ALL_WIDTHS:
        assert not disagreeing(width, way, dtype), width


@pytest.mark.parametrize("width", [1, 7, 8, 9, 14, 15, 16, 17, 24, 31, 130])
def test_straight_line_code_adds_in_the_written_order(width):
    assert not disagreeing(width, STRAIGHT, "float64")


# --- networks ------------------------------------------------------------------------------------


def data(folder, inputs: int, outputs: int, samples: int = 12) -> str:
    rng = np.random.default_rng(inputs + outputs)
    y = rng.random((samples, outputs))
    path = folder / "data.npz"
    np.savez(path, x=rng.normal(size=(samples, inputs)), y=y / y.sum(axis=1, keepdims=True))
    return str(path)


def parameters(machine: Machine) -> np.ndarray:
    """Return all weights and biases in the order of the layer, however it is taken apart."""

    def place(key: str) -> tuple[str, list[int]]:
        return re.sub(r"\.\d+", "", key), [int(number) for number in re.findall(r"(?<=\.)\d+", key)]

    keys = [key for key in machine.plan.order if machine.plan.graph.nodes[key].type == "parameter"]
    ordered = sorted(keys, key=place)
    return np.concatenate([machine.read(f"{key}.value", 1).ravel() for key in ordered])


def by_steps(machine: Machine, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return history and parameters after so many epochs, update by update, every row."""
    history = np.zeros((epochs, 4))
    for update in range(epochs * machine.per_epoch):
        machine.update(update)
        if (update + 1) % machine.per_epoch == 0:
            history[update // machine.per_epoch] = machine.summary()
    return history, parameters(machine)


def at_full_speed(machine: Machine, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return history and parameters after so many epochs at full speed."""
    history = np.zeros((epochs, 4))
    states = np.zeros((epochs, machine.tape.state), machine.dtype)
    machine.train(0, epochs * machine.per_epoch, history, states)
    return history, parameters(machine)


def assert_all_ways_agree(graph, batch, *, epochs=2, dtype="float64", ways=(PYTHON, MACHINE)):
    """Hold stepping and full speed, each in several ways, to the same bits; return them."""
    machine = Machine(graph, seed=0, batch=batch, dtype=dtype)
    start = machine.cells.copy()
    wanted = None
    for way in ways:
        for run in (at_full_speed,) if way == STRAIGHT else (by_steps, at_full_speed):
            machine.cells[:] = start
            machine.stats[:] = 0
            machine._placed = (-1, -1)
            with executing(way):
                found = run(machine, epochs)
            assert not np.array_equal(machine.cells[: machine.tape.state], machine.start)
            wanted = wanted or found
            for one, other in zip(found, wanted, strict=True):
                assert same_bits(one, other), (way, run.__name__)
    return wanted


ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus")
COSTS = ("squared_error", "cross_entropy", "categorical_cross_entropy")
TRAINERS = (
    {"trainer": "gradient_descent", "rate": 0.1},
    {"trainer": "gradient_descent", "rate": 0.1, "momentum": 0.5},
    {"trainer": "adam", "rate": 0.01},
    {"trainer": "gradient_descent", "rate": 0.1, "l2": 0.1},
)
BATCHES = (1, 2, 3, 4, 5, "all")
MIXED = list(
    zip(
        range(60),
        cycle(ACTIVATIONS),
        cycle([*COSTS, "softmax"]),
        cycle(TRAINERS),
        cycle([*BATCHES, 1]),
        cycle([1, 3, 2]),
        strict=False,
    )
)


def network(folder, sizes, act, cost, trainer):
    # A single ReLU at the end may be dead: then nothing is trained that could differ.
    own = "leaky_relu" if act == "relu" and sizes[-1] == 1 else act
    last = {"softmax": "softmax", "squared_error": own}.get(cost, "sigmoid")
    cost = "categorical_cross_entropy" if cost == "softmax" else cost
    path = data(folder, sizes[0], sizes[-1])
    return net(path, sizes, act=act, last=last, cost=cost, scale="none", **trainer)


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_stepping_and_full_speed_agree_at_every_width(width, tmp_path):
    """Which activation, cost, trainer and batch meets a width goes round."""
    _, act, cost, trainer, batch, narrow = MIXED[width % len(MIXED)]
    for sizes in [(width, narrow, width), (narrow, width, narrow)][width % 2 :][:TIMES]:
        graph = network(tmp_path, sizes, act, cost, trainer)
        dtype = DTYPES[width % 5 == 0]
        assert_all_ways_agree(graph, batch, dtype=dtype, ways=(MACHINE,), epochs=2)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_every_trainer_and_batch_in_every_way(trainer, batch, tmp_path):
    number = BATCHES.index(batch) + 6 * TRAINERS.index(trainer)
    act, cost = ACTIVATIONS[number % 5], [*COSTS, "softmax"][number // 2 % 4]
    graph = network(tmp_path, (3, 5, 2), act, cost, trainer)
    straight = batch != 5 and number % 3 == 0  # 12 samples are no whole number of fives
    assert_all_ways_agree(graph, batch, ways=WAYS if straight else (PYTHON, MACHINE))


def taken_apart(graph, level):
    graph = nf.explode(graph)
    if level == "operations":
        for key in graph.of_type("weighted_sum"):
            graph = nf.explode(graph, key)
    return graph


NEURONS = [1, 7, 8, 9, 14, 15, 16, 17, 33, 64]
OPERATIONS_ = [2, 8, 14, 15, 16, 17]


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize(
    ("level", "width"),
    [*(("neurons", width) for width in NEURONS), *(("operations", width) for width in OPERATIONS_)],
)
def test_a_layer_taken_apart_has_the_same_bits(level, width, batch, tmp_path):
    _, act, cost, trainer, _, _ = MIXED[(width + 3) % len(MIXED)]
    cost = "cross_entropy" if cost == "softmax" else cost  # softmax is no matter of one neuron
    graph = network(tmp_path, (width, 2, width), act, cost, trainer)
    whole = assert_all_ways_agree(graph, batch, ways=(MACHINE,), epochs=3)
    parts = assert_all_ways_agree(taken_apart(graph, level), batch, ways=(MACHINE,), epochs=3)
    if "l2" in trainer:  # ΣΘ² is added up a parameter at a time: J depends on how many there are
        whole, parts = whole[1:], parts[1:]
    for one, other in zip(whole, parts, strict=True):
        assert same_bits(one, other)


def test_a_layer_of_64_neurons_taken_apart_stays_the_same(tmp_path):
    graph = net("iris", (4, 64, 3), rate=0.3)
    whole = at_full_speed(Machine(graph, seed=0, batch=1, dtype="float64"), 8)
    parts = at_full_speed(Machine(nf.explode(graph), seed=0, batch=1, dtype="float64"), 8)
    for one, other in zip(whole, parts, strict=True):
        assert same_bits(one, other)


# --- what these tests notice ---------------------------------------------------------------------


@pytest.fixture
def compiled_anew(monkeypatch, tmp_path):
    """Let rows be compiled from the constants as they are now, and forget them afterwards."""
    monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(machine_code, "_loaded", {})


def agree(folder, level="operations", width=16) -> bool:
    """Tell whether a network and its operations, stepping and at full speed, have the same bits."""
    graph = network(folder, (width, 2, width), "tanh", "squared_error", TRAINERS[0])
    found = []
    for one in (graph, taken_apart(graph, level)):
        for batch_run in (by_steps, at_full_speed):
            with executing(MACHINE):
                found.append(batch_run(Machine(one, seed=0, batch=1, dtype="float64"), 3))
    return all(
        same_bits(part, other)
        for both in found[1:]
        for part, other in zip(both, found[0], strict=True)
    )


def test_without_a_change_all_agree(compiled_anew, tmp_path):
    assert agree(tmp_path)


@pytest.mark.parametrize("way", [PYTHON, MACHINE])
@pytest.mark.parametrize(
    ("module", "name", "value", "width"),
    [
        (products, "SHORT", 17, 16),
        (products, "SHORT", 15, 15),
        (sums, "SHORT", 17, 16),
        (sums, "SHORT", 12, 12),
        (sums, "LANES", 4, 31),
    ],
)
def test_a_constant_of_the_order_cannot_change_in_one_place_only(
    compiled_anew, monkeypatch, way, module, name, value, width
):
    assert not disagreeing(width, way, "float64")
    monkeypatch.setattr(machine_code, "_loaded", {})
    monkeypatch.setenv("NODEFLOW_CACHE", "")
    monkeypatch.setattr(machine_code, "cache_folder", lambda: None)
    monkeypatch.setattr(machine_code, "_keep", lambda *_: None)
    monkeypatch.setattr(module, name, value)
    assert any(disagreeing(width, way, "float64", seed) for seed in range(8))


def test_another_order_of_addition_is_noticed(compiled_anew, monkeypatch, tmp_path):
    monkeypatch.setattr(cells, "order_of_addition", lambda n: [(0, k) for k in range(1, n)])
    assert not agree(tmp_path)


def test_a_fused_row_with_another_operand_is_noticed(compiled_anew, monkeypatch, tmp_path):
    emitted = fusing._row

    def wrong(name, **operands):
        if name == "step_weights":
            operands["rate"] = operands["decay"]
        return emitted(name, **operands)

    monkeypatch.setattr(fusing, "_row", wrong)
    assert not agree(tmp_path)


@pytest.mark.parametrize("value", [9, 12, 31])
def test_the_same_constant_everywhere_changes_no_bits_between_forms(
    compiled_anew, monkeypatch, tmp_path, value
):
    for module in (sums, products):
        monkeypatch.setattr(module, "SHORT", value)
    assert agree(tmp_path)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (statements, "UNROLLED", 0),
        (statements, "UNROLLED", 3),
        (statements, "UNROLLED", 40),
        (coalescing, "_MOST", 4),
        (coalescing, "_MOST", 10**9),
        (prepared, "_TEST_CHUNK", 5),
        (executor, "_PATIENCE", 0),
        (executor, "_MOST_ROWS", 3),
    ],
)
def test_which_loop_is_chosen_never_changes_a_bit(monkeypatch, tmp_path, module, name, value):
    graph = network(tmp_path, (16, 2, 16), "tanh", "squared_error", TRAINERS[0])
    graph = taken_apart(graph, "neurons")

    def bits() -> list[bytes]:
        one = Machine(graph, seed=0, batch=1, dtype="float64")
        with executing(MACHINE):
            return [part.tobytes() for part in at_full_speed(one, 2)]

    wanted = bits()
    if module is statements:
        monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(machine_code, "_loaded", {})
    monkeypatch.setattr(module, name, value)
    prepared.forget()
    assert bits() == wanted


@pytest.mark.parametrize("batch", [1, 3, "all"])
def test_products_by_blas_are_the_same_for_steps_and_full_speed(monkeypatch, tmp_path, batch):
    """Around the size from which BLAS multiplies, lowered here; its order is its own."""
    graph = network(tmp_path, (9, 5, 4), "tanh", "squared_error", TRAINERS[0])
    for size in (1, 45, 46, 20, 21, 10**9):
        monkeypatch.setattr(cells, "BLAS_FROM", size)
        prepared.forget()
        assert_all_ways_agree(graph, batch)
