"""Random networks in all forms in which one can have them: folded, unfolded, wired by hand."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

import nodeflow as nf

HIDDEN = ("sigmoid", "tanh", "softplus", "leaky_relu", "relu", "identity")
OUTPUTS = {"blobs": 3, "moons": 2, "xor": 1}


@dataclass(frozen=True)
class Drawn:
    """A network that was drawn by chance."""

    source: str
    sizes: tuple[int, ...]
    acts: tuple[str, ...]
    biases: tuple[bool, ...]
    cost: str
    half: bool
    batch: int | str
    test: float
    l2: float
    seed: int
    rate: float = 0.1

    @property
    def takes_error_for_delta(self) -> bool:
        """Whether e is δ of the outputs already: the slope of their activation cancels."""
        return self.cost != "squared_error"

    @property
    def has_single_neurons(self) -> bool:
        """Whether it can be wired neuron by neuron: a softmax takes all weighted sums."""
        return not self.l2 and self.acts[-1] != "softmax"

    @property
    def depth(self) -> int:
        return len(self.acts)


def draw(seed: int) -> Drawn:
    random = np.random.default_rng(seed)
    depth = int(random.integers(1, 4))
    source = str(random.choice(list(OUTPUTS)))
    sizes = (2, *(int(n) for n in random.integers(1, 5, depth - 1)), OUTPUTS[source])
    acts = [str(random.choice(HIDDEN)) for _ in range(depth)]
    costs = ["squared_error", "squared_error", "cross_entropy"]
    if sizes[-1] > 1:
        costs.append("categorical_cross_entropy")
    cost = str(random.choice(costs))
    if cost != "squared_error":
        acts[-1] = "sigmoid" if cost == "cross_entropy" else "softmax"
    return Drawn(
        source,
        sizes,
        tuple(acts),
        biases=tuple(bool(random.integers(4)) for _ in acts),
        cost=cost,
        half=bool(random.integers(2)),
        batch=[1, 2, 7, "all"][random.integers(4)],
        test=float(random.choice([0.0, 0.25])),
        l2=float(random.choice([0.0, 0.0, 0.01])),
        seed=seed,
    )


def forms_of(drawn: Drawn) -> dict[str, nf.Graph]:
    """Return a network in the forms that have whole layers."""
    folded = _folded(drawn)
    found = {
        "folded": folded,
        "unfolded": nf.unfold(folded),
        "by hand": by_hand(drawn, "nodes"),
        "steps": by_hand(drawn, "steps", wire_rate=False),
        "loop": by_hand(drawn, "nodes", loop=True),
    }
    if not drawn.l2:
        found["without cost"] = by_hand(drawn, "steps", cost=False)
        if drawn.batch == 1:
            found["without average"] = by_hand(drawn, "bare", cost=False)
    return found


def neurons_of(drawn: Drawn) -> dict[str, nf.Graph]:
    """Return a network in the forms that were wired neuron by neuron."""
    if not drawn.has_single_neurons:
        return {}
    found = {
        "neurons": by_neurons(drawn, "nodes"),
        "neurons, steps": by_neurons(drawn, "steps", wire_rate=False),
        "neurons without cost": by_neurons(drawn, "steps", cost=False),
    }
    if drawn.batch == 1:
        found["neurons without average"] = by_neurons(drawn, "bare", cost=False)
    return found


def _cost(drawn: Drawn, a, y, name="cost"):
    half = {"half": drawn.half} if drawn.cost == "squared_error" else {}
    return getattr(nf, drawn.cost)(a, y, id=name, **half)


def _forward(drawn: Drawn):
    x, y = nf.dataset(source=drawn.source, scale="minmax", test=drawn.test, id="data")
    values, thetas, biases = [x], [], []
    for number, (n_in, n_out) in enumerate(pairwise(drawn.sizes), 1):
        theta = nf.parameter(shape=(n_out, n_in), init="uniform", id=f"theta{number}")
        bias = None
        if drawn.biases[number - 1]:
            bias = nf.parameter(shape=(n_out,), init="uniform", id=f"b{number}")
        name = "output" if number == drawn.depth else f"hidden{number}"
        z = nf.weighted_sum(values[-1], theta, bias, id=name)
        values.append(getattr(nf, drawn.acts[number - 1])(z, id=f"{name}.a"))
        thetas.append(theta)
        biases.append(bias)
    return values, y, thetas, biases


def _judged(drawn: Drawn, a, y, thetas):
    cost = _cost(drawn, a, y)
    if drawn.l2:
        penalty = nf.l2_penalty(*thetas, regularization=drawn.l2, id="penalty")
        cost = nf.add(cost, penalty, id="total")
    return cost


def _folded(drawn: Drawn) -> nf.Graph:
    values, y, thetas, _ = _forward(drawn)
    end = nf.gradient_descent(_judged(drawn, values[-1], y, thetas), rate=drawn.rate, id="train")
    return nf.Graph.of(end, batch=drawn.batch, seed=drawn.seed)


def _updated(theta, slope, fed, rate, form, *, decay=0.0, loop=False):
    """Return the update of a parameter: a step, three nodes, or two."""
    name = theta.node.id
    if form == "steps" and not decay:
        return nf.step(theta, slope, fed, rate, id=f"{name}.new")
    if fed is None:
        gradient = nf.bias_gradient(slope, id=f"{name}.gradient")
    else:
        gradient = nf.weight_gradient(slope, fed, id=f"{name}.gradient")
    if loop:
        gradient = nf.accumulate(gradient, id=f"{name}.sum")
    if decay:
        gradient = nf.average(gradient, theta, regularization=decay, id=f"{name}.mean")
    elif form != "bare":
        gradient = nf.average(gradient, id=f"{name}.mean")
    return nf.weight_update(theta, gradient, rate, id=f"{name}.new")


def _fed_back(ends, drawn: Drawn, *, wire_rate: bool) -> nf.Graph:
    graph = nf.Graph.of(
        *ends, batch=drawn.batch, seed=drawn.seed, rate=None if wire_rate else drawn.rate
    )
    for key in graph.updates:
        graph = graph.connect(f"{key}.value", f"{key.removesuffix('.new')}.next")
    for key in graph.of_type("accumulate"):
        graph = graph.connect(f"{key}.total", f"{key}.previous")
    return replace(graph, wires=tuple(sorted(graph.wires)))


def by_hand(drawn, form, *, cost=True, wire_rate=True, loop=False) -> nf.Graph:
    """Return whole layers whose backward pass is wired by hand."""
    values, y, thetas, biases = _forward(drawn)
    a = values[-1]
    ends = [_judged(drawn, a, y, thetas)] if cost else []
    rate = nf.constant(value=drawn.rate, id="alpha") if wire_rate else None
    blame = nf.error(a, y, id="e")
    if drawn.cost == "squared_error" and not drawn.half:
        blame = nf.multiply(2.0, blame, id="twice")
    for number in range(drawn.depth, 0, -1):
        before, act = values[number - 1], drawn.acts[number - 1]
        if number == drawn.depth and drawn.takes_error_for_delta:
            slope = blame
        else:
            slope = nf.delta(blame, values[number], activation=act, id=f"delta{number}")
        theta, bias = thetas[number - 1], biases[number - 1]
        ends.append(_updated(theta, slope, before, rate, form, decay=drawn.l2, loop=loop))
        if bias is not None:
            ends.append(_updated(bias, slope, None, rate, form, loop=loop))
        if number > 1:
            blame = nf.blame(slope, theta, id=f"blame{number - 1}")
    return _fed_back(ends, drawn, wire_rate=wire_rate)


def by_neurons(drawn, form, *, cost=True, wire_rate=True) -> nf.Graph:
    """Return neurons that were wired one by one, with the start weights of the layers typed in."""
    start = nf.Run(_folded(drawn)).weights
    x, y = nf.dataset(source=drawn.source, scale="minmax", test=drawn.test, id="data")
    rate = nf.constant(value=drawn.rate, id="alpha") if wire_rate else None
    layers, own = [[x]], []
    for number in range(1, drawn.depth + 1):
        outputs, parameters = [], []
        for j in range(drawn.sizes[number]):
            row = start[f"theta{number}.value"][j]
            theta = nf.parameter(value=[row.tolist()], id=f"w{number}_{j + 1}")
            bias = None
            if drawn.biases[number - 1]:
                value = [float(start[f"b{number}.value"][j])]
                bias = nf.parameter(value=value, id=f"c{number}_{j + 1}")
            z = nf.weighted_sum(layers[-1], theta, bias, id=f"h{number}_{j + 1}")
            outputs.append(getattr(nf, drawn.acts[number - 1])(z, id=f"a{number}_{j + 1}"))
            parameters.append((theta, bias))
        layers.append(outputs)
        own.append(parameters)
    goals = _parts(y, drawn.sizes[-1], "y")
    ends, blames = [], []
    if cost:
        costs = [_cost(drawn, a, goal, f"cost{j}")
                 for j, (a, goal) in enumerate(zip(layers[-1], goals, strict=True), 1)]  # fmt: skip
        ends.append(nf.add(*costs, id="J") if len(costs) > 1 else costs[0])
    for j, (a, goal) in enumerate(zip(layers[-1], goals, strict=True), 1):
        blame = nf.error(a, goal, id=f"e{j}")
        if drawn.cost == "squared_error" and not drawn.half:
            blame = nf.multiply(2.0, blame, id=f"twice{j}")
        blames.append(blame)
    for number in range(drawn.depth, 0, -1):
        slopes = []
        for j, (theta, bias) in enumerate(own[number - 1]):
            slope = blames[j]
            if number < drawn.depth or not drawn.takes_error_for_delta:
                act = drawn.acts[number - 1]
                slope = nf.delta(slope, layers[number][j], activation=act, id=f"d{number}_{j + 1}")
            slopes.append(slope)
            ends.append(_updated(theta, slope, layers[number - 1], rate, form))
            if bias is not None:
                ends.append(_updated(bias, slope, None, rate, form))
        if number > 1:
            back = [nf.blame(slope, theta, id=f"b{number}_{j}")
                    for j, (slope, (theta, _))
                    in enumerate(zip(slopes, own[number - 1], strict=True), 1)]  # fmt: skip
            whole = nf.add(*back, id=f"sum{number}") if len(back) > 1 else back[0]
            blames = _parts(whole, drawn.sizes[number - 1], f"p{number}_")
    return _fed_back(ends, drawn, wire_rate=wire_rate)


def _parts(value, count, name):
    if count == 1:
        return [value]
    return [nf.pick(value, index=i, id=f"{name}{i + 1}") for i in range(count)]
