"""What a lesson in a graph file looks like: the key "lesson", and "answers" beside it.

Only the form is checked here, when a file is read: texts, numbers, one goal a task. Whether
conditions, moments and addresses fit the graph is asked when the lesson begins, by
`nodeflow.lessons`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from nodeflow.errors import FileError
from nodeflow.files.text import at, describe

LESSON, ANSWERS = "lesson", "answers"
EVERY = "*"
"""Among what is locked: all of the graph."""
GOALS = ("until", "at", "ask", "wire")
"""What a task can ask for; each task has one of them."""


class AskForm(Struct, frozen=True):
    """A question, and the expression whose value answers it."""

    question: str
    answer: Annotated[
        str | int | float, Meta(description="an expression such as sum.z[0, 1], or a number")
    ]
    tolerance: Annotated[float, Meta(ge=0, description="how far off an answer may be")] | None = (
        None
    )


class TaskForm(Struct, frozen=True):
    """A task: what to do, and one of until, at, ask and wire, by which it is known as done."""

    text: str
    until: Annotated[str, Meta(description="a condition that becomes true")] | None = None
    at: Annotated[str, Meta(description="a moment to go to, EPOCH[:SAMPLE[:NODE]]")] | None = None
    ask: AskForm | None = None
    wire: (
        Annotated[
            str,
            Meta(description="a port that a new wire touches, or a wire 'a.port -> b.port'"),
        ]
        | None
    ) = None


class LessonForm(Struct, frozen=True):
    """Tasks that lead through a graph."""

    tasks: list[TaskForm]
    locked: list[str] | Literal["*"] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)


class ChangeForm(Struct, frozen=True):
    """From an update on, the settings that were not the lesson's own, by address."""

    update: Annotated[int, Meta(ge=0)]
    settings: dict[str, Any] = field(default_factory=dict)


class WiresForm(Struct, frozen=True):
    """Wires that the lesson's graph does not have, and those of it that are not there."""

    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class DoneForm(Struct, frozen=True):
    """What an answer file notes about a task that was done."""

    task: Annotated[int, Meta(ge=0)]
    typed: str | None = None
    value: Any = None
    moment: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """By address, those that were not the lesson's own when the task was done."""
    changes: list[ChangeForm] | None = None
    """How they came to be: the settings from the start of the run, and where others began."""
    wires: WiresForm | None = None
    """None: those of the file, without what later tasks ask for."""
    anew: bool = False
    """Whether the run had been begun again since the task before."""


class AnswersForm(Struct, frozen=True):
    """What somebody did in a lesson."""

    tasks: list[DoneForm] = field(default_factory=list)
    unlocked: list[str] = field(default_factory=list)


_EXPECTED = {
    "text": "a text",
    "until": 'a condition such as "cost < 0.01"',
    "at": 'a moment such as "3:17:hidden"',
    "wire": 'the address of a port such as "sum.a"',
    "question": "a text",
    "answer": "an expression or a number",
    "tolerance": "a number from 0",
    "tasks": "a list of tasks",
    "locked": 'a list of nodes\' ids, or "*" for all of them',
    "hidden": "a list of nodes' ids",
    "types": "a list of node types",
    "task": "the number of a task, from 0",
    "typed": "a text",
    "moment": 'a moment such as "3:17:hidden"',
    "settings": "an object of settings by address",
    "update": "the number of an update, from 0",
    "changes": "a list of settings from an update on",
    "wires": "an object with the lists new and gone",
    "anew": "true or false",
    "new": "a list of wires",
    "gone": "a list of wires",
    "unlocked": "a list of nodes' ids",
}


_NAMES = ("locked", "hidden", "types", "unlocked", "new", "gone")


def check_lesson(raw: Mapping[str, Any], *, file: str = "") -> None:
    """Raise `FileError` where the keys "lesson" and "answers" are not of their form."""
    for key, form in ((LESSON, LessonForm), (ANSWERS, AnswersForm)):
        if key in raw:
            _check(raw[key], form, (key,), file)
    for index, task in enumerate(raw[LESSON]["tasks"]) if LESSON in raw else ():
        _check_goal(task, (LESSON, "tasks", index), file)


def _check(value: Any, form: type[Struct], keys: tuple[str | int, ...], file: str) -> None:
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        message, place = _fault(value, form, keys)
        raise FileError(message or str(error), file=file, path=at(*place)) from None


def _fault(
    value: Any, form: type[Struct], keys: tuple[str | int, ...]
) -> tuple[str, tuple[str | int, ...]]:
    """Find the first part that is not of its form, from the outside in."""
    if not isinstance(value, dict):
        return f"expected an object, got {describe(value)}", keys
    for info in msgspec.structs.fields(form):
        if info.name not in value:
            if info.required:
                return f'"{info.name}" is missing, {_EXPECTED[info.name]}', keys
            continue
        part, inner = value[info.name], (*keys, info.name)
        if _fits(part, info.type):
            continue
        forms: dict[str, type[Struct]] = {"ask": AskForm, "wires": WiresForm}
        if info.name in forms:
            return _fault(part, forms[info.name], inner)
        if info.name == "tasks" and isinstance(part, list):
            return _fault_in(part, TaskForm if form is LessonForm else DoneForm, inner)
        if info.name == "changes" and isinstance(part, list):
            return _fault_in(part, ChangeForm, inner)
        if isinstance(part, list) and info.name in _NAMES:
            place = next(i for i, one in enumerate(part) if not isinstance(one, str))
            return f"expected a text, got {describe(part[place])}", (*inner, place)
        return f"expected {_EXPECTED[info.name]}, got {describe(part)}", inner
    return "", keys


def _fault_in(
    parts: list[Any], form: type[Struct], keys: tuple[str | int, ...]
) -> tuple[str, tuple[str | int, ...]]:
    place = next(i for i, one in enumerate(parts) if not _fits(one, form))
    return _fault(parts[place], form, (*keys, place))


def _fits(value: Any, type_: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


def _check_goal(task: Mapping[str, Any], keys: tuple[str | int, ...], file: str) -> None:
    given = [name for name in GOALS if task.get(name) is not None]
    if len(given) == 1:
        return
    found = f"both {' and '.join(given)}" if given else "none of them"
    raise FileError(
        f"a task has one of until, at, ask and wire, and this one has {found}",
        file=file,
        path=at(*keys),
    )
