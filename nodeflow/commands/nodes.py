"""`nodeflow nodes`: the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nodeflow.commands.completing import node_types
from nodeflow.commands.options import json_option
from nodeflow.commands.output import print_json
from nodeflow.errors import UnknownType, nearest

if TYPE_CHECKING:
    from nodeflow.declare import NodeType


def _named(word: str | None) -> list[NodeType]:
    """Return the types of that name or alias; all of them, by family, without a word."""
    import nodeflow.nodes  # noqa: F401  (fills the catalog)
    from nodeflow.declare import CATALOG, FAMILIES
    from nodeflow.plugins.enabling import load_enabled, why_unknown

    load_enabled()

    if word is None:
        return sorted(CATALOG.values(), key=lambda type_: FAMILIES.index(type_.family))
    if word in CATALOG:
        return [CATALOG[word]]
    lower = word.lower()
    found = [t for t in CATALOG.values() if lower in (alias.lower() for alias in t.aliases)]
    if not found:
        why = why_unknown(word) or nearest(word, CATALOG)
        raise UnknownType(f"there is no node type '{word}'{why}")
    return found


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False, shell_complete=node_types)
@json_option
def nodes(type_: str | None, *, as_json: bool) -> None:
    """List the library, or describe one TYPE of node."""
    found = _named(type_)
    if as_json:
        from nodeflow.plugins.manifest import described

        print_json([described(one) for one in found])
        return
    from nodeflow import terminal

    if type_ is None:
        terminal.show_library(found)
    else:
        terminal.show_types(found)
