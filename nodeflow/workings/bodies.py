"""The formula of a node type, filled with the numbers of one output number.

A body returns terms that add up to the number; a type declares its own (`NodeType.worked`), or it
follows from the calculation. Long sums are `Terms`: their values are computed at once, and only
what is written out is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import Body, NodeType, kind_of
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import Index, Number, Part, Terms, choice, of
from nodeflow.workings.powers import logistic


def body_of(kind: str) -> Body | None:
    """Return how a type writes out one number that it gives; None for one that does not say."""
    type_ = kind_of(kind)
    if type_.body is None and type_.calculation:
        return partial(_calculated, type_)
    return type_.body


def _calculated(type_: NodeType, given: Given, index: Index) -> Sequence[Part]:
    tree = type_.calculated(given.settings)
    if not type_.adds_up:
        return (filled(tree, given, index),)
    row, names = row_of(index), formulas.names(tree)
    values = formulas.evaluate(tree, {name: given.one(name).row(row) for name in names})
    width = max(given.one(name).width for name in names)
    return Terms(
        np.array(np.broadcast_to(values, (width,)), float),
        lambda place: filled(tree, given, (row, place)),
    )


def filled(tree: formulas.Expression, given: Given, index: Index) -> Part:
    """Return a typed formula with its numbers; those in `_SPELT` are written out."""
    head = tree[0]
    if head == "number":
        return Number(tree[1])
    if head == "name":
        return given.one(tree[1]).at(index)
    parts = [filled(inner, given, index) for inner in tree[1:]]
    spelt = _SPELT.get(head)
    return of("^" if head == "**" else head, *parts) if spelt is None else spelt(parts[0])


def _sign(u: Part) -> Part:
    return choice(of("=", u, 0), of("*", 0, u), of("/", u, of("abs", u)))


def _above(u: Part) -> Part:
    return choice(of("=", u, 0), of("*", 0, u), of("max", 0, of("/", u, of("abs", u))))


_SPELT = {"sigmoid": logistic, "sign": _sign, "step": _above}
"""Functions of formulas that a person works out from others."""
