"""Lessons in a page: done in a browser, taken home as a file, and marked by Python."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers_browser import NAMES, browser, executable
from test_lessons import ACTIONS, ANSWERS, LESSONS

import nodeflow as nf
from nodeflow.export import live
from nodeflow.lessons import Marker

GRAPHS = Path(__file__).parent.parent / "graphs"
NEURON = nf.load(GRAPHS / "lessons" / "where-4.5w-1.5-comes-from.json")


@pytest.fixture(scope="module")
def chromium():
    if executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(NAMES)}")
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium, tmp_path):
    def open_page(graph, **options):
        path = tmp_path / "page.html"
        path.write_text(live.page(graph, **options), encoding="utf-8")
        chromium.size(1280, 800)
        chromium.media()
        chromium.open(path)
        return chromium

    return open_page


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
