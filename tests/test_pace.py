"""While a network trains, the numbers of panels change seldom, and of one panel a frame."""

from dataclasses import replace

import pytest

from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.graph import Graph
from nodeflow.window.platform import pace

EDITOR = Editor.of(Graph())


@pytest.fixture
def clock(monkeypatch):
    """Return the time, which stands still until it is set."""
    now = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def at(update, state="training"):
    return replace(EDITOR, live=Live(state=state, update=update))


def frame(panels, editor):
    panels.frame()
    return [panels.of(name, editor).live.update for name in ("canvas", "inspector")]


def test_panels_take_turns_while_training(clock):
    panels = pace.Throttle()
    assert frame(panels, at(1)) == [1, 1]
    clock[0] += pace.PAUSE / 2
    assert frame(panels, at(2)) == [1, 1]
    assert panels.waiting
    clock[0] += pace.PAUSE
    third = at(3)
    assert frame(panels, third) == [3, 1]
    assert panels.waiting
    assert frame(panels, third) == [3, 3]
    assert not panels.waiting


def test_the_end_of_a_training_and_what_a_person_does_are_seen_at_once(clock):
    panels = pace.Throttle()
    frame(panels, at(1))
    changed = replace(at(2), inside="group")
    panels.frame()
    assert panels.of("canvas", changed).inside == "group"
    assert frame(panels, at(5, "paused")) == [5, 5]
    assert frame(panels, at(6)) == [6, 6]


def test_panels_wait_for_a_frame_that_has_time_and_for_one_at_most_each(monkeypatch):
    spent = [0.0]
    monkeypatch.setattr(pace.time, "thread_time", lambda: spent[0])
    turns, names = pace.Turns(), ("training", "inspector", "timeline")

    def frame(began, late_from, *, owed=False):
        """Draw a frame in which the panels from this one on have no time left."""
        turns.frame(began, owed=owed)
        drawn = []
        for name in names:
            spent[0] = began + (1.0 if name >= late_from else 0.0)
            if turns.has(name):
                drawn.append(name)
        return drawn

    assert frame(0.0, "z") == list(names)
    assert not turns.waiting
    assert frame(2.0, "") == []
    assert turns.waiting
    assert [frame(4.0 + n, "") for n in range(3)] == [["training"], ["inspector"], ["timeline"]]
    assert frame(8.0, "z") == list(names)
    assert not turns.waiting
    assert frame(9.0, "") == []
    assert frame(10.0, "z", owed=True) == []  # the canvas had to wait before
    assert turns.waiting
    assert frame(11.0, "", owed=True) == ["training"]  # but once


def test_frames_leave_the_processors_to_work_that_a_person_waits_for():
    assert pace.meanwhile(0.001) == 0.1
    assert pace.meanwhile(0.25) == 1.0
