"""Layers taken apart into neurons and operations: full speed gives the bits of the steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same, assert_same_moment, net, walk

import nodeflow as nf
from nodeflow.engine.cells import table
from nodeflow.engine.coalescing import coalesced
from nodeflow.engine.executor import Executor, executed_by
from nodeflow.engine.fusing import sums_of_products
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS
from nodeflow.engine.machine import Machine

SOURCE, SIZES = "iris", (4, 3, 3)


def without_bias(graph):
    for name, layer in (("b1", "hidden1"), ("b2", "output")):
        graph = graph.disconnect(f"{name}.value", f"{layer}.bias").remove(name)
    return graph


NETS = {
    "sigmoid": lambda: net(SOURCE, SIZES, rate=0.3, test=0.2),
    "tanh": lambda: net(SOURCE, SIZES, act="tanh", last="sigmoid", rate=0.1),
    "relu": lambda: net(SOURCE, SIZES, act="relu", last="identity", rate=0.01, half=True),
    "no bias": lambda: without_bias(net(SOURCE, SIZES, act="tanh", rate=0.1)),
    "cross-entropy": lambda: net(SOURCE, SIZES, cost="cross_entropy", rate=0.1),
    "softmax": lambda: net(
        SOURCE, SIZES, act="tanh", last="softmax", cost="categorical_cross_entropy", rate=0.1
    ),
    "momentum": lambda: net(SOURCE, SIZES, rate=0.1, momentum=0.5),
    "adam": lambda: net(SOURCE, SIZES, trainer="adam", rate=0.01),
    "frozen": lambda: net(SOURCE, SIZES, rate=0.1).with_mode("theta1", "freeze"),
    "penalty": lambda: net(SOURCE, SIZES, rate=0.1, l2=0.1),
    "three layers": lambda: net(SOURCE, (4, 3, 2, 3), rate=0.3),
    # more than nine: ids are sorted as text, 1 10 11 2 …, so parts lie in another order
    "eleven neurons": lambda: net(SOURCE, (4, 11, 3), act="tanh", last="sigmoid", rate=0.1),
    "one number": lambda: net("polynomial", (1, 3, 1), act="tanh", last="identity", rate=0.1),
}


def exploded(graph, level):
    """Return a graph with all layers as neurons, or as operations."""
    graph = nf.explode(graph)
    if level == "operations":
        for key in graph.of_type("weighted_sum"):
            graph = nf.explode(graph, key)
    return graph


def machines(graph, batch, dtype="float64"):
    return [Machine(graph, seed=3, batch=batch, dtype=dtype) for _ in range(2)]


def same_bits(one, other):
    assert one.tobytes() == other.tobytes()


STEPPED = ("weight_gradient", "bias_gradient", "average", "weight_update")
"""What full speed may do without storing it."""
LEVELS = pytest.mark.parametrize("level", ["neurons", "operations"])


@LEVELS
@pytest.mark.parametrize("batch", [1, 4, "all"])
@pytest.mark.parametrize("name", NETS)
def test_stepping_and_training_give_the_same_bits(name, level, batch):
    graph = exploded(NETS[name](), level)
    trained, stepped = nf.Run(graph, batch=batch), nf.Run(graph, batch=batch)
    trained.train(updates=5)
    walk(stepped, 5)
    assert_same_moment(trained, stepped)
    trained.train(updates=3)
    assert_same(trained.weights, walk(stepped, 8).weights)


@LEVELS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NETS)
def test_two_epochs_at_full_speed_give_the_bits_of_the_full_rows(name, level, dtype):
    """Not even the last update goes over the full rows; all cells that both write agree."""
    fast, full = machines(exploded(NETS[name](), level), 1, dtype)
    epochs = 2
    assert len(fast.fast.table) < len(fast.tape.ops)
    lines = [np.zeros((epochs, 4)) for _ in range(2)]
    states = [np.zeros((epochs, fast.tape.state), fast.dtype) for _ in range(2)]
    fast.train(0, epochs * fast.per_epoch, lines[0], states[0])
    for update in range(epochs * full.per_epoch):
        full.update(update)
        if (update + 1) % full.per_epoch == 0:
            lines[1][update // full.per_epoch] = full.summary()
            states[1][update // full.per_epoch] = full.cells[: full.tape.state]
    same_bits(states[0], states[1])
    same_bits(lines[0], lines[1])
    assert not np.array_equal(states[0][-1], fast.start)
    terms = {key for key, rows in sums_of_products(fast.tape).items() if not rows}
    for key in fast.plan.needed - terms:
        if fast.plan.graph.nodes[key].type not in STEPPED:
            for port in fast.plan.graph.type_of(key).outputs:
                address = f"{key}.{port.name}"
                same_bits(fast.read(address, 1), full.read(address, 1))


@LEVELS
@pytest.mark.parametrize("name", ["sigmoid", "adam", "eleven neurons"])
def test_goto_lands_on_the_bits_of_the_live_run(name, level):
    graph = exploded(NETS[name](), level)
    run, live = nf.Run(graph), walk(nf.Run(graph), 7)
    node = run.order[len(run.order) // 2]
    while live.step().node != node:
        pass
    run.train(1)
    for sample in (3, 7):
        run.goto(epoch=0, sample=sample, node=node)
    assert (run.update, run.node) == (7, live.node)
    assert_same(run.weights, live.weights)
    assert_same(run.values, live.values)


# --- joining rows --------------------------------------------------------------------------------

CELLS = 24
PLACES = ("dst", "a", "b", "c", "weights", "bias", "delta", "theta", "total", "gradient")
ROWS = (
    "add", "multiply", "subtract", "divide", "copy", "sigmoid", "tanh", "relu", "power",
    "delta_sigmoid", "delta_relu", "cross_entropy_blame", "blame", "weight_gradient",
    "bias_gradient", "weighted_sum", "step_weights", "step_bias", "step_total", "average",
    "update", "accumulate", "copy_cells",
)  # fmt: skip


@st.composite
def programs(draw):
    """Bursts of rows alike with even steps, anywhere in a few cells: most depend on each other."""
    place, step = st.integers(0, CELLS // 2), st.integers(-1, 3)
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        operation = OPERATIONS[draw(st.sampled_from(ROWS))]
        one, other = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 1)]))
        row, steps = {}, {}
        for name in operation.operands:
            if name in PLACES:
                row[name], steps[name] = draw(place), draw(step)
            elif name in ("rate", "decay"):
                row[name] = 3 * CELLS + draw(st.integers(0, 1))  # numbers that nobody writes
            elif name == "rows":
                row[name] = draw(st.integers(0, 1))
            elif name in ("cols", "size"):
                row[name] = one
            elif name in ("inner", "outputs"):
                row[name] = other
            else:
                row[name] = draw(st.integers(0, 1)) if name[0] in "abc" else 1
        if "bias" in row and draw(st.booleans()):
            row["bias"] = -1
            del steps["bias"]
        for _ in range(draw(st.integers(1, 6))):
            rows.append([operation.number, *row.values()])
            for name, by in steps.items():
                row[name] = max(0, row[name] + by)
    return rows


def executed(rows, cells, samples=1):
    """Run rows by Python, to which it does not matter that some write what they read."""
    executor = Executor(cells, np.zeros(1), np.zeros(1, np.int64), np.zeros(8), lambda _: None)
    with executed_by("python"):
        executor.run(table(rows), 0, len(rows), first=0, samples=samples, number=0, count=samples)
    return cells


@settings(max_examples=300, deadline=None)
@given(rows=programs(), seed=st.integers(0, 99))
def test_joined_rows_do_what_the_rows_did(rows, seed):
    start = np.random.default_rng(seed).normal(size=4 * CELLS)
    wanted = executed(rows, start.copy())
    found = executed(coalesced(rows, alone=True), start.copy())
    np.testing.assert_array_equal(found, wanted)


SAMPLES, LINE = 3, 64


def of_samples(rows, shared):
    """Let rows work on several samples, whose values lie in lines behind what has no samples.

    `shared` tells which operands repeat a value that has none.
    """
    found = []
    for row, repeats in zip(rows, shared, strict=False):
        operands = dict(zip(BY_NUMBER[row[0]].operands, row[1:], strict=True))
        if operands.get("rows") == 0:
            for name in PLACES:
                if f"{name}_r" not in operands:
                    continue
                repeated = repeats and name in ("a", "b")
                operands[f"{name}_r"] = 0 if repeated else LINE
                operands[name] += 0 if repeated else 4 * CELLS
        found.append([row[0], *operands.values()])
    return found


@settings(max_examples=300, deadline=None)
@given(rows=programs(), shared=st.lists(st.booleans(), min_size=40, max_size=40),
       seed=st.integers(0, 99))  # fmt: skip
def test_joined_rows_of_several_samples_do_what_the_rows_did(rows, shared, seed):
    rows = of_samples(rows, shared)
    start = np.random.default_rng(seed).normal(size=4 * CELLS + (SAMPLES + 1) * LINE)
    wanted = executed(rows, start.copy(), SAMPLES)
    found = executed(coalesced(rows, alone=False), start.copy(), SAMPLES)
    np.testing.assert_array_equal(found, wanted)


def test_a_layer_taken_apart_is_joined_into_few_rows():
    """As many rows whatever the width: what is alike became one."""
    for width in (3, 7):
        layers = net(SOURCE, (4, width, 3), rate=0.3)
        whole = len(Machine(layers, seed=0, batch=1, dtype="float64").fast.table)
        for level, more in (("neurons", 2), ("operations", 6)):
            parts = Machine(exploded(layers, level), seed=0, batch=1, dtype="float64")
            assert len(parts.fast.table) <= whole + more


@LEVELS
def test_test_rows_and_batches_of_what_is_taken_apart_have_the_rows_of_layers(level):
    layers = net(SOURCE, (4, 5, 3), rate=0.3, test=0.3)
    for batch in (1, 7):
        whole, parts = (
            Machine(graph, seed=0, batch=batch, dtype="float64")
            for graph in (layers, exploded(layers, level))
        )
        tested = [
            [BY_NUMBER[row[0]].name for row in machine.rows_of_training[len(machine.fast.table) :]]
            for machine in (whole, parts)
        ]
        assert tested[0] == tested[1]
    names = [BY_NUMBER[row[0]].name for row in parts.fast.table]
    assert names.count("layer.sigmoid") == 2
