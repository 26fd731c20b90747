"""Files of which parts cannot be: what is said when one is opened, and before it is replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeflow.editor.state.faults import NO_MISTAKES, Mistakes, Mistyped, has_field
from nodeflow.editor.state.live import Report
from nodeflow.editor.state.messages import Failed, Message, Reported
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Question
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import Save
from nodeflow.files import Fault
from nodeflow.graph import Graph

_MOST = 30
"""The most faults that are listed."""
_ASKED = 5
"""The most that are listed in a question."""


def mistyped(graph: Graph, faults: tuple[Fault, ...]) -> Mistakes:
    """Return the settings of a file that cannot be, as they stand in their fields."""
    found = {}
    for fault in faults:
        if fault.setting is not None and has_field(graph, fault):
            node, name = fault.setting
            holds = graph.settings(node)[name] if node else getattr(graph.training, name)
            found[fault.setting] = Mistyped(written(fault.value), written(holds), fault.why)
    return found or NO_MISTAKES


def editor_of(
    graph: Graph,
    path: Path | None,
    faults: tuple[Fault, ...] = (),
    *,
    fields: Mistakes | None = None,
    **more: Any,
) -> Editor:
    """Return an editor with the graph of a file, what cannot be in it in its fields and marked.

    Where the `fields` are known (`mistyped`) the scene that was made with them is known by them.
    """
    found = mistyped(graph, faults) if fields is None else fields
    return Editor.of(graph, path, faults=faults, mistyped=found, **more)


def reports(graph: Graph, path: Path, faults: tuple[Fault, ...]) -> list[Message]:
    """Return what is said of a file in which something cannot be: the first, and a list of all."""
    if not faults:
        return []
    first = faults[0]
    over = mistyped(graph, faults[:1])
    meanwhile = "".join(f" ({what.over} stands in for it)" for what in over.values() if what.over)
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    title = f"Problems in {path.name}"
    return [
        Reported(Report("", title, tuple(_listed(faults, _MOST)))),
        Failed(f"{path.name}: {first.sentence}{meanwhile}{more}"),
    ]


def asked(editor: Editor, path: Path) -> Editor:
    """Ask before a file is replaced of which something is not in the graph."""
    said = f"Parts of {path.name} could not be read; saving will remove them:"
    text = "\n".join((said, *_listed(editor.unmended, _ASKED)))
    answers = (("Save without them", "replace"), ("Save as …", "elsewhere"), ("Cancel", "cancel"))
    question = Question(text, answers, Save(path, confirmed=True))
    return replace(editor, popup=question, gesture=None)


def _listed(faults: tuple[Fault, ...], most: int) -> list[str]:
    """Return a line for each of the first faults, and how many more there are."""
    lines = [f"· {fault.sentence}" for fault in faults[:most]]
    return [*lines, f"and {len(faults) - most} more"] if len(faults) > most else lines
