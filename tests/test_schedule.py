"""The schedule of time, as a value: numbers by hand, and what holds for every schedule."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same_moment, hand, walk

import nodeflow as nf
from nodeflow.engine.schedule import LEVELS, Moment, Position, Schedule
from nodeflow.errors import RunError
from nodeflow.playback.moments import described, go_before

GRAPHS = Path(__file__).parent.parent / "graphs"

ORDER = ("x", "w", "z", "g", "sum", "mean", "new")
PHASES = ("forward", "forward", "forward", "backward", "backward", "backward", "update")
LOOP = Schedule(rows=7, batch=3, pass_size=1, order=ORDER, phases=PHASES, head=5)
WHOLE = Schedule(rows=7, batch=3, pass_size=3, order=ORDER, phases=PHASES, head=7)
"""Seven rows in batches of 3, 3 and 1: sample by sample, and a batch at a time."""


def test_what_there_is_of_everything():
    """Loop: 3·5+2, 3·5+2, 1·5+2 steps. Whole: 7 steps an update."""
    assert [LOOP.bounds(update) for update in range(4)] == [(0, 3), (3, 3), (6, 1), (0, 3)]
    assert [LOOP.steps(update) for update in range(4)] == [17, 17, 7, 17]
    assert [LOOP.passes(update) for update in range(4)] == [3, 3, 1, 3]
    assert [LOOP.samples(update) for update in range(4)] == [1, 1, 1, 1]
    assert (LOOP.tail, LOOP.updates_per_epoch, LOOP.passes_per_epoch) == (2, 3, 7)
    assert LOOP.steps_per_epoch == 41
    assert [LOOP.epoch(update) for update in range(7)] == [0, 0, 0, 1, 1, 1, 2]
    assert [update for update in range(7) if LOOP.ends_epoch(update)] == [0, 3, 6]
    assert [WHOLE.bounds(update) for update in range(4)] == [(0, 3), (3, 3), (6, 1), (0, 3)]
    assert [WHOLE.steps(update) for update in range(4)] == [7, 7, 7, 7]
    assert [WHOLE.passes(update) for update in range(4)] == [1, 1, 1, 1]
    assert [WHOLE.samples(update) for update in range(4)] == [3, 3, 1, 3]
    assert (WHOLE.tail, WHOLE.updates_per_epoch, WHOLE.passes_per_epoch) == (0, 3, 3)
    assert WHOLE.steps_per_epoch == 21


def test_moments_by_hand():
    loop = {
        0: (0, 0, 0),
        4: (0, 0, 4),
        5: (0, 1, 0),  # the second sample's pass
        15: (0, 2, 5),  # after the last pass: the tail
        17: (1, 3, 0),
        34: (2, 6, 0),
        39: (2, 6, 5),
        41: (3, 0, 0),  # the next epoch
        41 + 17 + 6: (4, 4, 1),
    }
    for number, position in loop.items():
        assert LOOP.position(number) == position
        assert LOOP.number(position) == number
    whole = {0: (0, 0, 0), 6: (0, 0, 6), 7: (1, 3, 0), 20: (2, 6, 6), 21: (3, 0, 0)}
    for number, position in whole.items():
        assert WHOLE.position(number) == position
        assert WHOLE.number(position) == number


def test_where_levels_begin_by_hand():
    def begins(schedule, level, until):
        return [number for number in range(until + 1) if schedule.begins(level, number)]

    assert begins(LOOP, "update", 41) == [0, 17, 34, 41]
    assert begins(LOOP, "epoch", 90) == [0, 41, 82]
    assert begins(LOOP, "sample", 17) == [0, 5, 10, 15, 17]  # three passes, then the tail
    assert begins(LOOP, "phase", 17) == [0, 3, 5, 8, 10, 13, 16, 17]
    assert begins(WHOLE, "update", 21) == begins(WHOLE, "sample", 21) == [0, 7, 14, 21]
    assert begins(WHOLE, "phase", 7) == [0, 3, 6, 7]
    assert [span[:] for span in LOOP.phase_spans(4)] == [("forward", 0, 3), ("backward", 3, 5)]
    assert LOOP.phase_spans(17) == (("forward", 10, 13), ("backward", 13, 16), ("update", 16, 17))


def test_moments_that_are_typed():
    assert Moment.read(" 3:17:hidden.a ") == Moment(3, 17, "hidden.a")
    assert [str(Moment.read(text)) for text in ("3", "3:0", "3:4", "3:0:z")] == [
        "3", "3", "3:4", "3:0:z",
    ]  # fmt: skip
    for text in ("", "-1", "1:", "1:2:", "x", "1:x", "٣"):
        with pytest.raises(RunError, match="is not EPOCH, EPOCH:SAMPLE or EPOCH:SAMPLE:NODE"):
            Moment.read(text)
    assert LOOP.find(Moment(1, 4)) == (4, 4, 0)
    assert LOOP.find(Moment(1, 4, "z")) == (4, 4, 3)
    assert LOOP.find(Moment(1, 4, "sum")) == (4, 4, 5)  # the end of that sample's pass
    assert LOOP.find(Moment(1, 4, "mean")) == (4, 5, 6)  # the tail comes after the last pass
    assert WHOLE.find(Moment(1, 4)) == (4, 3, 0)  # its batch's pass
    with pytest.raises(RunError, match="sample 7 is beyond the epoch: it has 0 to 6"):
        LOOP.find(Moment(0, 7))
    with pytest.raises(RunError, match="evaluates 'mein'; did you mean 'mean'"):
        LOOP.find(Moment(0, 0, "mein"))


def test_nothing_to_evaluate_has_one_moment():
    empty = Schedule(rows=1, batch=1, pass_size=1, order=(), phases=(), head=0)
    assert empty.position(5) == Position(0, 0, 0)
    assert empty.steps_per_epoch == empty.after("step", 0) == empty.after("epoch", 0) == 0
    assert empty.phase_spans(0) == ()


# --- every schedule -----------------------------------------------------------------------------


@st.composite
def schedules(draw):
    rows = draw(st.integers(1, 12))
    batch = draw(st.integers(1, rows))
    nodes = draw(st.integers(1, 7))
    phases = sorted(draw(st.lists(st.integers(0, 2), min_size=nodes, max_size=nodes)))
    loop = draw(st.booleans())
    return Schedule(
        rows=rows,
        batch=batch,
        pass_size=1 if loop else batch,
        order=tuple(f"n{place}" for place in range(nodes)),
        phases=tuple(("forward", "backward", "update")[phase] for phase in phases),
        head=draw(st.integers(1, nodes)) if loop else nodes,
    )


def told(schedule, epochs):
    """Yield every step, from the definition: passes × head + tail, update after update."""
    for update in range(epochs * -(-schedule.rows // schedule.batch)):
        within = update % -(-schedule.rows // schedule.batch)
        rows = range(schedule.rows)[within * schedule.batch :][: schedule.batch]
        for first in rows[:: schedule.pass_size]:
            last = first + schedule.pass_size > rows[-1]
            for place in range(len(schedule.order) if last else schedule.head):
                yield update, first, place


@given(schedules())
def test_numbers_and_positions_are_one_to_one_and_in_order(schedule):
    steps = list(told(schedule, 3))
    assert [schedule.position(number) for number in range(len(steps))] == steps
    assert [schedule.number(position) for position in steps] == list(range(len(steps)))
    assert steps == sorted(steps)
    assert len(steps) == 3 * schedule.steps_per_epoch
    for number, position in enumerate(steps):
        # A place behind a node is the moment before the next one, also at the end of a pass.
        after = (*position[:2], position[2] + 1)
        assert schedule.number(after) == number + 1
        assert schedule.begins("step", after)


@given(schedules())
def test_levels_nest_and_lead_from_one_to_the_next(schedule):
    steps = list(told(schedule, 2))
    begins = {
        level: [n for n in range(len(steps) + 1) if schedule.begins(level, n)] for level in LEVELS
    }
    for longer, shorter in zip(LEVELS[1:], LEVELS, strict=False):
        if (shorter, longer) != ("phase", "sample"):
            assert set(begins[longer]) <= set(begins[shorter])
    assert set(begins["update"]) <= set(begins["phase"])
    for level in LEVELS:
        there = begins[level]
        for number in range(len(steps)):
            assert schedule.after(level, number) == min(n for n in there if n > number)
            assert schedule.before(level, number + 1) == max(n for n in there if n <= number)


@given(schedules(), st.data())
def test_beats_are_counted_as_they_are_gone(schedule, data):
    end = data.draw(st.integers(1, 3 * schedule.steps_per_epoch))
    begin = data.draw(st.integers(0, end - 1))
    for level in LEVELS:
        number, beats = begin, 0
        while number < end:
            number, beats = min(schedule.after(level, number), end), beats + 1
        assert schedule.beats(level, begin, end) == beats


@given(schedules(), st.data())
def test_passes_are_counted_from_the_present_one_on(schedule, data):
    number = data.draw(st.integers(0, schedule.steps_per_epoch))
    passes = data.draw(st.integers(1, 3 * schedule.rows))
    starts, before = [], None
    for at, (update, row, _) in enumerate(told(schedule, 3 * schedule.rows + 2)):
        if (update, row) != before and at > number:
            starts.append(at)
        before = update, row
    assert schedule.after_passes(number, passes) == starts[passes - 1]


# --- a loop and its vectorised twin ---------------------------------------------------------------


def twins(**options):
    return [
        nf.Run(hand("blobs", (2, 3, 3), rate=0.3, batch=8, loop=loop, **options))
        for loop in (True, False)
    ]


def boundaries(run, updates):
    """Step, and note after how many steps which levels are over: from what the steps tell."""
    found = {level: [] for level in LEVELS}
    number, last = 0, None
    while run.update < updates:
        step = run.step()
        if last is not None:
            same_pass = (step.update, step.sample) == (last.update, last.sample)
            if step.update != last.update:
                found["update"].append(number)
            if step.epoch != last.epoch:
                found["epoch"].append(number)
            if not same_pass or step.phase != last.phase:
                found["phase"].append(number)
        number, last = number + 1, step
    return found, number


@pytest.mark.parametrize("number", [0, 1], ids=["loop", "whole"])
def test_a_run_ends_levels_where_its_steps_tell(number):
    run = twins()[number]
    updates = run.updates_per_epoch + 2
    found, steps = boundaries(nf.Run(run.graph), updates)
    for level in ("phase", "update", "epoch"):
        ends, goes = [], nf.Run(run.graph)
        while goes.update < updates:
            goes.advance(level)
            ends.append(goes.schedule.number(goes.position))
        assert [end for end in ends if end < steps] == found[level]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_loop_and_its_twin_are_treated_alike(data):
    """Whatever is done to both, they stand at the same update, with the same weights and cost."""
    loop, whole = twins()
    assert (loop.schedule.pass_size, whole.schedule.pass_size) == (1, 8)
    for _ in range(data.draw(st.integers(1, 5))):
        match data.draw(st.sampled_from(["train", "advance", "goto", "evaluate", "skip"])):
            case "train":
                updates = data.draw(st.integers(0, 9))
                act = lambda run, n=updates: run.train(updates=n)  # noqa: E731
            case "advance":
                level = data.draw(st.sampled_from(["update", "epoch"]))
                act = lambda run, to=level: run.advance(to)  # noqa: E731
            case "goto":
                update = data.draw(st.integers(0, 9))
                act = lambda run, at=update: run.goto(update=at)  # noqa: E731
            case "evaluate":
                act = lambda run: run.evaluate()  # noqa: E731
            case _:
                act = lambda run: run.skip_to_next_update()  # noqa: E731
        for run in (loop, whole):
            act(run)
        assert (loop.update, loop.epoch, loop.sample) == (whole.update, whole.epoch, whole.sample)
        for address, value in whole.weights.items():
            np.testing.assert_allclose(loop.weights[address], value, rtol=1e-12, atol=1e-14)
        if whole.update or whole.has_value(whole.plan.unfolding.cost):
            assert loop.cost == pytest.approx(whole.cost, rel=1e-11)


def test_both_are_told_in_the_same_words():
    loop, whole = twins()
    for run in (loop, whole):
        go_before(run, Moment.read("1:10:output"))
    assert described(whole) == f"epoch 1 · samples 8–15 of {whole.schedule.rows} · forward · output"
    assert described(loop) == f"epoch 1 · sample 10 of {loop.schedule.rows} · forward · output"


@pytest.mark.parametrize("batch", [1, 3, 20, "all"])
def test_a_loop_of_any_size_trains_as_it_is_stepped(batch):
    """Among them updates of a single pass, which have nothing to add up."""
    graph = hand("polynomial", (1, 3, 1), rate=0.3, loop=True, batch=batch)
    trained, stepped = nf.Run(graph), nf.Run(graph)
    trained.train(3)
    assert_same_moment(trained, walk(stepped, trained.update))
    assert trained.cost == stepped.cost
    assert nf.check(graph, batch=batch).valid


def test_a_loop_over_samples_takes_longer_than_all_at_once_and_learns_the_same():
    """The graphs that the gallery tells the clock of: the same D, and a pass a sample."""
    graphs = [
        nf.load(GRAPHS / f"{name}.json") for name in ("four-layers", "four-layers-vectorised")
    ]
    runs = [nf.Run(graph) for graph in graphs]
    assert runs[0].schedule.passes_per_epoch == 200 * runs[1].schedule.passes_per_epoch
    clock = []
    for run in runs:
        run.train(20)
        began = time.perf_counter()
        run.train(150)
        clock.append(time.perf_counter() - began)
    assert clock[0] > 1.2 * clock[1], clock
    for address, value in runs[0].weights.items():
        np.testing.assert_allclose(value, runs[1].weights[address], rtol=0, atol=1e-9)
