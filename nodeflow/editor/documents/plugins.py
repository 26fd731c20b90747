"""Node types by others in the editor: a plugin that a graph needs is asked for, and switched on.

A file in the user's folder is read again when it changes, so that a node type can be worked at
while a graph with it is open.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nodeflow import plugins
from nodeflow.editor.state.messages import Failed, Message, Renewed
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Question
from nodeflow.editor.state.requests import EnablePlugin, RunAnew
from nodeflow.errors import NodeflowError, PluginError
from nodeflow.graph import Graph
from nodeflow.plugins import finding

_EVERY = 0.8
"""Seconds between two looks at the user's folder."""


def wanted(graph: Graph) -> dict[str, list[str]]:
    """Return the plugins that are off and that a graph needs, with its types of each."""
    found: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        if node.known is None and (plugin := plugins.plugin_of(node.type)):
            types = found.setdefault(plugin, [])
            if node.type not in types:
                types.append(node.type)
    return found


def asking(editor: Editor) -> Editor:
    """Ask whether a plugin that the graph needs is to be switched on: it is imported then."""
    needed = wanted(editor.graph)
    if not needed:
        return editor
    plugin, types = next(iter(needed.items()))
    source = there.source if (there := plugins.plugins().get(plugin)) else plugin
    named = ", ".join(f"'{type_}'" for type_ in types)
    question = Question(
        f"This graph has nodes of the plugin '{plugin}' ({source}): {named}. It is off; switched "
        "on, its code is run.",
        (("Leave it off", "cancel"), ("Switch it on", "enable")),
        EnablePlugin(plugin),
    )
    return replace(editor, popup=question)


def renewed(editor: Editor) -> Editor:
    """Return the editor with graphs that know the types that are there now; nothing is edited."""
    history = editor.history
    entries = tuple(replace(entry, value=_same_again(entry.value)) for entry in history.entries)
    return replace(editor, history=replace(history, entries=entries)).asking(RunAnew())


def _same_again(graph: Graph) -> Graph:
    """Return the same graph as another object: what is worked out of it is kept by identity."""
    return replace(graph, nodes=dict(graph.nodes))


def enabled(plugin: str) -> list[Message]:
    """Switch a plugin on; return what is to be told."""
    try:
        types = plugins.enable(plugin)
    except NodeflowError as error:
        return [Failed(str(error))]
    return [Renewed(f"the plugin '{plugin}' is on: {', '.join(types)}")]


class Watch:
    """Looks at the files of the user's folder whose plugins are on."""

    def __init__(self) -> None:
        self._looked = 0.0
        self._times = self._found()

    def _found(self) -> dict[str, tuple[Path, int]]:
        folder = finding.user_folder()
        if not folder.is_dir():
            return {}
        found: dict[str, tuple[Path, int]] = {}
        for name in plugins.enabled():
            file = folder / f"{name}.py"
            try:
                found[name] = file, file.stat().st_mtime_ns
            except OSError:
                continue
        return found

    def enabled(self, plugin: str) -> list[Message]:
        """Switch a plugin on; what is changed in its file from now on is seen."""
        found = enabled(plugin)
        self._times = self._found()
        return found

    def poll(self) -> Sequence[Message]:
        """Import what has changed since the last look; return what is to be told."""
        now = time.monotonic()
        if now - self._looked < _EVERY:
            return ()
        self._looked = now
        before, self._times = self._times, self._found()
        found_messages: list[Message] = []
        for name, found in self._times.items():
            if name in before and before[name] != found:
                found_messages += _read_again(name, found[0])
        return found_messages


def _read_again(name: str, file: Path) -> list[Message]:
    try:
        types = plugins.reload(name)
    except PluginError as error:
        return [Failed(f"{file.name} was not read again: {error}")]
    return [Renewed(f"{file.name} was read again: {', '.join(types)}")]
