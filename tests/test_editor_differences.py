"""Two graphs in the editor: what differs is looked at, and two edits of one file become one."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nodeflow as nf
from nodeflow.editor.commands.registry import COMMANDS, MENUS
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.shell import Shell
from nodeflow.editor.state.messages import (
    Chosen,
    Differed,
    Do,
    Key,
    Message,
    Moved,
    Overtook,
    Pasted,
    Place,
    Pressed,
    Released,
    Select,
    SetValue,
    Typed,
    Wheel,
)
from nodeflow.editor.state.model import Comparison, Editor
from nodeflow.editor.state.popups import Question
from nodeflow.editor.state.requests import AskDiffer, ControlRun, Differ, Quit, Request, Save
from nodeflow.editor.state.runcommands import Step
from nodeflow.editor.update import update
from nodeflow.export.compared import both
from nodeflow.files import dumps, load, save
from nodeflow.graph import Graph
from nodeflow.scene import with_places

GRAPHS = Path(__file__).parent.parent / "graphs"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    return tmp_path


class Person:
    """An editor with its shell, as the window drives them."""

    def __init__(self, path: Path) -> None:
        self.shell, self.path = Shell(), path
        self.editor = Editor.of(load(path), path)
        self.asked: list[Request] = []

    def do(self, message: Message) -> None:
        self.editor = update(self.editor, message)
        for request in self.editor.requests:
            self.asked.append(request)
            if isinstance(request, Save | Differ):
                for answer in self.shell.perform(request, self.editor):
                    self.do(answer)

    def settle(self) -> None:
        """Let what is under way come to its end."""
        end = time.monotonic() + 30
        while self.shell._jobs and time.monotonic() < end:
            for message in self.shell._ended(self.editor):
                self.do(message)
            time.sleep(0.005)

    def edit(self, **settings: Any) -> None:
        self.editor = self.editor.edited(self.editor.graph.set("train", **settings), "edit")

    @property
    def question(self) -> Question:
        assert isinstance(self.editor.popup, Question)
        return self.editor.popup

    def answer(self, word: str) -> None:
        names = [name for _, name in self.question.answers]
        self.do(Chosen(names.index(word)))
        self.settle()

    @property
    def offered(self) -> list[str]:
        return [name for _, name in self.question.answers]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    path = tmp_path / "net.json"
    save(with_places(load(GRAPHS / "xor.json")), path)
    made = Person(path)
    yield made
    made.shell.close()


def elsewhere(path: Path, change: Any) -> Graph:
    """Change a file as another program does."""
    graph = change(load(path))
    path.write_text(dumps(graph), encoding="utf-8")
    return load(path)


# --- the file was changed by another program ----------------------------------------------------


def test_two_edits_that_do_not_touch_are_merged(person: Person) -> None:
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.add("theirs", "constant", value=[2.0]))
    mine = person.editor.graph
    person.do(Do("save"))
    assert person.question.text == (
        "net.json was changed by another program since it was opened: node 'theirs' (constant) "
        "is new. It does not touch what you changed."
    )
    assert person.offered == ["merge", "differ", "replace", "elsewhere", "cancel"]
    person.answer("merge")
    found = load(person.path)
    assert found.nodes["theirs"].settings["value"] == (2.0,)
    assert found.settings("train")["rate"] == 0.75
    assert not person.editor.changed
    assert "theirs" in person.editor.graph.layout
    person.do(Do("undo"))
    assert person.editor.graph == mine  # it is an edit like others
    person.do(Do("redo"))
    person.edit(rate=0.5)
    person.do(Do("save"))
    assert person.editor.popup is None  # and it is our own file again
    assert load(person.path).settings("train")["rate"] == 0.5


def test_where_both_changed_the_same_no_merge_is_offered(person: Person) -> None:
    person.edit(rate=0.75)
    theirs = elsewhere(person.path, lambda graph: graph.set("train", rate=0.125))
    person.do(Do("save"))
    assert person.offered == ["differ", "replace", "elsewhere", "cancel"]
    assert "cannot be merged with yours: train.rate was" in person.question.text
    assert load(person.path) == theirs
    person.answer("replace")
    assert load(person.path).settings("train")["rate"] == 0.75
    assert load_backup(person.path).settings("train")["rate"] == 0.125  # nothing is lost


def load_backup(path: Path) -> Graph:
    kept = path.with_name("kept.json")
    kept.write_bytes(path.with_name(f"{path.name}.bak").read_bytes())
    return load(kept)


@pytest.mark.parametrize("answer", ["merge", "replace"])
def test_a_file_that_changes_once_more_is_asked_about_once_more(
    person: Person, answer: str
) -> None:
    """What was answered is about the file that was looked at, not about a newer one."""
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.add("one", "constant", value=[1.0]))
    person.do(Do("save"))
    newest = elsewhere(person.path, lambda graph: graph.add("two", "constant", value=[2.0]))
    person.answer(answer)
    assert load(person.path) == newest
    assert person.offered[0] == "merge"
    person.answer("merge")
    assert {"one", "two"} <= load(person.path).nodes.keys()


def test_a_graph_that_changed_under_the_question_is_asked_about_anew(person: Person) -> None:
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.add("one", "constant", value=[1.0]))
    person.do(Do("save"))
    question = person.question
    person.edit(rate=0.25)  # such as by work that ended beside
    person.editor = replace(person.editor, popup=question)
    person.answer("merge")
    person.answer("merge")
    assert load(person.path).settings("train")["rate"] == 0.25
    assert "one" in load(person.path).nodes


def test_a_file_that_is_no_graph_any_more_is_told(person: Person) -> None:
    person.edit(rate=0.75)
    person.path.write_text("{", encoding="utf-8")
    person.do(Do("save"))
    assert person.offered == ["replace", "elsewhere", "cancel"]
    assert "is no graph that can be read now" in person.question.text
    person.answer("replace")
    assert load(person.path).settings("train")["rate"] == 0.75


@pytest.mark.parametrize("way", ["cancel", "escape", "elsewhere", "differ"])
def test_who_wanted_to_leave_stays_unless_it_is_saved(person: Person, way: str) -> None:
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.set("train", rate=0.125))
    person.do(Do("quit"))
    person.do(Chosen(0))  # Save
    assert person.editor.leaving is not None
    person.do(Key("Escape")) if way == "escape" else person.answer(way)
    assert person.editor.leaving is None
    assert Quit() not in person.asked
    assert person.editor.graph.settings("train")["rate"] == 0.75


def test_who_wanted_to_leave_leaves_when_it_is_merged(person: Person) -> None:
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.add("one", "constant", value=[1.0]))
    person.do(Do("quit"))
    person.do(Chosen(0))
    person.answer("merge")
    assert person.asked[-1] == Quit()
    assert "one" in load(person.path).nodes


def test_what_another_program_left_without_places_stands_where_it_stood(person: Person) -> None:
    """A program that writes no layout moves nothing: what stays put is no conflict."""
    x, y = person.editor.graph.layout["cost"]
    moved = replace(
        person.editor.graph, layout={**person.editor.graph.layout, "cost": (x + 90, y + 200)}
    )
    person.editor = person.editor.edited(moved, "move")
    elsewhere(person.path, lambda graph: replace(graph.add("one", "constant"), layout={}))
    person.do(Do("save"))
    person.answer("merge")
    assert load(person.path).layout["cost"] == (x + 90, y + 200)


# --- a difference is looked at ------------------------------------------------------------------


@pytest.fixture
def comparing(person: Person) -> Person:
    """Return an editor that shows a difference of all four kinds."""
    before = person.editor.graph
    after = before.remove("accuracy").add("seen", "panel").set("train", rate=0.25)
    x, y = before.layout["cost"]
    after = replace(after, layout={**after.layout, "cost": (x + 60, y), "seen": (0, 900)})
    other = person.path.with_name("other.json")
    save(before, other)
    person.editor = person.editor.edited(after, "edit")
    assert person.shell.perform(Differ(other), person.editor) is not None
    person.do(Differed(both(load(other), after), "other.json → net.json"))
    return person


def test_the_difference_has_what_both_graphs_have(comparing: Person) -> None:
    editor = comparing.editor
    assert editor.comparison is not None
    assert {"accuracy", "seen", "cost"} <= editor.drawn.nodes.keys()
    kinds = {one.view.key: one.kind for one in editor.comparison.both.nodes}
    assert kinds == {
        "accuracy": "removed", "seen": "added", "train": "changed", "cost": "moved",
    }  # fmt: skip
    assert {kind for _, kind in editor.comparison.both.wires} == {"removed"}
    assert any(address.startswith("accuracy.") for address in editor.drawn.ports)
    left, top, right, bottom = editor.drawn.bounds
    (x0, y0), (x1, y1) = map(editor.camera.on_canvas, ((0, 0), editor.size))
    assert x0 <= left
    assert y0 <= top
    assert x1 >= right
    assert y1 >= bottom  # all of it is seen at first


def test_a_click_tells_what_differs_about_a_node(comparing: Person) -> None:
    def told(node: str) -> str:
        view = comparing.editor.drawn.nodes[node]
        at = comparing.editor.camera.on_screen((view.x + 20, view.y + view.height - 4))
        comparing.do(Pressed(at))
        comparing.do(Released(at))
        assert comparing.editor.notice is not None
        return comparing.editor.notice.text

    assert told("accuracy") == "'accuracy' is gone"
    assert told("seen") == "'seen' is new"
    assert told("train").startswith("train.rate was ")
    assert told("cost") == "'cost' stands elsewhere"
    assert told("hidden") == "'hidden' is the same in both"


def test_the_list_leads_to_the_nodes(comparing: Person) -> None:
    comparing.do(Do("differences"))
    there = lines(comparing.editor)
    comparison = comparing.editor.comparison
    assert comparison is not None
    assert [line.text for line in there] == [one.sentence for one in comparison.both.changes]
    number = next(n for n, line in enumerate(there) if line.name == "train")
    comparing.do(Chosen(number))
    assert comparing.editor.selection == {"train"}
    assert comparing.editor.comparison is comparison


def test_escape_goes_back_to_the_graph_and_the_place(person: Person) -> None:
    camera = person.editor.camera
    for _ in range(2):  # a comparison of a comparison goes back to the graph as well
        person.do(Differed(both(Graph(), person.editor.graph), "a → b"))
    person.do(Wheel((300.0, 200.0), -3.0))
    person.do(Key("Escape"))
    assert person.editor.comparison is None
    assert person.editor.camera == camera
    assert person.editor.drawn.nodes.keys() == person.editor.graph.nodes.keys()


def test_what_is_compared_is_not_edited(comparing: Person) -> None:
    """Any messages, in any order: the graph stays, to the object."""
    chance = random.Random(5)
    graph, seen = comparing.editor.graph, comparing.editor.comparison
    names = [name for name in COMMANDS if name not in ("new", "quit")]
    keys = ["a", "m", "Delete", "Tab", "Left", "Enter", "F2", " ", "z", "v", "s"]

    def some() -> Message:
        at = (chance.uniform(0, 1280), chance.uniform(0, 800))
        return chance.choice([
            Moved(at), Pressed(at, chance.choice(["left", "right", "middle"]),
                               chance.choice([1, 2]), chance.random() < 0.2),
            Released(at), Wheel(at, chance.choice([-1.0, 1.0])),
            Key(chance.choice(keys), ctrl=chance.random() < 0.4), Do(chance.choice(names)),
            Typed("tidy"), Place("constant", at), SetValue("train", "rate", 9.0),
            Select(frozenset({"train"})), Pasted("{}"), ControlRun(Step()),
        ])  # fmt: skip

    refused = 0
    for _ in range(1500):
        comparing.editor = update(comparing.editor, some())
        comparing.editor = replace(comparing.editor, requests=())
        assert comparing.editor.graph is graph
        notice = comparing.editor.notice
        refused += notice is not None and "only looked at" in notice.text
        if comparing.editor.comparison is None:  # it was left
            comparing.editor = replace(comparing.editor, comparison=seen)
    assert refused > 40


def test_every_command_that_edits_waits(comparing: Person) -> None:
    for menu in MENUS:
        for command in (one for one in COMMANDS.values() if one.menu == menu):
            made = update(comparing.editor, Do(command.name))
            assert made.graph is comparing.editor.graph, command.name
            if menu not in ("File", "View", "Help"):
                assert made.notice is not None
                assert made.notice.text.startswith("a comparison is only looked at"), command.name


def test_the_shell_compares_with_a_file(person: Person) -> None:
    other = person.path.with_name("other.json")
    save(person.editor.graph.set("train", rate=0.5), other)
    person.do(Do("compare-with"))
    assert person.asked == [AskDiffer()]
    person.editor = person.editor.asking(Differ(other))
    for message in person.shell.perform(person.editor.requests[-1], person.editor):
        person.do(message)
    person.settle()
    comparison = person.editor.comparison
    assert isinstance(comparison, Comparison)
    assert comparison.title == "other.json → net.json"
    assert [one.kind for one in comparison.both.nodes] == ["changed"]
    missing = person.shell.perform(Differ(other.with_name("no.json")), person.editor)
    assert "no.json" in str(missing)


def test_the_question_leads_to_the_difference(person: Person) -> None:
    person.edit(rate=0.75)
    elsewhere(person.path, lambda graph: graph.add("one", "constant", value=[1.0]))
    person.do(Do("save"))
    person.answer("differ")
    comparison = person.editor.comparison
    assert comparison is not None
    assert comparison.title == "net.json as it is now → net.json"
    assert {one.view.key: one.kind for one in comparison.both.nodes}["one"] == "removed"
    person.do(Key("Escape"))
    person.do(Do("save"))
    assert person.offered[0] == "merge"


def test_edit_compares_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    from nodeflow.cli import main
    from nodeflow.window import app
    from nodeflow.window.platform import display

    monkeypatch.setattr(display, "reason", lambda: None)
    seen: list[Any] = []

    def run(editor: Editor, *, first: list[Message], **_: Any) -> int:
        seen.append([one for one in first if isinstance(one, Differed | Overtook)])
        return 0

    monkeypatch.setattr(app, "run", run)
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    save(nf.load(GRAPHS / "xor.json"), a)
    save(nf.load(GRAPHS / "xor.json").set("train", rate=0.5), b)
    assert main(["edit", str(b), "--compare", str(a)]) == 0
    assert all(one.title == "a.json → b.json" for one in seen[0])  # or it comes a moment later
    assert main(["edit", "--compare", str(a)]) == 2
    assert "--compare needs a FILE" in capsys.readouterr().err
    assert main(["edit", str(b), "--compare", str(tmp_path / "no.json")]) == 1
    assert "no.json" in capsys.readouterr().err
