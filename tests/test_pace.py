"""While a network trains, the numbers of panels change seldom, and of one panel a frame."""

from dataclasses import replace

import pytest

from nodeflow.editor.state.model import Editor, Live
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
