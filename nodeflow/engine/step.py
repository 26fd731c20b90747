"""A step: one node evaluated, as data, with its formula filled with numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Step:
    """What one step did. Numbers count from 0: `epoch` 3 means that three lie behind."""

    epoch: int
    update: int
    sample: int
    """The (first) row of the pass within the epoch."""
    phase: str
    node: str
    type: str
    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]
    symbols: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        """The formula with its numbers, for the first output number, and the result."""
        return fill(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {
            "epoch": self.epoch,
            "update": self.update,
            "sample": self.sample,
            "phase": self.phase,
            "node": self.node,
            "inputs": {name: value.tolist() for name, value in self.inputs.items()},
            "outputs": {name: value.tolist() for name, value in self.outputs.items()},
            "formula": self.formula,
        }


def show(number: Any) -> str:
    """Return a number as a person writes it: at most 4 significant digits after the lead."""
    value = float(number) + 0.0  # −0 is 0 to a person
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "−Infinity"
    text = f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3e}"
    if abs(value) >= 0.1 and "e" not in text and float(text) != round(value, 4):
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _term(number: Any) -> str:
    text = show(number)
    return f"({text})" if text.startswith("−") else text


def short(value: NDArray[Any], most: int = 4) -> str:
    """Return an array in one line, its first numbers shown."""
    flat = np.ravel(value)
    if flat.size == 1:
        return show(flat[0])
    shown = ", ".join(show(number) for number in flat[:most])
    return f"[{shown}{', …' if flat.size > most else ''}]"


def fill(step: Step) -> str:
    """Return the step's formula with numbers.

    One-number steps are written out; for larger ones the first number of the output stands for
    the others.
    """
    outputs = list(step.outputs.items())
    if not outputs:
        return step.symbols
    name, value = outputs[0]
    first = np.ravel(value)[0] if value.size else float("nan")
    body = _BODIES.get(step.type)
    left = name if value.size == 1 else f"{name}₁"
    if body is not None and value.size:
        with contextlib.suppress(KeyError, IndexError):
            text, result = body(step), show(first)
            # A single term needs no second telling.
            once = text in (result, f"({result})")
            return f"{left} = {result}" if once else f"{left} = {text} = {result}"
    if len(outputs) > 1:
        return ", ".join(f"{key} = {short(array)}" for key, array in outputs)
    return f"{name} = {short(value)}"


def _first(step: Step, name: str) -> str:
    return _term(np.ravel(step.inputs[name])[0])


def _pairs(left: NDArray[Any], right: NDArray[Any], most: int = 6) -> str:
    terms = [f"{_term(a)}·{_term(b)}" for a, b in zip(left, right, strict=True)]
    if len(terms) > most:
        terms = [*terms[: most - 1], "…", terms[-1]]
    return " + ".join(terms)


def _weighted_sum(step: Step) -> str:
    a = np.atleast_2d(_joined(step, "a"))
    text = _pairs(np.atleast_2d(step.inputs["weights"])[0], a[0])
    return text + (f" + {_term(step.inputs['bias'][0])}" if "bias" in step.inputs else "")


def _joined(step: Step, name: str) -> NDArray[Any]:
    if name in step.inputs:
        return step.inputs[name]
    parts = [value for key, value in step.inputs.items() if key.startswith(f"{name}[")]
    return np.concatenate([np.atleast_2d(part) for part in parts], axis=-1)


def _slope(step: Step) -> str:
    a = _first(step, "a")
    match step.settings.get("activation"):
        case "sigmoid":
            return f"{_first(step, 'blame')}·{a}·(1 − {a})"
        case "tanh":
            return f"{_first(step, 'blame')}·(1 − {a}²)"
        case "softmax":
            blame = np.atleast_2d(step.inputs["blame"])[0]
            row = np.atleast_2d(step.inputs["a"])[0]
            shared = _pairs(blame, row) if blame.size == row.size else ""
            return f"{a}·({_first(step, 'blame')} − ({shared}))"
        case "softplus":
            return f"{_first(step, 'blame')}·(1 − e^(−{a}))"
        case _:
            slope = np.ravel(step.outputs["delta"])[0]
            blame = np.ravel(step.inputs["blame"])[0]
            factor = slope / blame if blame else 0.0
            return f"{_term(blame)}·{_term(factor)}"


def _squares(step: Step) -> str:
    a, y = np.atleast_2d(step.inputs["a"])[0], np.atleast_2d(step.inputs["y"])[0]
    terms = [f"({show(p)} − {_term(q)})²" for p, q in zip(a, y, strict=True)]
    if len(terms) > 6:
        terms = [*terms[:5], "…", terms[-1]]
    text = " + ".join(terms)
    if not step.settings.get("half"):
        return text
    return f"½·({text})" if len(terms) > 1 else f"½·{text}"


_BODIES: dict[str, Any] = {
    "weighted_sum": _weighted_sum,
    "sigmoid": lambda s: f"1 / (1 + e^(−{_first(s, 'z')}))",
    "tanh": lambda s: f"tanh({show(np.ravel(s.inputs['z'])[0])})",
    "relu": lambda s: f"max(0, {show(np.ravel(s.inputs['z'])[0])})",
    "softplus": lambda s: f"ln(1 + e^{_first(s, 'z')})",
    "error": lambda s: f"{show(np.ravel(s.inputs['a'])[0])} − {_first(s, 'y')}",
    "squared_error": _squares,
    "delta": _slope,
    "blame": lambda s: _pairs(
        np.atleast_2d(s.inputs["weights"])[:, 0], np.atleast_2d(s.inputs["delta"])[0]
    ),
    "weight_gradient": lambda s: _pairs(
        np.atleast_2d(s.inputs["delta"])[:, 0], np.atleast_2d(_joined(s, "a"))[:, 0]
    ),
    "bias_gradient": lambda s: (
        " + ".join(_term(n) for n in np.atleast_2d(s.inputs["delta"])[:6, 0])
        + (" + …" if len(np.atleast_2d(s.inputs["delta"])) > 6 else "")
    ),
    "subtract": lambda s: f"{show(np.ravel(s.inputs['a'])[0])} − {_first(s, 'b')}",
    "divide": lambda s: f"{_first(s, 'a')} / {_first(s, 'b')}",
    "power": lambda s: f"{_first(s, 'a')}^{show(s.settings['exponent'])}",
    "weight_update": lambda s: (
        f"{show(np.ravel(s.inputs['parameter'])[0])} − {_first(s, 'rate')}·{_first(s, 'gradient')}"
    ),
    "add": lambda s: " + ".join(_term(np.ravel(v)[0]) for v in s.inputs.values()),
    "multiply": lambda s: "·".join(_term(np.ravel(v)[0]) for v in s.inputs.values()),
}
