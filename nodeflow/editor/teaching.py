"""Lessons in the editor: somebody does one, or makes one of the graph as it lies there.

What is done is noticed by `run/lecture.py`. Here is what a person may change meanwhile, and how
tasks, locks and hidden nodes come into a graph.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

from nodeflow.editor.commands import view
from nodeflow.editor.commands.file import leaving
from nodeflow.editor.commands.registry import register
from nodeflow.editor.state.messages import (
    AddTask,
    ChooseTaskKind,
    LessonEdit,
    MoveTaskUp,
    OfferTypes,
    RemoveTask,
    ToggleAllLocked,
    ToggleInLesson,
)
from nodeflow.editor.state.model import Editor, Teaching
from nodeflow.editor.state.requests import (
    AskExport,
    AskSave,
    ControlRun,
    OpenSample,
    SavePreferences,
)
from nodeflow.editor.state.runcommands import BeginLesson, EndLesson, SkipTask, UnlockNode
from nodeflow.errors import FileError, NodeflowError
from nodeflow.files.lessonform import ANSWERS, EVERY, LESSON, check_lesson
from nodeflow.graph import Graph

KINDS = {
    "at": "stand at a moment",
    "until": "come to where a condition holds",
    "ask": "answer a question",
    "wire": "draw a wire",
}
"""What a task can wait for, in words."""


# --- doing --------------------------------------------------------------------------------------


@register("lesson", "Begin the lesson", "", "Lesson")
def begin(editor: Editor) -> Editor:
    """Lead through the lesson in the graph, from its first task."""
    from nodeflow.lessons import require_lesson

    try:
        require_lesson(editor.graph)
    except FileError as error:
        why = str(error) if LESSON in editor.graph.extra else "there is no lesson in this graph"
        more = "" if LESSON in editor.graph.extra else ": make one by Lesson, Edit the lesson"
        return editor.refused(f"{why}{more}")
    graph = _without(editor.graph, ANSWERS)
    # Its card takes a part of the canvas.
    begun = view.refitted(replace(editor, lesson=Teaching(graph), selection=frozenset()))
    return begun.asking(ControlRun(BeginLesson(graph)))


@register("end-lesson", "End the lesson", "", "Lesson")
def end(editor: Editor) -> Editor:
    """Leave the lesson, done or not; nothing is locked and hidden then."""
    toured = replace(editor.preferences, toured=True)
    left = replace(editor, lesson=None, preferences=toured)
    left = left.asking(ControlRun(EndLesson()))
    if editor.preferences.toured:
        return left
    return left.asking(SavePreferences()).with_notice(
        "That was the lesson. Press ? for all shortcuts, Ctrl+Shift+P for all commands."
    )


@register("skip-task", "Leave this task out", "", "Lesson")
def _skip(editor: Editor) -> Editor:
    if editor.live.lesson is None or editor.live.lesson.task is None:
        return editor.refused("no task is being done: begin the lesson first")
    return editor.asking(ControlRun(SkipTask()))


@register("unlock", "Unlock the selected node", "", "Lesson")
def _unlock(editor: Editor) -> Editor:
    found = locked(editor)
    if not found:
        return editor.refused("select the one node of the lesson that is locked")
    return editor.asking(ControlRun(UnlockNode(found)))


def locked(editor: Editor) -> str:
    """Return the selected node, if the lesson that is done has it locked."""
    lesson, progress = editor.lesson, editor.live.lesson
    if lesson is None or lesson.making or progress is None or len(editor.selection) != 1:
        return ""
    (key,) = editor.selection
    original = lesson.original
    held = lesson_of(original).get("locked", ())
    shut = (EVERY in held and key in original.nodes) or key in held
    return key if shut and key not in progress.unlocked else ""


@register("first-steps", "First steps", "", "Help")
def _first_steps(editor: Editor) -> Editor:
    from nodeflow.examples import samples

    return (
        leaving(editor, OpenSample("lessons/first-steps"))
        if ("lessons/first-steps" in samples())
        else editor.refused("the first lesson is not in this installation")
    )


@register("hand-in", "Save the answer …", "", "Lesson")
def hand_in(editor: Editor) -> Editor:
    """Save the graph with what was done: the file to hand in."""
    from nodeflow.lessons import with_answers

    progress = editor.live.lesson
    if progress is None:
        return editor.refused("no lesson is being done: begin it first")
    answered = with_answers(editor.graph, progress.done, progress.unlocked)
    noted = editor.edited(answered, "what was done in the lesson")
    # Without its file's name it is not saved over the lesson itself.
    return replace(noted, path=None).asking(AskSave())


def opened(editor: Editor) -> Editor:
    """Return an editor that has just got its graph, in the lesson that may be in it."""
    return begin(editor) if LESSON in editor.graph.extra else editor


def guarded(before: Editor, after: Editor) -> Editor:
    """Return the editor after a change, or before it where the lesson has that locked."""
    if after.graph is before.graph or before.lesson is None or after.lesson is not before.lesson:
        return after
    if before.lesson.making:
        return after
    from nodeflow.lessons import change_of_locked, require_lesson

    progress = before.live.lesson
    unlocked = () if progress is None else progress.unlocked
    changed = change_of_locked(before.lesson.original, after.graph, unlocked)
    if changed:
        return before.refused(f"this is locked in the lesson ({changed}); unlocking it is noted")
    types = require_lesson(before.lesson.original).types
    new = after.graph.nodes.keys() - before.graph.nodes.keys()
    other = next((k for k in sorted(new) if after.graph.nodes[k].type not in types), None)
    placed = len(new) == 1  # unfolding and exploding make nodes of any type
    if types and other is not None and placed:
        return before.refused(
            f"this lesson's library has no {after.graph.nodes[other].type}: it has "
            f"{', '.join(types)}"
        )
    return after


def offered(editor: Editor) -> frozenset[str]:
    """Return the types that the lesson's library has; none means all."""
    if editor.lesson is None or editor.lesson.making:
        return frozenset()
    return frozenset(editor.graph.extra.get(LESSON, {}).get("types", ()))


# --- making -------------------------------------------------------------------------------------


@register("edit-lesson", "Edit the lesson", "", "Lesson")
def make(editor: Editor) -> Editor:
    """Make a lesson of the graph, or change the one in it."""
    made = replace(editor, lesson=Teaching(editor.graph, making=True))
    return made.asking(ControlRun(EndLesson()))


@register("export-lesson", "Export the lesson as a page …", "", "Lesson")
def _export(editor: Editor) -> Editor:
    if LESSON not in editor.graph.extra:
        return editor.refused("there is no lesson in this graph to export")
    return editor.asking(AskExport(".html"))


def edited(editor: Editor, message: LessonEdit) -> Editor:
    """Return the editor after a change of the lesson that is made."""
    try:
        return _edited(editor, message)
    except NodeflowError as error:
        return editor.refused(error)


def _edited(editor: Editor, message: LessonEdit) -> Editor:
    raw = lesson_of(editor.graph)
    chosen = sorted(editor.chosen)
    tasks = list(raw["tasks"])
    match message:
        case ChooseTaskKind(kind=kind):
            lesson = editor.lesson or Teaching(editor.graph, making=True)
            return replace(editor, lesson=replace(lesson, kind=kind))
        case AddTask():
            return _with_task(editor, message)
        case RemoveTask(number=number):
            del tasks[number]
            return _with(editor, {**raw, "tasks": tasks}, "a task less")
        case MoveTaskUp(number=number):
            if number == 0:
                return editor
            tasks[number - 1], tasks[number] = tasks[number], tasks[number - 1]
            return _with(editor, {**raw, "tasks": tasks}, "a task moved")
        case ToggleAllLocked():
            whole = [] if EVERY in raw.get("locked", ()) else EVERY
            return _with(editor, {**raw, "locked": whole}, "locks")
        case ToggleInLesson(what=what):
            if not chosen:
                return editor.refused("select the nodes first")
            old = raw.get(what, ())
            old = list(editor.graph.nodes) if EVERY in old else old
            return _with(editor, {**raw, what: _toggled(old, chosen)}, what)
        case OfferTypes():
            types = sorted({editor.graph.nodes[key].type for key in chosen})
            if not types and not raw.get("types"):
                return editor.refused("select nodes of the types that the library is to have")
            return _with(editor, {**raw, "types": types}, "the library's types")
        case _:
            assert_never(message)


def _toggled(old: Any, chosen: list[str]) -> list[str]:
    """Return names with the chosen ones among them, or without them where all are there."""
    there = set(old)
    return sorted(there - set(chosen) if there >= set(chosen) else there | set(chosen))


def lesson_of(graph: Graph) -> dict[str, Any]:
    """Return the lesson in a graph as it is in the file; without one, one without tasks."""
    return {"tasks": [], **graph.extra.get(LESSON, {})}


def _with(editor: Editor, raw: dict[str, Any], label: str) -> Editor:
    """Return the editor with another lesson in its graph; one that is none raises `FileError`."""
    kept = {key: part for key, part in raw.items() if part or key == "tasks"}
    graph = _without(editor.graph, LESSON)
    if kept != {"tasks": []}:
        graph = replace(graph, extra={**graph.extra, LESSON: kept})
        check_lesson(graph.extra)
        if kept["tasks"]:
            from nodeflow.lessons import require_lesson

            require_lesson(graph)
    return editor.edited(graph, f"lesson: {label}")


def _with_task(editor: Editor, task: AddTask) -> Editor:
    """Return the editor with a task more, or with what is missing in it."""
    kind = task.kind
    text, goal, question = task.text.strip(), task.goal.strip(), task.question.strip()
    if not text:
        return editor.refused("a task needs a text: say what is to be done")
    if not goal:
        return editor.refused(f"the task needs what it waits for: {KINDS[kind]}")
    if kind == "ask" and not question:
        return editor.refused("a question needs its words")
    made: dict[str, Any] = {"text": text, kind: goal}
    if kind == "ask":
        made[kind] = {"question": question, "answer": goal}
    raw = lesson_of(editor.graph)
    tasks = list(raw["tasks"])
    if task.number is None or task.number >= len(tasks):
        return _with(editor, {**raw, "tasks": [*tasks, made]}, "a task more")
    old = tasks[task.number]
    if kind == "ask" and "ask" in old:
        made[kind] = {**old[kind], **made[kind]}  # how far off an answer may be stays
    tasks[task.number] = made
    return _with(editor, {**raw, "tasks": tasks}, "a task changed")


def suggested(editor: Editor, kind: str) -> str:
    """Return what a new task would wait for: the moment of now, the newest wire, an example."""
    playback = editor.live.playback
    if kind == "at":
        if playback.step is None:
            return ""
        step = playback.step
        return f"{step.epoch}:{step.sample}:{step.node}"
    if kind == "wire":
        before = editor.lesson.original.wires if editor.lesson is not None else ()
        new = [wire for wire in editor.graph.wires if wire not in before]
        return str(new[-1]) if new else ""
    if kind == "until":
        return "cost < 0.01" if editor.graph.of_family("cost") else ""
    ports = [port.address for key in sorted(editor.chosen) if key in editor.drawn.nodes
             for port in editor.drawn.nodes[key].outputs]  # fmt: skip
    return ports[0] if ports else ""


def described(task: dict[str, Any]) -> str:
    """Return what a task waits for, in a few words."""
    if "ask" in task:
        return f"{task['ask']['question']}  = {task['ask']['answer']}"
    kind = next((name for name in ("at", "until", "wire") if name in task), "")
    return f"{kind} {task.get(kind, '')}"


def _without(graph: Graph, key: str) -> Graph:
    if key not in graph.extra:
        return graph
    return replace(graph, extra={name: part for name, part in graph.extra.items() if name != key})
