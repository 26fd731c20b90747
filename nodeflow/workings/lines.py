"""What a step calculated, as lines: "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nodeflow.workings.bodies import body_of
from nodeflow.workings.given import Evaluated, Given
from nodeflow.workings.parts import (
    Index,
    Number,
    Part,
    numbers,
    plain,
    resolved_terms,
    summed,
    written,
)
from nodeflow.workings.shown import short, show

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Line(NamedTuple):
    """One output number: `left` is its name, the terms add up to the result."""

    left: str
    terms: Sequence[Part]
    result: Number

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number of the terms, from left to right."""
        return tuple(number for term in self.terms for number in numbers(term))

    @property
    def text(self) -> str:
        """The line as a person writes it, such as "z₁ = 0.15·0.05 + 0.35 = 0.3575"."""
        body, result = written(summed(self.terms)), show(self.result.value)
        # A single number needs no second telling.
        return f"{self.left} = {body}" + ("" if body == result else f" = {result}")

    @property
    def expression(self) -> str:
        """The terms in ASCII with every digit: + - * / **, exp, log, tanh, sqrt, …, max, min."""
        return plain(summed(self.terms))


def lines_of(given: Given) -> Iterator[Line]:
    """Yield a line for each output number of a step."""
    for port, value in given.step.outputs.items():
        for index in np.ndindex(value.shape):
            yield line_of(given, port, index)


def line_of(given: Given, port: str, index: Index) -> Line:
    """Return the line of one output number of a step.

    A type that is not of the library, or only holds a value, has the result alone.
    """
    step, body = given.step, body_of(given.step.type)
    value = step.outputs[port]
    result = Number(float(value[index]), f"{step.node}.{port}", index)
    with np.errstate(all="ignore"):  # a number may be Infinity
        terms = resolved_terms(body(given, index)) if body else (result,)
    return Line(numbered(port, value.shape, index), terms, result)


def numbered(name: str, shape: Index, index: Index) -> str:
    """Return what a number of a value is called: "z₁", "value₁,₂", or "z" where there is one."""
    if math.prod(shape) == 1:
        return name
    used = index if len(shape) != 2 or shape[0] > 1 else index[1:]
    return name + ",".join(str(i + 1) for i in used).translate(SUBSCRIPTS)


def formulas_of(step: Evaluated) -> list[str]:
    """Return a step's formula with its numbers, a line for each number that it calculated.

    Where nothing was calculated, or how is not known, it is that of `formula_of` alone.
    """
    if body_of(step.type) is None:
        return [formula_of(step)]
    return [line.text for line in lines_of(Given(step))]


def formula_of(step: Evaluated) -> str:
    """Return a step's formula with its numbers, in one line.

    The first output number stands for the others. Where nothing was calculated, or how is not
    known, the first numbers are listed.
    """
    for port, value in step.outputs.items():
        if value.size and body_of(step.type) is not None:
            return line_of(Given(step), port, (0,) * value.ndim).text
    return ", ".join(f"{port} = {short(value)}" for port, value in step.outputs.items())
