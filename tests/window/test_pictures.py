"""What the canvas shows: views, badges, values on wires, the map of neurons, gliding nodes."""

import json
import time
from dataclasses import replace

import helpers_window
import numpy as np
import pytest
from helpers_window import ROOT, wait_for

import nodeflow as nf
from nodeflow.editor.state.messages import Moved, Wheel
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.update import update
from nodeflow.explain.quality import fed
from nodeflow.scene import scene, with_places
from nodeflow.theme import DARK, LIGHT
from nodeflow.views.image import picture
from nodeflow.views.plot import Traces
from nodeflow.window.canvas.gliding import gliding

GRAPHS = ROOT / "graphs"
MORE = '''
"""Opens a window as `opened.py` does, with a training that is told bit by bit."""
import json, os, sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, os.environ["NODEFLOW_TEST_FOLDER"])
import nodeflow as nf
import opened
from nodeflow.editor.state.messages import RunUpdate
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.window import app

more = json.loads(os.environ["NODEFLOW_TEST_MORE"])
file, epochs, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
graph = nf.load(file)


def told():
    run = nf.Run(graph)
    for _ in range(steps):
        run.train(epochs=epochs // steps)
        yield RunUpdate(Live(
            values=dict(run.values), weights=run.weights, state="paused", epoch=run.epoch,
            update=run.update, history=tuple(run.history), checks=more.get("checks", {}),
        ))


class Shell(opened.Shell):
    def poll(self, editor, **more):
        return [message] if (message := next(self._first, None)) else []

    def __init__(self, first):
        self._first = iter(first)


editor = Editor.of(graph, Path(file), preferences=Preferences(**more.get("preferences", {})))
app.Window = opened.Watched
sys.exit(app.run(editor, shell=Shell(list(told())), size=(1600, 1000), probe=False))
'''


def colour(text):
    return tuple(int(text[place : place + 2], 16) for place in (1, 3, 5))


def count(pixels, wanted, near=24):
    """Return how many pixels are nearly of a colour."""
    wanted = np.array(colour(wanted) if isinstance(wanted, str) else wanted)
    return int((np.abs(pixels.astype(int) - wanted).max(axis=2) <= near).sum())


def part(window, pixels, node):
    """Return the pixels of a node."""
    x, y, wide, high = window.state["nodes"][node]
    (x0, y0), (x1, y1) = window.on_screen(x, y), window.on_screen(x + wide, y + high)
    return pixels[round(y0) : round(y1), round(x0) : round(x1)]


def canvas(window, pixels):
    x, y, wide, high = window.state["area"]
    return pixels[y : y + high, x : x + wide]


@pytest.fixture
def trained(opened, tmp_path, monkeypatch):
    """Open a graph with a window that is told of its training in steps."""

    def open_(graph, epochs, steps=1, **more):
        script = tmp_path / "more.py"
        script.write_text(MORE)
        monkeypatch.setattr(helpers_window, "OPENED", script)
        file = tmp_path / "graph.json"
        nf.save(graph, file)
        window = opened(
            file, epochs, steps, NODEFLOW_TEST_MORE=json.dumps(more),
            NODEFLOW_TEST_FOLDER=str(ROOT / "tests" / "window"),
        )  # fmt: skip
        window.until(lambda state: len(state["nodes"]) == len(graph.nodes), 40)
        window.until(lambda state: not epochs or state["live"][1] == epochs, 40)
        window.settled()
        return window

    return open_


def with_view(graph, key, type_, at, **wires):
    """Return a graph with a view at a place, its ports wired."""
    graph = graph.add(key, type_)
    for port, start in wires.items():
        graph = graph.connect(start, f"{key}.{port}")
    laid = with_places(graph)
    return replace(laid, layout={**laid.layout, key: at})


def iris():
    graph = nf.load(GRAPHS / "iris.json")
    graph = with_view(graph, "counts", "confusion", (0, 330), a="output_a.a", y="data.y")
    graph = with_view(graph, "shares", "bars", (280, 330), value="output_a.a")
    graph = with_view(graph, "line", "plot", (560, 330), value="cost.cost")
    graph = with_view(graph, "heat", "image", (840, 330), value="theta1.value")
    return with_view(graph, "rows", "table", (1120, 330), value="hidden_a.a")


def test_views_show_counts_shares_lines_and_heat(trained, mouse, shot):
    window = trained(iris(), 40, 20)
    pixels = shot()
    assert count(part(window, pixels, "shares"), DARK.positive) > 300
    assert count(part(window, pixels, "line"), DARK.selected) > 60
    heat = part(window, pixels, "heat")
    assert count(heat, DARK.positive, 60) > 200 or count(heat, DARK.negative, 60) > 200
    # The diagonal of the counts is shaded: most samples are told right.
    blue = part(window, pixels, "counts").astype(int)
    assert int((blue[..., 2] - blue[..., 0] > 40).sum()) > 400
    assert window.state["view_text"] >= 6.5
    mouse.move(*window.middle("data"))
    while window.state["camera"][2] > 0.62:  # what would be smaller is left out; the picture stays
        mouse.wheel(*window.middle("data"), -1)
        window.settled()
    assert window.state["view_text"] >= 6.5
    blue = part(window, shot("from afar"), "counts").astype(int)
    assert int((blue[..., 2] - blue[..., 0] > 40).sum()) > 150


def ideas():
    """Return the slopes, a landscape and the blame game's shares on one canvas."""
    graph = nf.load(GRAPHS / "landscape.json")
    graph = graph.add("u", "slider", value=0.5, min=-6.0, max=6.0).add("s", "sigmoid")
    graph = graph.add("t", "tanh").connect("u.value", "s.z").connect("u.value", "t.z")
    graph = graph.add("slopes", "function_plot").connect("u.value", "slopes.x")
    graph = graph.connect("s.a", "slopes.a").connect("t.a", "slopes.a")
    graph = graph.add("d", "constant", value=[[-0.34]]).add("who", "blame_shares")
    graph = graph.add("theta", "parameter", value=[[0.1, 0.3, 0.6]])
    graph = graph.connect("d.value", "who.delta").connect("theta.value", "who.weights")
    places = {
        "J_over_w": (0, 420), "slopes": (280, 420), "who": (560, 420), "u": (0, 740),
        "s": (240, 740), "t": (480, 740), "d": (720, 740), "theta": (960, 740),
    }  # fmt: skip
    laid = with_places(graph)
    return replace(laid, layout={**laid.layout, **places})


def test_landscape_slopes_and_shares(trained, screen, shot):
    window = trained(ideas(), 3, 1)

    def low_ground():
        land = part(window, screen.picture(), "J_over_w").astype(int)
        return int((land[..., 2] - land[..., 0] > 40).sum())  # it is blue

    wait_for(lambda: low_ground() > 2000)  # the landscape is found beside the window
    window.settled()
    pixels = shot("ideas")
    assert count(part(window, pixels, "slopes"), DARK.selected, 60) > 40
    assert count(part(window, pixels, "slopes"), DARK.positive, 60) > 40
    assert count(part(window, pixels, "who"), DARK.positive) > 300


def test_an_activation_has_its_point_and_a_dictionary_its_numbers(trained, shot):
    graph = nf.load(GRAPHS / "one-neuron.json").add("bent", "tanh").connect("sum.z", "bent.z")
    graph = with_view(graph, "weights", "dictionary", (0, 300))
    window = trained(graph, 3, 1)
    pixels = shot()
    assert count(part(window, pixels, "bent"), DARK.positive) > 12  # the tangent and the point
    assert count(part(window, pixels, "weights"), DARK.text, 60) > 60


def test_the_plane_is_coloured_by_what_the_network_answers(trained, shot):
    graph = nf.load(GRAPHS / "circle.json")
    graph = with_view(graph, "plane", "boundary", (300, 330), x="data.x", a="output_a.a")
    window = trained(graph, 200, 2)
    pixels = part(window, shot(), "plane").astype(int)
    warm = (pixels[..., 0] - pixels[..., 2] > 25).sum()
    cold = (pixels[..., 2] - pixels[..., 0] > 25).sum()
    assert warm > 600
    assert cold > 600


def test_rows_whose_length_is_a_square_are_tiles(trained, shot):
    graph = nf.load(GRAPHS / "digits.json")
    window = trained(with_view(graph, "units", "image", (300, 330), value="theta1.value"), 2)
    pixels = part(window, shot(), "units")
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 200


def test_badges_and_values_on_wires(trained, mouse, shot):
    checks = {"hidden": "ok", "output": "kink: gradient 0", "theta1": "fault: gradient 3"}
    window = trained(nf.load(GRAPHS / "xor.json"), 10, checks=checks, preferences={"values": "all"})
    mouse.move(*window.middle("theta1"))
    window.until(lambda state: state["hover"] == "node:theta1")
    window.settled()
    pixels = shot()
    for node, wanted in (
        ("hidden", "#57c785"),
        ("output", DARK.feedback),
        ("theta1", DARK.problem),
    ):
        x, y = map(round, window.on_screen(*window.state["nodes"][node][:2]))
        assert count(pixels[y - 8 : y + 8, x - 8 : x + 8], wanted, 60) > 8, node


def test_the_map_of_neurons_is_drawn_and_selects(trained, mouse, shot):
    window = trained(nf.load(GRAPHS / "iris.json"), 10)
    mouse.move(700, 900)
    mouse.key("m")
    window.until(lambda state: state["map"])
    before = window.settled()["camera"]
    pixels = canvas(window, shot())
    assert count(pixels, DARK.positive, 60) > 300
    assert count(pixels, DARK.negative, 60) > 300
    x, y, wide, high = window.state["area"]
    middle = x + wide / 2, y + high / 2
    mouse.move(*middle)
    time.sleep(0.3)
    mouse.click(*middle)  # the middle one of the hidden layer
    window.until(lambda state: state["selection"] == ["hidden"])
    window.settled()
    shot("selected")
    mouse.drag((x + 60, y + high - 60), (x + 160, y + high - 110))
    state = window.until(lambda state: state["camera"] != before and state["gesture"] == "NoneType")
    zoom = state["camera"][2]
    assert state["camera"][0] == pytest.approx(before[0] - 100 / zoom, abs=3 / zoom)
    mouse.wheel(*middle, 3)
    window.until(lambda state: state["camera"][2] > zoom * 1.3)
    mouse.key("m")
    window.settled()
    shot("back")
    window.settled()


@pytest.mark.parametrize("scale", [1, 2])
def test_the_texts_of_the_map_grow_with_the_setting(opened, mouse, shot, scale):
    window = opened(GRAPHS / "wheat-seeds.json", 1, NODEFLOW_TEST_SCALE=str(scale))
    window.until(lambda state: state["values"] and state["area"])
    window.settled()
    mouse.move(window.state["area"][0] + 60, window.state["area"][1] + 60)
    mouse.key("m")
    window.until(lambda state: state["map_text"] > 0)
    assert window.settled()["map_text"] >= 11 * scale - 0.01
    assert len(window.state["map"]) == 7 + 5 + 3
    shot()


@pytest.mark.parametrize("scale", [1, 2])
def test_the_texts_of_nodes_grow_with_the_setting(opened, mouse, shot, scale):
    """11 pixels at least, of all that is fitted to a node or stands on a wire, however far."""
    window = opened(GRAPHS / "xor.json", 1, NODEFLOW_TEST_SCALE=str(scale))
    window.until(lambda state: len(state["nodes"]) == 12 and state["node_text"])
    state = window.settled()
    assert 11 * scale <= round(state["node_text"], 3) < 12 * scale
    mouse.move(*window.middle("hidden"))
    window.until(lambda state: state["wire_text"])
    assert round(window.settled()["wire_text"], 3) >= 10.5 * scale
    shot()


def test_play_trains(trained, mouse, shot):
    window = trained(nf.load(GRAPHS / "xor.json"), 0, preferences={"theme": "light"})
    whole = shot()
    # The corner by which a panel is sized is no black spot.
    left, top, _, high = window.state["area"]
    assert whole[top + high - 16 : top + high - 2, -16:-2].min() > 150
    assert whole[top + high - 16 : top + high - 2, left - 16 : left - 4].min() > 150
    pixels = canvas(window, whole)
    found = np.argwhere(
        np.abs(pixels.astype(int) - np.array(colour(LIGHT.selected))).max(axis=2) < 8
    )
    assert len(found) > 3000
    y, x = found.mean(axis=0)
    left, top = window.state["area"][:2]
    mouse.click(left + x, top + y)
    window.until(lambda _state: window.requests)
    window.settled()
    assert window.requests == ["Train"]


def test_nodes_glide_to_exactly_their_places(trained, mouse, screen, shot):
    window = trained(nf.load(GRAPHS / "wheat-seeds.json"), 0)
    mouse.move(700, 300)
    mouse.key("u", "Control_L")
    window.until(lambda state: len(state["nodes"]) > 20)
    window.until(lambda state: not state["busy"])
    window.settled()
    glided = canvas(window, shot("unfolded"))
    mouse.key("equal")  # zoomed and back: everything is drawn from its place
    window.settled()
    mouse.key("Home")
    window.settled()
    wait_for(
        lambda: (np.abs(glided.astype(int) - canvas(window, screen.picture())) > 60).mean() < 0.002
    )


# --- without a window ---------------------------------------------------------------------------


def test_new_nodes_come_out_of_what_they_are_named_after():
    before = Editor.of(nf.load(GRAPHS / "xor.json"))
    after = Editor.of(nf.unfold(before.graph), preferences=Preferences())
    found = gliding(after, before.drawn, before.camera)
    old = before.drawn.nodes["hidden"]
    new = after.drawn.nodes["hidden.delta"]
    assert found.offsets["hidden.delta"] == pytest.approx((old.x - new.x, old.y - new.y))
    calm = Editor.of(after.graph, preferences=Preferences(reduced_motion=True))
    assert gliding(calm, before.drawn, before.camera) is None
    assert gliding(before, scene(nf.Graph()), before.camera) is None


def test_any_input_ends_the_glide():
    before = Editor.of(nf.load(GRAPHS / "xor.json"))
    after = Editor.of(nf.unfold(before.graph))
    found = gliding(after, before.drawn, before.camera)
    assert found.undisturbed(update(after, Moved((5.0, 5.0))))
    assert not found.undisturbed(update(after, Wheel((5.0, 5.0), 1.0)))


@pytest.mark.parametrize(
    ("shape", "room", "size"),
    [((25, 400), (244.0, 148.0), (4 * 21 + 1, 7 * 21 + 1)), ((5, 7), (244.0, 148.0), (5, 7))],
)
def test_a_matrix_is_tiles_or_a_heat_map(shape, room, size):
    array = np.random.default_rng(1).normal(size=shape)
    pixels = picture(array, DARK, room)
    times = pixels.shape[0] / size[0]
    assert pixels.shape == (size[0] * times, size[1] * times, 3)
    assert max(pixels.shape) <= 250
    assert picture(np.array([[np.nan, 1.0]]), DARK, room) is None


def test_what_feeds_a_view_is_cut_out_of_the_graph():
    graph = nf.load(GRAPHS / "xor.json")
    run = nf.Run(graph)
    run.train(epochs=50)
    rows = run.machine.splits["data"].x
    part = nf.Run(fed(graph, "data.x", "output_a.a", rows))
    part.set_weights(run.weights)
    part.evaluate()
    assert "data" not in part.graph.nodes
    hidden = 1 / (1 + np.exp(-(rows @ run.weights["theta1.value"].T + run.weights["bias1.value"])))
    z = hidden @ run.weights["theta2.value"].T + run.weights["bias2.value"]
    assert part["output_a.a"] == pytest.approx(1 / (1 + np.exp(-z)))


def test_a_trace_grows_and_begins_again():
    traces, plots = Traces(), {"p": ("a.b",)}
    for at in range(1, 3000):
        traces.collect(plots, at, {"a.b": np.array([1.0 / at])})
    line = traces.of("p", ("a.b",)).points[0]
    assert 300 < len(line) <= 1001
    assert line[0].tolist() == [1, 1]
    assert line[-1, 0] == 2999
    traces.collect(plots, 0, {"a.b": np.array([7.0])})
    assert traces.of("p", ("a.b",)).points[0].tolist() == [[0, 7]]
    traces.collect(plots, 5, {"a.b": np.array([3.0])}, 2)  # another future has another past
    assert traces.of("p", ("a.b",)).points[0].tolist() == [[5, 3]]
