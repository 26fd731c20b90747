"""What a step did, in one plain sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.explain.apportioning import apportioned
from nodeflow.explain.names import layer_of, neuron_before, place_of
from nodeflow.explain.units import in_units
from nodeflow.workings.bodies import places_of
from nodeflow.workings.given import Given
from nodeflow.workings.lines import Line, line_of
from nodeflow.workings.parts import Index
from nodeflow.workings.shown import LISTED, show


def account(run: Run, step: Step) -> str:
    """Return what a step of `run` did, in one plain sentence."""
    with np.errstate(all="ignore"):  # a number may be Infinity
        return _with_units(run, step, _teller(run, step)(run, step))


def _with_units(run: Run, step: Step, sentence: str) -> str:
    return " ".join(filter(None, (sentence, in_units(run, step))))


def remark(run: Run, step: Step) -> str:
    """Return what there is to say beside the name and the formula of a step, or ""."""
    teller = _teller(run, step)
    with np.errstate(all="ignore"):
        sentence = _REMARKS.get(teller, teller)(run, step).removeprefix(f"{step.node} ")
        return _with_units(run, step, sentence)


def _teller(run: Run, step: Step) -> _Account:
    if not step.outputs:
        return _shown
    family = run.plan.graph.type_of(step.node).family
    return _ACCOUNTS.get(step.type, _ACCOUNTS_OF.get(family, _calculated))


def _shown(_run: Run, step: Step) -> str:
    return f"{step.node} shows {', '.join(step.inputs) or 'nothing'}."


def _largest(value: NDArray[Any]) -> Index:
    """Return the place of the number that is furthest from 0."""
    sizes = np.nan_to_num(np.abs(value), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(sizes.argmax()), value.shape))


def _first(step: Step) -> NDArray[Any]:
    return next(iter(step.outputs.values()))


def _at(value: NDArray[Any], index: Index, what: str = "number") -> str:
    """Return where a number stands: "neuron 3", in a batch "neuron 3 of row 2"."""
    row = f" of row {index[0] + 1}" if value.ndim > 1 and len(value) > 1 else ""
    return f"{what} {index[-1] + 1}{row}"


def _superlative(number: float) -> str:
    return "largest" if number >= 0 else "furthest from 0"


def _top(step: Step) -> Line:
    """Return the line of the number that is furthest from 0."""
    return line_of(Given(step), next(iter(step.outputs)), _largest(_first(step)))


def _calculated(_run: Run, step: Step) -> str:
    line = _top(step)
    top = _superlative(line.result.value)
    which = "" if _first(step).size == 1 else f", the {top} of its numbers"
    return f"{step.node} calculated {line.text}{which}."


def _top_number(_run: Run, step: Step) -> str:
    line = _top(step)
    number = line.result.value
    if not any(line.result.index):
        return ""  # the formula is that of the first number
    return f"the {_superlative(number)}: {line.left} = {show(number)}"


def _held(run: Run, step: Step) -> str:
    value = _first(step)
    if step.type == "dataset":
        n = step.samples if len(value) > 1 else 1
        rows = (
            f"row {step.sample + 1}" if n == 1 else f"rows {step.sample + 1} to {step.sample + n}"
        )
        return f"{step.node} handed out {rows} of the {run.machine.rows} of epoch {step.epoch + 1}."
    if value.size == 1:
        return f"{step.node} holds {show(value.ravel()[0])}."
    shape, least, most = "×".join(map(str, value.shape)), show(value.min()), show(value.max())
    span = f", all of them {least}" if least == most else f" from {least} to {most}"
    return f"{step.node} holds {shape} numbers{span}."


def _held_many(run: Run, step: Step) -> str:
    known = step.type == "dataset" or _first(step).size <= LISTED
    return "" if known else _held(run, step)


def _added_up(_run: Run, step: Step) -> str:
    value, inputs = _first(step), Given(step).width
    what = f"{step.node} added up {inputs} weighted input{'s' * (inputs != 1)}"
    if value.size == 1:
        return f"{what} to {show(value.ravel()[0])}."
    index = _largest(value)
    sum_ = "largest sum" if value[index] >= 0 else "sum furthest from 0"
    return f"{what} a neuron; {_at(value, index, 'neuron')} has the {sum_}, {show(value[index])}."


_VERBS = {"relu": "cut", "leaky_relu": "cut", "softplus": "bent", "identity": "passed on"}


def _activated(_run: Run, step: Step) -> str:
    z, a = np.broadcast_arrays(step.inputs["z"], _first(step))
    if step.type == "softmax":
        index = _largest(a)
        where = _at(a, index)
        return (
            f"{step.node} turned {z.shape[-1]} sums into shares; "
            f"{where} has the largest, {show(a[index])}."
        )
    index = _largest(z - a)
    before, after = float(z[index]), float(a[index])
    if before == after:
        return f"{step.node} passed {show(before)} on as it is."
    which = "" if a.size == 1 else f" ({_at(a, index)})"
    return (
        f"{step.node} {_VERBS.get(step.type, 'squashed')} {show(before)} to {show(after)}{which}."
    )


def _cost(run: Run, step: Step) -> str:
    if not {"a", "y"} <= step.inputs.keys():
        return _calculated(run, step)
    cost = _first(step)
    mean = " on average" if cost.size > 1 else ""
    return f"{step.node} is {show(cost.mean())}{mean}; {_furthest_off(run, step)}"


def _furthest_off(run: Run, step: Step) -> str:
    if not {"a", "y"} <= step.inputs.keys():
        return _top_number(run, step)
    off = np.asarray(step.inputs["a"] - step.inputs["y"])
    index = _largest(off)
    number = off[index]
    way = "above" if number > 0 else "below"
    distance = f"{show(abs(number))} {way} its target" if number else "on its target"
    if off.size == 1:
        return f"the output is {distance}."
    return f"{_at(off, index, 'output')} is furthest off, {distance}."


def _judged(_run: Run, step: Step) -> str:
    hits = _first(step)
    if hits.size > 1:
        count = int(hits.sum())
        return f"{step.node} counted {count} hit{'s' * (count != 1)} in {hits.size} rows."
    said, right = places_of(Given(step), 0)
    verdict = "a hit" if said == right else "a miss"
    what = f"output {said}" if np.shape(step.inputs["a"])[-1] > 1 else f"class {said}"
    return f"{step.node} took the sample for {what} where {right} is right: {verdict}."


def _sent_back(run: Run, step: Step) -> str:
    graph = run.plan.graph
    weights = graph.inputs(step.node)["weights"][0].start
    delta = np.atleast_2d(step.inputs["delta"])[0]
    found = apportioned(np.atleast_2d(step.inputs["weights"]), delta)
    j, i = _largest(found)
    if not found[j, i]:
        return f"{step.node} sent no blame back: every δ times its weight is 0."
    layer = layer_of(graph, weights)
    who = neuron_before(graph, layer, i) if layer else f"number {i + 1}"
    share = 100 * abs(found[j, i])
    whose = _at(step.inputs["delta"], (0, j), layer or "output")
    return f"{who} answers for {share:.0f} % of the error of {whose}."


def _sloped(_run: Run, step: Step) -> str:
    delta = _first(step)
    blame = np.broadcast_to(step.inputs["blame"], delta.shape)
    index = _largest(blame - delta)
    where = f" at {_at(delta, index)}" if delta.size > 1 else ""
    return (
        f"{step.node} turned blame {show(blame[index])} into δ = {show(delta[index])} "
        f"by the slope of {step.settings['activation']}{where}."
    )


def _moved(run: Run, step: Step) -> str:
    graph = run.plan.graph
    start = graph.inputs(step.node)["parameter"][0]
    if graph.nodes[start.source].type != "parameter":
        return _calculated(run, step)  # a running sum that fades before it is added to
    address = start.start
    change = np.asarray(_first(step) - step.inputs["parameter"])
    index = _largest(change)
    name = address.rpartition(".")[0]
    if not change[index]:
        return f"{name} did not move: its gradient times the rate is 0."
    where = f", most at {place_of(graph, address, index)}" if change.size > 1 else ""
    if where and change.ndim == 2 and layer_of(graph, address):
        where = f", most where {place_of(graph, address, index)}"
    most = "at most " if change.size > 1 else ""
    return f"{name} moved by {most}{show(abs(change[index]))}{where}."


_Account = Callable[[Run, Step], str]
_ACCOUNTS_OF: dict[str, _Account] = {
    "source": _held,
    "layer": _added_up,
    "activation": _activated,
    "cost": _cost,
    "update": _moved,
}
_ACCOUNTS: dict[str, _Account] = {
    "accuracy": _judged,
    "error": _calculated,
    "l2_penalty": _calculated,
    "blame": _sent_back,
    "delta": _sloped,
}
_REMARKS: dict[_Account, _Account] = {
    _calculated: _top_number,
    _cost: _furthest_off,
    _held: _held_many,
}
