"""What a sweep varies: settings by address, each with its values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from nodeflow.derive.rates import with_rate
from nodeflow.errors import NodeflowError, SweepError, nearest
from nodeflow.graph import Graph
from nodeflow.jsontext import json_of

TRAINING = ("batch", "epochs", "seed", "rate", "tolerance")
_RANGE = re.compile(r"([^:]+):([^:]+)(?::\s*([^:]*))?")
_STEPS = re.compile(r"(log|lin)([0-9]{1,18})")
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Axis:
    """A setting and the values that it takes, in order.

    `address` is NODE.SETTING; NODE may have `*` for any signs, and all nodes that match and have
    the setting get the value. `training.batch`, `training.epochs` and `training.seed` are those of
    the graph, `rate` is every learning rate of it.
    """

    address: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, address: str, values: Any) -> Axis:
        """Return an axis of values from Python: a list, a range, an array, or a single value."""
        single = isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__")
        listed = [values] if single else list(values)
        found = tuple(one.item() if isinstance(one, np.generic) else one for one in listed)
        if not found:
            raise SweepError(f"'{address}' has no values; give at least one")
        if repeated := _repeated(found):
            raise SweepError(f"'{address}' has the value {repeated} twice; give each once")
        return cls("training.seed" if address == "seed" else address, found)

    @classmethod
    def read(cls, text: str) -> Axis:
        """Return the axis written NODE.SETTING=V1,V2,… or NODE.SETTING=FROM:TO:log9."""
        address, sign, values = text.partition("=")
        if not sign or not address.strip():
            raise SweepError(
                f"'{text}' is no setting with values; write NODE.SETTING=V1,V2 such as "
                "train.rate=0.1,0.3 or train.rate=0.01:1:log9"
            )
        return cls.of(address.strip(), [one for part in _parts(values) for one in _values(part)])


def _repeated(values: Sequence[Any]) -> str:
    seen: set[str] = set()
    for value in values:
        text = json.dumps(value, default=str, sort_keys=True)
        if text in seen:
            return text
        seen.add(text)
    return ""


def _parts(text: str) -> list[str]:
    """Return the values of a list, parted by commas outside of brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _values(part: str) -> list[Any]:
    found = _RANGE.fullmatch(part)
    if found is None:
        return [_value(part)]
    low, high = (_value(end) for end in found.group(1, 2))
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
    if not numbers or not (math.isfinite(low) and math.isfinite(high)):
        return [_value(part)]
    if found[3] is None:
        return _whole_range(part, low, high)
    steps = _STEPS.fullmatch(found[3])
    if steps is None:
        raise SweepError(_no_steps(part, f"{found[1]}:{found[2]}", found[3]))
    kind, count = steps[1], int(steps[2])
    if not 2 <= count <= _MOST_VALUES:
        raise SweepError(f"'{part}' has {count} values; a range has from 2 to {_MOST_VALUES:,}")
    if kind == "lin":
        values = np.linspace(low, high, count)
    elif low > 0 and high > 0:
        values = np.geomspace(low, high, count)
    else:
        raise SweepError(f"'{part}' is on a log scale, so both ends must be above 0")
    return [_rounded(value) for value in values.tolist()]


def _no_steps(part: str, ends: str, steps: str) -> str:
    """Say how a range is written whose last part cannot be read."""
    found = re.match(r"\s*(log|lin)?[a-z]*\s*([0-9]{1,7})?", steps.lower())
    kind, count = found.groups() if found else (None, None)
    if kind and not count:
        return f"'{part}' does not say how many values; write {ends}:{kind}9 for nine of them"
    shown = f"{ends}:{kind or 'lin'}{count or 9}"
    also = "" if kind else f", or {ends}:log{count or 9} on a log scale"
    return f"'{part}' is no range; write {shown}{also}"


def _rounded(value: float) -> float:
    """Return 0.1 for 0.10000000000000002: a value that a person would have typed."""
    return float(f"{value:.12g}")


def _whole_range(part: str, low: Any, high: Any) -> list[Any]:
    if not (isinstance(low, int) and isinstance(high, int)) or high < low:
        raise SweepError(
            f"'{part}' is no range; write FROM:TO of whole numbers, FROM:TO:lin5 or FROM:TO:log5"
        )
    if high - low >= _MOST_VALUES:
        raise SweepError(f"'{part}' has more than {_MOST_VALUES:,} values")
    return list(range(low, high + 1))


def _value(text: str) -> Any:
    """Return a number, true, false, null or a list as JSON has them; all else is a text."""
    try:
        return json_of(text)
    except ValueError:
        return text


# --- applying -------------------------------------------------------------------------------------


def check(graph: Graph, axes: Sequence[Axis]) -> None:
    """Refuse what a graph does not have, or would not take: each value is tried once."""
    seen: set[str] = set()
    varied_by: dict[str, str] = {}
    for axis in axes:
        if axis.address in seen:
            raise SweepError(f"'{axis.address}' is set twice; give all its values at once")
        seen.add(axis.address)
        changed: set[str] = set()
        for number, value in enumerate(axis.values):
            made = applied(graph, {axis.address: value})
            if number < 2:  # one of them may be the value that it has
                changed.update(_changed(graph, made))
        for setting in sorted(changed):
            if varied_by.setdefault(setting, axis.address) != axis.address:
                raise SweepError(
                    f"'{varied_by[setting]}' and '{axis.address}' both set {setting}; vary it by "
                    "one of the two"
                )


def _changed(old: Graph, new: Graph) -> Iterator[str]:
    """Yield the addresses of settings that differ."""
    for key, node in new.nodes.items():
        was = old.nodes.get(key)
        if was is node or was is None:
            continue
        for name in node.settings.keys() | was.settings.keys():
            if node.settings.get(name) != was.settings.get(name):
                yield f"{key}.{name}"


def applied(graph: Graph, settings: Mapping[str, Any]) -> Graph:
    """Return the graph with these settings; raises `SweepError`."""
    for address, value in settings.items():
        try:
            graph = _applied(graph, address, value)
        except SweepError:
            raise
        except NodeflowError as error:
            shown = json.dumps(value, default=str)
            raise SweepError(f"{address}={shown}: {error}") from None
    return graph


def _applied(graph: Graph, address: str, value: Any) -> Graph:
    if address == "rate" and address not in graph.nodes:
        return with_rate(graph, value, by="the sweep")
    node, _, setting = address.rpartition(".")
    if node == "training" and node not in graph.nodes:
        if setting not in TRAINING:
            raise SweepError(f"training has no '{setting}'{nearest(setting, TRAINING)}")
        return replace(graph, training=replace(graph.training, **{setting: value}))
    if not node:
        raise SweepError(
            f"'{address}' is no address of a setting, such as train.rate"
            f"{nearest(address, _addresses(graph))}"
        )
    if "*" not in node:
        there = [node]
    else:
        there = [key for key in graph.nodes if fnmatchcase(key, node) and _has(graph, key, setting)]
        if not there:
            raise SweepError(f"no node that matches '{node}' has a setting '{setting}'")
    used = [key for key in there if not is_idle(graph, key, setting)]
    if not used:
        raise SweepError(
            f"'{address}' would change nothing: '{there[0]}' starts from the numbers that are "
            "typed there; give it a shape in place of its value"
        )
    for key in used:
        graph = graph.set(key, **{setting: value})
    return graph


def is_idle(graph: Graph, key: str, setting: str) -> bool:
    """Return whether a setting says how a parameter starts that starts from a typed value."""
    known = graph.nodes[key].known if key in graph.nodes else None
    if known is None or not known.holds_weights or setting not in ("init", "range"):
        return False
    settings = graph.settings(key)
    return settings["value"] is not None and settings["shape"] is None


def _has(graph: Graph, key: str, setting: str) -> bool:
    known = graph.nodes[key].known
    return known is not None and setting in known.defaults


def _addresses(graph: Graph) -> list[str]:
    found = [f"training.{name}" for name in TRAINING] + ["rate"]
    for key, node in graph.nodes.items():
        if node.known is not None:
            found += [f"{key}.{setting.name}" for setting in node.known.settings]
    return found
