"""Lessons in the editor, without a window: led beside the run, guarded, and made."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.documents.store import Store
from nodeflow.editor.run.session import Session
from nodeflow.editor.shell import Shell
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import AskSave, ControlRun, WindowRequest
from nodeflow.editor.state.runcommands import AnswerTask, Go, SetSpeed
from nodeflow.editor.update import update
from nodeflow.files.lessonform import LESSON
from nodeflow.lessons import Marker

GRAPHS = Path(__file__).parent.parent / "graphs"


class Person:
    """Somebody at an editor with a run beside it."""

    def __init__(self, graph, path=None):
        self.shell = Shell(Session(), Store())
        self.editor = Editor.of(graph, path)

    def do(self, *messages):
        for message in messages:
            self.editor = update(self.editor, message)
            for request in self.editor.requests:
                if not isinstance(request, WindowRequest):
                    self.do(*self.shell.perform(request, self.editor))
        return self

    def until(self, seen, seconds=60.0):
        end = time.monotonic() + seconds
        while not seen(self.editor):
            assert time.monotonic() < end, (self.editor.live.lesson, self.editor.notice)
            self.do(*self.shell.poll(self.editor))
            time.sleep(0.002)
        return self

    def at_task(self, index):
        return self.until(lambda e: e.live.lesson is not None and e.live.lesson.index == index)


@pytest.fixture
def person(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = []

    def at(graph):
        made.append(Person(graph))
        return made[-1]

    yield at
    for each in made:
        each.shell.close()


def lesson(name):
    return nf.sample(f"lessons/{name}")


def test_a_lesson_is_led_and_its_answer_is_marked(person, tmp_path):
    graph = lesson("where-4.5w-1.5-comes-from")
    somebody = person(graph).do(m.Do("lesson")).at_task(0)
    somebody.do(ControlRun(AnswerTask("7"))).until(lambda e: e.live.lesson.said)
    assert somebody.editor.live.lesson.index == 0
    somebody.do(ControlRun(AnswerTask("1.2"))).at_task(1)
    somebody.do(ControlRun(Go("0:0:cost.error"))).at_task(2)
    somebody.do(ControlRun(AnswerTask("1.4"))).at_task(3).do(ControlRun(AnswerTask("2.1"))).at_task(
        4
    )
    somebody.do(ControlRun(AnswerTask("0.59"))).at_task(5)
    somebody.do(m.Do("train")).at_task(6)  # it stops where the condition became true
    assert somebody.editor.live.epoch < graph.training.epochs
    somebody.do(ControlRun(AnswerTask("0.3333"))).at_task(7)
    somebody.do(m.Do("hand-in"))
    assert somebody.editor.requests[-1] == AskSave()
    assert somebody.editor.path is None, "it would be saved over the lesson"
    nf.save(somebody.editor.graph, tmp_path / "answer.json")
    marks = Marker(graph).mark(nf.load(tmp_path / "answer.json"))
    assert (marks.done, marks.locked, marks.edited) == (7, (), ())


def test_what_is_locked_stays_until_it_is_unlocked_and_that_is_noted(person):
    somebody = person(lesson("what-lambda-does")).do(m.Do("lesson")).at_task(0)
    somebody.do(m.SetValue("w", "value", ((9.0,),)))
    assert somebody.editor.graph.settings("w")["value"] == ((3.0,),)
    assert "locked in the lesson" in somebody.editor.notice.text
    somebody.do(m.Select(frozenset(["cost"])), m.Do("delete"))
    assert "cost" in somebody.editor.graph.nodes
    somebody.do(m.SetValue("penalty", "regularization", 0.5))
    assert somebody.editor.graph.settings("penalty")["regularization"] == 0.5
    somebody.do(m.Select(frozenset(["w"])), m.Do("unlock"))
    somebody.until(lambda e: e.live.lesson.unlocked == ("w",))
    somebody.do(m.SetValue("w", "value", ((9.0,),)))
    assert somebody.editor.graph.settings("w")["value"] == ((9.0,),)
    somebody.do(m.Do("end-lesson"), m.SetValue("x", "value", ((2.0,),)))
    assert somebody.editor.lesson is None
    assert somebody.editor.graph.settings("x")["value"] == ((2.0,),)


def test_escape_closes_what_is_open_and_then_the_lesson(person):
    somebody = person(lesson("first-steps"))
    somebody.do(m.Do("lesson"))
    key = next(iter(somebody.editor.graph.nodes))
    somebody.do(m.Select(frozenset({key})), m.Key("Escape"))
    assert somebody.editor.lesson is not None
    assert not somebody.editor.selection
    somebody.do(m.Key("Escape"), m.Key("Escape"))
    assert somebody.editor.lesson is None


def test_a_wire_that_a_task_asks_for_is_drawn_into_a_locked_node(person):
    somebody = person(lesson("do-i-need-the-bias")).do(m.Do("lesson")).at_task(0)
    for answer in ("0", "0.5"):
        index = somebody.editor.live.lesson.index
        somebody.do(ControlRun(AnswerTask(answer))).at_task(index + 1)
    somebody.do(m.Do("skip-task")).at_task(3).do(ControlRun(AnswerTask("0.25"))).at_task(4)
    graph = somebody.editor.graph.connect("bias1.value", "output.bias")
    somebody.do(m.Derived(graph, "a wire")).at_task(5)
    done = [each.task for each in somebody.editor.live.lesson.done]
    assert done == [0, 1, 3, 4]


def test_the_first_lesson_is_done_as_its_tasks_say(person):
    somebody = person(lesson("first-steps")).do(m.Do("fit"), m.Do("lesson")).at_task(0)
    somebody.do(m.Do("train")).at_task(1)
    somebody.do(m.Do("to-start")).until(lambda e: not e.live.playback.number)
    while somebody.editor.live.lesson.index == 1:
        number = somebody.editor.live.playback.number
        somebody.do(m.Do("step-on")).until(lambda e, n=number: e.live.playback.number > n)
    somebody.at_task(2)
    somebody.do(m.Select(frozenset(["cost"])), m.Do("breakpoint"))
    somebody.do(ControlRun(SetSpeed(40.0)), m.Do("play")).at_task(3)
    somebody.until(lambda e: e.live.state == "paused")
    assert somebody.editor.live.playback.reason == "breakpoint: cost"
    while somebody.editor.live.lesson.index == 3:
        number = somebody.editor.live.playback.number
        somebody.do(m.Do("step-back")).until(lambda e, n=number: e.live.playback.number < n)
    somebody.at_task(4)
    assert somebody.editor.live.playback.node == "output"
    assert "output_a" not in somebody.editor.live.ages  # it has no value that could be old
    somebody.do(m.Place("panel", (20, 700)), m.Key("w"))
    assert somebody.editor.popup.port == "panel.value"  # the only one
    somebody.do(m.Typed("output_a"), m.Key("Enter")).at_task(5)
    somebody.do(m.Do("unfold")).at_task(6)
    somebody.do(m.Select(frozenset(["hidden"])), m.Do("explode")).at_task(7)
    somebody.do(m.Key("a"), m.Typed("9"), m.Key("Enter")).at_task(8)
    somebody.do(m.Key("a"))
    assert somebody.editor.popup is None
    somebody.do(m.Do("end-lesson"))
    assert somebody.editor.preferences.toured


def test_a_teacher_makes_a_lesson(person, tmp_path):
    graph = nf.sample("one-neuron")
    somebody = person(graph).do(m.Do("edit-lesson")).until(lambda e: e.live.values)
    record = lambda *task: somebody.do(m.AddTask(*task))  # noqa: E731
    record("at", "", "0:0:sum", "")
    assert "needs a text" in somebody.editor.notice.text
    record("until", "Train.", "cots < 1", "")
    assert "did you mean" in somebody.editor.notice.text or "cots" in somebody.editor.notice.text
    assert LESSON not in somebody.editor.graph.extra
    record("at", "Go to the sum.", "0:0:sum", "")
    record("ask", "Predict.", "cost.cost", "What does it cost?")
    record("until", "Train.", "cost < 0.01", "")
    record("wire", "Look at it.", "sum.z", "")
    somebody.do(m.MoveTaskUp(1), m.RemoveTask(3), m.Select(frozenset(["x", "y"])))
    somebody.do(m.ToggleInLesson("locked"), m.OfferTypes())
    made = somebody.editor.graph.extra[LESSON]
    assert [task["text"] for task in made["tasks"]] == ["Predict.", "Go to the sum.", "Train."]
    assert made["locked"] == ["x", "y"]
    assert made["types"] == ["constant"]
    record("ask", "Say it.", "cost.cost", "How much?", 0)
    asked = {"question": "How much?", "answer": "cost.cost"}
    assert somebody.editor.graph.extra[LESSON]["tasks"][0] == {"text": "Say it.", "ask": asked}
    made = somebody.editor.graph.extra[LESSON]
    first = {**made["tasks"][0], "ask": {**asked, "tolerance": 0.1}}
    tolerant = {**made, "tasks": [first, *made["tasks"][1:]]}
    graph = replace(somebody.editor.graph, extra={LESSON: tolerant})
    somebody.do(m.Derived(graph, "a tolerance"))
    record("ask", "Predict.", "cost.cost", "What does it cost?", 0)
    assert somebody.editor.graph.extra[LESSON]["tasks"][0]["ask"]["tolerance"] == 0.1
    nf.save(somebody.editor.graph, tmp_path / "lesson.json")
    again = nf.load(tmp_path / "lesson.json")
    assert Marker(again).lesson.types == ("constant",)
    somebody.do(m.Do("lesson")).at_task(0)
    somebody.do(m.Place("relu", (20, 20)))
    assert "library has no relu" in somebody.editor.notice.text
    somebody.do(m.Do("edit-lesson"), m.Select(frozenset(["x"])), m.ToggleInLesson("hidden"))
    assert "x" in somebody.editor.drawn.nodes
    somebody.do(m.Do("lesson"))
    assert "x" not in somebody.editor.drawn.nodes
    assert somebody.editor.drawn.port("x.value") is None


def test_a_graph_without_a_lesson_says_so_and_a_broken_one_where():
    editor = update(Editor.of(nf.sample("xor")), m.Do("lesson"))
    assert "there is no lesson in this graph" in editor.notice.text
    graph = nf.sample("xor")
    broken = {"tasks": [{"text": "a", "until": "cots < 1"}]}
    editor = update(
        Editor.of(replace(graph, extra={**graph.extra, LESSON: broken})), m.Do("lesson")
    )
    assert "$.lesson.tasks[0].until" in editor.notice.text


def test_samples_are_opened_and_need_no_saving(person):
    somebody = person(nf.sample("xor")).do(m.Do("samples"))
    names = [line.name for line in lines(somebody.editor)]
    assert names[0].startswith("lessons/")
    assert "wheat-seeds" in names
    assert not any(name.startswith("twins/") for name in names)
    somebody.do(m.Chosen(names.index("wheat-seeds")))
    assert somebody.editor.graph.name == nf.sample("wheat-seeds").name
    assert not somebody.editor.changed
