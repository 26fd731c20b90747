"""Slow motion from the editor: commands by key and name, and what is typed for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from nodeflow.editor.canvas import aside
from nodeflow.editor.commands.registry import register
from nodeflow.editor.playing.motion import owner
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Ask
from nodeflow.editor.state.requests import ControlRun, SavePreferences
from nodeflow.editor.state.runcommands import (
    AddCondition,
    Answer,
    AnswerTask,
    Back,
    ForgetCondition,
    Go,
    LoopPlayback,
    Pause,
    Play,
    Predict,
    RunCommand,
    SetSpeed,
    Step,
    ToggleStop,
    Watch,
)
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import RunError

_KEYS = (
    ("F10 or .", "Shift+F10 or ,"),
    ("F11", "Shift+F11"),
    ("Ctrl+F10", "Ctrl+Shift+F10"),
    ("F12", "Shift+F12"),
    ("Ctrl+F12", "Ctrl+Shift+F12"),
)
"""Of each level, the keys for one on and one back."""
PROMPTS = {
    "moment": ("Go to", "EPOCH, EPOCH:SAMPLE or EPOCH:SAMPLE:NODE, counted from 0"),
    "condition": ("Stop when", "cost < 0.01,   w.value changes sign,   accuracy falls"),
    "answer": ("What comes out?", "a number, or up, down, same"),
    "task": ("The lesson asks", "a number, or yes or no"),
}
"""What is asked for, and how it is written."""
FIRST = "the first run"
"""The future in which nothing was changed."""


def controlled(editor: Editor, command: RunCommand) -> Editor:
    """Return the editor asking its run to do something."""
    return editor.asking(ControlRun(command))


def entered(editor: Editor, popup: Ask) -> Editor:
    """Return the editor after something was typed for the player."""
    text = popup.text.strip()
    closed = replace(editor, popup=None)
    if not text:
        return closed
    match popup.what:
        case "moment":
            try:
                Moment.read(text)
            except RunError as error:  # what was typed stays, with why it is no moment
                return replace(editor, popup=replace(popup, fault=str(error)))
            return controlled(closed, Go(text))
        case "condition":
            return controlled(closed, AddCondition(text))
        case "answer":
            return controlled(closed, Answer(text))
        case "task":
            return controlled(closed, AnswerTask(text))
        case _:
            assert_never(popup.what)


@register("play", "Play in slow motion, or pause", "F8 or P", "Play")
def _play(editor: Editor) -> Editor:
    if editor.live.state in ("training", "playing"):
        return controlled(editor, Pause())
    return controlled(editor, Play())


def _asking(command: RunCommand) -> Callable[[Editor], Editor]:
    return lambda editor: controlled(editor, command)


for _name, (_on, _back) in zip(LEVELS, _KEYS, strict=True):
    register(f"{_name}-on", f"One {_name} on", _on, "Play")(_asking(Step(_name)))
    register(f"{_name}-back", f"One {_name} back", _back, "Play")(_asking(Back(_name)))


@register("go-to", "Go to a moment …", "G", "Play")
def _go_to(editor: Editor) -> Editor:
    return replace(editor, popup=Ask("moment"))


@register("to-start", "To the start of the run", "Ctrl+Home", "Play")
def _to_start(editor: Editor) -> Editor:
    return controlled(editor, Go(0))


@register("to-end", "To the end of what was played", "Ctrl+End", "Play")
def _to_end(editor: Editor) -> Editor:
    playback = editor.live.playback
    reach = playback.futures[playback.future].reach if playback.futures else 0
    return controlled(editor, Go(reach))


@register("loop", "Play this sample over and over", "L", "Play")
def _loop(editor: Editor) -> Editor:
    return controlled(editor, LoopPlayback(None if editor.live.playback.looped else "sample"))


@register("breakpoint", "Breakpoint, or none", "F9", "Play")
def _breakpoint(editor: Editor) -> Editor:
    if editor.wire is not None:
        return controlled(editor, ToggleStop(str(editor.wire)))
    nodes = sorted(editor.chosen)
    if not nodes:
        return editor.refused("select a node or a wire to stop at")
    for key in nodes:
        editor = controlled(editor, ToggleStop(key))
    return editor


@register("stop-when", "Stop when …", "Shift+F9", "Play")
def _stop_when(editor: Editor) -> Editor:
    return replace(editor, popup=Ask("condition"))


@register("no-stops", "Take away all breakpoints and conditions", "", "Play")
def _no_stops(editor: Editor) -> Editor:
    playback = editor.live.playback
    for what in sorted(playback.breakpoints):
        editor = controlled(editor, ToggleStop(what))
    for text in playback.conditions:
        editor = controlled(editor, ForgetCondition(text))
    return editor


@register("predict", "Predict, then reveal", "Shift+P", "Play")
def _predict(editor: Editor) -> Editor:
    return controlled(editor, Predict())


@register("answer", "Answer the question …", "A", "Play")
def _answer(editor: Editor) -> Editor:
    if editor.live.playback.question is not None:
        return replace(editor, popup=Ask("answer"))
    if asked(editor):
        return replace(editor, popup=Ask("task"))
    return editor.refused("nothing is asked: Shift+P turns predicting on")


def asked(editor: Editor) -> str:
    """Return the question of the present task of the lesson, if it asks one."""
    progress = editor.live.lesson
    doing = editor.lesson is not None and not editor.lesson.making
    task = progress.task if doing and progress is not None else None
    return task.question if task is not None else ""


@register("watch", "Watch its values", "Ctrl+W", "Play")
def _watch(editor: Editor) -> Editor:
    addresses = [
        f"{key}.{port.name}"
        for key in sorted(editor.chosen)
        if (type_ := editor.graph.nodes[key].known) is not None
        for port in type_.outputs
    ]
    if not addresses:
        return editor.refused("select a node with an output to watch")
    for address in addresses:
        editor = controlled(editor, Watch(address))
    return editor


@register("follow", "The view follows the active node", "Shift+M", "Play")
def _follow(editor: Editor) -> Editor:
    chosen = replace(editor.preferences, follow=not editor.preferences.follow)
    return replace(editor, preferences=chosen).asking(SavePreferences())


@register("card", "The card with the formula", "Shift+K", "Play")
def _card(editor: Editor) -> Editor:
    chosen = replace(editor.preferences, card=not editor.preferences.card)
    return replace(editor, preferences=chosen).asking(SavePreferences())


@register("faster", "Play twice as fast", "Shift+F8", "Play")
def _faster(editor: Editor) -> Editor:
    return _at_speed(editor, 2.0)


@register("slower", "Play half as fast", "Ctrl+F8", "Play")
def _slower(editor: Editor) -> Editor:
    return _at_speed(editor, 0.5)


def _at_speed(editor: Editor, factor: float) -> Editor:
    speed = editor.live.playback.speed
    speed = 1000.0 if speed == math.inf and factor < 1 else speed * factor
    return controlled(editor, SetSpeed(math.inf if speed > 1000 else max(speed, 0.25)))


# --- other futures ------------------------------------------------------------------------------


def returned(editor: Editor, before: Live) -> Editor:
    """Return the editor with the settings of the future that the run has just returned to.

    A graph that was edited meanwhile stays as it is: the run will have it next.
    """
    playback = editor.live.playback
    if playback.returned is None or playback.returned is before.playback.returned:
        return editor
    left, graph = playback.returned
    if editor.graph is not left:
        return editor
    if graph.nodes.keys() == left.nodes.keys() and graph.wires == left.wires:
        # What was moved or grouped since stays, and how many epochs are wanted.
        training = replace(graph.training, epochs=left.training.epochs)
        graph = replace(left, nodes=graph.nodes, training=training)
    future = playback.futures[playback.future].what or FIRST
    return editor.edited(graph, f"return to {future}").with_notice(f"back in this future: {future}")


# --- the camera ---------------------------------------------------------------------------------


def followed(editor: Editor) -> Editor:
    """Return the editor with the camera at the active node, if it would be out of sight.

    Where a question is asked that is the node of which it is.
    """
    playback = editor.live.playback
    following = editor.preferences.follow and editor.live.state != "training"
    active = playback.question or playback.step
    if not following or editor.gesture is not None or active is None:
        return editor
    view = editor.drawn.nodes.get(owner(editor, active.node))
    if view is None:
        return editor
    camera, (wide, high) = editor.camera, editor.size
    # What lies below the card is not seen.
    high = max(high - aside.card_high(editor), high / 2)
    x, y = camera.on_screen((view.x + view.width / 2, view.y + view.height / 2))
    edge = min(wide, high) * 0.12
    dx = min(x - edge, 0.0) + max(x - (wide - edge), 0.0)
    dy = min(y - edge, 0.0) + max(y - (high - edge), 0.0)
    if dx == dy == 0.0:
        return editor
    # A third of the way more, so that it does not move at every step.
    ahead = 1.0 + 0.33 * min(wide, high) / max(abs(dx) + abs(dy), 1.0)
    return replace(editor, camera=camera.moved(-dx * ahead, -dy * ahead))
