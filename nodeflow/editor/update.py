"""The one function by which an editor changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import assert_never

from nodeflow.editor import teaching
from nodeflow.editor.canvas import editing, gestures, minimap
from nodeflow.editor.commands import file, network, registry, view
from nodeflow.editor.dialogs import differing, popups
from nodeflow.editor.documents import opening, plugins
from nodeflow.editor.panels import training
from nodeflow.editor.playing import controls
from nodeflow.editor.run import sweeping
from nodeflow.editor.state.faults import Mistakes
from nodeflow.editor.state.live import Report
from nodeflow.editor.state.messages import (
    AddTask,
    Began,
    ChooseTaskKind,
    Chosen,
    Derived,
    DialogCancelled,
    Differed,
    Do,
    Ended,
    Failed,
    Key,
    Message,
    Mistype,
    Moved,
    MoveTaskUp,
    Noted,
    Offered,
    OfferTypes,
    Opened,
    OpenRun,
    Overtook,
    Pasted,
    Place,
    Pressed,
    Released,
    RemoveTask,
    Renewed,
    Reported,
    Resized,
    Routed,
    RunUpdate,
    Saved,
    Select,
    SetPreference,
    SetTraining,
    SetValue,
    ToggleAllLocked,
    ToggleInLesson,
    Typed,
    Wheel,
    WouldLose,
)
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Looking, Sliding
from nodeflow.editor.state.popups import Editing
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import ControlRun, RunAnew, SavePreferences
from nodeflow.graph import Graph

_ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
_STEP, _FAR = 10, 60
_RECENT = 12


def update(editor: Editor, message: Message) -> Editor:
    """Return the editor after a message; what it asks the shell for is in `requests`."""
    before = replace(editor, requests=()) if editor.requests else editor
    after = _answered(before, message)
    if after.graph is not before.graph:
        after = _without_gone(after)
    return teaching.guarded(before, after)


def _reported(editor: Editor, report: Report) -> Editor:
    return replace(editor, report=report).with_notice(next(iter(report.lines), ""))


def _without_gone(editor: Editor) -> Editor:
    """Return the editor with nothing selected, or held, that is no longer in the graph."""
    there = editor.graph.nodes.keys() | editor.graph.groups.keys()
    return replace(
        editor,
        selection=editor.selection & there,
        wire=editor.wire if editor.wire in editor.graph.wires else None,
        inside=tuple(key for key in editor.inside if key in editor.graph.groups),
        gesture=editor.gesture if isinstance(editor.gesture, Sliding) else None,
        hover="",
        mistyped=_still_mistyped(editor),
    )


def _still_mistyped(editor: Editor) -> Mistakes:
    """Return what was typed and cannot be, over what is still there."""
    if not editor.mistyped:
        return editor.mistyped
    graph, kept = editor.graph, {}
    for (node, field), what in editor.mistyped.items():
        if node and node not in graph.nodes:
            continue
        settings = graph.settings(node) if node else {}
        if field not in settings or written(settings[field]) == what.over:
            kept[node, field] = what
    return kept if len(kept) < len(editor.mistyped) else editor.mistyped


def _left_out(editor: Editor) -> str:
    """Return what is said of a file that holds something else than what was typed."""
    if not editor.mistyped:
        return ""
    (node, field), what = next(iter(editor.mistyped.items()))
    more = f", and {len(editor.mistyped) - 1} more" if len(editor.mistyped) > 1 else ""
    where = f"{node}.{field}" if node else field
    return f"; {where} is {what.over or 'left out'} in it, and not {what.text!r}{more}"


def _answered(editor: Editor, message: Message) -> Editor:
    match message:
        case Moved(at=at) | Released(at=at) if isinstance(editor.gesture, Looking):
            looked = minimap.looked(editor, at)
            return replace(looked, gesture=None) if isinstance(message, Released) else looked
        case Moved(at=at) if editor.gesture is None and minimap.holds(editor, at):
            return replace(editor, pointer=at, hover="")
        case Pressed() if isinstance(editor.popup, Editing):
            kept = popups.left(editor, editor.popup)
            return kept if kept.popup is not None else _answered(kept, message)
        case Pressed(at=at, button="left") if minimap.holds(editor, at):
            return minimap.pressed(editor, at)
        case Wheel(at=at) if minimap.holds(editor, at):
            return minimap.wheel(editor, message)
        case _ if (made := differing.answered(editor, message)) is not None:
            return made
        case Moved():
            return gestures.moved(editor, message)
        case Pressed():
            return gestures.pressed(editor, message)
        case Released():
            return gestures.released(editor, message)
        case Wheel():
            return gestures.wheel(editor, message)
        case Key():
            return _key(editor, message)
        case Typed(text=text):
            return popups.typed(editor, text)
        case Chosen(number=number):
            return popups.chosen(editor, number)
        case Do(command=name):
            return registry.done(editor, name)
        case Place(type=type_, at=at):
            point = editor.camera.on_canvas(at)
            return editing.attempted(editor, lambda: editing.placed(editor, type_, point))
        case SetValue(node=node, setting=setting, value=value, done=done):
            return editing.attempted(
                editor, lambda: editing.valued(editor, node, setting, value, done=done)
            )
        case SetTraining(name=name, value=value):
            return editing.attempted(editor, lambda: training.changed(editor, name, value))
        case Mistype():
            return _mistyped(editor, message)
        case SetPreference(name=name, value=value):
            chosen = replace(editor.preferences, **{name: value})
            return replace(editor, preferences=chosen).asking(SavePreferences())
        case Select(nodes=nodes, neuron=neuron):
            one = next(iter(nodes)) if len(nodes) == 1 else ""
            picked = None if neuron is None else (one, neuron)
            there = nodes & editor.drawn.nodes.keys()
            return replace(editor, selection=there, wire=None, picked=picked)
        case Resized(size=size):
            return view.refitted(replace(editor, size=size))
        case Pasted(text=text):
            at = editor.aim
            return editing.attempted(editor, lambda: editing.pasted(editor, text, at))
        case Opened(graph=graph, path=path, kept=kept, faults=faults, fields=fields):
            made = opening.editor_of(
                graph, path, faults, fields=fields, size=editor.size,
                preferences=editor.preferences, recent=_newest(editor, path),
            )  # fmt: skip
            if path is None and not kept:  # nothing of it is in a file
                made = replace(made, saved=Graph())
            made = registry.done(made, "first-view").asking(RunAnew())
            return plugins.asking(teaching.opened(made))
        case Saved(graph=graph, path=path, before=before):
            history = editor.history
            if before is not None and before is editor.graph:
                history = history.instead(graph)
            made = replace(
                editor, history=history, saved=graph, path=path, recent=_newest(editor, path),
                faults=(),
            )  # fmt: skip
            return file.left(made.with_notice(f"saved {path.name}{_left_out(editor)}"))
        case Derived(graph=graph, label=label):
            return network.derived(editor, graph, label)
        case Began(what=what, share=share):
            so_far = f"{what} … {share}".rstrip()
            return replace(editor, busy=what).with_notice(f"{so_far}   Escape stops it")
        case Ended():
            announced = editor.notice is not None and editor.notice.text.startswith(
                f"{editor.busy} …"
            )
            return replace(editor, busy="", notice=None if announced else editor.notice)
        case WouldLose(path=path):
            return opening.asked(editor, path)
        case DialogCancelled():
            return replace(editor, leaving=None)
        case RunUpdate(live=live):
            checked = bool(live.checks) and live.checks is not editor.live.checks
            made = replace(editor, live=live)
            report = editor.live.report  # it may be the same under a new name of its node
            if live.report is not None and (not report or live.report.lines is not report.lines):
                made = _reported(made, live.report)
            made = controls.returned(made, editor.live)
            was = editor.live.playback
            if live.playback.number != was.number or live.playback.question is not was.question:
                made = controls.followed(made)
            return made.with_notice(training.verdict(live.checks, live.price)) if checked else made
        case ControlRun():
            return editor.asking(message)
        case Renewed(text=text):
            return plugins.renewed(editor).with_notice(text)
        case OpenRun(found=found, number=number, epoch=epoch):
            return editing.attempted(editor, lambda: sweeping.opened(editor, found, number, epoch))
        case Reported(report=report):
            return _reported(editor, report)
        case Offered(offer=offer):
            said = f"there are {offer.text}: Network ▸ Go on with earlier training"
            return replace(editor, offer=offer).with_notice(said)
        case Overtook(rival=rival, text=text):
            return differing.overtaken(editor, rival, text)
        case Differed(both=both, title=title):
            return registry.done(differing.shown(editor, both, title), "fit")
        case (
            ChooseTaskKind()
            | AddTask()
            | RemoveTask()
            | MoveTaskUp()
            | ToggleInLesson()
            | ToggleAllLocked()
            | OfferTypes()
        ):
            return teaching.edited(editor, message)
        case Routed(before=before, after=scene):
            return replace(editor, routed=(before, scene))
        case Failed(text=text):
            return replace(editor, leaving=None).refused(text)
        case Noted(text=text):
            return editor.with_notice(text)
        case _:
            assert_never(message)


def _mistyped(editor: Editor, message: Mistype) -> Editor:
    """Keep what cannot be in its field, and say so: the field may be gone with the next click."""
    at, what = (message.node, message.field), message.what
    if editor.mistyped.get(at) == what:
        return editor
    others = {key: one for key, one in editor.mistyped.items() if key != at}
    if what is None:
        said = editor.notice is not None and editor.notice.kind == "problem"
        return replace(editor, mistyped=others, notice=None if said else editor.notice)
    name = f"{message.node or 'training'}.{message.field}"
    now = f"{name} is still {what.over}" if what.over else f"{name} is not set"
    why = f"it {what.fault}" if what.fault.startswith("must ") else what.fault
    return replace(editor, mistyped={**others, at: what}).refused(f"{now}: {why}")


def refusal(editor: Editor, message: SetValue | SetTraining) -> str:
    """Return why a change cannot be, "" if it can."""
    after = update(editor, message)
    notice = after.notice
    is_refused = notice is not None and notice is not editor.notice and notice.kind == "problem"
    return notice.text if notice is not None and is_refused else ""


def _newest(editor: Editor, path: Path | None) -> tuple[Path, ...]:
    """Return the files that were open last, this one first."""
    others = tuple(one for one in editor.recent if one != path)
    return others if path is None else (path, *others)[:_RECENT]


def _key(editor: Editor, key: Key) -> Editor:
    if editor.popup is not None:
        return popups.key(editor, key)
    if editor.gesture is not None and key.name == "Escape":
        return replace(editor, gesture=None)
    if key.name in _ARROWS and not key.ctrl and not key.alt and editor.selection:
        length = _FAR if key.shift else _STEP
        dx, dy = _ARROWS[key.name]
        return editing.moved(
            editor, editor.selection, (dx * length, dy * length), key=("nudge", editor.selection)
        )
    command = registry.of_key(key)
    return registry.done(editor, command.name) if command else editor
