"""Costs: how far the outputs are from the targets. One number per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from nodeflow import symbolic
from nodeflow.declare import Blame, Output, Penalty, Range, Value, node
from nodeflow.errors import ShapeMismatch
from nodeflow.nodes.activation import softplus
from nodeflow.nodes.arithmetic import log, subtract, times
from nodeflow.nodes.shares import NOTHING as NO_SHARE
from nodeflow.nodes.shares import log_others, log_softmax, logs, softmax_binary_error, softmax_error
from nodeflow.shape import Shape
from nodeflow.symbolic import Rows
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import NOTHING, Apply, Index, Number, Part, Terms, choice, of, summed
from nodeflow.workings.powers import bent, log_of_others, log_of_powers, of_row

_COST = "(n,f), (n,f) -> (n,1)"
_TINY = float(np.finfo(np.float64).tiny)
_OfTwo = Callable[[Any, Any], Any]
_Part = Callable[[Any, Any], Part]


@node(
    "cost",
    formula="e = a − y",
    shapes="(n,f), (n,f) -> (n,f)",
    aliases=("residual",),
    calculation="a - y",
    told="calculated",
    noun="the error",
    slope_of_cost=True,
)
def error(a: Value, y: Value) -> Value:
    """Subtract the target from the output: e = a − y, the sign is the same everywhere."""
    return a - y


@error.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    yield "sign", -right, "That is y − a: the error is e = a − y."


@error.backward
def _(blame: Blame, a: Output, y: Output, e: Output) -> Mapping[str, Any]:
    return {"a": blame, "y": lambda: times(blame, -1.0)}


@node(
    "cost",
    formula="C = Σ e²",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "quadratic cost", "mse", "sse"),
    known_as={"keras": ("mse", "mean_squared_error"), "torch": "MSELoss"},
)
def squared_error(a: Value, y: Value, *, half: bool = False) -> Value:
    """Add up the squared errors of a sample: C = Σ (a − y)², or half of it."""
    e = a - y
    cost = (e * e).sum(axis=-1, keepdims=True)
    return 0.5 * cost if half else cost


@squared_error.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    if given.settings["half"]:
        yield "half", 2 * right, "That is the sum of the squares: this cost is half."
    else:
        yield "half", right / 2, "That is half of the sum: this cost has no ½."


@squared_error.in_programs
def _(s: Any, key: str) -> str:
    total = s.sums(f"({s.one(key, 'a')} - {s.one(key, 'y')}) ** 2")
    if s.setting(key, "half"):
        s.remark("C = ½ Σ e²")
        return f"0.5 * {total}"
    return str(total)


@squared_error.in_onnx
def _(s: Any, key: str) -> str:
    error = s.node("Sub", s.one(key, "a"), s.one(key, "y"))
    total = s.total(s.product(error, error), 1)
    return str(s.product(total, s.number(0.5)) if s.setting(key, "half") else total)


@squared_error.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.paired("squared_error", inputs["a"][0], inputs["y"][0], out, 0.5 if settings["half"] else 1.0)


@squared_error.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    squares = _judged(inputs, lambda a, y: symbolic.square(symbolic.minus(a, y)))
    return _scaled(0.5 if settings["half"] else 1.0, squares)


def _judged(inputs: Any, term: _OfTwo) -> Rows:
    """Return a term for each output with its target."""
    return symbolic.paired(inputs["a"][0], inputs["y"][0], term)


def _scaled(factor: float, terms: Rows) -> Rows:
    """Return the sum of the terms of each row, times a factor."""
    return [[symbolic.times(symbolic.number(factor), symbolic.total(row))] for row in terms]


@squared_error.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    squares = _paired(
        given, row_of(index), lambda a, y: (a - y) ** 2, lambda a, y: of("^", of("-", a, y), 2)
    )
    return (of("*", 0.5, summed(squares)),) if given.settings["half"] else squares


def _paired(given: Given, row: int, value: _OfTwo, make: _Part) -> Terms:
    """Return a term for each output of a row with its target."""
    a, y = given.one("a"), given.one("y")
    values = value(a.row(row), y.row(row))
    return Terms(values, lambda i: make(a.at((row, i)), y.at((row, i))))


@squared_error.backward
def _(blame: Blame, a: Output, y: Output, cost: Output, *, half: bool) -> Mapping[str, Any]:
    def back() -> Any:
        return times(blame, 1.0 if half else 2.0, error(a, y))

    return {"a": back, "y": lambda: times(-1.0, back())}


def _clear(a: Value) -> Value:
    """Keep outputs off 0 and 1, where the logarithm has no value."""
    tiny = np.finfo(a.dtype).tiny
    return np.clip(a, tiny, None)


def _cleared(part: Part) -> Part:
    """Keep a probability off 0 as the costs do, in a formula with its numbers."""
    return choice(of(">=", part, _TINY), part, of("max", part, _TINY))


def _log(a: Any) -> Any:
    return np.log(np.maximum(a, _TINY))


def _surprise(a: Number, y: Number) -> Part:
    return of("*", y, of("log", _cleared(a)))


def _both_surprises(a: Number, y: Number) -> Part:
    other = of("*", of("-", 1, y), of("log", _cleared(of("-", 1, a))))
    return of("+", _surprise(a, y), other)


def _of_sigmoids(given: Given, row: int, value: _OfTwo, make: _Part) -> Terms:
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
        z = of_row(source, row)
        found += [make(z, i, y.at((row, at + i))) for i in range(len(z))]
        at += len(z)
    return found


def _share_missed(z: Sequence[Number], place: int, y: Number) -> Part:
    """Return −y ln a of a share."""
    return choice(of("=", y, 0), NOTHING, of("*", y, of("-", log_of_powers(z), z[place])))


def _share_judged(z: Sequence[Number], place: int, y: Number) -> Part:
    """Return −(y ln a + (1−y) ln(1−a)) of a share."""
    others = of("*", of("-", 1, y), of("neg", log_of_others(z, place, NO_SHARE)))
    return of("+", _share_missed(z, place, y), choice(of("=", y, 1), NOTHING, others))


@node(
    "cost",
    formula="C = −Σ (y ln a + (1−y) ln(1−a))",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "binary cross entropy", "log loss", "logistic cost"),
    title="cross-entropy",
    natural="sigmoid",
    known_as={"keras": "binary_crossentropy", "torch": "BCELoss"},
)
def cross_entropy(a: Value, y: Value) -> Value:
    """Count the surprise of each output as the probability of its target, 0 or 1.

    a must lie in 0 … 1, as after a sigmoid.
    """
    return -(y * np.log(_clear(a)) + (1 - y) * np.log(_clear(1 - a))).sum(axis=-1, keepdims=True)


@cross_entropy.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    def term(a: Any, y: Any) -> Any:
        missed, rest = symbolic.minus(symbolic.ONE, y), symbolic.minus(symbolic.ONE, a)
        hit = symbolic.times(y, ("log", a))
        return symbolic.plus(hit, symbolic.times(missed, ("log", rest)))

    return _scaled(-1.0, _judged(inputs, term))


@cross_entropy.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    match given.step.activation:
        case "sigmoid":
            return _of_sigmoids(
                given,
                row_of(index),
                lambda z, y: np.logaddexp(0, z) - y * z,
                lambda z, y: of("-", summed(bent(z)), of("*", y, z)),
            )
        case "softmax":
            return _of_softmaxes(given, index, _share_judged)
    terms = _paired(
        given, row_of(index), lambda a, y: y * _log(a) + (1 - y) * _log(1 - a), _both_surprises
    )
    return (of("neg", summed(terms)),)


@cross_entropy.in_programs
def _(s: Any, key: str) -> str:
    z, a, y = s.logits(key), s.one(key, "a"), s.one(key, "y")
    if z is not None and s.judged_through(key) == "sigmoid":
        return str(s.sums(f"{s.call('softplus', z)} - {y} * {z}"))
    log_a, rest = s.call("log", a), s.call("log", f"1 - {a}")
    return f"-{s.sums(f'{y} * {log_a} + (1 - {y}) * {rest}')}"


@cross_entropy.in_onnx
def _(s: Any, key: str) -> str:
    z, y = s.logits(key), s.one(key, "y")
    if z is not None and s.judged_through(key) == "sigmoid":
        return str(s.total(s.node("Sub", s.softplus(z), s.product(y, z)), 1))
    a = s.one(key, "a")
    hit = s.product(y, s.node("Log", a))
    miss = s.product(s.less(y), s.node("Log", s.less(a)))
    return str(s.node("Neg", s.total(s.add(hit, miss), 1)))


@cross_entropy.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.paired("cross_entropy", inputs["a"][0], inputs["y"][0], out)


@cross_entropy.of_sums(
    "sigmoid", formula="C = Σ (ln(1 + e^z) − y z)", slope=lambda z: times(-1.0, z)
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ (y ln σ(z) + (1−y) ln(1−σ(z))); no power of e leaves the range of numbers."""
    parts = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return parts.sum(axis=-1, keepdims=True)


@cross_entropy.rows_of_sums("sigmoid")
def _(t: Any, known: Any, y: Any, out: Any) -> None:
    t.paired("cross_entropy_logits", t.sums_of(known), y, out)


@cross_entropy.through("sigmoid")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, error(a, y))


@cross_entropy.vjp
def _cross_entropy_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through cross-entropy: b (a − y) / (a (1 − a))."""
    return blame * ((1 - y) / _clear(1 - a) - y / _clear(a))


_cross_entropy_blame.operation("cross_entropy_blame")


@_cross_entropy_blame.in_programs
def _(s: Any, key: str) -> str:
    blame, a, y = (s.one(key, port) for port in ("blame", "a", "y"))
    return f"{blame} * ((1 - {y}) / (1 - {a}) - {y} / {a})"


@_cross_entropy_blame.in_onnx
def _(s: Any, key: str) -> str:
    a = s.one(key, "a")
    slope = s.node("Div", s.node("Sub", a, s.one(key, "y")), s.product(a, s.less(a)))
    return str(s.product(s.one(key, "blame"), slope))


@_cross_entropy_blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    missed = of("/", of("-", 1, y), _cleared(of("-", 1, a)))
    return (of("*", blame, of("-", missed, of("/", y, _cleared(a)))),)


@cross_entropy.backward
def _(blame: Blame, a: Output, y: Output, cost: Output) -> Mapping[str, Any]:
    return {
        "a": lambda: _cross_entropy_blame(blame, a, y),
        "y": lambda: times(blame, subtract(log(subtract(1.0, a)), log(a))),
    }


@node(
    "cost",
    formula="C = −Σ y ln a",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "softmax cross entropy", "negative log likelihood"),
    title="categorical cross-entropy",
    natural="softmax",
    known_as={"keras": ("categorical_crossentropy", "sparse_categorical_crossentropy")},
)
def categorical_cross_entropy(a: Value, y: Value) -> Value:
    """Count the surprise of the right class: C = −Σ y ln a, for shares that add up to 1."""
    return -(y * np.log(_clear(a))).sum(axis=-1, keepdims=True)


@categorical_cross_entropy.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return _scaled(-1.0, _judged(inputs, lambda a, y: symbolic.times(y, ("log", a))))


@categorical_cross_entropy.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    match given.step.activation:
        case "sigmoid":
            return _of_sigmoids(
                given,
                row_of(index),
                lambda z, y: y * np.logaddexp(0, -z),
                lambda z, y: of("*", y, summed(bent(of("neg", z)))),
            )
        case "softmax":
            return _of_softmaxes(given, index, _share_missed)
    terms = _paired(given, row_of(index), lambda a, y: y * _log(a), _surprise)
    return (of("neg", summed(terms)),)


@categorical_cross_entropy.in_programs
def _(s: Any, key: str) -> str:
    z, y = s.logits(key), s.one(key, "y")
    match s.judged_through(key) if z is not None else "":
        case "softmax":
            return f"-{s.sums(f'{y} * ' + s.call('log_softmax', z))}"
        case "sigmoid":
            return str(s.sums(f"{y} * {s.call('softplus', f'-{s.grouped(z)}')}"))
    return f"-{s.sums(f'{y} * ' + s.call('log', s.one(key, 'a')))}"


@categorical_cross_entropy.in_onnx
def _(s: Any, key: str) -> str:
    z, y = s.logits(key), s.one(key, "y")
    kind = s.judged_through(key) if z is not None else ""
    if kind == "sigmoid":
        return str(s.total(s.product(y, s.softplus(s.node("Neg", z))), 1))
    log = s.log_softmax(z) if kind == "softmax" else s.node("Log", s.one(key, "a"))
    return str(s.node("Neg", s.total(s.product(y, log), 1)))


@categorical_cross_entropy.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.paired("categorical_cross_entropy", inputs["a"][0], inputs["y"][0], out)


@categorical_cross_entropy.of_sums(
    "softmax", formula="C = Σ y (ln Σ e^z − z)", slope=lambda z: times(-1.0, log_softmax(z))
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ y ln softmax(z)."""
    return -(y * log_softmax.function(z)).sum(axis=-1, keepdims=True)


@categorical_cross_entropy.rows_of_sums("softmax")
def _(t: Any, known: Any, y: Any, out: Any) -> None:
    shares = t.each_of(known, lambda z: logs(t, "log_softmax", z))
    t.paired("sum_of_products", shares, y, out, -1.0)


@categorical_cross_entropy.of_sums(
    "sigmoid", formula="C = Σ y ln(1 + e^−z)", slope=lambda z: softplus(times(-1.0, z))
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ y ln σ(z)."""
    return (y * softplus.function(-z)).sum(axis=-1, keepdims=True)


@categorical_cross_entropy.rows_of_sums("sigmoid")
def _(t: Any, known: Any, y: Any, out: Any) -> None:
    z, minus = t.sums_of(known), t.literal(-1.0)
    log = t.like(z)
    t.elementwise("multiply", log, minus, z)
    t.elementwise("softplus", log, log)  # −ln a
    t.paired("sum_of_products", log, y, out)


@categorical_cross_entropy.through("sigmoid")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, subtract(times(y, a), y))


@categorical_cross_entropy.through("softmax")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, softmax_error(a, y))


@categorical_cross_entropy.vjp
def _categorical_cross_entropy_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through categorical cross-entropy: −b y / a."""
    return -blame * y / _clear(a)


_categorical_cross_entropy_blame.operation("categorical_blame")


@_categorical_cross_entropy_blame.in_programs
def _(s: Any, key: str) -> str:
    return f"-{s.one(key, 'blame')} * {s.one(key, 'y')} / {s.one(key, 'a')}"


@_categorical_cross_entropy_blame.in_onnx
def _(s: Any, key: str) -> str:
    share = s.node("Div", s.one(key, "y"), s.one(key, "a"))
    return str(s.node("Neg", s.product(s.one(key, "blame"), share)))


@_categorical_cross_entropy_blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    return (of("/", of("*", of("neg", blame), y), _cleared(a)),)


@categorical_cross_entropy.backward
def _(blame: Blame, a: Output, y: Output, cost: Output) -> Mapping[str, Any]:
    return {
        "a": lambda: _categorical_cross_entropy_blame(blame, a, y),
        "y": lambda: times(blame, -1.0, log(a)),
    }


@cross_entropy.of_sums(
    "softmax",
    formula="C = −Σ (y ln a + (1−y) ln(1−a))",
    slope=lambda z: subtract(log_others(z), log_softmax(z)),
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ (y ln a + (1−y) ln(1−a)) with both logarithms from z."""
    parts = y * log_softmax.function(z) + (1 - y) * log_others.function(z)
    return -parts.sum(axis=-1, keepdims=True)


@cross_entropy.rows_of_sums("softmax")
def _(t: Any, known: Any, y: Any, out: Any) -> None:
    both = [
        t.each_of(known, lambda z, name=name: logs(t, name, z))
        for name in ("log_softmax", "log_others")
    ]
    missed = t.like(y)
    t.elementwise("subtract", missed, t.literal(1.0), y)
    t.paired("sum_of_products", t.joined(both), t.joined([y, missed]), out, -1.0)


@cross_entropy.through("softmax")
def _(blame: Blame, z: Output, y: Output, missed: Output) -> Any:
    return times(blame, softmax_binary_error(z, y, missed))


def _penalty_shape(settings: dict[str, Any], *weights: Shape) -> tuple[Shape, ...]:
    for shape in weights:
        if shape.batch:
            raise ShapeMismatch(
                f"{shape} cannot enter: l2_penalty takes parameters, which have no sample axis"
            )
    return (Shape((1, 1)),)


@node(
    "cost",
    formula="C = λ/2 · Σ Θ²",
    outputs=("cost",),
    shapes=_penalty_shape,
    aliases=("weight decay", "regularization", "ridge"),
    told="calculated",
)
def l2_penalty(*weights: Value, regularization: Annotated[float, Range(0)] = 0.01) -> Value:
    """Make large weights cost something: (λ/2) Σ Θ². Wire no bias into it."""
    total = sum(float((theta * theta).sum()) for theta in weights)
    return np.array([[0.5 * regularization * total]])


@l2_penalty.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    squares = [symbolic.square(one) for rows in inputs["weights"] for row in rows for one in row]
    return _scaled(settings["regularization"] / 2, [squares])


@l2_penalty.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    sources = given.ports["weights"]
    values = np.concatenate([source.value.ravel() for source in sources]).astype(np.float64) ** 2

    def make(place: int) -> Part:
        for source in sources:
            if place < source.value.size:
                break
            place -= source.value.size
        at = tuple(int(i) for i in np.unravel_index(place, source.value.shape))
        return of("^", source.at(at), 2)

    squares = Terms(values, make)
    return (of("*", of("/", given.settings["regularization"], 2), summed(squares)),)


@l2_penalty.in_programs
def _(s: Any, key: str) -> str:
    weights = s.all(key, "weights")
    squares = " + ".join(f"({theta} ** 2).sum()" for theta in weights)
    squares = f"({squares})" if len(weights) > 1 else squares
    return f"{s.number(s.setting(key, 'regularization'))} / 2 * {squares}"


@l2_penalty.in_onnx
def _(s: Any, key: str) -> str:
    squares = [s.node("ReduceSumSquare", theta, keepdims=0) for theta in s.all(key, "weights")]
    factor = s.number(0.5 * float(s.setting(key, "regularization")))
    return str(s.node("Reshape", s.product(s.add(*squares), factor), s.whole(1, 1)))


@l2_penalty.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    # One sum over all numbers, so that its order is that of the numbers and not of the wires.
    whole = t.in_a_row(inputs["weights"])
    # A cell of its own: λ can be changed in a page, and another node's ½ must stay.
    scale = t.number(0.5 * settings["regularization"])
    t.emit("penalty", dst=out.offset, theta=whole.offset, size=whole.size, scale=scale)


@l2_penalty.backward
def _(blame: Blame, weights: Any, cost: Output, *, regularization: float) -> Mapping[str, Any]:
    if not isinstance(blame, Output):
        return {"weights": [Penalty(regularization * blame) for _ in weights]}
    return {"weights": [lambda w=w: times(blame, regularization, w) for w in weights]}


@node(
    "cost",
    formula="1 if the largest of a is the largest of y",
    outputs=("value",),
    shapes=_COST,
    aliases=("hit rate", "score"),
    no_backward="counting hits has no slope",
    told="judged",
    measures=True,
)
def accuracy(a: Value, y: Value, *, threshold: float = 0.5) -> Value:
    """Give 1 for a sample whose class is right, 0 for one that is wrong.

    The class is the place of the largest output; with a single output, whether it reaches the
    threshold.
    """
    if a.shape[-1] == 1:
        hit = (a >= threshold) == (y >= threshold)
        return hit.astype(a.dtype)
    hit = a.argmax(axis=-1) == y.argmax(axis=-1)
    return hit.astype(a.dtype)[..., None]


@accuracy.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    said, right = (_class(given, port, row_of(index)) for port in ("a", "y"))
    return (of("max", 0, of("-", 1, of("abs", of("-", said, right)))),)


def _class(given: Given, port: str, row: int) -> Part:
    """Return which class outputs or targets say: the place of the largest, or 1 and 0."""
    there = of_row(given.one(port), row)
    if len(there) == 1:
        return choice(of(">=", there[0], given.settings["threshold"]), 1, 0)
    return Apply("place", tuple(there))


def places_of(given: Given, row: int) -> tuple[int, int]:
    """Return which class the outputs say and which the targets."""
    found = []
    for port in ("a", "y"):
        values = np.atleast_2d(given.one(port).value)
        there = values[min(row, len(values) - 1)]
        reached = bool(there[0] >= given.settings["threshold"])
        found.append(int(reached) if there.size == 1 else int(there.argmax()) + 1)
    return found[0], found[1]


@accuracy.in_programs
def _(s: Any, key: str) -> str:
    limit = s.number(s.setting(key, "threshold"))
    return str(s.hits(s.one(key, "a"), s.one(key, "y"), limit, alone=s.dims(key, "y")[-1] == 1))


@accuracy.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    a, y = inputs["a"][0], inputs["y"][0]
    t.emit(
        "accuracy", rows=out.rows, inner=a.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
        threshold=t.literal(float(settings["threshold"])).offset,
    )  # fmt: skip


def _sides(a: Value, y: Value) -> tuple[Value, Value]:
    """Return where the right output of each sample is, and where the best of the wrong ones."""
    right = np.argmax(y, axis=-1)[..., None] == np.arange(a.shape[-1])
    wrong = np.where(right, -np.inf, a)
    return right, np.argmax(wrong, axis=-1)[..., None] == np.arange(a.shape[-1])


@node(
    "cost",
    formula="right output − best wrong one",
    outputs=("value",),
    shapes=_COST,
    aliases=("confidence", "certainty"),
    measures=True,
)
def margin(a: Value, y: Value) -> Value:
    """Give how far the right output is above the best wrong one: above 0 the answer is right.

    It moves while accuracy stands still. A single output a says 1 with a and 0 with 1 − a.
    """
    if a.shape[-1] == 1:
        return (2 * a - 1) * np.where(y > 0.5, 1.0, -1.0)
    right, wrong = _sides(a, y)
    return (np.where(right, a, 0) - np.where(wrong, a, 0)).sum(axis=-1, keepdims=True)


def _places(given: Given, row: int) -> tuple[int, int]:
    """Return the places of the right output and of the best wrong one."""
    a, right = given.one("a").row(row), int(given.one("y").row(row).argmax())
    others = a.copy()
    others[right] = -np.inf
    return right, int(others.argmax())


@margin.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    a, row = given.one("a"), row_of(index)
    if a.width == 1:
        sign = 1 if given.one("y").row(row)[0] > 0.5 else -1
        return (of("*", of("-", of("*", 2, a.at((row, 0))), 1), sign),)
    right, wrong = _places(given, row)
    return (of("-", a.at((row, right)), a.at((row, wrong))),)


@margin.vjp
def _margin_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through the margin: b to the right output, −b to the best wrong one."""
    if a.shape[-1] == 1:
        return 2 * blame * np.where(y > 0.5, 1.0, -1.0)
    right, wrong = _sides(a, y)
    return blame * (right.astype(a.dtype) - wrong)


@_margin_blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    row, blame = row_of(index), given.one("blame")
    if given.one("a").width == 1:
        sign = 1 if given.one("y").row(row)[0] > 0.5 else -1
        return (of("*", 2, blame.at((row, 0)), sign),)
    right, wrong = _places(given, row)
    return (of("*", blame.at((row, 0)), int(index[-1] == right) - int(index[-1] == wrong)),)


@margin.backward
def _(blame: Blame, a: Output, y: Output, value: Output) -> Mapping[str, Any]:
    return {"a": lambda: _margin_blame(blame, a, y), "y": lambda: times(0.0, y)}
