"""What a function says of its node type: its parameters are ports and settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from nodeflow.declare.ports import SETTING_MARKS, Later, Mark, Port, Range, Setting
from nodeflow.errors import DeclarationError
from nodeflow.inert import inert


class Said(NamedTuple):
    """What the parameters of a function say."""

    inputs: tuple[Port, ...]
    settings: tuple[Setting, ...]
    samples: bool
    """Whether it wants to know how many samples the update has."""
    probes: bool
    """Whether it wants to know the cost with other values of its inputs."""
    joined: str | None
    """The port whose wires are joined along the features."""


def read(name: str, function: Callable[..., Any], *, has_ports: bool) -> Said:
    """Return what a function's parameters say; without ports these depend on the settings."""
    hints = get_type_hints(function, include_extras=True)
    inputs: list[Port] = []
    settings: list[Setting] = []
    samples, probes, joined = False, False, None
    for parameter in inspect.signature(function).parameters.values():
        mark = _mark(hints.get(parameter.name))
        if parameter.kind is parameter.KEYWORD_ONLY:
            if mark == "samples":
                samples = True
            elif mark == "probe":
                probes = True
            else:
                settings.append(_setting(name, parameter, hints.get(parameter.name)))
        elif has_ports:
            many = mark == "many" or parameter.kind is parameter.VAR_POSITIONAL
            if mark == "many":
                joined = parameter.name
            inputs.append(
                Port(
                    parameter.name,
                    many=many,
                    optional=mark == "feedback" or parameter.default is None,
                    feedback=mark == "feedback",
                )
            )
    return Said(tuple(inputs), tuple(settings), samples, probes, joined)


def _mark(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, Mark):
                return extra.word
    return ""


def _setting(type_name: str, parameter: inspect.Parameter, hint: Any) -> Setting:
    default = None if parameter.default is parameter.empty else inert(parameter.default)
    mark, span = _mark(hint), None
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    later = any(isinstance(extra, Later) for extra in extras)
    if mark in SETTING_MARKS:
        return Setting(parameter.name, mark, default, later=later)
    if get_origin(hint) is Annotated:
        base = get_args(hint)[0]
        span = next((extra for extra in extras if isinstance(extra, Range)), None)
        hint = base
    if get_origin(hint) is Literal:
        return Setting(parameter.name, "choice", default, choices=get_args(hint), later=later)
    kinds = {bool: "flag", int: "integer", float: "number", str: "text"}
    if hint not in kinds:
        raise DeclarationError(
            f"{type_name}.{parameter.name} needs an annotation that says what is allowed: "
            "bool, int, float, str, a Literal, or one of nodeflow.declare's"
        )
    return Setting(parameter.name, kinds[hint], default, range=span, later=later)
