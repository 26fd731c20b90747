"""Files of which parts cannot be: what is said when one is opened, and before it is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nodeflow.editor.state.messages import Failed, Message, Reported
from nodeflow.editor.state.model import (
    NO_MISTAKES,
    Editor,
    Last,
    Mistyped,
    Question,
    Report,
    has_field,
)
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import Save
from nodeflow.files import Fault
from nodeflow.graph import Graph

_MISTYPED: Last[Mapping[tuple[str, str], Mistyped]] = Last(1)
_MOST = 30
"""So many faults are listed."""
_ASKED = 5
"""So many of them in a question."""


def mistyped(graph: Graph, faults: tuple[Fault, ...]) -> Mapping[tuple[str, str], Mistyped]:
    """Return the settings of a file that cannot be, as they stand in their fields.

    Of the same graph and faults it is the same object, by which a scene is known that was made
    in the background.
    """
    return _MISTYPED.of((graph, faults), lambda: _mistyped(graph, faults))


def _mistyped(graph: Graph, faults: tuple[Fault, ...]) -> Mapping[tuple[str, str], Mistyped]:
    found = {}
    for fault in faults:
        if fault.setting is not None and has_field(graph, fault):
            node, name = fault.setting
            holds = graph.settings(node)[name] if node else getattr(graph.training, name)
            found[fault.setting] = Mistyped(written(fault.value), written(holds), fault.why)
    return found or NO_MISTAKES


def told(graph: Graph, path: Path, faults: tuple[Fault, ...]) -> list[Message]:
    """Return what is said of a file in which something cannot be: the first, and a list of all."""
    if not faults:
        return []
    first = faults[0]
    over = mistyped(graph, faults[:1])
    meanwhile = "".join(f" ({what.over} stands in for it)" for what in over.values() if what.over)
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    lines = [f"· {fault.sentence}" for fault in faults[:_MOST]]
    if len(faults) > _MOST:
        lines.append(f"and {len(faults) - _MOST} more")
    title = f"What cannot be in {path.name}"
    return [
        Reported(Report("", title, tuple(lines))),
        Failed(f"{path.name}: {first.sentence}{meanwhile}{more}"),
    ]


def asked(editor: Editor, path: Path) -> Editor:
    """Ask before a file is replaced of which something is not in the graph."""
    lost = editor.unmended
    lines = [f"· {fault.sentence}" for fault in lost[:_ASKED]]
    if len(lost) > _ASKED:
        lines.append(f"and {len(lost) - _ASKED} more")
    text = "\n".join((f"{path.name} has what cannot be, and will lose it:", *lines))
    answers = (("Save without it", "replace"), ("Save as …", "elsewhere"), ("Cancel", "cancel"))
    question = Question(text, answers, Save(path, knowing=True))
    return replace(editor, popup=question, gesture=None)
