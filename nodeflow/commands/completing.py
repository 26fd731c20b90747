"""What a shell is told when it completes a line: commands, options, files, nodes and types."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_NODEFLOW_COMPLETE"
"""What the shell sets when it asks for completions; the name is click's convention."""


def answer(app: click.Command) -> int | None:
    """Answer a shell that asks for completions; None if none asks."""
    asked = os.environ.get(VARIABLE)
    if not asked:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(app, {}, "nodeflow", VARIABLE, asked)


def nodes_of_file(
    context: click.Context, _: click.Parameter, begun: str
) -> list[CompletionItem | str]:
    """Return the ids in the FILE of the same line that begin so; none if it cannot be read."""
    from nodeflow.commands.graphs import load
    from nodeflow.errors import NodeflowError

    try:
        graph = load(context.params["file"])
    except (NodeflowError, OSError, KeyError, TypeError):
        return []  # while a line is typed there is nobody to tell
    return [key for key in graph.nodes if key.startswith(begun)]


def node_types(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem | str]:
    """Return the node types that begin so."""
    import nodeflow.nodes  # noqa: F401  (fills the catalog)
    from nodeflow.declare import CATALOG

    return [name for name in sorted(CATALOG) if name.startswith(begun)]


def sample_names(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem | str]:
    """Return the samples that begin so."""
    from nodeflow.examples import folder

    root = folder()
    names = (file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.json"))
    return sorted(name for name in names if name.startswith(begun))
