"""Networks whose backward pass is wired by hand, as one wires it on an empty canvas."""

from dataclasses import replace
from itertools import pairwise

import nodeflow as nf


def wired(
    source="blobs",
    sizes=(2, 4, 3),
    *,
    form="nodes",
    rate=0.3,
    wire_rate=True,
    batch=1,
    cost=True,
    factor=None,
    act="sigmoid",
    half=True,
    init="uniform",
    seed=0,
    epochs=10,
    **data,
):
    """Return a network with error → delta → … wired by hand.

    `form` is "nodes" (gradient, average and update) or "steps" (one `step` a parameter). Without
    `cost` there is no cost node; its error is then the slope of ½ Σ e².
    """
    data.setdefault("scale", "minmax")
    x, y = nf.dataset(source=source, id="data", **data)
    inputs, thetas, biases = [x], [], []
    for number, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        thetas.append(nf.parameter(shape=(n_out, n_in), init=init, id=f"theta{number}"))
        biases.append(nf.parameter(shape=(n_out,), init=init, id=f"b{number}"))
        name = "output" if number == len(sizes) - 1 else f"hidden{number}"
        z = nf.weighted_sum(inputs[-1], thetas[-1], biases[-1], id=name)
        inputs.append(getattr(nf, act)(z, id=f"{name}.a"))
    a = inputs.pop()
    ends = [nf.squared_error(a, y, half=half, id="cost")] if cost else []
    speed = nf.constant(value=rate, id="alpha") if wire_rate else None
    blame = nf.error(a, y, id="e")
    if factor is not None:
        blame = nf.multiply(factor, blame, id="times")
    for number in range(len(thetas), 0, -1):
        before = inputs[number - 1]
        d = nf.delta(blame, a, activation=act, id=f"delta{number}")
        for theta, fed in ((thetas[number - 1], before), (biases[number - 1], None)):
            name = theta.node.id
            if form == "steps":
                ends.append(nf.step(theta, d, fed, speed, id=f"{name}.new"))
                continue
            gradient = (
                nf.bias_gradient(d, id=f"{name}.gradient")
                if fed is None
                else nf.weight_gradient(d, fed, id=f"{name}.gradient")
            )
            mean = nf.average(gradient, id=f"{name}.mean")
            ends.append(nf.weight_update(theta, mean, speed, id=f"{name}.new"))
        if number > 1:
            blame = nf.blame(d, thetas[number - 1], id=f"blame{number - 1}")
            a = before
    graph = nf.Graph.of(
        *ends, batch=batch, seed=seed, epochs=epochs, rate=None if wire_rate else rate
    )
    for theta in (*thetas, *biases):
        graph = graph.connect(f"{theta.node.id}.new.value", f"{theta.node.id}.next")
    return replace(graph, wires=tuple(sorted(graph.wires)))
