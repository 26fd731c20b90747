"""When panels show new numbers, and when the next frame is due."""

from dataclasses import replace

import pytest

from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.graph import Graph
from nodeflow.window.platform import pace
from nodeflow.window.platform.framerate import FrameRate

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


def rest(rate, clock, took=0.001, **state):
    """Return how long a window sleeps after a frame that took this long, None if it does not."""
    began = clock[0] - took
    state = {"moves": False, "busy": False, "pause": lambda: rate.pause(typing=False), **state}
    until = rate.rest(began, **state)
    return None if until is None else pytest.approx(until - clock[0], abs=1e-9)


def test_frames_leave_the_processors_to_work_that_a_person_waits_for(clock):
    rate = FrameRate(has_events=True)
    assert rest(rate, clock, busy=True) == 0.1
    assert rest(rate, clock, took=0.25, busy=True) == 1.0


def test_a_window_in_which_nothing_happens_sleeps_longer_and_longer(clock):
    rate = FrameRate(has_events=True)
    assert all(rest(rate, clock) is None for _ in range(20))  # a menu takes some until it is there
    clock[0] += 0.2
    assert rest(rate, clock, took=0.0) == 0.1
    clock[0] += 1.0
    assert rest(rate, clock, took=0.0) == 10.0
    assert rest(rate, clock, took=0.0, pause=lambda: rate.pause(typing=True)) == 0.4
    assert rest(rate, clock, moves=True) is None
    rate.event()
    assert rest(rate, clock) is None


def test_a_display_that_tells_nothing_is_looked_at_often(clock):
    rate = FrameRate(has_events=False)
    clock[0] += 0.5
    assert all(rest(rate, clock) is None for _ in range(20))
    clock[0] += 1.0
    assert rest(rate, clock, took=0.0) == 0.15
