"""The commonest slips of calculating by hand, found by calculating them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nodeflow.declare import CATALOG
from nodeflow.playback.answers import Answer
from nodeflow.workings.given import Given
from nodeflow.workings.parts import Index
from nodeflow.workings.shown import show


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
    type_, settings = given.step.type, given.settings
    known = CATALOG.find(type_)
    match type_:
        case "weighted_sum" if given.ports["bias"]:
            bias = given.one("bias").at((index[-1],)).value
            yield Slip(
                "bias",
                expected - bias,
                f"That is the sum without the bias: add b = {show(bias)}.",
            )
        case "delta":
            blame = given.one("blame").at(index).value
            slope = "" if not blame else f" = {show(expected / blame)}"
            if settings["activation"] == "softmax":
                slope = ""
            yield Slip(
                "slope",
                blame,
                "That is the blame: δ is the blame times the slope of "
                f"{settings['activation']}, g′(z){slope}.",
            )
        case "weight_update":
            yield from _of_update(given, index)
        case "error":
            yield Slip("sign", -expected, "That is y − a: the error is e = a − y.")
        case "squared_error" if settings["half"]:
            yield Slip("half", 2 * expected, "That is the sum of the squares: this cost is half.")
        case "squared_error":
            yield Slip("half", expected / 2, "That is half of the sum: this cost has no ½.")
        case "average" if given.step.samples > 1:
            total = given.one("total").at(index).value
            n = given.step.samples
            yield Slip("mean", total, f"That is the sum: divide it by the number of samples, {n}.")
        case "weight_gradient":
            column = given.one("delta").column(index[0])
            if len(column) == 1:
                yield Slip("input", float(column[0]), "That is δ: multiply it by the input a.")
    if known is not None and known.family == "activation":
        z = given.one("z").at(index).value
        yield Slip(
            "activation", z, f"That is z: the node puts it through {type_}, {known.formula}."
        )
        if type_ == "sigmoid":
            yield Slip(
                "exponent",
                1 - expected,
                "The exponent has a minus: 1 / (1 + e^(−z)), and not 1 / (1 + e^z).",
            )


def _of_update(given: Given, index: Index) -> Iterator[Slip]:
    weight, gradient = (given.one(port).at(index).value for port in ("parameter", "gradient"))
    rate = given.one("rate").at((0,)).value
    yield Slip(
        "rate",
        weight - gradient,
        f"That is Θ − D without the rate: multiply the gradient by α = {show(rate)}.",
    )
    yield Slip(
        "minus",
        weight + rate * gradient,
        "That is Θ + αD: an update goes against the gradient, Θ − αD.",
    )


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
