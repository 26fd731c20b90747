"""What the panel of slow motion lists, without a window."""

from dataclasses import replace

import numpy as np
import pytest
from networks import net

from nodeflow.editor.playing.slowmotion import (
    comparison,
    future_rows,
    largest_differences,
    log_rows,
    pointed,
    stop_rows,
    watch_rows,
)
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.live import Live
from nodeflow.playback.state import ConditionFault, Future, Playback


def test_the_log_tells_phase_value_and_place_of_each_step():
    worker = Worker()
    worker.start(net("xor", (2, 2, 1), scale="none"))
    worker.go("1:0:hidden1")
    rows = log_rows(worker.live().playback)
    steps = [row for row in rows if row.number is not None]
    assert [row.number for row in steps] == list(
        range(steps[-1].number - len(steps) + 1, worker.player.number + 1)
    )
    assert {row.text[0]: row.phase for row in steps} == {
        "▸": "forward",
        "◂": "backward",
        "▴": "update",
    }
    last = worker.player.last.outputs["z"].ravel()
    assert steps[-1].text == "▸ hidden1"
    assert [float(x.replace("−", "-")) for x in steps[-1].value.split(", ")] == pytest.approx(
        last, rel=5e-3
    )
    headings = [row.text for row in rows if row.number is None]
    assert headings[-2:] == ["epoch 0 · sample 3", "epoch 1 · sample 0"]
    assert rows[-1].number == worker.player.number


def watched(rows, now=None):
    values = {} if now is None else {"w.value": np.array(now)}
    live = Live(values=values, playback=Playback(watched={"w.value": np.array(rows)}))
    (row,) = watch_rows(live)
    return row


def test_lines_share_a_scale():
    row = watched([[0.0, 4.0], [1.0, 2.0], [2.0, 4.0]], [2.0, 4.0])
    assert (row.value, row.low, row.high) == ("2, 4", "0", "4")
    assert row.lines == (
        ((0.0, 0.0), (0.5, 0.25), (1.0, 0.5)),
        ((0.0, 1.0), (0.5, 0.5), (1.0, 1.0)),
    )


def test_what_does_not_vary_and_what_is_no_number():
    assert watched([[3.0], [3.0]]).lines == (((0.0, 0.5), (1.0, 0.5)),)
    row = watched([[1.0, np.nan], [np.inf, 2.0], [-1.0, 0.0]])
    assert row.lines == (((0.0, 2 / 3), (1.0, 0.0)), ((0.5, 1.0), (1.0, 1 / 3)))
    assert (row.low, row.high, row.value) == ("−1", "2", "not evaluated yet")
    assert watched([[np.nan]]).lines == ()
    assert watched(np.empty((0,))).lines == ()
    assert watched([[5.0]]).lines == (((1.0, 0.5),),)


def test_at_most_eight_lines_are_drawn():
    row = watched(np.arange(40.0).reshape(2, 20), np.arange(20.0))
    assert len(row.lines) == 8
    assert row.value == "0, 1, 2, 3, 4, 5, 6, 7, …"


def test_the_stop_that_was_reached_is_marked():
    playback = Playback(
        breakpoints=frozenset({"hidden", "a.x -> b.y"}),
        conditions=("cost < 1",),
        reason="breakpoint: hidden",
    )
    rows = stop_rows(playback)
    assert [(row.text, row.condition, row.reached) for row in rows] == [
        ("a.x → b.y", False, False),
        ("hidden", False, True),
        ("cost < 1", True, False),
    ]
    assert [row.name for row in rows] == ["a.x -> b.y", "hidden", "cost < 1"]
    reached = stop_rows(replace(playback, reason="cost < 1"))
    assert [row.reached for row in reached] == [False, False, True]


FUTURES = Playback(
    number=150,
    per_epoch=100,
    futures=(Future("", 0, 200), Future("rate was 1 and is 2", 50, 325)),
    future=1,
)


def test_futures_tell_what_was_changed_and_where():
    first, second = future_rows(FUTURES)
    assert (first.title, first.where, first.present) == ("first run", "epoch 0 to 2", False)
    assert (second.title, second.where) == ("rate was 1 and is 2", "epoch 0.5 to 3.25")
    assert second.present
    assert [row.compared for row in future_rows(replace(FUTURES, compared=0))] == [True, False]
    *own, apart = future_rows(replace(FUTURES, past=(Future("before: reset", 0, 8, 4),)))
    assert [row.comparable for row in (*own, apart)] == [True, True, False]
    assert apart.where == "epoch 0 to 2"


def test_the_largest_differences_come_first():
    differences = {"a.x": 0.0, "b.x": 0.5, "c.x": np.nan, **{f"n{i}.x": 0.1 * i for i in range(9)}}
    playback = replace(FUTURES, compared=0, differences=differences)
    assert largest_differences(playback) == (
        ("c.x", "NaN"),
        ("n8.x", "0.8"),
        ("n7.x", "0.7"),
        ("n6.x", "0.6"),
        ("b.x", "0.5"),
        ("n5.x", "0.5"),
    )
    assert comparison(playback) == "largest differences to the first run now"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"compared": None}, ""),
        ({"compared": 0}, "no value differs from the first run at this moment"),
        ({"compared": 0, "number": 201}, "the first run ends before this moment"),
        ({"compared": 1}, "this future is compared with itself"),
        ({"compared": 7}, ""),
    ],
)
def test_what_there_is_to_say_of_a_comparison(change, said):
    assert comparison(replace(FUTURES, **change)).startswith(said)


@pytest.mark.parametrize(
    ("text", "position", "room", "shown", "marked"),
    [
        ("cost < 0.01 hiden.z > 2", 12, 99, "cost < 0.01 hiden.z > 2", (12, 19)),
        ("cost <", 6, 99, "cost <", (6, 7)),
        ("a + $ b", 4, 99, "a + $ b", (4, 5)),
        ("cost < 0.01 hiden.z > 2", 12, 12, "… 0.01 hiden.z > 2"[7:], None),
        ("", 0, 99, "", (0, 1)),
        ("a\nb c", 4, 99, "a b c", (4, 5)),
    ],
)
def test_a_fault_is_marked_where_reading_stopped(text, position, room, shown, marked):
    found, start, end = pointed(ConditionFault(text, position, "why"), room, len)
    assert start <= end <= max(room, 1)
    assert len(found) <= room
    if marked is None:
        assert "hiden.z"[:3] in found
        assert found[int(start) :].startswith("hiden.z")
    else:
        assert (found, (start, end)) == (shown, marked)
