"""The cost and the trainer that a model was compiled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.interchange.keras.config import snake_case
from nodeflow.interchange.layers import Activation, Cost, End, Network, cost_of
from nodeflow.interchange.naming import known


def compiled_with(model: Any) -> dict[str, Any]:
    """Return what a live model was compiled with, as its file would say it."""
    optimizer, loss = getattr(model, "optimizer", None), getattr(model, "loss", None)
    if optimizer is not None:
        about = {**optimizer.get_config(), "learning_rate": np.asarray(optimizer.learning_rate)}
        optimizer = {"class_name": type(optimizer).__name__, "config": about}
    weights = getattr(getattr(model, "_compile_loss", None), "_user_loss_weights", None)
    return {"optimizer": optimizer, "loss": _said_of(loss), "loss_weights": weights}


def _said_of(loss: Any) -> Any:
    """Return what a file would say of a loss, or of those of several outputs."""
    if isinstance(loss, Mapping):
        return {key: _said_of(one) for key, one in loss.items()}
    if isinstance(loss, list | tuple):
        return [_said_of(one) for one in loss]
    if not hasattr(loss, "get_config"):
        return loss
    # What a loss keeps for its function is not all in its configuration.
    about = {**loss.get_config(), **getattr(loss, "_fn_kwargs", {})}
    return {"class_name": type(loss).__name__, "config": about}


_LOSSES = {
    "mae": "absolute_error", "mean_absolute_error": "absolute_error",
    "huber": "huber", "log_cosh": "log_cosh", "logcosh": "log_cosh", "poisson": "poisson",
}  # fmt: skip
"""Costs that the library has no type for, by Keras' names."""


def with_compiled(network: Network, said: Mapping[str, Any]) -> Network:
    """Return the network with the cost and the trainer that a model was compiled with."""
    notes = list(network.notes)
    losses = _for_each(said.get("loss"), network.outputs)
    weights = _for_each(said.get("loss_weights"), network.outputs)
    ends = []
    shares = {step.name for step in network.steps
              if isinstance(step, Activation) and step.kind == "softmax"}  # fmt: skip
    for end, loss, weight in zip(network.outputs, losses, weights, strict=True):
        cost = _cost(loss, notes)
        whole = cost is None or cost.kind != "categorical_cross_entropy" or cost.behind is not None
        if not whole and end.step not in shares:
            notes.append("Keras divides the outputs by their sum in its categorical cross-entropy, "
                         "which changes nothing behind a softmax; here they are left")  # fmt: skip
        if cost is not None and isinstance(weight, int | float):
            cost = replace(cost, weight=float(weight))
        ends.append(replace(end, cost=cost))
    network = replace(network, ends=tuple(ends))
    optimizer = said.get("optimizer")
    if isinstance(optimizer, Mapping):
        name, about = str(optimizer.get("class_name")), optimizer.get("config") or {}
        network = _with_optimizer(network, name, about, notes)
    return replace(network, notes=tuple(notes))


def _for_each(said: Any, ends: Sequence[End]) -> list[Any]:
    """Return what is said of each output: by its name, in order, or of all alike."""
    if isinstance(said, Mapping) and "class_name" not in said:
        alone = list(said.values())[:1] if len(ends) == len(said) == 1 else [None]
        return [said.get(end.label, alone[0]) for end in ends]
    if isinstance(said, list | tuple):
        return [*said, *[None] * len(ends)][: len(ends)]
    return [said] * len(ends)


def _cost(loss: Any, notes: list[str]) -> Cost | None:
    """Return the cost of a loss, which is a name or a class with its configuration."""
    if loss is None:
        return None
    about = loss.get("config") if isinstance(loss, Mapping) else None
    about = about if isinstance(about, Mapping) else {}
    name = str(loss.get("class_name") if isinstance(loss, Mapping) else loss)
    name = getattr(loss, "__name__", name)
    plain = snake_case(name) if name[:1].isupper() else name
    kind = {**_LOSSES, **known("keras", "cost")}.get(plain)
    if kind is None or about.get("label_smoothing") or about.get("reduction") == "sum":
        notes.append(f"its loss {name} has no counterpart as it is set: the cost is ours")
        return None
    given: dict[str, Any] = {"mean": kind != "categorical_cross_entropy"}
    if kind == "huber":
        given["delta"] = float(about.get("delta", 1.0))
        if "delta" not in about:
            notes.append("Keras keeps no delta of a Huber loss in its files: it is 1 here")
    if kind.endswith("cross_entropy") and not about.get("from_logits"):
        notes.append("Keras holds the outputs to 1e-7 … 1 − 1e-7 in its cost, and has no slope "
                     "outside; here there is one")  # fmt: skip
    if about.get("from_logits"):
        given["behind"] = "sigmoid" if kind == "cross_entropy" else "softmax"
    if name.lower().startswith("sparse"):
        notes.append("its targets are numbers of classes there, and one-hot here")
    return cost_of(kind, **given)


def _with_optimizer(
    network: Network, name: str, about: Mapping[str, Any], notes: list[str]
) -> Network:
    kind = known("keras", "trainer").get(name)
    rate = about.get("learning_rate")
    if kind is None or rate is None or isinstance(rate, Mapping):
        what = name if kind is None else "schedule of the learning rate"
        notes.append(f"its optimizer's {what} has no counterpart" if kind else
                     f"its optimizer {name} has no counterpart")  # fmt: skip
        return network
    settings = {"rate": float(f"{float(rate):.7g}")}
    if kind == "adam":
        settings |= {"beta1": float(about.get("beta_1", 0.9)),
                     "beta2": float(about.get("beta_2", 0.999))}  # fmt: skip
        notes.append("Keras' Adam has its epsilon in another place: see the twin keras-adam")
    elif about.get("nesterov"):
        notes.append("its momentum is Nesterov's, and is left out: see the twin keras-nesterov")
    elif about.get("momentum"):
        settings["momentum"] = float(about["momentum"])
    left = [key for key in ("decay", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue",
                            "use_ema") if about.get(key)]  # fmt: skip
    notes += [f"the {key} of its optimizer is left out" for key in left]
    return replace(network, trainer=kind, settings=settings)
