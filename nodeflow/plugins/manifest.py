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
    types = [_announced(one, f"$.types[{i}]") for i, one in enumerate(_list(found, "types"))]
    return Manifest({one.name: one for one in types})


def _announced(one: Any, place: str) -> Announced:
    """Return a type, of which a manifest that was written by hand need not say everything."""
    name = one.get("name") if isinstance(one, dict) else None
    if not isinstance(name, str):
        raise _damaged(f'{place} is no node type, an object with a "name"')
    ports = [
        tuple(_announced_port(port, f"{place}.{side}[{i}]")
              for i, port in enumerate(_list(one, side, place)))
        for side in ("inputs", "outputs")
    ]  # fmt: skip
    return Announced(
        name, str(one.get("formula", "")), ports[0], ports[1], str(one.get("help", ""))
    )


def _announced_port(port: Any, place: str) -> Port:
    if isinstance(port, str):  # as ports are shown everywhere: a, a…, bias?
        bare = port.removesuffix("?")
        return Port(bare.removesuffix("…"), many=bare.endswith("…"), optional=bare != port)
    if not isinstance(port, dict) or not isinstance(port.get("name"), str):
        raise _damaged(f'{place} is no port: its name, or an object with a "name"')
    return Port(
        port["name"],
        many=port.get("many") is True,
        optional=port.get("optional") is True,
        feedback=port.get("feedback") is True,
    )


def _list(holder: Mapping[str, Any], key: str, place: str = "$") -> list[Any]:
    found = holder.get(key, [] if place != "$" else None)
    if not isinstance(found, list):
        raise _damaged(f"{place}.{key} must be a list")
    return found


def _damaged(what: str) -> PluginError:
    return PluginError(f"its {FILE} is damaged: {what}")
