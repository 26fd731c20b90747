"""Slow motion as pictures: tokens on the wires, the lit node, a caption; the camera follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from PIL import Image

from nodeflow.errors import ExportError
from nodeflow.export import caption
from nodeflow.export.frames import Beat, Reel
from nodeflow.export.stage import Box, Insides, Sprite, Stage
from nodeflow.export.svg import bounds
from nodeflow.export.values import plotted
from nodeflow.export.views import filled
from nodeflow.routing import Point, along
from nodeflow.scene import (
    Scene,
    closed_groups,
    outer,
    scene,
    shown,
    with_places,
    within,
)
from nodeflow.theme import THEMES, Theme
from nodeflow.views import Viewer, is_slow
from nodeflow.views.plot import Traces
from nodeflow.wires import WireView

if TYPE_CHECKING:
    from nodeflow.export import Job, Options

VIDEO_RATE, VIDEO_MOST = 25, 30_000
"""Pictures a second of a video, and in all: twenty minutes."""
_LEAST_ZOOM, _MOST_ZOOM = 9 / 11, 1.4
"""A text is 11 units high, and can be read from 9 pixels on."""
TRAVEL = 0.4
"""The share of a beat in which values run along the wires."""
_LARGEST = 60_000_000
_MOST_CHIPS = 8
_LEAST_SIZE, _MOST_SIZE = (320, 240), (3840, 2160)
_EDGE = 0.16
"""The camera keeps what it follows so far from the edge, as a share of what it sees."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and how long it is seen, in seconds."""

    image: Image.Image
    seconds: float


def phase_colours(theme: Theme) -> dict[str, str]:
    """Return the colour of each phase."""
    return {"forward": theme.selected, "backward": theme.backward, "update": theme.feedback}


class Film:
    """The pictures of a job. `moves` are those in which values run, besides the one of rest.

    A film of more than `most` pictures, `each` a beat, is refused as too long for `what` it is.
    """

    def __init__(self, job: Job, *, moves: int, most: int, each: float, what: str) -> None:
        options = job.options
        self._job, self._moves = job, moves
        self.size = options.size
        for name, side, least, largest in zip(
            ("wide", "high"), self.size, _LEAST_SIZE, _MOST_SIZE, strict=True
        ):
            if not least <= side <= largest:
                raise ExportError(f"a film is {least} to {largest} pixels {name}, not {side}")
        self.reel = Reel(job.graph, options)
        _refuse_long(self.reel, options, most, each, what)
        self.theme = THEMES[options.theme or "dark"]
        self._colours = phase_colours(self.theme)
        self._scale = max(0.8, min(self.size[0] / 960, self.size[1] / 600))
        self._band = round(caption.HEIGHT * self._scale)
        self._graph = with_places(self.reel.graph)
        self._boxes = {
            key: group
            for group in closed_groups(self._graph)
            if outer(self._graph, group) is None
            for key in within(self._graph, group)
        }
        """The closed group that stands for a node."""
        self._values: dict[str, NDArray[Any]] = dict(self.reel.start())
        self._passing, self._evaluated = self.reel.passing(), self.reel.evaluated()
        self._viewer = Viewer(self._graph, self.reel.run.plan.inference.tables)
        self._traces, self._plots = Traces(), plotted(self._graph)
        self._views = [key for key in self._graph.of_family("view") if key not in self._boxes]
        self._epochs: list[Mapping[str, float | None]] = []

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures, and tell the job's progress."""
        drawn, inside, old = self._drawn()
        stage = Stage(drawn, inside, self.theme, self._zoom(drawn), old)
        camera = Camera(stage.size, (self.size[0], self.size[1] - self._band))
        total = self.reel.total
        self._job.progress(0, total)
        for done, beat in enumerate(self.reel.beats(), 1):
            yield from self._beat(stage, camera, beat, done / total)
            self._job.progress(done, total)

    def _drawn(self) -> tuple[Scene, Insides, frozenset[str]]:
        """Return the canvas with the values that are known, and which nodes have old ones."""
        values, run = self._values, self.reel.run
        self._traces.collect(self._plots, run.update, values)
        past = {
            key: found
            for key, starts in self._plots.items()
            if (found := self._traces.of(key, starts))
        }
        drawn = scene(self._graph, values=values)
        whole, inside = filled(drawn, self._viewer, values, run.weights, self.theme, past)
        return whole, inside, self._old(drawn)

    def _old(self, drawn: Scene) -> frozenset[str]:
        """Return the nodes that show something of an earlier pass than the present one."""
        old = self._passing - self._evaluated
        views = {key: view for key, view in drawn.nodes.items() if view.view is not None}
        late = frozenset(
            key
            for key, view in views.items()
            # What is drawn over time, or found with the weights of now, is of no pass.
            if not (view.over_time or is_slow(view.type))
            and any(wire.source in old for wire in self._graph.into(key))
        )
        return (old - views.keys()) | late

    def _zoom(self, drawn: Scene) -> float:
        left, top, right, bottom = bounds(drawn)
        width, height = right - left, bottom - top
        fitting = min(self.size[0] / width, (self.size[1] - self._band) / height)
        least = _LEAST_ZOOM if self._job.options.level != "epoch" else _LEAST_ZOOM / 1.6
        zoom = max(least, min(fitting, _MOST_ZOOM * self._scale))
        if width * height * zoom**2 > _LARGEST:
            raise ExportError(
                f"the canvas is {width:,.0f} × {height:,.0f} units large, and a film shows "
                f"{_LARGEST / 1e6:.0f} million; fold the backward pass, collapse neurons, "
                "or close groups"
            )
        return zoom

    def _beat(self, stage: Stage, camera: Camera, beat: Beat, done: float) -> Iterator[Frame]:
        if beat.begins:
            self._evaluated.clear()
            stage.show(*self._drawn())
        self._evaluated.update(beat.nodes)
        colour = self._colours[beat.phase]
        seconds = 1 / self._job.options.speed
        wires = {
            view: beat.inputs[view.wire] for view in stage.scene.wires if view.wire in beat.inputs
        }
        light = stage.light(wires, colour)
        if beat.epoch is not None:
            self._epochs.append(beat.epoch)
        band = caption.drawn(
            beat, self.size[0], self._scale, self.theme, colour, done, self._epochs
        )
        seen = list(dict.fromkeys(self._boxes.get(key, key) for key in beat.nodes))
        lit = [stage.frame(stage.scene.nodes[key], colour) for key in seen]
        if beat.epoch is None:
            camera.follow(*(sprite.box for sprite in (lit[-1], light) if sprite is not None))
        else:  # what shows something, then what is learnt
            shown_first = [*self._views, *seen]
            camera.follow(*(stage.frame(stage.scene.nodes[key], colour).box for key in shown_first
                            if key in stage.scene.nodes))  # fmt: skip
        moves = self._moves if wires else 0
        for move in range(1, moves + 1):
            box = camera.at(move / moves)
            running = _running(stage, wires, colour, move / (moves + 1))
            image = self._composed(stage.view(box, light), box, [*lit, *running], band)
            yield Frame(image, seconds * TRAVEL / moves)
        self._values |= beat.values
        stage.show(*self._drawn())
        resting = _arrived(stage, wires, beat, colour)
        box = camera.at(1)
        image = self._composed(stage.view(box, light), box, [*lit, *resting], band)
        yield Frame(image, seconds * (1 - TRAVEL if moves else 1))

    def _composed(
        self, image: Image.Image, box: Box, sprites: list[Sprite], band: Image.Image
    ) -> Image.Image:
        for sprite in sprites:
            sprite.onto(image, *box[:2])
        whole = Image.new("RGB", self.size)
        whole.paste(image, (0, 0))
        whole.paste(band, (0, self.size[1] - self._band))
        return whole


def _running(
    stage: Stage, wires: Mapping[WireView, NDArray[Any]], colour: str, share: float
) -> list[Sprite]:
    """Return what runs along the wires, at a share of their length."""
    found = []
    for wire, value in wires.items():
        x, y = along(wire.curve, share)
        found.append(stage.token(colour, x, y))
        if len(wires) <= _MOST_CHIPS:
            found.append(stage.chip(shown(value), colour, x, y - 16))
    return found


def _arrived(
    stage: Stage, wires: Mapping[WireView, NDArray[Any]], beat: Beat, colour: str
) -> list[Sprite]:
    """Return the values at the ports of a node that was evaluated."""
    taken: dict[Point, int] = {}
    for wire in wires:
        taken[wire.end] = taken.get(wire.end, 0) + 1
    found = [
        stage.chip(shown(value), colour, *wire.end, wire.enters)
        for wire, value in wires.items()
        if taken[wire.end] == 1
    ]
    if len(beat.nodes) == 1:
        view = stage.scene.nodes.get(beat.nodes[0])
        for port in view.outputs if view else ():
            if port.address in beat.values:
                value = shown(beat.values[port.address])
                found.append(stage.chip(value, colour, port.x, port.y, port.side))
    return found


class Camera:
    """Which part of the canvas is seen: it moves only as far as it must, and smoothly."""

    def __init__(self, canvas: tuple[int, int], view: tuple[int, int]) -> None:
        self._canvas, self._view = canvas, view
        self._from: list[float] = []
        self._to: list[float] = []

    def follow(self, *boxes: Box) -> None:
        """Go to where the boxes are seen; what does not fit beside the earlier ones is left out."""
        self._from = self._to
        self._to = [self._along(axis, boxes) for axis in (0, 1)]
        self._from = self._from or self._to

    def _along(self, axis: int, boxes: tuple[Box, ...]) -> float:
        room, length = self._view[axis], self._canvas[axis]
        if length <= room:
            return (length - room) / 2
        edge = _EDGE * room
        low, high = float("inf"), float("-inf")
        for box in boxes:
            first, last = min(low, box[axis] - edge), max(high, box[axis + 2] + edge)
            if last - first <= room or low > high:
                low, high = first, last
        at = self._from[axis] if self._from else low - (room - (high - low)) / 2
        at = min(max(at, high - room), low) if high > low else at
        return min(max(at, 0), length - room)

    def at(self, share: float) -> Box:
        """Return what is seen on the way, at a share of it."""
        eased = share * share * (3 - 2 * share)
        left, top = (round(a + (b - a) * eased) for a, b in zip(self._from, self._to, strict=True))
        return left, top, left + self._view[0], top + self._view[1]


# --- a film that would be too long ---------------------------------------------------------------


def _refuse_long(reel: Reel, options: Options, most: int, each: float, what: str) -> None:
    """Raise `ExportError` for more than so many pictures, with what would be few enough."""
    if reel.total * each <= most:
        return
    enough = int(most / each)
    levels = ("phase", "sample", "update", "epoch")
    fits = [level for level in levels if reel.count(level) <= enough]
    passes = reel.passes(enough)
    advice = [f"--samples {passes}"] if passes else []
    advice += [f"--level {fits[0]}"] if fits else []
    longer = VIDEO_RATE / options.speed * reel.total
    advice += [".mp4"] if what == "GIF" and longer <= VIDEO_MOST else []
    beats = "steps" if options.level == "step" else f"beats of a {options.level} each"
    raise ExportError(
        f"{_epochs(reel)} {reel.total:,} {beats}, a {what} of {_lasting(reel, options)} with "
        f"{reel.total * each:,.0f} pictures, and {most:,} are possible; "
        f"choose {_either(advice or ['an earlier --until'])}"
    )


def _either(parts: list[str]) -> str:
    return " or ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _epochs(reel: Reel) -> str:
    per_epoch = reel.run.schedule.steps_per_epoch
    if reel.begin % per_epoch == reel.end % per_epoch == 0:
        epochs = (reel.end - reel.begin) // per_epoch
        return "1 epoch is" if epochs == 1 else f"{epochs:,} epochs are"
    return "this is"


def _lasting(reel: Reel, options: Options) -> str:
    seconds = reel.total / options.speed
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:,.0f} hours"
