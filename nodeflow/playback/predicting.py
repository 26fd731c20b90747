"""Predict, then reveal: a question about the next node, and a mark for the answer.

    question = ask(run)                     # about run.node, before it is evaluated
    mark = question.mark("0.38", run.step())

A node has many numbers and one is asked, the next one at each pass. Of a weight's update the sign
is asked, of `accuracy` whether the sample is a hit, of all others a number. When an answer is
right, `answers` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG
from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.errors import RunError
from nodeflow.explain.names import place_of
from nodeflow.explain.sentences import account, remark
from nodeflow.graph import MOVED
from nodeflow.playback import answers
from nodeflow.playback.slips import Slip, sign_slip, slip_of
from nodeflow.workings.bodies import body_of
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.lines import line_of, numbered
from nodeflow.workings.parts import Index, Number, numbers, resolved_terms, summed
from nodeflow.workings.shown import precise, show

Kind = Literal["number", "sign", "choice"]
MOST = 24
"""Numbers that a question may give: with more nobody calculates by hand."""
_WORDS: dict[Kind, tuple[str, ...]] = {
    "number": (),
    "sign": ("up", "down", "same"),
    "choice": ("hit", "miss"),
}
_NOTES: dict[Kind, str] = {
    "number": answers.NOTE,
    "sign": "answer up, down or same",
    "choice": "answer hit or miss",
}
_WHAT_OF = {"activation": "the activation", "cost": "the cost"}


class Mark(NamedTuple):
    """What an answer was worth."""

    right: bool
    expected: float
    """The number; of a sign the change of the weight, of a choice 1 for a hit and 0 for a miss."""
    given: float | None
    """The answer as a number, of a sign −1, 0 or 1; None if it could not be read."""
    text: str
    lines: tuple[str, ...] = ()
    """The formula with its numbers, and a sentence; () if the answer could not be read."""
    slip: str = ""
    """The name of the slip that a wrong answer comes from, see `slips`; "" if none is known."""


@dataclass(frozen=True)
class Question:
    """A question about one output number of the node that a run evaluates next."""

    node: str
    kind: Kind
    text: str
    given: tuple[str, ...]
    """The inputs with their numbers, a line each."""
    note: str
    """How exact an answer must be."""
    hint: str
    """The formula with symbols."""
    words: tuple[str, ...]
    """The answers that can be chosen; () where a number is typed."""
    port: str
    index: Index
    """The place of the number in the output."""
    name: str
    """What the number is called, such as "hidden.z₁"."""
    update: int
    sample: int
    run: Run = field(repr=False, compare=False)

    def mark(self, answer: str, step: Step) -> Mark:
        """Return the mark of a typed answer; `step` is the one that `run` made afterwards.

        An answer that cannot be read has a mark that gives nothing away. Raises `RunError` for
        another step.
        """
        if (step.node, step.update, step.sample) != (self.node, self.update, self.sample):
            raise RunError(
                f"the question is about '{self.node}' in update {self.update}, not about "
                f"'{step.node}' in update {step.update}: mark it with the step right after it"
            )
        given = Given(step)
        found = float(step.outputs[self.port][self.index])
        if self.kind == "number":
            mark = self._mark_number(answer, given, found)
        elif self.kind == "sign":
            mark = self._mark_sign(answer, given, found)
        else:
            mark = self._mark_choice(answer, found)
        return mark if mark.given is None else mark._replace(lines=self._explained(step, given))

    def _mark_number(self, answer: str, given: Given, expected: float) -> Mark:
        typed = answers.read_number(answer)
        if typed is None:
            text = answers.no_number(answer)
            return Mark(False, expected, None, text)
        if CATALOG[given.step.type].family == "update":
            typed = typed._replace(base=given.one(MOVED).at(self.index).value)
        truth = f"{self.name} = {show(expected)}"
        if typed.meets(expected):
            return Mark(True, expected, typed.value, f"Right: {truth}.")
        slip = slip_of(typed, given, self.index, expected)
        text = f"No: {truth}, and you said {show(typed.value)}."
        return _with_slip(Mark(False, expected, typed.value, text), slip)

    def _mark_sign(self, answer: str, given: Given, new: float) -> Mark:
        change = new - given.one(MOVED).at(self.index).value
        said = answers.read_word(answer, answers.SIGNS)
        if said is None:
            text = f"{answers.quoted(answer)} is none of the answers: type up, down or same"
            return Mark(False, change, None, text)
        right = said == np.sign(change)
        truth = f"the weight {'rises' if change > 0 else 'falls'} by {show(abs(change))}"
        if not change:
            truth = "the weight stays as it is"
        mark = Mark(right, change, float(said), f"{'Right' if right else 'No'}: {truth}.")
        return mark if right else _with_slip(mark, sign_slip(given, self.index, said, change))

    def _mark_choice(self, answer: str, expected: float) -> Mark:
        said = answers.read_word(answer, answers.HITS)
        if said is None:
            text = f"{answers.quoted(answer)} is none of the answers: type hit or miss"
            return Mark(False, expected, None, text)
        right = said == expected
        truth = "a hit" if expected else "a miss"
        return Mark(right, expected, float(said), f"{'Right' if right else 'No'}: it is {truth}.")

    def _explained(self, step: Step, given: Given) -> tuple[str, ...]:
        line = line_of(given, self.port, self.index).text
        whole, rest = account(self.run, step), remark(self.run, step)
        # Of some types the account is the line of another number: the remark is without it.
        sentence = whole if rest and whole.endswith(rest) else rest
        return (line, sentence) if sentence else (line,)


def _with_slip(mark: Mark, slip: Slip | None) -> Mark:
    return mark if slip is None else mark._replace(text=f"{mark.text} {slip.text}", slip=slip.name)


# --- asking --------------------------------------------------------------------------------------


def worth_asking(run: Run, key: str) -> bool:
    """Return whether a person can work out what a node of a run calculates.

    Sources, views and relays calculate nothing; what needs more than `MOST` numbers is too long.
    """
    if key not in run.order:
        return False
    graph = run.plan.graph
    type_ = graph.type_of(key)
    if body_of(type_.name) is None or type_.joins or type_.drawn_as == "knot":
        return False
    shapes, samples = run.plan.inference.shapes, _samples(run)
    hollow = {
        name: np.broadcast_to(1.0, shapes[address].array(samples))
        for name, address in _addresses(run, key).items()
    }
    before = _Before(run, key, hollow)
    given = Given(before, _addresses(run, key))
    index = (0,) * before.output.ndim
    return len(list(islice(_used(given, index), MOST + 1))) <= MOST


def ask(run: Run, node: str | None = None, *, kind: Kind | None = None) -> Question:
    """Return a question about the node that `run` evaluates next.

    With the kind "number" the new value of a weight is asked instead of the way it goes. Raises
    `RunError` if `node` is another one, or is not `worth_asking`.
    """
    key = run.node if node is None else node
    if key != run.node:
        raise RunError(f"'{key}' is not evaluated next, but '{run.node}': step there first")
    if not worth_asking(run, key):
        raise RunError(f"there is nothing to work out by hand at '{key}'", node=key)
    addresses = _addresses(run, key)
    before = _Before(run, key, {name: run[address] for name, address in addresses.items()})
    given = Given(before, addresses)
    index = _chosen(run, before.output.shape)
    name = named(f"{key}.{before.port}", before.output.shape, index)
    found = _kind(run, before, kind)
    return Question(
        node=key,
        kind=found,
        text=_text(run, before, found, name, index),
        given=tuple(_given_lines(run, given, before, index)),
        note=_NOTES[found],
        hint=run.plan.formula(key),
        words=_WORDS[found],
        port=before.port,
        index=index,
        name=name,
        update=run.update,
        sample=run.sample,
        run=run,
    )


class _Before:
    """A step that is not made yet: its inputs are there, its outputs are 0."""

    def __init__(self, run: Run, key: str, inputs: Mapping[str, NDArray[Any]]) -> None:
        graph = run.plan.graph
        self.node, self.type = key, graph.nodes[key].type
        self.inputs, self.settings = inputs, graph.settings(key)
        self.samples = run.schedule.bounds(run.update)[1]
        from_sums = any(name.partition("[")[0] == "z" for name in inputs)
        self.activation = run.plan.activation(key) if from_sums else ""
        self.port = graph.type_of(key).outputs[0].name
        shape = run.plan.inference.shapes[f"{key}.{self.port}"].array(_samples(run))
        self.output: NDArray[Any] = np.broadcast_to(0.0, shape)
        self.outputs = {self.port: self.output}


def _samples(run: Run) -> int:
    """Return how many rows a value has."""
    return run.schedule.samples(run.update)


def _addresses(run: Run, key: str) -> dict[str, str]:
    """Return where the values at a node's inputs come from."""
    graph, slots = run.plan.graph, run.machine.tape.slots
    found = {
        wire.entry: wire.start
        for wire in graph.into(key)
        if not graph.feeds_back(wire) and wire.start in slots
    }
    sums = run.plan.sums(key)
    if all(index is None for _, index in sums.values()):
        found |= {name: start for name, (start, _) in sums.items()}
    return found


def _used(given: Given, index: Index) -> Iterator[Number]:
    """Yield the numbers at the inputs that one output number is made of."""
    body = body_of(given.step.type)
    if body is None or CATALOG[given.step.type].counts_hits:
        terms = [*given.one("a").terms(row_of(index)), *given.one("y").terms(row_of(index))]
    else:
        with np.errstate(all="ignore"):
            terms = [summed(resolved_terms(body(given, index)))]
    for term in terms:
        # A constant of the formula has no address; the total of before is no input.
        own = ("", f"{given.step.node}.total")
        yield from (number for number in numbers(term) if number.address not in own)


def _chosen(run: Run, shape: Index) -> Index:
    """Return the place of the number that is asked: the next one at each pass."""
    turn = run.schedule.passes_before(run.update, run.sample)
    return tuple(int(i) for i in np.unravel_index(turn % math.prod(shape), shape))


def named(address: str, shape: Index, index: Index) -> str:
    """Return what a number is called: "hidden.z₁", "theta.value₁,₂", "hidden.delta₁"."""
    node, _, port = address.rpartition(".")
    # `hidden.delta` is clearer than `hidden.delta.delta`.
    name = node if node == port or node.endswith(f".{port}") else address
    return numbered(name, shape, index)


def _kind(run: Run, before: _Before, wanted: Kind | None) -> Kind:
    if CATALOG[before.type].counts_hits:
        return "choice"
    graph = run.plan.graph
    if CATALOG[before.type].family == "update" and wanted != "number":
        start = graph.inputs(before.node)[MOVED][0].source
        # Otherwise it is a running sum that fades, and no weight.
        return "sign" if graph.nodes[start].is_parameter else "number"
    return "number"


def _text(run: Run, before: _Before, kind: Kind, name: str, index: Index) -> str:
    graph, shape = run.plan.graph, before.output.shape
    batch = run.plan.inference.shapes[f"{before.node}.{before.port}"].batch and shape[0] > 1
    row = f" in row {index[0] + 1} of the batch" if batch else ""
    if kind == "choice":
        return f"Is the sample{row} a hit: does the output say the class of the target?"
    if kind == "sign":
        address = graph.inputs(before.node)[MOVED][0].start
        where = f" ({place_of(graph, address, index)})" if math.prod(shape) > 1 else ""
        return f"Will {named(address, shape, index)}{where} rise, fall or stay the same?"
    type_ = graph.type_of(before.node)
    what = type_.noun or _WHAT_OF.get(type_.family, "")
    return f"What is {name}{what and f', {what}'}{row}?"


def _given_lines(run: Run, given: Given, before: _Before, index: Index) -> Iterator[str]:
    """Yield the numbers that one output number is made of, then the settings."""
    shapes = {
        source.address: source.value.shape for port in given.ports.values() for source in port
    }
    used = list(dict.fromkeys(_used(given, index)))
    for address in dict.fromkeys(number.address for number in used):
        for number in used:
            if number.address == address:
                yield f"{named(address, shapes[address], number.index)} = {precise(number.value)}"
    if CATALOG[before.type].accumulates:
        first = run.schedule.pass_of(run.position) == 0
        total = 0.0 if first else float(run[f"{before.node}.{before.port}"][index])
        yield f"{before.port} so far = {precise(total)}"
    if CATALOG[before.type].averages:
        yield f"n = {before.samples}"
    for setting, value in before.settings.items():
        yield f"{setting} = {_setting(value)}"


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return precise(value) if isinstance(value, float) else str(value)
