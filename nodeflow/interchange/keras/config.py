"""What a model's configuration says of its layers: names, calls, operands, shapes, types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_OF_OPERATIONS = "keras.src.ops"
"""Where operations come from; some are called as layers are."""


def name_of(layer: Mapping[str, Any]) -> str:
    """Return a layer's name; a file that leaves it out means that of its class."""
    return str(layer["config"].get("name", str(layer["class_name"]).lower()))


def is_operation(layer: Mapping[str, Any]) -> bool:
    """Return whether what stands among the layers is an operation of keras.ops."""
    return str(layer.get("module", "")).startswith(_OF_OPERATIONS)


def snake_case(name: str) -> str:
    """Return a class's name as Keras calls its weights: a LeakyReLU has leaky_re_lu."""
    text = re.sub(r"\W+", "", name)
    text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub("([a-z])([A-Z])", r"\1_\2", text).lower()


def of_each_row(about: Mapping[str, Any]) -> bool:
    """Return whether an operation makes one number of each row, and keeps it as a column."""
    return about.get("axis", -1) in (-1, 1, [-1], [1]) and bool(about.get("keepdims"))


def operands_of(node: Any, taken: Sequence[str]) -> list[str | float] | None:
    """Return the values and numbers that an operation takes; None where there is something else."""
    found: list[str | float] = []
    values = iter(taken)
    if isinstance(node, list):  # of Keras 2: layer, call, place, and the other arguments by name
        first = node[2] if node[0] == _CONSTANT else next(values)
        more = (node[3] if len(node) > 3 else {}).values()
        others = [next(values) if isinstance(one, list) else one for one in more if one is not None]
        operands = [first, *others]
        return operands if all(isinstance(one, str | int | float) for one in operands) else None
    for one in (*node.get("args", ()), *(node.get("kwargs") or {}).values()):
        if isinstance(one, Mapping) and one.get("class_name") == "__keras_tensor__":
            found.append(next(values))
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(float(one))
        elif one is not None:
            return None
    return found


def places_of(node: Any, width: int) -> tuple[int, ...]:
    """Return which features of all rows `value[:, 1:3]` takes; none where it is something else."""
    key = node["args"][1] if len(node.get("args", ())) > 1 else None
    if not isinstance(key, list) or len(key) != 2:
        return ()
    slices = []
    for one in key:
        about = one.get("config", {}) if isinstance(one, Mapping) else None
        if about is None or one.get("class_name") != "__slice__":
            return ()
        slices.append(slice(about.get("start"), about.get("stop"), about.get("step")))
    return tuple(range(width)[slices[1]]) if slices[0] == slice(None) else ()


def ends_of(said: Any) -> list[tuple[str, int]]:
    """Return the layers, and which call of each, that a model's inputs or outputs are."""
    if isinstance(said, Mapping):
        return [one for key in sorted(said) for one in ends_of(said[key])]
    if isinstance(said, list | tuple) and said and isinstance(said[0], str):
        return [(said[0], int(said[1]))]
    return [one for part in said for one in ends_of(part)]


def sources_of(node: Any) -> list[tuple[str, int, list[Any]]]:
    """Return the layers whose values go into a call, with which call of each, and the shapes."""
    if isinstance(node, Mapping):
        about = node.get("config")
        history = about.get("keras_history") if isinstance(about, Mapping) else None
        if isinstance(about, Mapping) and isinstance(history, list) and history:
            return [(str(history[0]), int(history[1]), list(about.get("shape") or ()))]
        return [one for part in node.values() for one in sources_of(part)]
    if isinstance(node, list | tuple):
        if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
            # As Keras 2 wrote it: layer, call, place, and other arguments by name.
            more = [one for part in node[3:] for one in sources_of(part)]
            return more if node[0] == _CONSTANT else [(node[0], node[1], []), *more]
        return [one for part in node for one in sources_of(part)]
    return []


_CONSTANT = "_CONSTANT_VALUE"
"""What Keras 2 writes in the place of a layer where a function takes a number first."""


def given_in(node: Any) -> str | None:
    """Return the type of the numbers that go into a call, where the file says it."""
    if isinstance(node, Mapping):
        about = node.get("config")
        if isinstance(about, Mapping) and "keras_history" in about:
            return str(about.get("dtype"))
        node = list(node.values())
    if isinstance(node, list | tuple):
        return next((found for part in node if (found := given_in(part)) is not None), None)
    return None


def computed_in(about: Mapping[str, Any]) -> str:
    """Return the type of numbers that a layer computes in, where it is no whole precision.

    float32 is said of weights.
    """
    policy = about.get("dtype")
    if isinstance(policy, Mapping):
        policy = (policy.get("config") or {}).get("name")
    name = str(policy).removeprefix("mixed_")
    return name if name in ("float16", "bfloat16") else "float64"


def along_features(about: Mapping[str, Any]) -> bool:
    """Return whether a layer of rows works along their features, and not from row to row."""
    return about.get("axis", -1) in (-1, 1, [-1], [1])


def shapes_of(layer: Mapping[str, Any], node: Any) -> list[list[Any]]:
    """Return the shapes of what a layer takes, as far as the file says them; else a row each."""
    found = [shape for *_, shape in sources_of(node) if shape]
    if not found:
        built = layer.get("build_config")
        shape = built.get("input_shape") if isinstance(built, Mapping) else None
        found = [shape] if isinstance(shape, list) and shape else [[None, None]]
        if isinstance(found[0][0], list):  # of each of several values
            found = found[0]
    return found
