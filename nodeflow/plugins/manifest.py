"""What a plugin offers, as its manifest tells it: read without importing anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodeflow import disk
from nodeflow.declare import NodeType, Port, Setting
from nodeflow.errors import FileError, PluginError
from nodeflow.jsontext import json_of

FILE = "nodeflow-plugin.json"
_FORMAT, _VERSION = "nodeflow-plugin", 1
_MOST_BYTES = 2**20


@dataclass(frozen=True)
class Announced:
    """A node type that a plugin says it has: enough to draw it while the plugin is off."""

    name: str
    formula: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Manifest:
    """The types of a plugin."""

    types: Mapping[str, Announced] = field(default_factory=dict)


def described(type_: NodeType) -> dict[str, Any]:
    """Return a node type as `nodeflow nodes --json` and manifests show it."""
    return {
        "name": type_.name,
        "family": type_.family,
        "formula": type_.formula,
        "inputs": [_port(port) for port in type_.ports_in(type_.defaults)],
        "outputs": [_port(port) for port in type_.outputs],
        "settings": [_setting(setting) for setting in type_.settings],
        "aliases": list(type_.aliases),
        "backward": type_.rule is not None,
        "no_backward": type_.no_backward,
        "help": type_.help,
    }


def _port(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "many": port.many,
        "optional": port.optional,
        "feedback": port.feedback,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    span = setting.range
    return {
        "name": setting.name,
        "kind": setting.kind,
        "default": setting.default,
        "range": span and {"low": span.low, "high": span.high, "open": span.open},
        "choices": list(setting.choices),
    }


def manifest_of(types: Iterable[NodeType]) -> str:
    """Return the text of the manifest of some types."""
    document = {
        "format": _FORMAT,
        "version": _VERSION,
        "types": [described(type_) for type_ in types],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> Manifest:
    """Return what a manifest says; raises `PluginError`, one sentence."""
    try:
        if not path.exists():
            raise PluginError(f"it has no {path.name} beside its module")
        found = json_of(disk.read(path, _MOST_BYTES, lambda _: "has more than 1 MiB").decode())
    except FileError as error:
        raise PluginError(f"its manifest cannot be read: {error}") from None
    except (OSError, ValueError) as error:
        raise PluginError(f"its {path.name} cannot be read ({type(error).__name__})") from None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise PluginError(f"its {path.name} is no manifest of nodeflow")
    version = found.get("version")
    if version != _VERSION:
        raise PluginError(
            f"its {path.name} is of version {version!r}, and this nodeflow reads {_VERSION}; "
            "update nodeflow"
        )
    try:
        return Manifest({one["name"]: _announced(one) for one in found["types"]})
    except (KeyError, TypeError, AttributeError) as error:
        raise PluginError(f"its {path.name} is damaged ({type(error).__name__}: {error})") from None


def _announced(one: Mapping[str, Any]) -> Announced:
    ports = [
        tuple(
            Port(
                str(port["name"]),
                many=port.get("many") is True,
                optional=port.get("optional") is True,
                feedback=port.get("feedback") is True,
            )
            for port in one[side]
        )
        for side in ("inputs", "outputs")
    ]
    return Announced(
        str(one["name"]), str(one.get("formula", "")), ports[0], ports[1], str(one.get("help", ""))
    )
