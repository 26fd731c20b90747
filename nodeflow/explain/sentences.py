"""What a step did, in one plain sentence.

The words are in `sentences.json`: a page that computes says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG
from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.explain.attribution import apportioned
from nodeflow.explain.names import layer_of, neuron_before, place_of
from nodeflow.explain.units import in_units
from nodeflow.explain.wording import say as _say
from nodeflow.graph import MOVED
from nodeflow.nodes.cost import places_of
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
    """Return what there is to say besides the name and the formula of a step, or ""."""
    teller = _teller(run, step)
    with np.errstate(all="ignore"):
        sentence = _REMARKS.get(teller, teller)(run, step).removeprefix(f"{step.node} ")
        return _with_units(run, step, sentence)


def _teller(run: Run, step: Step) -> _Account:
    if not step.outputs:
        return _shown
    type_ = run.plan.graph.type_of(step.node)
    return _ACCOUNTS.get(type_.told) or _ACCOUNTS_OF.get(type_.family, _calculated)


def _shown(_run: Run, step: Step) -> str:
    return _say("shows", node=step.node, what=", ".join(step.inputs) or "nothing")


def _largest(value: NDArray[Any]) -> Index:
    """Return the place of the number that is furthest from 0."""
    sizes = np.nan_to_num(np.abs(value), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(sizes.argmax()), value.shape))


def _first(step: Step) -> NDArray[Any]:
    return next(iter(step.outputs.values()))


def _at(value: NDArray[Any], index: Index, what: str = "number") -> str:
    """Return where a number stands: "neuron 3", in a batch "neuron 3 of row 2"."""
    if value.ndim > 1 and len(value) > 1:
        return _say("at row", what=what, number=index[-1] + 1, row=index[0] + 1)
    return _say("at", what=what, number=index[-1] + 1)


def _superlative(number: float) -> str:
    return _say("largest" if number >= 0 else "furthest")


def _top(step: Step) -> Line:
    """Return the line of the number that is furthest from 0."""
    return line_of(Given(step), next(iter(step.outputs)), _largest(_first(step)))


def _calculated(_run: Run, step: Step) -> str:
    line = _top(step)
    top = _superlative(line.result.value)
    which = "" if _first(step).size == 1 else _say("calculated which", top=top)
    return _say("calculated", node=step.node, line=line.text, which=which)


def _top_number(_run: Run, step: Step) -> str:
    line = _top(step)
    number = line.result.value
    if not any(line.result.index):
        return ""  # the formula is that of the first number
    return _say("top number", top=_superlative(number), left=line.left, number=show(number))


def _held(run: Run, step: Step) -> str:
    value = _first(step)
    if CATALOG[step.type].holds_data:
        n = step.samples if len(value) > 1 else 1
        which = "one row" if n == 1 else "many rows"
        rows = _say(which, row=step.sample + 1, last=step.sample + n)
        return _say("rows", node=step.node, rows=rows, all=run.machine.rows, epoch=step.epoch + 1)
    if value.size == 1:
        return _say("holds one", node=step.node, number=show(value.ravel()[0]))
    shape, least, most = "×".join(map(str, value.shape)), show(value.min()), show(value.max())
    span = _say("all alike" if least == most else "span", least=least, most=most)
    return _say("holds many", node=step.node, shape=shape, span=span)


def _held_many(run: Run, step: Step) -> str:
    known = CATALOG[step.type].holds_data or _first(step).size <= LISTED
    return "" if known else _held(run, step)


def _added_up(_run: Run, step: Step) -> str:
    value, inputs = _first(step), Given(step).width
    known = {"node": step.node, "inputs": inputs, "s": "s" * (inputs != 1)}
    if value.size == 1:
        return _say("added up one", **known, number=show(value.ravel()[0]))
    index = _largest(value)
    sum_ = _say("largest sum" if value[index] >= 0 else "furthest sum")
    where = _at(value, index, "neuron")
    return _say("added up many", **known, where=where, sum=sum_, number=show(value[index]))


def _activated(_run: Run, step: Step) -> str:
    z, a = np.broadcast_arrays(step.inputs["z"], _first(step))
    if CATALOG[step.type].shares:
        index = _largest(a)
        where = _at(a, index)
        return _say("shares", node=step.node, width=z.shape[-1], where=where, number=show(a[index]))
    index = _largest(z - a)
    before, after = float(z[index]), float(a[index])
    if before == after:
        return _say("passed", node=step.node, number=show(before))
    which = "" if a.size == 1 else _say("activated which", where=_at(a, index))
    verb = _say(CATALOG[step.type].verb)
    return _say(
        "activated", node=step.node, verb=verb, before=show(before), after=show(after), which=which
    )


def _cost(run: Run, step: Step) -> str:
    if not {"a", "y"} <= step.inputs.keys():
        return _calculated(run, step)
    cost = _first(step)
    mean = _say("on average") if cost.size > 1 else ""
    rest = _furthest_off(run, step)
    return _say("cost", node=step.node, number=show(cost.mean()), mean=mean, rest=rest)


def _furthest_off(run: Run, step: Step) -> str:
    if not {"a", "y"} <= step.inputs.keys():
        return _top_number(run, step)
    off = np.asarray(step.inputs["a"] - step.inputs["y"])
    index = _largest(off)
    number = off[index]
    way = "above" if number > 0 else "below"
    distance = _say(way if number else "on target", number=show(abs(number)))
    if off.size == 1:
        return _say("the output", distance=distance)
    return _say("furthest off", where=_at(off, index, "output"), distance=distance)


def _judged(_run: Run, step: Step) -> str:
    hits = _first(step)
    if hits.size > 1:
        count = int(hits.sum())
        s = "s" * (count != 1)
        return _say("hits", node=step.node, count=count, s=s, rows=hits.size)
    said, right = places_of(Given(step), 0)
    verdict = _say("hit" if said == right else "miss")
    what = f"output {said}" if np.shape(step.inputs["a"])[-1] > 1 else f"class {said}"
    return _say("judged", node=step.node, what=what, right=right, verdict=verdict)


def _sent_back(run: Run, step: Step) -> str:
    graph = run.plan.graph
    weights = graph.inputs(step.node)["weights"][0].start
    delta = np.atleast_2d(step.inputs["delta"])[0]
    found = apportioned(np.atleast_2d(step.inputs["weights"]), delta)
    j, i = _largest(found)
    if not found[j, i]:
        return _say("no blame", node=step.node)
    layer = layer_of(graph, weights)
    who = neuron_before(graph, layer, i) if layer else f"number {i + 1}"
    share = 100 * abs(found[j, i])
    whose = _at(step.inputs["delta"], (0, j), layer or "output")
    return _say("answers", who=who, share=f"{share:.0f}", whose=whose)


def _sloped(_run: Run, step: Step) -> str:
    delta = _first(step)
    blame = np.broadcast_to(step.inputs["blame"], delta.shape)
    index = _largest(blame - delta)
    where = _say("sloped where", where=_at(delta, index)) if delta.size > 1 else ""
    return _say(
        "sloped", node=step.node, blame=show(blame[index]), delta=show(delta[index]),
        activation=step.settings["activation"], where=where,
    )  # fmt: skip


def _moved(run: Run, step: Step) -> str:
    graph = run.plan.graph
    start = graph.inputs(step.node)[MOVED][0]
    if not graph.nodes[start.source].is_parameter:
        return _calculated(run, step)  # a running sum that fades before it is added to
    address = start.start
    change = np.asarray(_first(step) - step.inputs[MOVED])
    index = _largest(change)
    name = address.rpartition(".")[0]
    if not change[index]:
        return _say("not moved", name=name)
    where = most = ""
    if change.size > 1:
        met = change.ndim == 2 and layer_of(graph, address)
        where = _say("most where" if met else "most at", place=place_of(graph, address, index))
        most = _say("at most")
    return _say("moved", name=name, most=most, number=show(abs(change[index])), where=where)


_Account = Callable[[Run, Step], str]
_ACCOUNTS_OF: dict[str, _Account] = {
    "source": _held,
    "layer": _added_up,
    "activation": _activated,
    "cost": _cost,
    "update": _moved,
}
_ACCOUNTS: dict[str, _Account] = {
    "calculated": _calculated,
    "judged": _judged,
    "sent back": _sent_back,
    "sloped": _sloped,
}
"""By what a type says of itself (`told`), where that is not what its family is told by."""
_REMARKS: dict[_Account, _Account] = {
    _calculated: _top_number,
    _cost: _furthest_off,
    _held: _held_many,
}


def remark_kind(run: Run, step: Step) -> str:
    """Return which of the sentences a remark on a step is: its function's name without the dash."""
    teller = _teller(run, step)
    return _REMARKS.get(teller, teller).__name__.removeprefix("_")
