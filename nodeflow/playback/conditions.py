"""Run until a condition holds: "cost < 0.01", "w.value changes sign", "nan appears".

`grammar` has the language. What it means besides arithmetic:

- A comparison of many numbers holds when it holds for each of them; `any(w.value < 0)` when for
  one. Numbers are compared exactly. Within any(…) and all(…) it is decided number by number.
- `nan(x)`: one of the numbers is NaN; `infinite(x)`: one is Infinity or −Infinity.
- `nan appears`: any value of the graph, or of what stands after `in`, is NaN or infinite.
- `previous(x)`: the value a pass before; `change(x)` is x − previous(x).
- `X changes`: one of its numbers is another than before. `X rises`, `X falls`: each is larger,
  smaller. `X changes sign`: one of its numbers reached or crossed 0; leaving 0 does not count.
- `min(x)`, `max(x)`, `mean(x)`, `sum(x)`, `norm(x)` make one number of many; `min(a, b)` and
  `max(a, b)` choose number by number. Other functions are those of formulas.
- `w.value[0, 1]`: places count from 0.
- `cost` is J of the present batch. `train_accuracy`, `train_cost`, `test_accuracy`, `test_cost` are
  those of the last epoch that ended; `accuracy` is test_accuracy, else train_accuracy.

What is not known yet (a node that was not evaluated, test_cost before the first epoch ended, the
value before the first) makes a condition neither true nor false: it does not hold, nor does its
`not`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.errors import ConditionError, RunError
from nodeflow.graph import Graph
from nodeflow.playback.grammar import CHANGES, EPOCHAL, Part, read, read_expression, said

_RELATIONS: dict[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_TO_ONE: dict[str, Callable[..., Any]] = {
    "min": np.min,
    "max": np.max,
    "mean": np.mean,
    "sum": np.sum,
    "norm": lambda values: np.sqrt(np.sum(np.square(values))),
}
_OF_SEVERAL = frozenset({"any", "all", "port", "nan appears", *_TO_ONE})
"""Where one of these is, numbers of several moments would be taken for those of one."""


class Values(Protocol):
    """What is known at a moment."""

    def value(self, address: str) -> NDArray[Any]:
        """Return the value at an output port; KeyError or `RunError` if there is none yet."""

    def number(self, name: str) -> Any:
        """Return a word's number; None, KeyError or `RunError` if it is not known.

        epoch, update, sample, cost, train_accuracy, test_accuracy, train_cost, test_cost.
        """


@dataclass(frozen=True)
class Condition:
    """A condition on the values of a run; made by `parse`."""

    text: str
    ports: frozenset[str]
    """Addresses of the output ports that it reads."""
    epochal: bool
    """Whether it reads what is known only when an epoch has ended."""
    looks_back: bool
    """Whether it reads values of the pass before (of the epoch before, if it is epochal)."""
    root: Part = field(repr=False)

    def holds(self, now: Values, before: Values | None = None) -> bool:
        """Return whether it is true; never for numbers alone an error.

        Raises `ConditionError` where shapes do not fit: a place that is not there, a sum of 2 and
        3 numbers.
        """
        with np.errstate(all="ignore"):
            return bool(_Judge(self, now, before).truth(self.root))

    def each(self, now: Values, before: Values) -> NDArray[np.bool_] | None:
        """Return at which of many moments it is true; None where they must be asked one by one.

        `now` and `before` have an array for a word, one number per moment.
        """
        singly = all(part.head not in _OF_SEVERAL for part in self.root.walk())
        words = {part.value for part in self.root.walk() if part.head == "word"}
        judge = _Judge(self, now, before, singly=True)
        if not singly or not words or any(judge.word(word) is None for word in words):
            return None
        with np.errstate(all="ignore"):
            found = np.asarray(judge.truth(self.root))
        size = np.shape(judge.word(next(iter(words))))
        return np.broadcast_to(found, size)


@dataclass(frozen=True)
class Expression:
    """A number, or a truth, of the values of a run; made by `parse_expression`."""

    text: str
    ports: frozenset[str]
    """Addresses of the output ports that it reads."""
    words: frozenset[str]
    """Which of epoch, cost, accuracy, … it reads."""
    root: Part = field(repr=False)

    def value(self, now: Values) -> Any:
        """Return its numbers, or whether it is true; None where something is not known yet.

        Raises `ConditionError` where shapes do not fit.
        """
        judge = _Judge(self, now, None)
        with np.errstate(all="ignore"):
            if not self.root.truth:
                return judge.number(self.root)
            found = judge.truth(self.root)
        return None if found is None else bool(found)


def parse_expression(text: str, graph: Graph) -> Expression:
    """Return the expression written in `text`, or raise `ConditionError`.

    What it reads is of one moment: `previous(…)`, `rises` and the like are refused.
    """
    root = read_expression(text, graph)
    parts = list(root.walk())
    for part in parts:
        if part.head in ("previous", "change", "changes sign", *CHANGES):
            raise ConditionError(said("now alone"), text=text, position=part.start)
    return Expression(
        text=text,
        ports=frozenset(part.value[0] for part in parts if part.head == "port"),
        words=frozenset(part.value for part in parts if part.head == "word"),
        root=root,
    )


def parse(text: str, graph: Graph) -> Condition:
    """Return the condition written in `text`, or raise `ConditionError`.

    `graph` is the whole graph of a run, `run.plan.graph`: its backward pass has values too.
    """
    root = read(text, graph)
    parts = list(root.walk())
    ports = {part.value[0] for part in parts if part.head == "port"}
    if any(part.head == "nan appears" and not part.parts for part in parts):
        ports |= _all_ports(graph)
    backward = ("previous", "change", "changes sign", *CHANGES)
    return Condition(
        text=text,
        ports=frozenset(ports),
        epochal=any(part.head == "word" and part.value in EPOCHAL for part in parts),
        looks_back=any(part.head in backward for part in parts),
        root=root,
    )


def _all_ports(graph: Graph) -> set[str]:
    return {
        f"{key}.{port.name}"
        for key, node in graph.nodes.items()
        if node.known is not None
        for port in node.known.outputs
    }


@dataclass
class _Judge:
    """Finds numbers and truths of parts; None is what is not known."""

    condition: Condition | Expression
    now: Values
    before: Values | None
    singly: bool = False
    """Whether truths are found number by number: within any(…) and all(…)."""

    # -- truths

    def truth(self, part: Part) -> Any:
        match part.head:
            case "not":
                found = self.truth(part.parts[0])
                return None if found is None else np.logical_not(found)
            case "and" | "or":
                return self._joined(part)
            case "any" | "all":
                return self._of_each(part)
            case "relation":
                return self._relation(part)
            case "nan appears":
                return self._nan_appears(part)
            case "nan" | "infinite":
                value = self.number(part.parts[0])
                test = np.isnan if part.head == "nan" else np.isinf
                return None if value is None else self._any(test(value))
            case _:
                return self._change(part)

    def _all(self, found: Any) -> Any:
        return found if self.singly else np.all(found)

    def _any(self, found: Any) -> Any:
        return found if self.singly else np.any(found)

    def _joined(self, part: Part) -> Any:
        """Join by and, or: what is not known counts only where the other does not decide."""
        found = [self.truth(each) for each in part.parts]
        known = [each for each in found if each is not None]
        self._fit(part, known)
        if part.head == "and":
            if not all(np.any(each) for each in known):
                return False
        elif any(np.all(each) for each in known):
            return True
        if len(known) < len(found):
            return None
        return (np.logical_and if part.head == "and" else np.logical_or)(*known)

    def _of_each(self, part: Part) -> Any:
        outside, self.singly = self.singly, True
        found = self.truth(part.parts[0])
        self.singly = outside
        if found is None:
            return None
        return np.any(found) if part.head == "any" else np.all(found)

    def _relation(self, part: Part) -> Any:
        values = self._numbers(part)
        if values is None:
            return None
        pairs = zip(part.value, values, values[1:], strict=False)
        held = [_RELATIONS[sign](left, right) for sign, left, right in pairs]
        return self._all(np.logical_and.reduce(np.broadcast_arrays(*held)))

    def _nan_appears(self, part: Part) -> Any:
        if part.parts:
            value = self.number(part.parts[0])
            return None if value is None else self._any(~np.isfinite(value))
        found = (self._port(address, self.now) for address in self.condition.ports)
        return any(not np.isfinite(value).all() for value in found if value is not None)

    def _change(self, part: Part) -> Any:
        pair = self._now_and_before(part.parts[0])
        if pair is None:
            return None
        now, before = pair
        match part.head:
            case "rises":
                return self._all(now > before)
            case "falls":
                return self._all(now < before)
            case "changes":
                return self._any((now != before) & ~(np.isnan(now) & np.isnan(before)))
            case _:
                reached = (before < 0) & (now >= 0) | (before > 0) & (now <= 0)
                return self._any(reached)

    # -- numbers

    def number(self, part: Part) -> Any:
        match part.head:
            case "number":
                return np.float64(part.value)
            case "word":
                return self.word(part.value)
            case "port":
                return self._place(part)
            case "previous":
                pair = self._now_and_before(part.parts[0])
                return None if pair is None else pair[1]
            case "change":
                pair = self._now_and_before(part.parts[0])
                return None if pair is None else pair[0] - pair[1]
        values = self._numbers(part)
        if values is None:
            return None
        head = part.head
        if len(values) == 1 and head in _TO_ONE:
            return _TO_ONE[head](values[0])
        if head == "negative":
            return -values[0]
        if head in formulas.OPERATORS:
            return _folded(formulas.OPERATORS[head], values)
        return formulas.FUNCTIONS[head](values[0])

    def _numbers(self, part: Part) -> list[Any] | None:
        """Return the values of all inner parts, which fit each other; None if one is unknown."""
        found = [self.number(each) for each in part.parts]
        if any(value is None for value in found):
            return None
        self._fit(part, found)
        return found

    def _now_and_before(self, part: Part) -> tuple[Any, Any] | None:
        """Return a value now and a pass before; None where the batch had another size."""
        now = self.number(part)
        if now is None or self.before is None:
            return None
        # What it reads is known by now; a place that is not there was refused above.
        earlier = _Judge(self.condition, self.before, None)
        before = earlier.number(part) if self._same_shapes(part) else None
        return None if before is None else (now, before)

    def _same_shapes(self, part: Part) -> bool:
        for each in part.walk():
            if each.head == "port":
                now, before = (self._port(each.value[0], at) for at in (self.now, self.before))
                if now is None or before is None or now.shape != before.shape:
                    return False
        return True

    def word(self, word: str) -> Any:
        """Return a word's number; None where it is not known."""
        names = ("test_accuracy", "train_accuracy") if word == "accuracy" else (word,)
        found = (_known(self.now.number, name) for name in names)
        return next((value for value in found if value is not None), None)

    def _port(self, address: str, values: Values | None) -> Any:
        return None if values is None else _known(values.value, address)

    def _place(self, part: Part) -> Any:
        address, indices = part.value
        value = self._port(address, self.now)
        if value is None or not indices:
            return value
        try:
            return value[indices]
        except IndexError:
            places = ", ".join(map(str, indices))
            self._refuse(
                part, said("not there", address=address, size=_sizes(value), places=places)
            )

    def _fit(self, part: Part, values: list[Any]) -> None:
        try:
            np.broadcast_shapes(*(np.shape(value) for value in values))
        except ValueError:
            sizes = " and ".join(dict.fromkeys(_sizes(value) for value in values))
            self._refuse(part, said("cannot meet", sizes=sizes))

    def _refuse(self, part: Part, why: str) -> NoReturn:
        raise ConditionError(why, text=self.condition.text, position=part.start)


def _known(read_one: Callable[[str], Any], name: str) -> Any:
    """Return what is read as float64, None if it is not known."""
    try:
        found = read_one(name)
    except (KeyError, RunError):
        return None
    return None if found is None else np.asarray(found, np.float64)


def _folded(operator: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    first, *others = values
    for value in others:
        first = operator(first, value)
    return first


def _sizes(value: Any) -> str:
    return "×".join(map(str, np.shape(value))) or "1"
