"""The player: whatever is played, jumped and branched, each moment has the numbers of the run."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same, hand, net

import nodeflow as nf
from nodeflow.editor.playing.timeline import Timeline
from nodeflow.engine.schedule import LEVELS
from nodeflow.errors import ConditionError, Diverged, RunError
from nodeflow.playback.player import Player
from nodeflow.playback.telling import state_of

GRAPHS = {
    "short last batch": lambda: net("polynomial", (1, 3, 1), batch=4, accuracy=False),
    "one sample": lambda: net("xor", (2, 2, 1), scale="none"),
    "batch all": lambda: net("xor", (2, 2, 1), scale="none", batch="all", momentum=0.5),
    "sample loop": lambda: hand("polynomial", (1, 2, 1), rate=0.3, batch=8, loop=True),
}
REGRESSION = ("polynomial", (1, 3, 1))
STEPS = 200


def live(graph, steps=STEPS):
    """Return the values before each step of a run that is only stepped."""
    run, found = nf.Run(graph), []
    for _ in range(steps):
        found.append((run.position, run.values))
        run.step()
    return found


LIVE = {name: live(make()) for name, make in GRAPHS.items()}


@pytest.mark.parametrize("name", GRAPHS)
def test_steps_are_counted_as_they_are_made(name):
    run = nf.Run(GRAPHS[name]())
    schedule = run.schedule
    for number, (position, _) in enumerate(LIVE[name]):
        assert schedule.number(position) == number
        assert schedule.position(number) == position


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("level", LEVELS)
def test_levels_begin_where_a_run_ends_them(name, level):
    """A run that is advanced stands where the schedule says that the level is over."""
    run = nf.Run(GRAPHS[name]())
    schedule, number = run.schedule, 0
    for _ in range(6):
        after = schedule.after(level, number)
        run.advance(level)
        assert schedule.number(run.position) == after
        assert schedule.before(level, after) == number
        number = after


@pytest.mark.parametrize("name", GRAPHS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_playing_stepping_and_jumping_never_change_the_numbers(name, data):
    player = Player(nf.Run(GRAPHS[name]()))
    reached = LIVE[name]
    for _ in range(data.draw(st.integers(1, 8))):
        match data.draw(st.sampled_from(["step", "back", "go", "play", "log", "watch", "loop"])):
            case "step":
                player.step(data.draw(st.sampled_from(LEVELS[:4])))
            case "back":
                player.back(data.draw(st.sampled_from(LEVELS)))
            case "go":
                player.go(data.draw(st.integers(0, min(STEPS - 1, player.end))))
            case "play":
                player.play(data.draw(st.sampled_from([0.25, 4.0, 100.0, 1e4])))
                for seconds in data.draw(st.lists(st.floats(0, 0.1), max_size=4)):
                    player.tick(seconds)
                player.pause()
            case "log":
                numbers = [number for number, _ in player.log(10)]
                assert numbers == list(range(player.number - len(numbers) + 1, player.number + 1))
            case "watch":
                player.watched(list(player.run.weights)[:1], 5)
            case "loop":
                player.loop(data.draw(st.sampled_from([None, "sample", "update"])))
        if player.number < STEPS:
            position, values = reached[player.number]
            assert player.run.position == position
            assert_same(player.run.values, values)
        if player.last is not None:
            assert player.schedule.number(player.run.position) == player.number


def rate(graph, value):
    key = graph.of_type("gradient_descent")[0]
    return graph.set(key, rate=value)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_branches_never_change_the_numbers_of_a_line(data):
    """Each line is a run that was trained to the fork, changed there, and trained on."""
    graph = net("xor", (2, 2, 1), scale="none")
    player = Player(nf.Run(graph))
    told = {player.line: []}  # line -> its changes: (update, rate or weights)
    for _ in range(data.draw(st.integers(1, 7))):
        what = data.draw(st.sampled_from(["rate", "weights", "go", "step", "switch", "compare"]))
        update = player.run.update
        if what in ("rate", "weights"):
            history = [c for c in told[player.line] if c[0] < update or c[0] == update]
            value = data.draw(st.sampled_from([0.1, 0.7, 2.0]))
            if what == "rate":
                player.change(rate(player.run.graph, value), f"rate {value}")
            else:
                player.set_weights({"theta1.value": np.full((2, 2), value)}, "weights")
            told[player.line] = [*history, (update, what, value)]
        elif what == "go":
            player.go(data.draw(st.integers(0, min(STEPS, player.end))))
        elif what == "step":
            player.step(data.draw(st.sampled_from(LEVELS)))
        elif what == "switch":
            player.switch(data.draw(st.integers(0, len(player.lines) - 1)))
        else:
            line = data.draw(st.integers(0, len(player.lines) - 1))
            if player.lines[line].reach >= player.number:
                player.compared(line)
        expected = nf.Run(graph)
        for at, kind, value in told[player.line]:
            if at > player.run.update:
                break
            expected.goto(update=at)
            if kind == "rate":
                expected = expected.fork(rate(expected.graph, value))
            else:
                expected.set_weights({"theta1.value": np.full((2, 2), value)})
        for _ in range(player.number - expected.schedule.number(expected.position)):
            expected.step()
        assert player.run.position == expected.position
        assert_same(player.run.weights, expected.weights)
        assert_same(player.run.values, expected.values)


def three_updates_with(player, value):
    """Step over the updates from here, and hold each to θ − α D, in NumPy."""
    updated = 0
    while updated < 8:
        step = player.step()
        if step.type == "weight_update":
            expected = step.inputs["parameter"] - value * step.inputs["gradient"]
            np.testing.assert_allclose(step.outputs["value"], expected, rtol=1e-12)
            updated += 1


def test_updates_after_a_branch_use_the_changed_rate():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none", rate=0.3)))
    three_updates_with(player, 0.3)
    player.change(rate(player.run.graph, 1.7), "rate 1.7")
    three_updates_with(player, 1.7)
    player.go(0)
    three_updates_with(player, 0.3)


def test_stepping_over_a_fork_goes_on_with_the_line_that_was_chosen():
    graph = net("xor", (2, 2, 1), scale="none")
    player = Player(nf.Run(graph))
    for _ in range(10):
        player.step("update")
    player.go("1:1")
    fork = player.run.update
    player.change(rate(graph, 2.0), "rate 2")
    for _ in range(4):
        player.step("update")
    after = player.run.weights
    player.go("0:3")
    while player.run.update < fork + 4:
        player.step()
    assert_same(player.run.weights, after)
    player.switch(0)
    live_run = nf.Run(graph)
    live_run.goto(update=fork + 4)
    assert_same(player.run.weights, live_run.weights)


def test_the_old_future_is_kept_and_compared():
    graph = net("xor", (2, 2, 1), scale="none")
    player = Player(nf.Run(graph))
    for _ in range(8):
        player.step("update")
    player.go("1:2")
    assert [line.what for line in player.lines] == [""]
    player.set_weights({"theta1.value": np.zeros((2, 2))}, "theta1 = 0")
    assert [line.what for line in player.lines] == ["", "theta1 = 0"]
    player.step("phase")
    moment, values = player.number, player.run.values
    different = player.compared(0)
    assert player.number == moment
    assert_same(player.run.values, values)
    other = nf.Run(graph)
    other.seek(player.run.position)
    for address, difference in different.items():
        assert difference == np.max(np.abs(values[address] - other.values[address]))
    assert different["theta1.value"] > 0
    player.switch(0)
    assert player.number == moment
    assert_same(player.run.values, other.values)
    assert player.compared(1) == different
    assert player.number == moment
    player.go("0:2")
    assert player.compared(1) == {}  # what lies before the fork is the same run


def test_a_change_where_nothing_lies_ahead_leaves_no_second_line():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    for number in range(5):
        player.step("update")
        player.change(rate(player.run.graph, 0.1 + number), f"rate {number}")
    assert [line.what for line in player.lines] == ["rate 4"]


def test_forks_share_the_rows_of_the_data_but_not_those_that_differ():
    x = nf.constant(value=[[1.0], [2.0]], id="x")
    y = nf.constant(value=[[3.0], [5.0]], id="y")
    w = nf.parameter(value=[[0.5]], id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w, id="z"), y, id="cost")
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.01, id="train"), batch="all")
    run = nf.Run(graph)
    run.train(3)
    assert run.fork(graph.set("train", rate=0.02)).machine.feed is run.machine.feed
    other = run.fork(graph.set("y", value=[[4.0], [5.0]]))
    other.skip_to_next_update()
    np.testing.assert_array_equal(other["y.value"], [[4.0], [5.0]])


def test_nodes_that_no_update_needs_are_added_while_it_plays():
    graph = net("xor", (2, 2, 1), scale="none", epochs=5)
    player = Player(nf.Run(graph))
    player.go("1:2:hidden1")
    player.play(math.inf)
    player.change(graph.add("big", "exp").connect("hidden1.z", "big.a"), "add big")
    assert player.run.update == 6
    assert player.first == 0
    assert player.number == 6 * len(player.run.order) + player.schedule.place("hidden1") + 1
    assert "big" in player.run.order
    while player.playing:
        player.tick(1.0)
    live_run = nf.Run(graph)
    live_run.train()
    assert_same(player.run.weights, live_run.weights)
    assert player.number == player.end == 20 * len(player.run.order)
    player.go("1:3:big")
    assert [step.node for _, step in player.log()][-1] == "big"
    live_run.goto(update=7)
    np.testing.assert_array_equal(player.last.outputs["value"], np.exp(player.run["hidden1.z"]))
    assert_same(player.run.weights, live_run.weights)
    player.go("0:1:big")  # the past has the node as well
    live_run.goto(update=1)
    exact = np.exp(player.run["hidden1.z"])
    np.testing.assert_allclose(player.last.outputs["value"], exact, rtol=1e-14)
    assert_same(player.run.weights, live_run.weights)


def test_all_futures_are_carried_over_to_a_graph_with_more_views():
    graph = net("xor", (2, 2, 1), scale="none", epochs=5)
    player = Player(nf.Run(graph))
    player.advance(4 * player.schedule.steps_per_epoch)
    player.go("2:1:hidden1")
    slow = graph.set("train", rate=0.01)
    player.change(slow, "slow")
    player.advance(4 * player.schedule.steps_per_epoch)
    weights = dict(player.run.weights)
    player.go("2:3:hidden1")
    more = slow.add("big", "exp").connect("hidden1.z", "big.a")
    player.change(more, "add big")
    assert len(player.lines) == 2
    assert player.last.node == "hidden1"
    player.go("4")
    assert_same(player.run.weights, weights)
    player.switch(0)
    player.go("4")
    first = nf.Run(graph)
    first.train(4)
    assert_same(player.run.weights, first.weights)
    assert player.run.graph.settings("train")["rate"] == graph.settings("train")["rate"]
    assert "big" in player.run.order
    assert player.run.history == first.history


@pytest.mark.parametrize("forked", ["", "in the place of a line", "beside a line"])
def test_a_node_is_switched_off_and_on_and_all_lines_count_the_same_steps(forked):
    """Who watches switches off what costs time, and on again, while the network trains."""
    graph = net("xor", (2, 2, 1), scale="none", epochs=5)
    graph = graph.add("big", "exp").connect("hidden1.z", "big.a")
    player = Player(nf.Run(graph))
    if forked == "beside a line":
        player.advance(3 * player.schedule.steps_per_epoch)
    if forked:
        player.go("1")
        graph = graph.set("train", rate=0.01)
        player.change(graph, "slow")
    for key in ("accuracy", "big"):
        for mode in ("disable", "active", "disable", "active"):
            player.advance(player.number + 7)
            player.change(graph.with_mode(key, mode), mode)
            orders = {line.run.order for line in player.lines}
            orders |= {line.before.run.order for line in player.lines if line.before is not None}
            assert orders == {player.schedule.order} == {player.run.order}
            assert (key in player.run.order) == (mode == "active")
    player.advance(5 * player.schedule.steps_per_epoch)
    assert (player.run.epoch, player.run.sample, player.run.position.place) == (5, 0, 0)
    assert len(player.lines) == 1 + (forked == "beside a line")


@pytest.mark.parametrize(
    "ask",
    [
        lambda player: player.step(),
        lambda player: player.step("epoch"),
        lambda player: player.back("epoch"),
        lambda player: player.go(5),
        lambda player: player.go("1"),
        lambda player: player.loop("epoch"),
        lambda player: player.play(),
    ],
)
def test_an_empty_graph_has_nothing_to_play(ask):
    player = Player(nf.Run(nf.Graph()))
    with pytest.raises(RunError, match="there is nothing to evaluate"):
        ask(player)
    state = state_of(player)
    bars = Timeline(state)
    assert (bars.whole, bars.fine, bars.known, bars.at_whole(1), bars.at_fine(1)) == (0,) * 5
    assert (bars.update, bars.phases, bars.forks) == ((0, 0), (), ())


def test_a_graph_of_another_structure_cannot_go_on():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    with pytest.raises(RunError, match="its nodes or wires differ; start it again"):
        player.change(net("xor", (2, 3, 1), scale="none"), "wider")
    with pytest.raises(RunError, match="seed or batch differs"):
        player.change(net("xor", (2, 2, 1), scale="none", seed=5), "seed")


# --- stops --------------------------------------------------------------------------------------


def plays(player, until=None):
    """Play as fast as possible to the next stop."""
    player.play(math.inf, until=until)
    while player.playing:
        player.tick(1.0, 0.005)
    return player.reason


@pytest.mark.parametrize("name", GRAPHS)
def test_it_stops_before_the_node_of_a_breakpoint(name):
    player = Player(nf.Run(GRAPHS[name]()))
    key = player.run.order[3]
    player.stops.toggle(player.run, key)
    for _ in range(5):
        assert plays(player) == f"breakpoint: {key}"
        assert player.run.node == key
        assert_same(player.run.values, LIVE[name][player.number][1])
    numbers = [n for n, (p, _) in enumerate(LIVE[name]) if p[2] == 3][:5]
    assert player.number == numbers[-1]
    player.stops.toggle(player.run, key)
    assert plays(player, until=player.number + 7) == "the end of the training"


def test_it_stops_when_a_value_has_come_along_a_wire():
    player = Player(nf.Run(GRAPHS["one sample"]()))
    wire = next(str(w) for w in player.run.plan.graph.wires if w.target == "output")
    source = wire.partition(".")[0]
    player.stops.toggle(player.run, wire)
    assert plays(player) == f"breakpoint: {wire}"
    assert player.last.node == source
    with pytest.raises(RunError, match="no step of this run evaluates 'nobody'"):
        player.stops.toggle(player.run, "nobody")


def first_moment(graph, holds, at, most=40_000):
    """Return the first moment after a step of node `at` where `holds(run)`, by stepping alone."""
    run = nf.Run(graph)
    held = False
    for number in range(1, most):
        step = run.step()
        if step.node == at:
            now = holds(run)
            if now and not held:
                return number
            held = now
    return None


CONDITIONS = {
    "cost < 0.12": (lambda run: run.cost < 0.12, "cost"),
    "abs(output.z) < 0.05": (lambda run: abs(run["output.z"]).max() < 0.05, "output"),
    "any(hidden1.z > 0.5) and sample = 2": (
        lambda run: (run["hidden1.z"] > 0.5).any() and run.position[1] == 2,
        "hidden1",
    ),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_it_stops_at_the_node_where_a_condition_became_true(text):
    graph = net("xor", (2, 2, 1), scale="none", rate=0.7, epochs=3000)
    holds, node = CONDITIONS[text]
    player = Player(nf.Run(graph))
    player.stops.add(player.run, text)
    assert plays(player) == text
    assert player.last.node == node
    assert player.number == first_moment(graph, holds, node)


def test_it_stops_where_a_weight_changes_sign():
    graph = net("xor", (2, 2, 1), scale="none", rate=0.7, epochs=3000)
    player = Player(nf.Run(graph))
    player.stops.add(player.run, "theta1.value changes sign")
    assert plays(player) == "theta1.value changes sign"
    assert player.last.type == "weight_update"
    before, after = player.last.inputs["parameter"], player.last.outputs["value"]
    assert (np.sign(before) != np.sign(after)).any()
    run = nf.Run(graph)
    begin = np.sign(run.weights["theta1.value"])
    for _ in range(player.run.update - 1):
        run.skip_to_next_update()
        assert (np.sign(run.weights["theta1.value"]) == begin).all()


def test_it_stops_at_the_end_of_the_epoch_in_which_accuracy_falls():
    graph = net("xor", (2, 2, 1), scale="none", rate=0.7, epochs=3000)
    trained = nf.Run(graph)
    hits = [line["train_accuracy"] for line in trained.train(300)]
    falls = next(i for i in range(1, len(hits)) if hits[i] < hits[i - 1]) + 1
    player = Player(nf.Run(graph))
    player.stops.add(player.run, "accuracy falls")
    assert plays(player) == "accuracy falls"
    assert (player.run.epoch, player.run.position[2]) == (falls, 0)


def test_conditions_in_a_loop_over_samples_are_judged_in_each_of_them():
    graph = GRAPHS["sample loop"]()
    player = Player(nf.Run(graph))
    player.stops.add(player.run, "e.e > 0.3")
    assert plays(player) == "e.e > 0.3"
    assert player.number == first_moment(graph, lambda run: (run["e.e"] > 0.3).all(), "e")


def test_a_condition_that_cannot_be_read_says_where():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    with pytest.raises(ConditionError):
        player.stops.add(player.run, "hidden1.z < < 3")
    assert not player.stops.conditions


def test_nan_stops_it_with_the_node():
    player = Player(
        nf.Run(
            net("polynomial", (1, 3, 1), act="relu", last="identity", rate=1e200, accuracy=False)
        )
    )
    assert "first appeared in" in plays(player)
    assert not player.playing


# --- time ---------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(pieces=st.lists(st.floats(0.001, 0.4), min_size=1, max_size=12))
def test_time_in_pieces_is_time_at_once(pieces):
    graph = net("xor", (2, 2, 1), scale="none")
    one, other = Player(nf.Run(graph)), Player(nf.Run(graph))
    one.play(8.0)
    other.play(8.0)
    for seconds in pieces:
        one.tick(seconds)
    other.tick(math.fsum(pieces))
    assert abs(one.number - other.number) <= 1


def test_one_node_takes_four_seconds_at_the_slowest():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    player.play(0.25)
    assert not player.tick(3.9)
    assert player.tick(0.2)
    assert player.number == 1


@pytest.mark.parametrize("speed", [0, -1.5, math.nan])
def test_a_wrong_speed_is_refused_and_changes_nothing(speed):
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    before = player.speed
    for set_it in (lambda: player.play(speed), lambda: setattr(player, "speed", speed)):
        with pytest.raises(RunError, match=f"steps a second above 0, not {speed:g}$"):
            set_it()
        assert (player.speed, player.playing) == (before, False)


def test_a_sample_is_played_over_and_over():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    player.go("2:1")
    begin, length = player.number, player.schedule.steps(0)
    player.loop("sample")
    player.play(10.0)
    seen = set()
    for _ in range(200):
        player.tick(0.2)
        seen.add(player.number)
    assert begin <= min(seen)
    assert max(seen) == begin + length


def test_a_jump_outside_of_the_run_says_its_ends():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none", epochs=10)))
    with pytest.raises(RunError, match=r"epoch 12 is outside of the run, .* epoch 0 to .* epoch 9"):
        player.go("12")
    with pytest.raises(RunError, match="is beyond the epoch: it has 0 to 3"):
        player.go("1:4")
    with pytest.raises(RunError, match="'x' is not EPOCH"):
        player.go("x")


def test_the_log_has_the_steps_that_led_here():
    player = Player(nf.Run(net("xor", (2, 2, 1), scale="none")))
    player.go("3:2:cost")
    entries = player.log(25)
    run = nf.Run(net("xor", (2, 2, 1), scale="none"))
    steps = [run.step() for _ in range(player.number)]
    assert [n for n, _ in entries] == list(range(player.number - 24, player.number + 1))
    assert [s.formula for _, s in entries] == [s.formula for s in steps[-25:]]


def test_watched_ports_show_their_last_values():
    graph = net("xor", (2, 2, 1), scale="none")
    player = Player(nf.Run(graph))
    player.go("3:2:cost")
    found = player.watched(["theta1.value"], 5)["theta1.value"]
    run = nf.Run(graph)
    expected = []
    for _ in range(player.run.update):
        run.skip_to_next_update()
        expected.append(run.weights["theta1.value"].ravel())
    np.testing.assert_array_equal(found, expected[-5:])


@pytest.mark.parametrize("make", [
    lambda: net(*REGRESSION, act="identity", rate=1e4, batch=4, accuracy=False),
    lambda: hand(*REGRESSION, rate=1e200, factor=1e200, batch=8, loop=True),
])  # fmt: skip
def test_numbers_out_of_range_stop_before_the_node_at_fault_at_any_speed(make):
    """At full speed, in slices of any length and by steps: one place, one sentence, one future."""

    def at_once(player):
        player.advance(10**9)

    def by_updates(player):
        while True:
            player.step("update")

    def in_slices(player):
        player._stride = 1
        while True:
            player.advance(10**9, 1e-9)

    def by_steps(player):
        while True:
            player.step()

    found = []
    for way in (at_once, by_updates, in_slices, by_steps):
        player = Player(nf.Run(make()))
        with pytest.raises(Diverged) as e:
            way(player)
        assert player.run.node == e.value.node
        found.append((str(e.value), player.number, player.run))
    for sentence, number, run in found[1:]:
        assert (sentence, number) == found[0][:2]
        assert_same(run.values, found[0][2].values)
        assert_same(run.weights, found[0][2].weights)
