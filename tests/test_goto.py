"""Going to any moment: the values are those of a live run, to the bit, and soon there."""

import statistics
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import CLASSES, assert_same, assert_same_moment, hand, net, walk

import nodeflow as nf
from nodeflow.errors import Diverged, RunError

GRAPHS = {
    "short last batch": lambda: net("polynomial", (1, 3, 1), batch=4, accuracy=False),
    "one sample": lambda: net("xor", (2, 2, 1), scale="none"),
    "batch all": lambda: net("xor", (2, 2, 1), scale="none", batch="all", momentum=0.5),
    "wired by hand": lambda: hand("polynomial", (1, 3, 1), rate=0.3, batch=10),
    "sample loop": lambda: hand("polynomial", (1, 2, 1), rate=0.3, batch=8, loop=True),
}
UPDATES = 9


def moments_of(graph):
    """Step through a run; yield where it is after each step and every value then."""
    run, node = nf.Run(graph), None
    while run.update < UPDATES:
        at = (run.epoch, run.sample, node)
        yield at, run.update, run.values, run.weights
        done = run.step().node
        # The end of a pass is the start of the next one.
        node = done if run.position.place else None


LIVE = {name: list(moments_of(make())) for name, make in GRAPHS.items()}


@pytest.mark.parametrize("name", GRAPHS)
def test_every_moment_is_that_of_the_live_run(name):
    """All values at all moments, those not yet evaluated anew included, there and back."""
    run = nf.Run(GRAPHS[name]())
    live = LIVE[name]
    order = np.random.default_rng(0).permutation(len(live))[:120]
    for number in order:
        (epoch, sample, node), update, values, weights = live[number]
        run.goto(epoch=epoch, sample=sample, node=node)
        assert (run.epoch, run.update, run.sample) == (epoch, update, sample)
        assert_same(run.values, values)
        assert_same(run.weights, weights)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_going_and_training_in_any_order_lead_to_the_same_moments(data):
    """Between the jumps the run is stepped and trained on; each moment has one set of values."""
    name = data.draw(st.sampled_from(sorted(GRAPHS)))
    live, run = LIVE[name], nf.Run(GRAPHS[name]())
    for _ in range(data.draw(st.integers(1, 6))):
        (epoch, sample, node), update, values, _ = live[data.draw(st.integers(0, len(live) - 1))]
        run.goto(epoch=epoch, sample=sample, node=node)
        assert run.update == update
        assert_same(run.values, values)
        match data.draw(st.sampled_from(["stay", "step", "train", "advance"])):
            case "step":
                run.step()
            case "train":
                run.train(updates=data.draw(st.integers(0, 9)))
            case "advance":
                run.advance(data.draw(st.sampled_from(["phase", "update", "epoch"])))


def test_going_to_an_epoch_is_training_up_to_it():
    """goto(epoch=3) on a fresh run equals train(3) on another."""
    graph = net("blobs", (2, 4, 3), test=0.2, batch=8)
    gone, trained = nf.Run(graph), nf.Run(graph)
    gone.goto(epoch=3)
    trained.train(3)
    assert_same_moment(gone, trained)


def test_training_on_from_the_past_repeats_itself():
    """History and weights of the second time are those of the first, and of a run never moved."""
    graph = net("blobs", (2, 4, 3), test=0.2, batch=8)
    run, plain = nf.Run(graph), nf.Run(graph)
    run.train(12)
    history, weights = run.history, run.weights
    run.goto(epoch=4, sample=17, node="hidden1")
    run.train(8)
    assert run.history == history
    assert_same(run.weights, weights)
    run.goto(update=3)
    assert run.history == history  # what is known stays known
    run.train(20)
    plain.train(20)
    assert run.history == plain.history
    assert_same_moment(run, plain)


def test_other_weights_in_the_past_make_another_future():
    """What was known after that moment is dropped, what lies before it stays."""
    graph = net("blobs", (2, 4, 3), batch=8)
    run = nf.Run(graph)
    run.train(10)
    old = run.weights
    run.goto(epoch=4)
    fourth = run.weights
    changed = {address: value + 0.5 for address, value in fourth.items()}
    run.set_weights(changed)
    assert len(run.history) == 4
    run.goto(epoch=10)
    assert not np.array_equal(run.weights["theta1.value"], old["theta1.value"])
    other = nf.Run(graph)
    other.train(4)
    other.set_weights(changed)
    other.train(6)
    assert_same_moment(run, other)
    run.goto(epoch=2)
    plain = nf.Run(graph)
    plain.train(2)
    assert_same(run.weights, plain.weights)
    run.train(2)  # what was set is set again when its moment is passed
    assert_same(run.weights, changed)
    run.goto(epoch=2)
    walk(run, 4 * run.updates_per_epoch)
    assert_same(run.weights, changed)
    run.goto(epoch=0)
    run.train(10)
    assert_same_moment(run, other)


def test_moments_that_are_not_there_get_one_sentence():
    """A row beyond the epoch, a node that is not in the run, numbers that count nothing."""
    run = nf.Run(net("polynomial", (1, 3, 1), batch=4, accuracy=False))
    for moment, sentence in (
        ({"sample": 21}, "sample 21 is beyond the epoch: it has 0 to 20"),
        ({"node": "hiden1"}, "there is no node 'hiden1' in this run; did you mean 'hidden1'?"),
        ({"epoch": -1}, "epoch must be a whole number from 0, not -1"),
        ({"update": 1.5}, "update must be a whole number from 0, not 1.5"),
        ({"epoch": True}, "epoch must be a whole number from 0, not True"),
        ({"epoch": 1, "update": 2}, "give either update, or epoch and sample"),
    ):
        with pytest.raises(RunError) as error:
            run.goto(**moment)
        assert str(error.value) == sentence
        assert (run.update, run.node) == (0, run.order[0])


def test_a_moment_may_be_named_by_its_update():
    """Updates count over the whole run."""
    run = nf.Run(net("polynomial", (1, 3, 1), batch=4, accuracy=False))
    run.goto(update=8)
    assert (run.epoch, run.update, run.sample) == (1, 8, 8)
    run.goto(sample=20)
    assert (run.epoch, run.update, run.sample) == (1, 11, 20)
    run.goto()
    assert (run.epoch, run.update, run.sample) == (1, 6, 0)


def test_anywhere_in_500_epochs_is_soon_reached():
    """A few milliseconds to any node of any sample, and a few megabytes for all of it."""
    run = nf.Run(net(*CLASSES, rate=0.3, test=0.34))
    run.train(500)
    assert run.checkpoint_bytes < 10_000_000
    random = np.random.default_rng(1)
    times = []
    for _ in range(200):
        epoch, sample = int(random.integers(500)), int(random.integers(run.machine.rows))
        node = run.order[int(random.integers(len(run.order)))]
        begin = time.process_time()
        run.goto(epoch=epoch, sample=sample, node=node)
        times.append(time.process_time() - begin)
    assert statistics.median(times) < 0.005
    assert statistics.quantiles(times, n=20)[-1] < 0.02


@pytest.mark.parametrize("batch", [1, "all"])
def test_a_million_updates_keep_few_checkpoints(batch):
    """Checkpoints are thinned; moments far apart are still reached, with the same numbers."""
    graph = net("xor", (2, 2, 1), scale="none", batch=batch)
    run = nf.Run(graph)
    run.train(updates=1_000_000)
    assert run.checkpoint_bytes < 64_000_000
    kept = run._rewinder.checkpoints
    held = {id(state.base if state.base is not None else state): state for state in kept._states}
    whole = sum((a.base if a.base is not None else a).nbytes for a in held.values())
    assert whole < 64_000_000
    begin = time.process_time()
    run.goto(update=654_321)
    assert time.process_time() - begin < 0.25
    other = nf.Run(graph)
    other.train(updates=654_321)
    assert_same(run.weights, other.weights)


def test_going_on_within_a_loop_over_samples_begins_nothing_again(monkeypatch):
    run = nf.Run(nf.sample("four-layers"))
    assert run.schedule.passes(0) == 200
    executed = []
    execute = type(run._stepper)._execute

    def counted(self, begin, end, pass_):
        executed.append(pass_)
        execute(self, begin, end, pass_)

    monkeypatch.setattr(type(run._stepper), "_execute", counted)
    stepped = nf.Run(nf.sample("four-layers"))
    for sample in range(1, 60):
        run.goto(0, sample)
        stepped.advance("sample")
        np.testing.assert_array_equal(run["Delta1.total"], stepped["Delta1.total"])
    assert len(executed) < 60 * 8, "each move costs a pass, not all passes before it"


def test_an_update_that_diverges_is_told_from_within_it_too():
    graph = nf.sample("one-neuron").set("train", rate=1e200)
    run = nf.Run(graph)
    for _ in range(9):
        try:
            run.step()
            run.skip_to_next_update()
        except Diverged:
            break
    else:
        pytest.fail("nothing was said")
    assert run.update < 9
