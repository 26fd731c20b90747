"""`nodeflow nodes`: the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.completing import node_types
from nodeflow.commands.options import json_option
from nodeflow.commands.output import print_json
from nodeflow.errors import UnknownType, nearest

if TYPE_CHECKING:
    from nodeflow.declare import NodeType, Port, Setting


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


def _type(type_: NodeType) -> dict[str, Any]:
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


def _named(word: str | None) -> list[NodeType]:
    """Return the types of that name or alias; all of them, by family, without a word."""
    import nodeflow.nodes  # noqa: F401  (fills the catalog)
    from nodeflow.declare import CATALOG, FAMILIES

    if word is None:
        return sorted(CATALOG.values(), key=lambda type_: FAMILIES.index(type_.family))
    if word in CATALOG:
        return [CATALOG[word]]
    lower = word.lower()
    found = [t for t in CATALOG.values() if lower in (alias.lower() for alias in t.aliases)]
    if not found:
        raise UnknownType(f"there is no node type '{word}'{nearest(word, CATALOG)}")
    return found


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False, shell_complete=node_types)
@json_option
def nodes(type_: str | None, *, as_json: bool) -> None:
    """List the library, or describe one TYPE of node."""
    found = _named(type_)
    if as_json:
        print_json([_type(one) for one in found])
        return
    from nodeflow import terminal

    if type_ is None:
        terminal.show_library(found)
    else:
        terminal.show_types(found)
