"""Graphs that several tests build, and how runs of them are compared."""

import os
from itertools import pairwise

import numpy as np

import nodeflow as nf

HAS_DATA = "NODEFLOW_DATA" in os.environ
CLASSES = ("wheat-seeds", (7, 5, 3)) if HAS_DATA else ("iris", (4, 5, 3))
"""Three classes of flowers or grains, and the shape of a network for them."""


def net(
    source,
    sizes,
    *,
    act="sigmoid",
    last=None,
    cost="squared_error",
    trainer="gradient_descent",
    half=False,
    l2=0.0,
    scale="minmax",
    test=0.0,
    shuffle=True,
    init="uniform",
    accuracy=True,
    batch=1,
    epochs=10,
    seed=0,
    **settings,
):
    """Return a layered network with its trainer; `settings` are the trainer's."""
    a, y = nf.dataset(source=source, scale=scale, test=test, shuffle=shuffle, id="data")
    weights = []
    for number, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        is_last = number == len(sizes) - 1
        name = "output" if is_last else f"hidden{number}"
        w = nf.parameter(shape=(n_out, n_in), init=init, id=f"theta{number}")
        b = nf.parameter(shape=(n_out,), init=init, id=f"b{number}")
        kind = last or act if is_last else act
        a = getattr(nf, kind)(nf.weighted_sum(a, w, b, id=name), id=f"{name}.a")
        weights.append(w)
    c = getattr(nf, cost)(a, y, id="cost", **({"half": True} if half else {}))
    if l2:
        c = nf.add(c, nf.l2_penalty(*weights, regularization=l2, id="penalty"), id="total")
    ends = [getattr(nf, trainer)(c, id="train", **settings)]
    ends += [nf.accuracy(a, y, id="accuracy")] if accuracy else []
    return nf.Graph.of(*ends, batch=batch, epochs=epochs, seed=seed)


def hand(
    source, sizes, *, rate, batch=1, scale="minmax", loop=False, factor=2.0, crossed=False, test=0.0
):
    """Return the same sigmoid network with squared error, its backward pass wired by hand.

    `loop` accumulates Δ sample by sample. A wrong `factor`, or `crossed` weights (those of the
    first layer where the output's belong), are mistakes for the gradient check to find.
    """
    x, y = nf.dataset(source=source, scale=scale, test=test, id="data")
    inputs, thetas, biases = [x], [], []
    for number, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        thetas.append(nf.parameter(shape=(n_out, n_in), init="uniform", id=f"theta{number}"))
        biases.append(nf.parameter(shape=(n_out,), init="uniform", id=f"b{number}"))
        name = "output" if number == len(sizes) - 1 else f"hidden{number}"
        z = nf.weighted_sum(inputs[-1], thetas[-1], biases[-1], id=name)
        inputs.append(nf.sigmoid(z, id=f"{name}.a"))
    a = inputs.pop()
    ends = [nf.squared_error(a, y, id="cost"), nf.accuracy(a, y, id="accuracy")]
    speed = nf.constant(value=rate, id="rate")
    blame = nf.multiply(factor, nf.error(a, y, id="e"), id="twice")
    back = []
    for number in range(len(thetas), 0, -1):
        before = inputs[number - 1]
        d = nf.delta(blame, a, id=f"delta{number}")
        for theta, gradient in (
            (thetas[number - 1], nf.weight_gradient(d, before, id=f"D{number}")),
            (biases[number - 1], nf.bias_gradient(d, id=f"d{number}")),
        ):
            total = nf.accumulate(gradient, id=f"{theta.node.id}.sum") if loop else gradient
            mean = nf.average(total, id=f"{theta.node.id}.mean")
            ends.append(nf.weight_update(theta, mean, speed, id=f"{theta.node.id}.new"))
            back.append(theta.node.id)
        if number > 1:
            blame = nf.blame(d, thetas[0 if crossed else number - 1], id=f"blame{number - 1}")
            a = before
    graph = nf.Graph.of(*ends, batch=batch)
    for name in back:
        graph = graph.connect(f"{name}.new.value", f"{name}.next")
        if loop:
            graph = graph.connect(f"{name}.sum.total", f"{name}.sum.previous")
    return graph


def walk(run, updates):
    """Step node by node until so many updates lie behind."""
    while run.update < updates:
        run.step()
    return run


def assert_same(found, expected):
    """Hold two sets of arrays equal, to the last bit."""
    assert found.keys() == expected.keys()
    for address, value in expected.items():
        assert found[address].dtype == value.dtype, address
        np.testing.assert_array_equal(found[address], value, err_msg=address, strict=True)


def assert_same_moment(run, other):
    """Hold two runs equal in all that can be seen of them."""
    assert (run.epoch, run.update, run.sample) == (other.epoch, other.update, other.sample)
    assert run.node == other.node
    assert_same(run.weights, other.weights)
    assert_same(run.values, other.values)
    assert run.history == other.history


def splitmix_order(rows, seed, epoch):
    """Shuffle by Fisher and Yates with splitmix64, in plain Python."""
    mask = 2**64 - 1
    state = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1342543DE82EF95) & mask
    order = list(range(rows))
    for i in range(rows - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        j = ((z >> 32) * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def accumulating(graph, *names):
    """Return an unfolded graph whose update is a loop over samples: it adds up their gradients."""
    for name in names:
        old, new, key = f"{name}.gradient.gradient", f"{name}.average.total", f"{name}.sum"
        graph = graph.disconnect(old, new).add(key, "accumulate")
        graph = graph.connect(old, f"{key}.gradient").connect(f"{key}.total", new)
        graph = graph.connect(f"{key}.total", f"{key}.previous")
    return graph
