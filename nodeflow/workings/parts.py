"""Formulas with numbers, as trees: evaluated, and written for a person or a parser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.workings.shown import show

SHOWN = 6
"""Terms of a sum that are written out; longer sums keep one fewer, the largest."""

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a formula and the output port it came from; "" for one of the formula itself."""

    value: float
    address: str = ""
    index: Index = ()


@dataclass(frozen=True, slots=True)
class Count(Number):
    """How many samples the update has."""


class Apply(NamedTuple):
    """An operator (+ - * / ^ neg) or a function of numbers and of other such parts.

    What depends on the numbers is in the tree as well, so that a tree can be made once and filled
    often: `? test yes no` with a test `< > =`, the `largest` of several parts, the `place` (from 1)
    of the largest, a `difference` that is told as one number, and `nothing`, a term that a sum
    does not have. `resolved` leaves none of these.
    """

    head: str
    parts: Sequence[Part]


Part = Number | Apply


class Terms(Sequence[Part]):
    """Terms of a sum that are made when they are asked for; what they are worth is known before.

    A neuron may have thousands of inputs, and of their products few are written out.
    """

    __slots__ = ("_make", "values")

    def __init__(self, values: NDArray[Any], make: Callable[[int], Part]) -> None:
        self.values = values
        self._make = make

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: int) -> Part: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Part, ...]: ...
    def __getitem__(self, place: int | slice) -> Part | tuple[Part, ...]:
        if isinstance(place, slice):
            return tuple(self._make(i) for i in range(len(self))[place])
        return self._make(range(len(self))[place])


def of(head: str, *parts: Part | float) -> Apply:
    """Return an operation on parts and on numbers of the formula itself."""
    return Apply(
        head,
        tuple(part if isinstance(part, Number | Apply) else Number(float(part)) for part in parts),
    )


def summed(terms: Sequence[Part]) -> Part:
    """Return a sum as one part."""
    return terms[0] if len(terms) == 1 else Apply("+", terms)


def choice(test: Part, yes: Part | float, no: Part | float) -> Apply:
    """Return one part or another, as the numbers have it."""
    return of("?", test, yes, no)


NOTHING = Apply("nothing", ())
_CHOOSING = frozenset({"?", "largest", "place", "difference"})


def resolved(part: Part) -> Part:
    """Return a part with all choices made."""
    if isinstance(part, Number):
        return part
    head, parts = part
    if head in _CHOOSING:
        return _chosen(head, parts)
    if isinstance(parts, Terms):
        terms = parts
        return Apply(head, Terms(terms.values, lambda i: resolved(terms[i])))
    found = tuple(map(resolved, parts))
    if head == "+":
        found = tuple(each for each in found if each != NOTHING)
        return found[0] if len(found) == 1 else Apply("+", found) if found else NOTHING
    return Apply(head, found)


def resolved_terms(terms: Sequence[Part]) -> Sequence[Part]:
    """Return the terms of a sum with all choices made, one at least."""
    if isinstance(terms, Terms):
        return Terms(terms.values, lambda i: resolved(terms[i]))
    found = tuple(each for each in map(resolved, terms) if each != NOTHING)
    return found or (Number(0.0),)


def _chosen(head: str, parts: Sequence[Part]) -> Part:
    if head == "?":
        return resolved(parts[1] if _evaluate(parts[0]) else parts[2])
    values = [float(_evaluate(each)) for each in parts]
    if head == "largest":
        return resolved(parts[int(np.argmax(values))])
    if head == "place":
        return Number(float(np.argmax(values)) + 1)
    whole = parts[0]
    value = values[0] - values[1]
    return Number(value, whole.address, whole.index) if isinstance(whole, Number) else Number(value)


# --- evaluated -----------------------------------------------------------------------------------


def evaluate(part: Part) -> float:
    """Return the value of a part of a formula; Infinity or NaN where there is none."""
    with np.errstate(all="ignore"):
        return float(_evaluate(part))


def _evaluate(part: Part) -> Any:
    if isinstance(part, Number):
        return np.float64(part.value)
    if isinstance(part.parts, Terms):
        return part.parts.values.sum()
    if part.head in _CHOOSING:
        return _evaluate(_chosen(*part))
    values = [_evaluate(inner) for inner in part.parts]
    match part.head:
        case "+":
            return sum(values)
        case "*":
            return math.prod(values)
        case "neg":
            return -values[0]
        case "^":
            return np.power(*values)
        case "<" | ">" | "=" | ">=":
            return _TESTS[part.head](*values)
        case "nothing":
            return np.float64(0.0)
        case head if head in formulas.OPERATORS:
            return formulas.OPERATORS[head](*values)
        case head:
            return formulas.FUNCTIONS[head](values[0])


_TESTS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, ">": np.greater, "=": np.equal, ">=": np.greater_equal,
}  # fmt: skip


def numbers(part: Part) -> Iterator[Number]:
    """Yield every number of a part, from left to right."""
    if isinstance(part, Number):
        yield part
        return
    for inner in part.parts:
        yield from numbers(inner)


# --- written -------------------------------------------------------------------------------------


def plain(part: Part) -> str:
    """Return a part in ASCII with every digit."""
    if isinstance(part, Number):
        text = repr(part.value)
        return f"({text})" if text.startswith("-") else text
    inner = [plain(each) for each in part.parts]
    match part.head:
        case "neg":
            return f"(-{inner[0]})"
        case "+" | "-" | "*" | "/":
            return f"({f' {part.head} '.join(inner)})"
        case "^":
            return f"({inner[0]} ** {inner[1]})"
        case head:
            return f"{head}({', '.join(inner)})"


def written(part: Part, level: int = 0, *, first: bool = True) -> str:
    """Return a part as a person writes it; `level` is how tightly its surroundings bind."""
    opening = level == 0 or (level == 1 and first)
    if isinstance(part, Number):
        text = show(part.value)
        return f"({text})" if text.startswith("−") and not opening else text
    text, binds = _composed(part)
    loose = opening if binds <= 1 else level <= binds
    return text if loose else f"({text})"


def _composed(part: Apply) -> tuple[str, int]:
    """Return the text of an operation, and how tightly it binds."""
    parts = part.parts
    match part.head:
        case "+":
            return _added(parts), 1
        case "-":
            return f"{written(parts[0], 1)} − {written(parts[1], 2)}", 1
        case "neg":
            return f"−{written(parts[0], 3)}", 1
        case "*":
            first, *rest = parts
            return "·".join([written(first, 2), *(written(each, 3) for each in rest)]), 2
        case "/":
            return f"{written(parts[0], 2)} / {written(parts[1], 3)}", 2
        case "^":
            power = written(parts[1], 4)
            return written(parts[0], 4) + ("²" if power == "2" else f"^{power}"), 3
        case "exp":
            return f"e^{written(parts[0], 4)}", 3
        case "log":
            return f"ln({written(parts[0])})", 4
        case "abs":
            return f"|{written(parts[0])}|", 4
        case "sqrt":
            return f"√({written(parts[0])})", 4
        case head:
            return f"{head}({', '.join(written(each) for each in parts)})", 4


def _added(terms: Sequence[Part]) -> str:
    """Return a sum; of a long one the largest terms, in their order, and what the others are."""
    if len(terms) <= SHOWN:
        return _in_a_row(terms)
    values = terms.values if isinstance(terms, Terms) else np.array([*map(evaluate, terms)])
    places, rest = _largest(values, SHOWN - 1)
    others = f"{len(terms) - len(places)} smaller terms: {show(rest)}"
    if len(places) < SHOWN - 1:
        others = f"{len(terms) - len(places)} terms of 0"
    return f"{_in_a_row([terms[i] for i in places])} + ({others})"


def _in_a_row(terms: Sequence[Part]) -> str:
    return " + ".join(written(term, 1, first=i == 0) for i, term in enumerate(terms))


def _largest(values: NDArray[Any], most: int) -> tuple[Sequence[int], float]:
    """Return the places of the largest numbers in their order, and the sum of the others.

    They are fewer than `most`, but one at least, where all others are 0.
    """
    sizes = np.nan_to_num(np.abs(values), nan=np.inf)
    count = min(most, max(1, int(np.count_nonzero(sizes))))
    edge = np.partition(sizes, -count)[-count]
    kept = sizes > edge
    # Of those that are equal the first ones.
    kept[np.flatnonzero(sizes == edge)[: count - int(kept.sum())]] = True
    with np.errstate(all="ignore"):
        return np.flatnonzero(kept).tolist(), float(values[~kept].sum())
