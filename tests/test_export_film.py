"""Films: their beats are counted, their pictures are those of the canvas, none is too long."""

import io
import re
import sys
from itertools import islice

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor
from test_cli_play import GRAPHS as PLAYED

import nodeflow as nf
from nodeflow.engine.schedule import LEVELS
from nodeflow.engine.snapshot import AHEAD, ages
from nodeflow.errors import ExportError
from nodeflow.export import Job, Options, export
from nodeflow.export.caption import HEIGHT
from nodeflow.export.film import Camera, Film
from nodeflow.export.frames import Reel
from nodeflow.export.gif import Clock, shared_palette
from nodeflow.export.pixels import rendered
from nodeflow.export.stage import Stage
from nodeflow.export.svg import node, svg
from nodeflow.scene import scene
from nodeflow.theme import DARK, LIGHT

SPANS = {
    "an epoch": {},
    "two epochs": {"shown": (0, 1)},
    "the second": {"shown": (1, 1)},
    "two passes": {"samples": 2},
    "from a node": {"begin": "0:1:hidden"},
    "to a node": {"until": "1:1:out"},
    "passes over the end of an epoch": {"begin": "0:2", "samples": 5},
}


BAND = round(HEIGHT * 1600 / 960)
"""The height of the caption at 1600 × 1200."""


def one_neuron():
    x, y = nf.constant(value=(1.5,), id="x"), nf.constant(value=(0.5,), id="y")
    z = nf.weighted_sum(x, nf.parameter(value=((0.8,),), id="w"), id="sum")
    cost = nf.squared_error(z, y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), name="one", epochs=3)


def film(graph, *, moves=2, progress=lambda *_: None, **options):
    job = Job(graph, None, Options(**options), progress)
    return Film(job, moves=moves, most=10_000, each=moves + 1, what="film")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("graph", PLAYED.values(), ids=PLAYED)
def test_the_beats_are_counted_before_they_are_run(graph, level):
    for name, span in SPANS.items():
        reel = Reel(graph(), Options(level=level, **span))
        assert reel.total == sum(1 for _ in reel.beats()), name


def test_a_beat_tells_what_the_step_did():
    reel = Reel(one_neuron(), Options())
    beats = {beat.nodes[0]: beat for beat in reel.beats()}
    total = beats["sum"]
    assert total.phase == "forward"
    assert {str(wire): value.item() for wire, value in total.inputs.items()} == {
        "x.value -> sum.a": 1.5,
        "w.value -> sum.weights": 0.8,
    }
    assert total.values["sum.z"].item() == pytest.approx(1.2)
    assert total.formula == "z = 0.8·1.5 = 1.2"
    assert total.where == "epoch 0 · sample 0 of 1 · forward · sum"
    last = beats["w.update"]
    assert last.updated
    assert last.phase == "update"
    assert last.sentence.startswith("w moved by 0.21")
    assert last.values["w.value"].item() == pytest.approx(0.8 - 0.1 * (4.5 * 0.8 - 1.5))


def test_nothing_to_show_is_said():
    for options, words in (
        ({"begin": "1", "until": "1"}, "ends where it begins"),
        ({"shown": (0, 0), "begin": "0"}, "said twice"),
    ):
        with pytest.raises(ExportError, match=words):
            Reel(one_neuron(), Options(**options))
    with pytest.raises(ExportError, match="no node that can run"):
        Reel(nf.Graph(), Options())


# --- pictures ------------------------------------------------------------------------------------


def test_a_picture_is_the_drawing_of_the_canvas():
    made = film(one_neuron(), size=(1600, 1200))
    *_, last = made.frames()
    run = nf.Run(one_neuron())
    run.train(updates=1)
    drawn = svg(scene(run.plan.graph, values=run.values), DARK)
    width = int(drawn.split('width="')[1].split('"')[0])
    whole = Image.open(io.BytesIO(rendered(drawn, 1600 / width))).convert("RGB")
    top = (1200 - BAND - whole.height) // 2
    assert top >= 0
    seen = last.image.crop((0, top, 1600, top + whole.height))
    off = np.abs(np.asarray(seen, int) - np.asarray(whole.crop((0, 0, *seen.size)), int)).max(2)
    # Only the lit node and its values differ, and edges by a fraction of a pixel.
    assert (off > 40).mean() < 0.03
    assert (off > 0).any()


def test_what_the_pass_has_not_evaluated_yet_is_grey(monkeypatch):
    graph = nf.sample("xor").add("seen", "panel").connect("hidden.z", "seen.value")
    told, show = [], Stage.show
    monkeypatch.setattr(
        Stage, "show", lambda self, *what: (told.append(what[2]), show(self, *what))[1]
    )
    made = film(graph, moves=0, begin="0:1", samples=2, size=(640, 400))
    run = made.reel.run
    passes, grey = 0, 0
    for _ in made.frames():
        position, old = run.position, told[-1]
        if position.place == 0:  # the last one of a pass: all is of it
            passes += 1
            assert not old
            continue
        known = {key for key, age in ages(run).items() if age != AHEAD}
        views = {"seen"} if "hidden" in known else set()
        assert old == {key for key in known if key != "seen"} | views, position
        grey += len(old)
    assert passes == 2
    assert grey > 100
    drawn = scene(nf.unfold(graph), values=run.values).nodes["output.delta"]
    assert f'fill="{DARK.text}">{drawn.foot}<' in "".join(node(drawn, DARK))
    assert f'fill="{DARK.faint}">{drawn.foot}<' in "".join(node(drawn, DARK, old=True))


def test_values_run_along_the_wires_and_then_stand_at_the_ports():
    made = film(one_neuron(), size=(1600, 1200), until="0:0:sum")
    frames = list(made.frames())
    assert [round(f.seconds, 3) for f in frames[-3:]] == [0.1, 0.1, 0.3]
    first, second, rest = (np.asarray(frame.image, int) for frame in frames[-3:])
    band = 1200 - BAND
    for a, b in ((first, second), (second, rest)):
        assert (a[:band] != b[:band]).any()
        assert (a[band:] == b[band:]).all()
    assert sum(frame.seconds for frame in frames) == pytest.approx(made.reel.total / 2)


def test_the_line_in_the_band_is_as_long_as_the_film_was():
    made = film(one_neuron(), moves=0)
    total = made.reel.total
    for done, frame in enumerate(made.frames(), 1):
        line = np.asarray(frame.image)[600 - 122 + 1]
        rest = (line == ImageColor.getrgb(DARK.border)).all(axis=1).sum()
        assert rest == pytest.approx(960 * (1 - done / total), abs=1)


def test_a_phase_has_its_colour():
    made = film(one_neuron(), moves=0)
    for beat, frame in zip(Reel(one_neuron(), Options()).beats(), made.frames(), strict=True):
        colour = {"forward": DARK.selected, "backward": DARK.backward, "update": DARK.feedback}
        assert frame.image.getpixel((0, 600 - 121)) == ImageColor.getrgb(colour[beat.phase])


def test_a_closed_group_is_lit_for_its_nodes():
    graph = nf.unfold(one_neuron())
    group = {"g": {"title": "forward", "nodes": ["sum", "w"], "closed": True}}
    graph = nf.Graph(**{**{f: getattr(graph, f) for f in graph.__dataclass_fields__},
                        "groups": group})  # fmt: skip
    made = film(graph, moves=0)
    assert sum(1 for _ in made.frames()) == made.reel.total


@given(st.lists(st.tuples(st.integers(0, 1800), st.integers(0, 1000)), min_size=1, max_size=8))
def test_the_camera_shows_what_it_follows_and_no_more_than_there_is(corners):
    camera = Camera((2000, 1200), (600, 400))
    for left, top in corners:
        camera.follow((left, top, left + 180, top + 100))
        for share in (0, 0.5, 1):
            seen = camera.at(share)
            assert 0 <= seen[0] <= 1400
            assert 0 <= seen[1] <= 800
        assert seen[0] <= left
        assert seen[1] <= top
        assert seen[2] >= left + 180
        assert seen[3] >= top + 100


def test_a_small_canvas_stands_in_the_middle():
    camera = Camera((200, 100), (600, 400))
    camera.follow((0, 0, 20, 20))
    assert camera.at(1) == (-200, -150, 400, 250)


def test_a_film_has_a_sensible_size():
    with pytest.raises(ExportError, match="320 to 3840 pixels wide, not 100"):
        film(one_neuron(), size=(100, 600))


# --- GIF -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [2, 7, 30])
def test_a_gif_has_the_pictures_and_the_time_that_are_told(speed, tmp_path):
    facts = export(one_neuron(), tmp_path / "x.gif", speed=speed).facts
    with Image.open(tmp_path / "x.gif") as image:
        assert image.size == (960, 600)
        assert image.info["loop"] == 0
        assert image.n_frames == facts["frames"] >= facts["steps"]
        times = []
        for index in range(image.n_frames):
            image.seek(index)
            times.append(image.info["duration"])
    assert min(times) >= 20
    assert sum(times) / 1000 == pytest.approx(facts["steps"] / speed, abs=0.011)
    assert facts["steps"] == Reel(one_neuron(), Options()).total


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_gif_shows_the_pictures_of_the_film(theme, tmp_path):
    export(one_neuron(), tmp_path / "x.gif", theme=theme, samples=1)
    frames = iter(film(one_neuron(), theme=theme, samples=1).frames())
    with Image.open(tmp_path / "x.gif") as image:
        for index in range(image.n_frames):
            image.seek(index)
            seen = np.asarray(image.convert("RGB"), int)
            # Pictures that look the same are one, so the next that is close is the one.
            close = (np.abs(seen - np.asarray(f.image, int)) for f in frames)
            assert any(
                off.mean() < 1 and np.percentile(off, 99.9) <= 30 for off in islice(close, 3)
            )


def test_the_colours_of_a_theme_are_exact():
    for theme in (DARK, LIGHT):
        flat = shared_palette(theme).getpalette()
        colours = set(zip(*[iter(flat)] * 3, strict=True))
        for colour in (theme.canvas, theme.body, theme.text, theme.faint, theme.backward,
                       *theme.families.values()):  # fmt: skip
            assert ImageColor.getrgb(colour) in colours


@given(st.lists(st.floats(0, 2), max_size=60), st.sampled_from([0.01, 0.04]))
def test_rounded_times_add_up(seconds, tick):
    clock = Clock(tick)
    ticks = [clock.ticks(s) for s in seconds]
    assert sum(ticks) == clock.told == round(sum(seconds) / tick)
    assert all(t >= 0 for t in ticks)


def test_a_film_that_is_too_long_says_what_to_choose(tmp_path):
    graph = PLAYED["one sample at a time"]()
    options = {"shown": (0, 9), "samples": None}
    reel = Reel(graph, Options(**options))
    per_sample = reel.total // 40
    with pytest.raises(ExportError) as caught:
        export(graph, tmp_path / "x.gif", **options)
    words = str(caught.value)
    assert f"10 epochs are {reel.total:,} steps" in words
    assert f"with {3 * reel.total:,} pictures, and 1,500 are possible" in words
    assert f"{reel.total / 2 / 60:.0f} minutes" in words
    assert f"choose --samples {500 // per_sample}, --level phase or .mp4" in words
    assert not list(tmp_path.iterdir())
    assert 3 * Reel(graph, Options(samples=500 // per_sample)).total <= 1500
    assert 3 * Reel(graph, Options(samples=500 // per_sample + 1)).total > 1500


def test_the_values_of_the_pictures_are_those_of_the_run():
    made = film(one_neuron(), moves=0, shown=(0, 1))
    assert len(list(made.frames())) == made.reel.total
    run = nf.Run(one_neuron())
    run.train(2)
    for address in ("w.value", "sum.z", "w.gradient.gradient"):
        assert made._values[address] == run[address]


# --- video ---------------------------------------------------------------------------------------


def test_a_video_has_the_pictures_and_the_time_that_are_told(tmp_path):
    path = tmp_path / "x.mp4"
    facts = export(one_neuron(), path, size=(401, 301), speed=4).facts
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == facts["frames"]
    assert seconds == pytest.approx(facts["seconds"], abs=0.01)
    assert facts["seconds"] == pytest.approx(facts["steps"] / 4, abs=0.05)
    pictures = imageio_ffmpeg.read_frames(str(path))
    meta = next(pictures)
    assert meta["size"] == (400, 300)
    first = Image.frombytes("RGB", (400, 300), next(pictures))
    pictures.close()
    # Video has fewer colours than pixels: the canvas is near to its own.
    assert np.abs(np.subtract(first.getpixel((2, 2)), ImageColor.getrgb(DARK.canvas))).max() < 8


def test_a_missing_ffmpeg_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ExportError, match=r'pip install "nodeflow\[video\]"'):
        export(one_neuron(), tmp_path / "x.mp4")


def test_a_film_of_epochs_tells_their_cost_and_accuracy_and_what_the_weights_did():
    """Beside a run that is trained: the numbers of its history, the change of its weights."""
    from networks import net

    graph = net("iris", (4, 3, 3), rate=0.3, test=0.3, epochs=4)
    beats = list(Reel(graph, Options(level="epoch", shown=(0, 3))).beats())
    run = nf.Run(graph)
    assert len(beats) == 4
    for number, beat in enumerate(beats, 1):
        before = np.concatenate([value.ravel() for value in run.weights.values()])
        line = run.train(1)[-1]
        after = np.concatenate([value.ravel() for value in run.weights.values()])
        assert dict(beat.epoch) == line
        assert beat.where == f"epoch {number} of 4"
        moved = float(re.search(r"moved by (\d\S*);", beat.sentence)[1])
        assert moved == pytest.approx(np.linalg.norm(after - before), rel=1e-3)
        assert set(beat.nodes) == {"theta1", "theta2", "b1", "b2"}
        assert (beat.values["theta1.value"] == run.weights["theta1.value"]).all()


def test_a_film_of_epochs_draws_the_curve_of_those_so_far():
    """The canvas is the graph as it was made; the curves reach as far as the film has come."""
    from networks import net

    graph = net("iris", (4, 3, 3), rate=0.3, epochs=6)
    made = film(graph, level="epoch", shown=(0, 5))
    assert made.reel.graph.nodes.keys() == graph.nodes.keys()
    seen = list(made.frames())
    colour = np.array(ImageColor.getrgb(DARK.positive))
    reach = []
    for frame in seen[1:]:
        band = np.asarray(frame.image)[40 - HEIGHT :, 560:]  # below the names
        reach.append(int(np.flatnonzero((band == colour).all(axis=2).any(axis=0)).max()))
    assert reach[-1] > reach[0] + 100
    # Their names stand side by side from the first epoch on, where both lines are a point.
    names = np.asarray(seen[0].image)[-HEIGHT:, 560:]
    cost, accuracy = (
        np.flatnonzero((names == ImageColor.getrgb(each)).all(axis=2).any(axis=0))
        for each in (DARK.forward, DARK.positive)
    )
    assert len(cost)
    assert len(accuracy)
    assert cost.max() < accuracy.min()
