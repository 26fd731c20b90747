"""Lessons in a page: done in a browser, taken home as a file, and marked by Python."""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_lessons import ACTIONS, ANSWERS, LESSONS

import nodeflow as nf
from nodeflow import formula as formulas
from nodeflow.cli import main
from nodeflow.files import whole
from nodeflow.lessons import Marker
from nodeflow.playback.conditions import parse
from nodeflow.playback.stops import Seen

GRAPHS = Path(__file__).parent.parent / "graphs"


def handed_in(page, tmp_path):
    """Return the graph in the file that the page offers."""
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(page.run("nodeflow.lesson.answers()")), encoding="utf-8")
    return nf.load(path)


def with_lesson(graph, **lesson):
    return replace(graph, extra={**graph.extra, "lesson": lesson})


def done_in(page, graph, name):
    """Do a lesson with the page's own functions, as `test_lessons.solved` does in Python.

    An answer is what Python works out for the same task.
    """
    marker = Marker(graph)
    lesson = marker.lesson
    for _ in range(len(lesson.tasks)):
        index = page.run("nodeflow.lesson.task().index")
        if index >= len(lesson.tasks):
            return
        task = lesson.tasks[index]
        for what, *rest in ACTIONS.get(name, {}).get(index, ()):
            if what == "set" and rest[0] == "training":
                page.run(f"nodeflow.reset({rest[1]['seed']})")
            elif what == "set":
                for setting, value in rest[1].items():
                    page.run(f"nodeflow.setting('{rest[0]}.{setting}', {json.dumps(value)})")
            elif what == "connect":
                page.run(f"nodeflow.lesson.wire('{rest[0]} -> {rest[1]}')")
        if task.kind == "at":
            epoch, sample, node = task.goal.split(":")
            page.run(f"nodeflow.goto({epoch}, {sample}, '{node}')")
        elif task.kind == "until":
            page.run(f"nodeflow.train({graph.training.epochs})")
        elif task.kind == "ask":
            marked = marker.mark(handed_in(page, done_in.folder)).tasks[index].value
            typed = ("yes" if marked else "no") if isinstance(marked, bool) else f"{marked:.6g}"
            if index in ANSWERS.get(name, {}):  # as worked out by hand
                typed = f"{ANSWERS[name][index]:.6g}"
            assert page.run(f"nodeflow.lesson.answer('{typed}')"), (name, index, typed)
        page.wait(f"nodeflow.lesson.task().index > {index}")


# The first one shows what the editor can do: unfolding and taking apart.
IN_PAGES = [path for path in LESSONS if path.stem != "first-steps"]


@pytest.mark.parametrize("path", IN_PAGES, ids=lambda path: path.stem)
def test_each_lesson_is_done_in_a_page_and_python_marks_every_task(shown, tmp_path, path):
    graph = nf.load(path)
    page = shown(graph)
    done_in.folder = tmp_path
    done_in(page, graph, path.stem)
    assert page.run("document.querySelector('#lesson').classList.contains('over')")
    marks = Marker(graph).mark(handed_in(page, tmp_path))
    assert [mark.why for mark in marks.tasks if not mark.done] == []
    assert (marks.locked, marks.unlocked, marks.edited) == ((), (), ())
    assert page.problems == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


# --- as a student, and as a teacher -------------------------------------------------------------


def tap(page, selector):
    """Touch an element where it is on the screen, as a finger does."""
    page.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
    left, top, width, height = page.box(selector)
    assert width * height > 0, f"{selector} cannot be seen"
    point = {"x": left + width / 2, "y": top + height / 2}
    page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
    page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def write(page, selector, text):
    tap(page, selector)
    page.wait(f"document.activeElement === document.querySelector({json.dumps(selector)})")
    page.send("Input.insertText", text=text)
    tap(page, "#task-do button")


def reach(page, index):
    page.wait(f"nodeflow.lesson.task().index === {index}")


@pytest.fixture
def on_a_phone(chromium, tmp_path):
    """Open a page as on a phone: 390 pixels wide, with fingers, downloads into a folder."""
    path = tmp_path / "lesson.html"
    chromium.send("Emulation.setDeviceMetricsOverride", width=390, height=844,
                  deviceScaleFactor=2, mobile=True)  # fmt: skip
    chromium.send("Emulation.setTouchEmulationEnabled", enabled=True)
    chromium.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    chromium.media()

    def open_page(made):
        path.write_bytes(made)
        chromium.open(path)
        return chromium

    yield open_page
    chromium.send("Emulation.setTouchEmulationEnabled", enabled=False)
    chromium.send("Emulation.clearDeviceMetricsOverride")


def downloaded(folder, name):
    end = time.monotonic() + 30
    while not (folder / name).exists():
        assert time.monotonic() < end, sorted(each.name for each in folder.iterdir())
        time.sleep(0.02)
    return folder / name


def test_from_a_teachers_lesson_to_marks_by_way_of_a_phone(on_a_phone, tmp_path, capsys):
    """A teacher writes tasks and exports a page; a student does it; the file is marked."""
    lesson = {
        "tasks": [
            {"text": "Go to the sum.", "at": "0:0:sum"},
            {"text": "Predict.", "ask": {"question": "What does it cost?", "answer": "cost.cost"}},
            {"text": "Grows it?", "ask": {"question": "Yes or no?", "answer": "sum.z > 2"}},
            {"text": "Train.", "until": "cost < 0.01"},
            {"text": "Look at the sum.", "wire": "sum.z -> look.value"},
        ],
        "locked": ["w", "x", "y"],
        "types": ["panel"],
    }
    original = tmp_path / "original.json"
    nf.save(with_lesson(nf.sample("one-neuron"), **lesson), original)
    assert main(["export", str(original), str(tmp_path / "made.html")]) == 0
    page = on_a_phone((tmp_path / "made.html").read_bytes())
    assert page.run("document.documentElement.scrollWidth <= innerWidth"), "it is too wide"
    for _ in range(9):
        if page.run("nodeflow.lesson.task().index"):
            break
        tap(page, "#next")
        page.run("new Promise((then) => setTimeout(then, 30))")
    reach(page, 1)
    write(page, "#lesson-answer", "7")
    page.wait("document.querySelector('#lesson-said').textContent.includes('Not yet')")
    page.run("document.querySelector('#lesson-answer').value = ''")
    write(page, "#lesson-answer", "0,49")  # as many write it
    reach(page, 2)
    tap(page, "[data-answer=no]")
    reach(page, 3)
    tap(page, "#lesson-train")
    reach(page, 4)
    for selector, value in (("#wire-from", "sum.z"), ("#wire-to", "look.value")):
        page.run(f"document.querySelector('{selector}').value = '{value}'")
    tap(page, "#task-do button")
    page.wait("document.querySelector('#lesson.over #lesson-save')?.offsetWidth > 0")
    tap(page, "#lesson-save")
    answer = downloaded(tmp_path, "one-neuron-answer.json")
    assert page.problems == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    capsys.readouterr()
    assert main(["lesson", "check", str(original), str(answer), "--json"]) == 0
    (marks,) = json.loads(capsys.readouterr().out)["answers"]
    assert (marks["done"], marks["of"]) == (5, 5)
    assert (marks["locked"], marks["unlocked"], marks["edited"]) == ([], [], [])


def test_a_lesson_is_done_by_keys_alone(shown, tmp_path):
    """Tab and Enter, letters and figures: the focus is where the next task is done."""
    graph = nf.load(GRAPHS / "lessons" / "do-i-need-the-bias.json")
    page = shown(graph)
    page.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    focused = "(({id, textContent}) => id || textContent.trim())(document.activeElement)"

    def to(name, most=0):
        for _ in range(most):
            if page.run(focused) == name:
                break
            page.press("Tab")
        page.wait(f"{focused} === '{name}'")

    to("lesson-answer", most=20)  # behind the buttons of the header
    for index, typed in enumerate(("0", "0.5")):
        page.send("Input.insertText", text=typed)
        page.press("Enter")
        reach(page, index + 1)
    to("lesson-train")
    page.press("Enter")
    reach(page, 3)
    to("lesson-answer")
    page.send("Input.insertText", text="1/4")
    page.press("Enter")
    reach(page, 4)
    to("wire-from")
    for letter in "bias1.":
        page.press(letter)
    to("wire-to", most=2)
    for letter in "output.b":
        page.press(letter)
    to("Draw the wire", most=2)
    page.press("Enter")
    reach(page, 5)
    to("lesson-train")
    page.press("Enter")
    reach(page, 6)
    to("Yes")
    page.press("Enter")
    reach(page, 7)
    to("lesson-save")
    page.press("Enter")
    answer = nf.load(downloaded(tmp_path, "do-I-need-the-bias-answer.json"))
    assert [mark.done for mark in Marker(graph).mark(answer).tasks] == [True] * 7
    assert page.problems == []


FAULTS = [
    ({"until": "cost < "}, "$.lesson.tasks[0].until: the condition fails at character 8"),
    ({"until": "cots < 3"}, "there is no value 'cots'; did you mean 'cost'?"),
    ({"at": "0:0:nothing"}, "$.lesson.tasks[0].at: no step of this run evaluates 'nothing'"),
    ({"ask": {"question": "?", "answer": "w.valu"}}, "$.lesson.tasks[0].ask.answer: "),
    ({"wire": "sum"}, "$.lesson.tasks[0].wire: 'sum' is not the address of a port"),
]


@pytest.mark.parametrize(("task", "sentence"), FAULTS)
def test_a_lesson_that_cannot_be_read_becomes_no_page(tmp_path, capsys, task, sentence):
    path, out = tmp_path / "lesson.json", tmp_path / "page.html"
    raw = json.loads(whole(nf.sample("one-neuron")))
    raw["lesson"] = {"tasks": [{"text": "Do it.", **task}]}
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert main(["export", str(path), str(out)]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"nodeflow: {path}: ")
    assert sentence in said
    assert not out.exists()


def test_what_is_locked_is_refused_until_it_is_unlocked_and_that_is_noted(shown, tmp_path):
    graph = nf.load(GRAPHS / "lessons" / "what-lambda-does.json")
    page = shown(graph)
    set_it = "nodeflow.set('w.value', [[9]])"
    told = page.run(f"(() => {{ try {{ {set_it} }} catch (error) {{ return error.message }} }})()")
    assert "locked in this lesson" in told
    assert page.run("nodeflow.value('w.value')[0][0]") == 3
    page.run("document.querySelector('#tab-change').click()")
    click = "dispatchEvent(new Event('click', {bubbles: true}))"
    page.run(f"document.querySelector('[data-node=w]').{click}")
    page.wait("document.querySelector('[data-unlock=w]') !== null")
    page.run("document.querySelector('[data-unlock=w]').click()")
    page.wait("nodeflow.lesson.answers().answers.unlocked.includes('w')")
    page.run(set_it)
    marks = Marker(graph).mark(handed_in(page, tmp_path))
    assert marks.unlocked == ("w",)
    assert len(marks.locked) == 1


def test_a_wrong_wire_is_not_drawn_and_a_skipped_task_stays_undone(shown, tmp_path):
    graph = nf.load(GRAPHS / "lessons" / "why-not-the-numeric-gradient.json")
    page = shown(graph)
    page.run("nodeflow.lesson.skip()")
    page.run("nodeflow.lesson.wire('cost_more.cost -> difference.b')")
    assert "think again" in page.run("document.querySelector('#lesson-said').textContent")
    assert page.run("nodeflow.lesson.task().index") == 1
    page.run("nodeflow.lesson.wire('cost_less.cost -> difference.b')")
    page.wait("nodeflow.lesson.task().index === 2")
    marks = Marker(graph).mark(handed_in(page, tmp_path))
    assert [mark.done for mark in marks.tasks[:3]] == [False, True, False]


def test_a_condition_is_trained_for_as_long_as_the_graph_trains_and_then_told(shown):
    """Exclusive or needs more than a hundred epochs, and one condition never comes to be."""
    tasks = [
        {"text": "Until all are right.", "until": "train_accuracy == 1"},
        {"text": "Until it costs nothing.", "until": "cost < 0"},
    ]
    graph = with_lesson(nf.sample("xor"), tasks=tasks)
    page = shown(graph)
    page.run("document.querySelector('#lesson-train').click()")
    reach(page, 1)
    assert page.run("nodeflow.moment().epoch") > 100
    page.wait("document.querySelector('#train').textContent === 'Train'")
    page.run("document.querySelector('#lesson-train').click()")
    page.wait("document.querySelector('#lesson-said').textContent.startsWith('Not true yet')")
    assert page.run("nodeflow.moment().epoch") >= graph.training.epochs
    page.run("document.querySelector('#lesson-train').click()")
    page.wait("document.querySelector('#train').textContent === 'Stop'")
    page.run("document.querySelector('#lesson-train').click()")  # the same button ends it
    page.wait("document.querySelector('#train').textContent === 'Train'")
    assert page.run("nodeflow.lesson.task().index") == 1
    assert page.problems == []


def test_hidden_nodes_are_not_drawn_and_not_listed(shown):
    lesson = {"tasks": [{"text": "Train.", "until": "cost < 0.01"}], "hidden": ["y", "cost"]}
    page = shown(with_lesson(nf.sample("one-neuron"), **lesson))
    page.run("nodeflow.step(5)")
    page.wait("document.querySelectorAll('#log [data-log]').length > 3")
    drawn = page.run(
        "[...document.querySelectorAll('[data-node]')].map((each) => each.dataset.node)"
    )
    listed = page.run("[...document.querySelectorAll('#log b')].map((each) => each.textContent)")
    assert "sum" in drawn
    assert "sum" in listed
    assert not {"y", "cost"} & {*drawn, *listed}


def test_conditions_are_judged_in_a_page_as_in_python(shown):
    """The words of the conditions' language, at moments of a run."""
    texts = (
        "cost < 0.3", "not cost < 0.3 or epoch >= 2",
        "any(theta1.value < 0)", "all(theta1.value < 5)",
        "0 < hidden_a.a[0, 0] < 1", "abs(output_a.a[0, 0] - 0.5) > 0.1", "norm(theta1.value) > 1",
        "max(hidden_a.a) >= min(hidden_a.a)", "mean(hidden_a.a) < 0.5", "train_accuracy == 1",
        "infinite(cost.cost)", "nan(cost.cost)", "sum(theta2.value) * 2 ^ 2 > -1", "update > 3",
        "-theta2.value[0, 0] < 0", "max(theta1.value[0, 0], theta1.value[1, 0]) > 0.2",
        "nan appears", "sample == 2",
        "erf(0.3 + 0 * cost.cost) > 0.3286267594", "erf(0.3) < 0.3286267595",
        "0.9999779095 < erf(3) < 0.9999779096", "exp(cost.cost) > 1 and tanh(output.z[0, 0]) < 1",
    )  # fmt: skip
    graph = nf.sample("xor")
    tasks = [{"text": text, "until": text} for text in texts]
    page = shown(with_lesson(graph, tasks=tasks))
    run = nf.Run(graph)
    for moment in ("0:0:accuracy", "0:3:theta2.update", "2:1:hidden_a", "40:2:cost"):
        epoch, sample, node = moment.split(":")
        run.goto(epoch=int(epoch), sample=int(sample), node=node)
        page.run(f"nodeflow.goto({epoch}, {sample}, '{node}')")
        expected = [parse(text, run.plan.graph).holds(Seen(run)) for text in texts]
        assert page.run("nodeflow.lesson.holding()") == expected, moment


def test_every_function_of_a_condition_is_there_in_a_page(shown):
    texts = []
    for name, function in formulas.FUNCTIONS.items():
        for x in (-0.7, 0.0, 0.3, 2.5):
            with np.errstate(all="ignore"):
                value = float(function(np.float64(x)))
            if math.isfinite(value):
                off = f"{name}({x} + 0 * cost.cost) - {value!r}"
                texts.append(f"abs({off}) <= {1e-15 * max(1, abs(value))}")
    texts += [
        "abs(0.3 ^ (2.5 + 0 * cost.cost) - 0.04929503017546495) < 1e-16",
        "max(-0.7, 0.2, 0 * cost.cost) == 0.2",
        "min(0.3, -0.7, cost.cost) == -0.7",
    ]
    page = shown(with_lesson(nf.sample("xor"), tasks=[{"text": t, "until": t} for t in texts]))
    assert not any(page.run("nodeflow.lesson.holding()"))
    page.run("nodeflow.goto(1)")
    held = page.run("nodeflow.lesson.holding()")
    assert [text for text, there in zip(texts, held, strict=True) if not there] == []


# --- ways through a lesson ------------------------------------------------------------------------


def wander(page, choose, graph):
    """Do something in the page: go on or back, train, change a setting or a weight, begin anew."""
    weights = page.run("nodeflow.weights()")
    name = choose.choice(sorted(weights))
    value = json.dumps((np.array(weights[name]) + 0.25).tolist())
    rate = next(key for key in graph.nodes if graph.type_of(key).family == "trainer")
    page.run(
        choose.choice(
            [
                f"nodeflow.step({choose.randint(1, 40)})",
                f"nodeflow.back({choose.randint(1, 9)})",
                f"nodeflow.goto({choose.randint(0, 3)}, 0)",
                f"nodeflow.train({choose.randint(1, 3)})",
                f"nodeflow.setting('{rate}.rate', {choose.uniform(0.1, 2)})",
                f"nodeflow.set('{name}', {value})",
                f"nodeflow.reset({choose.randint(0, 2)})",
            ]
        )
    )


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_changed_on_the_way_in_a_page_python_comes_to_its_numbers(
    shown, tmp_path, seed
):
    """Any answer is right here: what the page notes as the value is compared with Python's."""
    choose = random.Random(seed)
    graph = nf.sample(choose.choice(["xor", "mazur", "plateau", "one-neuron"]))
    graph = replace(graph, training=replace(graph.training, epochs=8))
    ports = [a for a, s in nf.Run(graph).plan.inference.shapes.items() if s.features]
    tasks = [
        {"text": "Look.", **goal}
        for _ in range(4)
        for goal in (
            choose.choice([{"at": str(choose.randint(0, 3))}, {"until": "cost < 1000"}]),
            {"ask": {"question": "?", "answer": f"sum({choose.choice(ports)})", "tolerance": 1e9}},
        )
    ]
    original = with_lesson(graph, tasks=tasks)
    page = shown(original)
    for _ in range(40):
        index = page.run("nodeflow.lesson.task().index")
        if index == len(tasks):
            break
        if choose.random() < 0.5:
            wander(page, choose, graph)
        elif "ask" in tasks[index]:
            assert page.run("nodeflow.lesson.answer('0')")
        elif "at" in tasks[index]:
            page.run(f"nodeflow.goto({tasks[index]['at']}, 0)")
        else:
            page.run("nodeflow.train(1)")
    answer = handed_in(page, tmp_path)
    marks = Marker(original).mark(answer)
    noted = [each["task"] for each in answer.extra["answers"]["tasks"]]
    assert noted
    assert marks.edited == ()
    assert [marks.tasks[task].why for task in noted if "ask" not in tasks[task]] == [""] * sum(
        "ask" not in tasks[task] for task in noted
    )


# --- layers taken apart ---------------------------------------------------------------------------


def switched(page, to):
    """Press the button that leads to another form of the graph, until it is there."""
    while page.run("document.querySelector('#explode').textContent") != to:
        before = page.run("document.querySelector('#explode').textContent")
        page.run("document.querySelector('#explode').click()")
        page.wait(f"document.querySelector('#explode')?.textContent !== '{before}'")
        page.wait("nodeflow.lesson.task() && document.querySelector('#where').textContent !== ''")


def test_a_lesson_waits_while_its_layers_are_looked_at(shown, tmp_path):
    tasks = [
        {"text": "Go on.", "until": "epoch >= 2"},
        {"text": "Read it.", "ask": {"question": "?", "answer": "hidden.z[0, 0]", "tolerance": 9}},
        {"text": "Go on.", "at": "5:1"},
    ]
    graph = with_lesson(nf.sample("xor"), tasks=tasks, hidden=["hidden"])
    page = shown(graph, neurons=True, operations=True)
    page.run("nodeflow.train(2)")
    reach(page, 1)
    page.run("nodeflow.goto(4, 2)")
    switched(page, "Operations")
    assert page.run("nodeflow.moment().epoch") == 4
    assert page.run("nodeflow.lesson.task().index") == 1
    assert "go back to the layers" in page.run("document.querySelector('#task-hint').textContent")
    drawn = page.run("[...document.querySelectorAll('[data-node]')].map((e) => e.dataset.node)")
    assert "theta1.1" in drawn
    assert [name for name in drawn if name.partition(".")[0] == "hidden"] == []
    assert page.run("document.querySelector('#lesson-save').checkVisibility()") is False
    for script in ("nodeflow.reset()", "nodeflow.setting('train.rate', 1)", "nodeflow.batch(2)",
                   "nodeflow.lesson.answer('1')", "nodeflow.lesson.answers()"):  # fmt: skip
        said = page.run(f"(() => {{ try {{ {script} }} catch (e) {{ return e.message }} }})()")
        assert "go back to the layers" in said, script
    page.run("nodeflow.goto(5, 1)")
    switched(page, "Neurons")
    assert page.run("nodeflow.lesson.answer('0')")
    reach(page, 3)  # at 5:1 it stands already
    answer = handed_in(page, tmp_path)
    value = answer.extra["answers"]["tasks"][1]["value"]
    run = nf.Run(graph)
    run.goto(2)
    assert value == run["hidden.z"][0, 0]
    marks = Marker(graph).mark(answer)
    assert [mark.done for mark in marks.tasks] == [True] * 3
    assert marks.edited == ()
    assert page.problems == []


@pytest.mark.parametrize("seed", range(2))
def test_looking_at_the_neurons_on_the_way_changes_no_mark(shown, tmp_path, seed):
    choose = random.Random(seed)
    graph = replace(nf.sample("xor"), training=replace(nf.sample("xor").training, epochs=8))
    tasks = [
        {"text": "Look.", **goal}
        for _ in range(3)
        for goal in (
            choose.choice([{"at": str(choose.randint(0, 3))}, {"until": "cost < 1000"}]),
            {"ask": {"question": "?", "answer": "sum(hidden.z)", "tolerance": 1e9}},
        )
    ]
    original = with_lesson(graph, tasks=tasks)
    page = shown(original, neurons=True)
    for _ in range(60):
        index = page.run("nodeflow.lesson.task().index")
        if index == len(tasks):
            break
        match choose.randrange(4):
            case 0:
                wander(page, choose, graph)
            case 1:
                switched(page, "Layers")
                page.run(f"nodeflow.goto({choose.randint(0, 3)}, {choose.randint(0, 3)})")
                switched(page, "Neurons")
            case _ if "ask" in tasks[index]:
                assert page.run("nodeflow.lesson.answer('0')")
            case _ if "at" in tasks[index]:
                page.run(f"nodeflow.goto({tasks[index]['at']}, 0)")
            case _:
                page.run("nodeflow.train(1)")
    marks = Marker(original).mark(handed_in(page, tmp_path))
    assert marks.edited == ()
    assert [mark.why for mark in marks.tasks[::2] if not mark.done] == []
