"""The formula of each node type, filled with the numbers of one output number.

A body returns terms that add up to the number. Long sums are `Terms`: their values are computed
at once, and only what is written out is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG, NodeType
from nodeflow.nodes.backward import LEAK
from nodeflow.nodes.cost import NOTHING as NO_SHARE
from nodeflow.workings.given import Given, Source, row_of
from nodeflow.workings.parts import (
    NOTHING,
    Apply,
    Count,
    Index,
    Number,
    Part,
    Terms,
    choice,
    of,
    summed,
)

_STEEPEST = 700.0
"""e to a larger power leaves the range of numbers."""
_TINY = float(np.finfo(np.float64).tiny)

Floats = NDArray[np.float64]
Body = Callable[[Given, Index], Sequence[Part]]
_OfTwo = Callable[[Number, Number], Part]


def _weighted_sum(given: Given, index: Index) -> Sequence[Part]:
    row, neuron = row_of(index), index[-1]
    weights, bias = given.one("weights"), given.ports["bias"]
    values = weights.row(neuron) * given.features(row)
    if bias:
        values = np.append(values, bias[0].at((neuron,)).value)

    def make(place: int) -> Part:
        if place == given.width:
            return bias[0].at((neuron,))
        source, column = given.feature(place)
        return Apply("*", (weights.at((neuron, place)), source.at((row, column))))

    return Terms(values, make)


def _logistic(z: Part) -> Part:
    return choice(
        of("<", z, -_STEEPEST),
        of("/", of("exp", z), of("+", 1, of("exp", z))),
        of("/", 1, of("+", 1, of("exp", of("neg", z)))),
    )


def _bent(z: Part) -> Sequence[Part]:
    """Return the terms of ln(1 + e^z)."""
    steep = of(">", z, _STEEPEST)
    log = of("log", of("+", 1, choice(steep, of("exp", of("neg", z)), of("exp", z))))
    return choice(steep, z, NOTHING), log


def _softplus(given: Given, index: Index) -> Sequence[Part]:
    return _bent(given.one("z").at(index))


def _far(z: Sequence[Number]) -> Part:
    """Return whether a power of e leaves the range of numbers."""
    return of(">", Apply("largest", tuple(of("abs", each) for each in z)), _STEEPEST)


def _log_of_powers(z: Sequence[Number]) -> Part:
    """Return ln Σ e^z."""
    values = np.array([each.value for each in z])
    far, largest = _far(z), Apply("largest", tuple(z))
    powers = Terms(np.exp(values), lambda i: of("exp", z[i]))
    moved = Terms(np.exp(values - values.max()), lambda i: of("exp", of("-", z[i], largest)))
    return choice(far, of("+", largest, of("log", summed(moved))), of("log", summed(powers)))


def _of_row(source: Source, row: int) -> list[Number]:
    return [source.at((row, i)) for i in range(source.width)]


def _log_of_share(z: Sequence[Number], place: int) -> Part:
    return of("-", z[place], _log_of_powers(z))


def _log_of_others(z: Sequence[Number], place: int) -> Part:
    """Return ln(1 − a) of a share."""
    others = [each for i, each in enumerate(z) if i != place]
    if not others:
        return Number(NO_SHARE)
    return of("-", _log_of_powers(others), _log_of_powers(z))


def _log_softmax(given: Given, index: Index) -> Sequence[Part]:
    return (_log_of_share(_of_row(given.one("z"), row_of(index)), index[-1]),)


def _log_others(given: Given, index: Index) -> Sequence[Part]:
    return (_log_of_others(_of_row(given.one("z"), row_of(index)), index[-1]),)


def _softmax_binary_error(given: Given, index: Index) -> Sequence[Part]:
    row, place = row_of(index), index[-1]
    z, y, missed = (_of_row(given.one(port), row) for port in ("z", "y", "missed"))
    share = of("exp", _log_of_share(z, place))
    if len(z) == 1:
        return (of("-", of("*", share, y[0]), y[0]),)
    counted = of("-", of("*", share, summed([*y, *missed])), y[place])
    taken = [
        of("*", missed[j], of("exp", of("-", z[place], _log_of_powers([*z[:j], *z[j + 1 :]]))))
        for j in range(len(z))
        if j != place
    ]
    return (of("-", counted, summed(taken)),)


def _softmax(given: Given, index: Index) -> Sequence[Part]:
    z = _of_row(given.one("z"), row_of(index))
    values = np.array([each.value for each in z])
    far, largest = _far(z), Apply("largest", tuple(z))

    def make(place: int) -> Part:
        return choice(far, of("exp", of("-", z[place], largest)), of("exp", z[place]))

    with np.errstate(over="ignore"):
        steep = np.abs(values).max() > _STEEPEST
        powers = Terms(np.exp(values - values.max() if steep else values), make)
    return (of("/", make(index[-1]), summed(powers)),)


def _cleared(part: Part) -> Part:
    """Keep a probability off 0 as the costs do."""
    return choice(of(">=", part, _TINY), part, of("max", part, _TINY))


def _paired(
    given: Given, row: int, value: Callable[[Floats, Floats], Floats], make: _OfTwo
) -> Terms:
    """Return a term for each output of a row with its target."""
    a, y = given.one("a"), given.one("y")
    values = value(a.row(row), y.row(row))
    return Terms(values, lambda i: make(a.at((row, i)), y.at((row, i))))


def _logs(a: Floats) -> Floats:
    found: Floats = np.log(np.maximum(a, _TINY))
    return found


def _surprise(a: Number, y: Number) -> Part:
    return of("*", y, of("log", _cleared(a)))


def _both_surprises(a: Number, y: Number) -> Part:
    other = of("*", of("-", 1, y), of("log", _cleared(of("-", 1, a))))
    return of("+", _surprise(a, y), other)


def _of_sigmoids(
    given: Given, row: int, value: Callable[[Floats, Floats], Floats], make: _OfTwo
) -> Terms:
    """Return a term for each weighted sum before a sigmoid, with its target."""
    z, y = given.features(row, "z"), given.one("y")

    def term(place: int) -> Part:
        source, column = given.feature(place, "z")
        return make(source.at((row, column)), y.at((row, place)))

    return Terms(value(z, y.row(row)), term)


def _of_softmaxes(
    given: Given, index: Index, make: Callable[[Sequence[Number], int, Number], Part]
) -> Sequence[Part]:
    """Return terms for the weighted sums before softmaxes; those that are 0 are left out."""
    row, y, found, at = row_of(index), given.one("y"), list[Part](), 0
    if not given.ports["z"]:  # some of the shares are no outputs
        cost = float(given.step.outputs["cost"][index])
        return (Number(cost, f"{given.step.node}.cost", index),)
    for source in given.ports["z"]:
        z = _of_row(source, row)
        found += [make(z, i, y.at((row, at + i))) for i in range(len(z))]
        at += len(z)
    return found


def _share_missed(z: Sequence[Number], place: int, y: Number) -> Part:
    """Return −y ln a of a share."""
    return choice(of("=", y, 0), NOTHING, of("*", y, of("-", _log_of_powers(z), z[place])))


def _share_judged(z: Sequence[Number], place: int, y: Number) -> Part:
    """Return −(y ln a + (1−y) ln(1−a)) of a share."""
    others = of("*", of("-", 1, y), of("neg", _log_of_others(z, place)))
    return of("+", _share_missed(z, place, y), choice(of("=", y, 1), NOTHING, others))


def _cross_entropy(given: Given, index: Index) -> Sequence[Part]:
    row = row_of(index)
    if given.step.activation == "sigmoid":
        return _of_sigmoids(
            given,
            row,
            lambda z, y: np.logaddexp(0, z) - y * z,
            lambda z, y: of("-", summed(_bent(z)), of("*", y, z)),
        )
    if given.step.activation == "softmax":
        return _of_softmaxes(given, index, _share_judged)
    terms = _paired(
        given,
        row,
        lambda a, y: y * _logs(a) + (1 - y) * _logs(1 - a),
        _both_surprises,
    )
    return (of("neg", summed(terms)),)


def _categorical(given: Given, index: Index) -> Sequence[Part]:
    row = row_of(index)
    if given.step.activation == "sigmoid":
        return _of_sigmoids(
            given,
            row,
            lambda z, y: y * np.logaddexp(0, -z),
            lambda z, y: of("*", y, summed(_bent(of("neg", z)))),
        )
    if given.step.activation == "softmax":
        return _of_softmaxes(given, index, _share_missed)
    terms = _paired(given, row, lambda a, y: y * _logs(a), _surprise)
    return (of("neg", summed(terms)),)


def _squared_error(given: Given, index: Index) -> Sequence[Part]:
    squares = _paired(
        given, row_of(index), lambda a, y: (a - y) ** 2, lambda a, y: of("^", of("-", a, y), 2)
    )
    return (of("*", 0.5, summed(squares)),) if given.settings["half"] else squares


def places_of(given: Given, row: int) -> tuple[int, int]:
    """Return which class the outputs say and which the targets."""
    found = []
    for port in ("a", "y"):
        values = np.atleast_2d(given.one(port).value)
        there = values[min(row, len(values) - 1)]
        reached = bool(there[0] >= given.settings["threshold"])
        found.append(int(reached) if there.size == 1 else int(there.argmax()) + 1)
    return found[0], found[1]


def _class(given: Given, port: str, row: int) -> Part:
    """Return which class outputs or targets say: the place of the largest, or 1 and 0."""
    there = _of_row(given.one(port), row)
    if len(there) == 1:
        return choice(of(">=", there[0], given.settings["threshold"]), 1, 0)
    return Apply("place", tuple(there))


def _accuracy(given: Given, index: Index) -> Sequence[Part]:
    said, right = (_class(given, port, row_of(index)) for port in ("a", "y"))
    return (of("max", 0, of("-", 1, of("abs", of("-", said, right)))),)


def _penalty(given: Given, _index: Index) -> Sequence[Part]:
    sources = given.ports["weights"]
    values = np.concatenate([source.value.ravel() for source in sources]).astype(np.float64) ** 2

    def make(place: int) -> Part:
        for source in sources:
            if place < source.value.size:
                break
            place -= source.value.size
        index = tuple(int(i) for i in np.unravel_index(place, source.value.shape))
        return of("^", source.at(index), 2)

    squares = Terms(values, make)
    return (of("*", of("/", given.settings["regularization"], 2), summed(squares)),)


def _shared_blame(given: Given, row: int) -> Terms:
    blame, a = given.one("blame"), given.one("a")
    return Terms(
        blame.row(row) * a.row(row),
        lambda i: Apply("*", (blame.at((row, i)), a.at((row, i)))),
    )


def _delta(given: Given, index: Index) -> Sequence[Part]:
    blame, a = given.one("blame").at(index), given.one("a").at(index)
    match given.settings["activation"]:
        case "sigmoid":
            return (of("*", blame, a, of("-", 1, a)),)
        case "tanh":
            return (of("*", blame, of("-", 1, of("^", a, 2))),)
        case "relu":
            return (of("*", blame, choice(of(">", a, 0), 1, 0)),)
        case "leaky_relu":
            return (of("*", blame, choice(of(">", a, 0), 1, LEAK)),)
        case "softplus":
            return (of("*", blame, of("-", 1, of("exp", of("neg", a)))),)
        case "softmax":
            shared = _shared_blame(given, row_of(index))
            return (of("*", a, of("-", blame, summed(shared))),)
        case _:
            return (blame,)


def _blame(given: Given, index: Index) -> Sequence[Part]:
    delta, weights, row = given.one("delta"), given.one("weights"), row_of(index)
    return Terms(
        weights.column(index[-1]) * delta.row(row),
        lambda j: Apply("*", (weights.at((j, index[-1])), delta.at((row, j)))),
    )


def _weight_gradient(given: Given, index: Index) -> Sequence[Part]:
    delta = given.one("delta")
    source, column = given.feature(index[1])
    rows = max(delta.rows, *(there.rows for there in given.ports["a"]))
    values = delta.column(index[0]) * source.column(column)
    return Terms(
        np.broadcast_to(values, (rows,)),
        lambda row: Apply("*", (delta.at((row, index[0])), source.at((row, column)))),
    )


def _bias_gradient(given: Given, index: Index) -> Sequence[Part]:
    delta = given.one("delta")
    return Terms(delta.column(index[-1]), lambda row: delta.at((row, index[-1])))


def _accumulate(given: Given, index: Index) -> Sequence[Part]:
    gradient = given.one("gradient").at(index)
    total = Number(float(given.step.outputs["total"][index]), f"{given.step.node}.total", index)
    before = Apply("difference", (total, gradient))
    return choice(of("=", total, gradient), NOTHING, before), gradient


def _average(given: Given, index: Index) -> Sequence[Part]:
    mean = of("/", given.one("total").at(index), Count(float(given.step.samples)))
    strength = given.settings["regularization"]
    if not given.ports["weights"] or not strength:
        return (mean,)
    return mean, of("*", strength, given.one("weights").at(index))


def _weight_update(given: Given, index: Index) -> Sequence[Part]:
    nudge = of("*", given.one("rate").at((0,)), given.one("gradient").at(index))
    return (of("-", given.one("parameter").at(index), nudge),)


def _picked(given: Given, index: Index) -> Sequence[Part]:
    wanted = np.atleast_1d(given.settings["index"])
    return (given.one("a").at((row_of(index), int(wanted[index[-1]]))),)


def _unpicked(given: Given, index: Index) -> Sequence[Part]:
    wanted = np.atleast_1d(given.settings["index"])
    places = [place for place, feature in enumerate(wanted) if feature == index[-1]]
    found = tuple(given.one("blame").at((row_of(index), place)) for place in places)
    return found or (Number(0.0),)


def _cross_entropy_blame(given: Given, index: Index) -> Sequence[Part]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    missed = of("/", of("-", 1, y), _cleared(of("-", 1, a)))
    return (of("*", blame, of("-", missed, of("/", y, _cleared(a)))),)


def _categorical_blame(given: Given, index: Index) -> Sequence[Part]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    return (of("/", of("*", of("neg", blame), y), _cleared(a)),)


def _softmax_error(given: Given, index: Index) -> Sequence[Part]:
    whole = summed(given.one("y").terms(row_of(index)))
    return (of("-", of("*", given.one("a").at(index), whole), given.one("y").at(index)),)


def _expression(given: Given, index: Index) -> Sequence[Part]:
    return (_filled(formulas.parse(given.settings["formula"]), given, index),)


def _filled(tree: formulas.Expression, given: Given, index: Index) -> Part:
    """Return a typed formula with its numbers; sigmoid, sign and step are written out."""
    head = tree[0]
    if head == "number":
        return Number(tree[1])
    if head == "name":
        return given.one(tree[1]).at(index)
    parts = [_filled(inner, given, index) for inner in tree[1:]]
    if head == "sigmoid":
        return _logistic(parts[0])
    if head in ("sign", "step"):
        sign = of("/", parts[0], of("abs", parts[0]))
        return choice(
            of("=", parts[0], 0),
            of("*", 0, parts[0]),
            sign if head == "sign" else of("max", 0, sign),
        )
    return of("^" if head == "**" else head, *parts)


def _passed(port: str) -> Body:
    """Return the body of what passes a number on."""
    return lambda given, index: (given.one(port).at(index),)


def _joined(given: Given, index: Index) -> Sequence[Part]:
    source, column = given.feature(index[-1])
    return (source.at((row_of(index), column)),)


def _leaky(given: Given, index: Index) -> Sequence[Part]:
    z = given.one("z").at(index)
    return (choice(of(">", z, 0), z, of("*", LEAK, z)),)


def _sides(given: Given, row: int) -> tuple[int, int]:
    """Return the places of the right output and of the best wrong one."""
    a, right = given.one("a").row(row), int(given.one("y").row(row).argmax())
    others = a.copy()
    others[right] = -np.inf
    return right, int(others.argmax())


def _margin(given: Given, index: Index) -> Sequence[Part]:
    a, row = given.one("a"), row_of(index)
    if a.width == 1:
        sign = 1 if given.one("y").row(row)[0] > 0.5 else -1
        return (of("*", of("-", of("*", 2, a.at((row, 0))), 1), sign),)
    right, wrong = _sides(given, row)
    return (of("-", a.at((row, right)), a.at((row, wrong))),)


def _margin_blame(given: Given, index: Index) -> Sequence[Part]:
    row, blame = row_of(index), given.one("blame")
    if given.one("a").width == 1:
        sign = 1 if given.one("y").row(row)[0] > 0.5 else -1
        return (of("*", 2, blame.at((row, 0)), sign),)
    right, wrong = _sides(given, row)
    return (of("*", blame.at((row, 0)), int(index[-1] == right) - int(index[-1] == wrong)),)


def _unrolled(given: Given, index: Index) -> Sequence[Part]:
    place = index[0]
    for source in given.ports["values"]:
        if place < source.value.size:
            return (source.at(tuple(int(i) for i in np.unravel_index(place, source.value.shape))),)
        place -= source.value.size
    raise IndexError(index)


_BODIES: dict[str, Body] = {
    "weighted_sum": _weighted_sum,
    "leaky_relu": _leaky,
    "softplus": _softplus,
    "softmax": _softmax,
    "add": lambda given, index: tuple(there.at(index) for there in given.ports["a"]),
    "multiply": lambda given, index: (of("*", *(there.at(index) for there in given.ports["a"])),),
    "sum": lambda given, index: given.one("a").terms(row_of(index)),
    "mean": lambda given, index: (
        of("/", summed(given.one("a").terms(row_of(index))), given.one("a").width),
    ),
    "concatenate": _joined,
    "pick": _picked,
    "expression": _expression,
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "categorical_cross_entropy": _categorical,
    "l2_penalty": _penalty,
    "accuracy": _accuracy,
    "margin": _margin,
    "margin_blame": _margin_blame,
    "unroll": _unrolled,
    "delta": _delta,
    "blame": _blame,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "spread": _passed("blame"),
    "softmax_error": _softmax_error,
    "log_softmax": _log_softmax,
    "log_others": _log_others,
    "softmax_binary_error": _softmax_binary_error,
    "mean_blame": lambda given, index: (
        of("/", given.one("blame").at(index), given.one("a").width),
    ),
    "pick_blame": _unpicked,
    "cross_entropy_blame": _cross_entropy_blame,
    "categorical_cross_entropy_blame": _categorical_blame,
    "weight_update": _weight_update,
}


def body_of(kind: str) -> Body | None:
    """Return how a type writes out one number that it gives; None for one that does not say."""
    known = _BODIES.get(kind)
    type_ = None if known else CATALOG.find(kind)
    if type_ is None or not type_.calculation:
        return known
    return partial(_calculated, type_)


def _calculated(type_: NodeType, given: Given, index: Index) -> Sequence[Part]:
    tree = type_.calculated(given.settings)
    if not type_.adds_up:
        return (_filled(tree, given, index),)
    row, names = row_of(index), formulas.names(tree)
    values = formulas.evaluate(tree, {name: given.one(name).row(row) for name in names})
    width = max(given.one(name).width for name in names)
    return Terms(
        np.array(np.broadcast_to(values, (width,)), float),
        lambda place: _filled(tree, given, (row, place)),
    )
