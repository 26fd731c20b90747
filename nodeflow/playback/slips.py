"""The commonest slips of calculating by hand, found by calculating them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nodeflow.declare import kind_of
from nodeflow.playback.answers import Answer
from nodeflow.workings.given import Given
from nodeflow.workings.parts import Index


class Slip(NamedTuple):
    """A wrong number, and what leads to it."""

    name: str
    value: float
    text: str


def slip_of(answer: Answer, given: Given, index: Index, expected: float) -> Slip | None:
    """Return the slip that a wrong answer comes from, or None if it is none of those known.

    `given` is of the step, `index` the place of its output number.
    """
    known = (*slips(given, index, expected), *_of_sign(expected))
    return next((slip for slip in known if answer.meets(slip.value)), None)


def slips(given: Given, index: Index, expected: float) -> Iterator[Slip]:
    """Yield the wrong numbers that slips of this node's type lead to."""
    type_ = kind_of(given.step.type)
    if type_.slips is not None:
        yield from (Slip(*one) for one in type_.slips(given, index, expected))
    if type_.family == "activation":
        z = given.one("z").at(index).value
        what = f"That is z: the node puts it through {type_.name}, {type_.formula}."
        yield Slip("activation", z, what)


def _of_sign(expected: float) -> Iterator[Slip]:
    yield Slip("sign", -expected, "The size is right, the sign is the opposite one.")


def sign_slip(given: Given, index: Index, answered: int, change: float) -> Slip | None:
    """Return the slip of who says that a weight goes the way of its gradient."""
    gradient = given.one("gradient").at(index).value
    if answered * change >= 0 or answered * gradient <= 0:
        return None
    way = "positive, so the weight falls" if gradient > 0 else "negative, so the weight rises"
    return Slip(
        "minus",
        -change,
        f"You went with the gradient: the update Θ − αD goes against it, and D is {way}.",
    )
