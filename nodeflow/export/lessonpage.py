"""A lesson in a page: its tasks as plain data, and the other forms of the graph that they draw.

A page reads conditions and expressions, but does not plan graphs: the wires that tasks ask for are
drawn beforehand. Each gives a form of the graph, in which the tasks behind it are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeflow.declare import CATALOG
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Wire
from nodeflow.lessons import Lesson, Task, lesson_of, require_lesson
from nodeflow.playback.answers import HITS

MOST_FORMS = 6
"""The most graphs with other wires that a page holds."""
_MOST_WIRES = 4
"""The most wires prepared for a task that any wire to a port does."""


@dataclass
class Wired:
    """A form of the graph, in which the wires of some tasks are drawn."""

    graph: Graph
    name: str = ""
    """What its parts are called in the page; the graph as it was given has no name."""
    tasks: int = 0
    """The tasks before this one are read in another form."""
    following: dict[str, str] = field(default_factory=dict)
    """By wire, the form in which it is drawn: those of the next task that asks for a wire."""
    asks: int | None = None
    """The task that `following` belongs to."""


def forms(graph: Graph) -> list[Wired]:
    """Return the graph, and what it becomes by the wires that its lesson asks for."""
    lesson = lesson_of(graph)
    found = [Wired(graph)]
    if lesson is None:
        return found
    for form in found:  # it grows on the way
        wires = [i for i, task in enumerate(lesson.tasks) if task.kind == "wire"]
        form.asks = next((i for i in wires if i >= form.tasks), None)
        if form.asks is None:
            continue
        for text, wired in _drawn(form.graph, lesson, lesson.tasks[form.asks]):
            if len(found) > MOST_FORMS:
                break
            name = f"wired{len(found)}"
            form.following[text] = name
            found.append(Wired(wired, name, form.asks + 1))
    return found


def _drawn(graph: Graph, lesson: Lesson, task: Task) -> Iterator[tuple[str, Graph]]:
    """Yield the wires that do a task, and the graph with each."""
    if "->" in task.goal:
        wanted = Wire.parse(task.goal)
        ends = [(wanted.start, wanted.end)]
        graph = _with_new_nodes(graph, lesson, wanted)
    else:
        taken = {wire.end for wire in graph.wires}
        ends = [(task.goal, end) for end in _ports(graph, outputs=False) if end not in taken]
        ends += [(start, task.goal) for start in _ports(graph, outputs=True)]
    done, before = 0, set(Run(graph, strict=False).plan.inference.problems)
    for start, end in ends:
        try:
            wired = _connected(graph, start, end)
            problems = Run(wired, strict=False).plan.inference.problems
        except NodeflowError:
            continue
        if problems.keys() <= before and wired != graph:
            yield f"{start} -> {end}", wired
            done += 1
        if done == _MOST_WIRES:
            return


def _with_new_nodes(graph: Graph, lesson: Lesson, wire: Wire) -> Graph:
    """Return a graph with the node that a wire is to lead to, of the first type that it fits."""
    for key, port, outputs in ((wire.source, wire.output, True), (wire.target, wire.input, False)):
        if key in graph.nodes:
            continue
        for type_ in lesson.types or [name for name, one in CATALOG.items() if one.notes]:
            try:
                bigger = graph.add(key, type_)
            except NodeflowError:
                continue
            known = bigger.nodes[key].known
            ports = () if known is None else known.outputs if outputs else known.inputs
            if any(each.name == port for each in ports):
                graph = bigger
                break
    return graph


def _connected(graph: Graph, start: str, end: str) -> Graph:
    """Return a graph with a wire, in place of the one that was there."""
    target, _, name = end.rpartition(".")
    known = graph.nodes[target].known if target in graph.nodes else None
    port = next((p for p in known.inputs if p.name == name), None) if known else None
    if port is not None and not port.many:
        for wire in graph.into(target):
            if wire.input == name:
                graph = graph.disconnect(wire.start, end)
    return graph.connect(start, end)


def _ports(graph: Graph, *, outputs: bool) -> list[str]:
    """Return the addresses of a graph's own ports."""
    return [
        f"{key}.{port.name}"
        for key, node in graph.nodes.items()
        if node.known is not None
        for port in (node.known.outputs if outputs else node.known.inputs)
    ]


def as_data(form: Wired, run: Run) -> dict[str, Any]:
    """Return the lesson as plain data, its tasks read in one form of the graph."""
    lesson = require_lesson(form.graph)
    return {
        "tasks": [_task(form, index, task, run, lesson) for index, task in enumerate(lesson.tasks)],
        "locked": sorted(lesson.locked),
        "everything": lesson.everything,
        "words": {"yes": HITS[1], "no": HITS[0]},
    }


def looked_at(graph: Graph) -> dict[str, Any]:
    """Return the lesson as it is told where the layers are taken apart: there it is not done."""
    tasks = [{"text": task.text, "kind": task.kind} for task in require_lesson(graph).tasks]
    return {"tasks": tasks, "locked": [], "everything": False, "elsewhere": _ELSEWHERE}


_ELSEWHERE = (
    "Here are the parts to look at; go back to the layers to do the task, or to change numbers."
)


def _task(form: Wired, index: int, task: Task, run: Run, lesson: Lesson) -> dict[str, Any]:
    found: dict[str, Any] = {
        "text": task.text,
        "kind": task.kind,
        "goal": task.goal,
        "question": task.question,
        "tolerance": task.tolerance,
    }
    if index < form.tasks:
        return found
    if task.kind == "wire":
        if index == form.asks and form.following:
            shown = [key for key in form.graph.nodes if key not in lesson.hidden]
            starts = [wire.rpartition(" -> ")[0] for wire in form.following]
            ends = [wire.rpartition(" -> ")[2] for wire in form.following]
            found["forms"] = form.following
            found["from"] = _choices(_ports(form.graph, outputs=True), starts, shown)
            found["to"] = _choices(_ports(form.graph, outputs=False), ends, shown)
        return found
    found["here"] = True
    if task.kind == "at":
        try:
            moment = Moment.read(task.goal)
            run.schedule.find(moment)
        except NodeflowError as error:
            return {**found, "fault": str(error)}
        found["moment"] = [moment.epoch, moment.sample, moment.node]
    return found


def _choices(ports: list[str], wanted: list[str], shown: list[str]) -> list[str]:
    return sorted({*(p for p in ports if p.rpartition(".")[0] in shown), *wanted})


def hidden(graph: Graph, twins: dict[str, str], apart: Graph | None = None) -> list[str]:
    """Return the nodes that a lesson hides, those of their backward pass with them.

    `apart` is the graph with its layers taken apart: the parts of what is hidden are, too.
    """
    lesson = lesson_of(graph)
    if lesson is None or not lesson.hidden:
        return []
    found = [*lesson.hidden]
    if apart is not None:
        new = apart.nodes.keys() - graph.nodes.keys()
        found += sorted(n for n in new if any(n.startswith(f"{key}.") for key in lesson.hidden))
    return [*found, *(key for key, twin in twins.items() if twin in found)]
