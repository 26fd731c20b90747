"""What costs behind a softmax need: logarithms of its shares from z, and δ at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.declare import Blame, Output, Value, node
from nodeflow.nodes.arithmetic import exp, times
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import Index, Part, of, summed
from nodeflow.workings.powers import log_of_others, log_of_powers, log_of_share, of_row

ROUNDED = 1e-14
"""Shares of a softmax add up to 1 as exactly as this."""
NOTHING = -1e30
"""Stands for ln 0 where a product with 0 has to be 0; float32 has it too."""


@node(
    "backward",
    formula="ln aⱼ = zⱼ − ln Σₖ e^zₖ",
    outputs=("log",),
    shapes="(n,o) -> (n,o)",
    known_as={"onnx": "LogSoftmax", "torch": "LogSoftmax", "keras": "log_softmax"},
)
def log_softmax(z: Value) -> Value:
    """Give the logarithm of each share of a softmax, also where the share itself is 0 or 1."""
    down = z - z.max(axis=-1, keepdims=True)
    # The largest is 1 in the sum: next to it the others would be lost.
    largest = np.arange(z.shape[-1]) == z.argmax(axis=-1, keepdims=True)
    return down - np.log1p(np.where(largest, 0, np.exp(down)).sum(axis=-1, keepdims=True))


@log_softmax.in_programs
def _(s: Any, key: str) -> str:
    return str(s.call("log_softmax", s.one(key, "z")))


@log_softmax.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (log_of_share(of_row(given.one("z"), row_of(index)), index[-1]),)


@log_softmax.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.each_row("log_softmax", inputs["z"][0], out)


def logs(t: Any, name: str, z: Any) -> Any:
    """Add the row that makes logarithms from weighted sums, and return where they are."""
    log = t.like(z)
    t.each_row(name, z, log)
    return log


@log_softmax.backward
def _(blame: Blame, z: Output, log: Output) -> Mapping[str, Any]:
    return {"z": lambda: times(-1.0, softmax_error(exp(log), blame))}


@node(
    "backward",
    formula="δ = a Σy − y",
    outputs=("delta",),
    shapes="(n,f), (n,f) -> (n,f)",
    noun="the delta ∂C/∂z",
    slope_of_cost=True,
)
def softmax_error(a: Value, y: Value) -> Value:
    """Give δ of softmax and categorical cross-entropy at once; a − y where y adds up to 1.

    Of a share above ½ the others are added up, a Σy − y = a (Σy − y) − y (1 − a): next to 1 they
    would be lost.
    """
    a, y = np.broadcast_arrays(a, y)
    total = y.sum(axis=-1, keepdims=True)
    others = ~np.eye(a.shape[-1], dtype=bool)
    rest = np.where(others, a[..., None, :], 0).sum(axis=-1)
    shares = (a > 0.5) & (np.abs(rest - (1 - a)) <= ROUNDED)
    return np.where(shares, a * (total - y) - y * rest, a * total - y)


@softmax_error.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.one(key, 'a')} * {s.sums(s.one(key, 'y'))} - {s.one(key, 'y')}"


@softmax_error.in_onnx
def _(s: Any, key: str) -> str:
    y = s.one(key, "y")
    return str(s.node("Sub", s.node("Mul", s.one(key, "a"), s.total(y, 1)), y))


@softmax_error.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    whole = summed(given.one("y").terms(row_of(index)))
    return (of("-", of("*", given.one("a").at(index), whole), given.one("y").at(index)),)


@softmax_error.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    a, y = inputs["a"][0], inputs["y"][0]
    t.emit(
        "softmax_error", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
    )  # fmt: skip


@node(
    "backward",
    formula="ln(1 − aⱼ) = ln Σₖ≠ⱼ e^zₖ − ln Σₖ e^zₖ",
    outputs=("log",),
    shapes="(n,o) -> (n,o)",
)
def log_others(z: Value) -> Value:
    """Give the logarithm of what each share of a softmax leaves to the others."""
    down = z - z.max(axis=-1, keepdims=True)
    powers = np.exp(down)
    total = powers.sum(axis=-1, keepdims=True)
    rest = np.log1p(-powers / np.where(powers == total, 2 * total, total))
    # Beside the largest there may be next to nothing: its others are summed up by themselves.
    largest = np.arange(z.shape[-1]) == z.argmax(axis=-1, keepdims=True)
    others = np.where(largest, NOTHING, z)
    second = others.max(axis=-1, keepdims=True)
    among = np.where(largest, 0, np.exp(others - second)).sum(axis=-1, keepdims=True)
    # A single share leaves nothing.
    with np.errstate(divide="ignore"):
        alone = second - z.max(axis=-1, keepdims=True) + np.log(among) - np.log(total)
    alone = np.maximum(alone, NOTHING)
    return np.where(largest, alone, rest)


@log_others.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    z = of_row(given.one("z"), row_of(index))
    return (log_of_others(z, index[-1], NOTHING),)


@log_others.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.each_row("log_others", inputs["z"][0], out)


@node(
    "backward",
    formula="δₖ = aₖ Σ (y + ȳ) − yₖ − Σⱼ≠ₖ ȳⱼ aₖ / (1 − aⱼ)",
    outputs=("delta",),
    shapes="(n,f), (n,f), (n,f) -> (n,f)",
    slope_of_cost=True,
)
def softmax_binary_error(z: Value, y: Value, missed: Value) -> Value:
    """Give δ of softmax and (binary) cross-entropy at once; ȳ (`missed`) is 1 − y of an output."""
    shares, others = log_softmax.function(z), log_others.function(z)
    missed = np.where(others > NOTHING, missed, 0)  # a single share never moves
    apart = np.minimum(shares[..., None, :] - others[..., :, None], 0)  # ln aₖ/(1−aⱼ) at j, k
    among = np.where(np.eye(z.shape[-1], dtype=bool), 0, np.exp(apart))
    whole = (y + missed).sum(axis=-1, keepdims=True)
    return np.exp(shares) * whole - y - (missed[..., :, None] * among).sum(axis=-2)


@softmax_binary_error.in_programs
def _(s: Any, key: str) -> str:
    shares, y, missed = s.call("softmax", s.one(key, "z")), s.one(key, "y"), s.one(key, "missed")
    odds = f"{missed} / (1 - {shares})"
    others = f"{s.sums(odds)} - {odds}"
    return f"{shares} * ({s.sums(f'{y} + {missed}')} - ({others})) - {y}"


@softmax_binary_error.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    row, place = row_of(index), index[-1]
    z, y, missed = (of_row(given.one(port), row) for port in ("z", "y", "missed"))
    share = of("exp", log_of_share(z, place))
    if len(z) == 1:
        return (of("-", of("*", share, y[0]), y[0]),)
    counted = of("-", of("*", share, summed([*y, *missed])), y[place])
    taken = [
        of("*", missed[j], of("exp", of("-", z[place], log_of_powers([*z[:j], *z[j + 1 :]]))))
        for j in range(len(z))
        if j != place
    ]
    return (of("-", counted, summed(taken)),)


@softmax_binary_error.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    z, y, missed = inputs["z"][0], inputs["y"][0], inputs["missed"][0]
    share, rest = (logs(t, name, z) for name in ("log_softmax", "log_others"))
    t.emit(
        "softmax_binary_error", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=share.offset, a_r=share.across(share.cols)[1], b=rest.offset,
        b_r=rest.across(rest.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
        missed=missed.offset, missed_r=missed.across(missed.cols)[1],
    )  # fmt: skip
