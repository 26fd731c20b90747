"""Slow motion as one page: the graph, the recorded steps and a player, with no network.

The steps are those of `nodeflow play`. They lie in the page in chunks, each a compressed JSON text
that is opened when it is needed, so that a page with many steps opens at once. Of a beat as long as
an update or an epoch the first pass is recorded, which is where a beat arrives, and of the last one
the last pass too; what lies between is trained at full speed.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.phases import PHASES
from nodeflow.derive.tidy import tidy, under
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import LEVELS, Moment, Schedule
from nodeflow.engine.step import Step
from nodeflow.errors import ExportError
from nodeflow.explain import account, remark
from nodeflow.graph import Graph, Wire
from nodeflow.playback.beats import beats
from nodeflow.playback.moments import described, end_of_training, go_before
from nodeflow.playback.player import Player
from nodeflow.routing import longest_run, path
from nodeflow.scene import NodeView, PortView, Scene, scene
from nodeflow.theme import DARK, LIGHT, Theme
from nodeflow.wires import WireView

LARGEST = 50_000_000
"""Characters that a page may have."""
ROOM = 400_000_000
"""Memory that the values behind a page may take, in bytes: a browser has to hold them as well."""
STEPS, PLENTY = 40_000, 8_000_000
"""How much is recorded by default: whole epochs up to this many steps, or this many characters."""
THEMES = ("auto", "dark", "light")
_CHUNK = 400_000
"""Characters of a chunk before it is compressed; it ends with a pass."""
_COLOURS = (
    "canvas", "grid", "body", "border", "text", "faint", "forward", "backward", "feedback",
    "selected", "problem", "positive", "negative",
)  # fmt: skip

Progress = Callable[[int, int], None]
"""Called with the steps recorded and about how many there are to record."""


def require_known(level: str, theme: str) -> None:
    """Refuse a level or a theme that a page has not."""
    for what, given, known in (("level", level, LEVELS), ("theme", theme, THEMES)):
        if given not in known:
            raise ExportError(f"there is no {what} '{given}'; choose one of {', '.join(known)}")


def page(
    graph: Graph,
    *,
    begin: str | None = None,
    until: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    level: str = "step",
    theme: str = "auto",
    progress: Progress | None = None,
) -> str:
    """Return a page that plays a graph, as HTML.

    `begin` and `until` are moments as `nodeflow play` takes them; `epochs` and `samples` count
    from `begin`. Without an end, whole epochs of about `STEPS` steps are recorded, or as many
    passes as `PLENTY` has room for. `level` is how far one beat goes when the page opens. Every
    step is recorded, but of an update or an epoch, where that is the level, the first pass only.
    The theme "auto" is the reader's own.

    Raises `ExportError` for a page that would be larger than `LARGEST`, and what a run raises.
    """
    require_known(level, theme)
    run = Run(graph, room=ROOM)
    if not run.order:
        raise ExportError("there is nothing to play: the graph has no node that can be evaluated")
    if begin is not None:
        go_before(run, Moment.read(begin))
    player, schedule = Player(run), run.schedule
    open_ended = until is None and epochs is None and samples is None
    end = _enough(player, level) if open_ended else _end(player, until, epochs, samples)
    if end <= player.number:
        raise ExportError(f"there is nothing to play: '{until}' is not after the first step")
    spans = list(_recorded(schedule, level, player.number, end))
    recording = _record(player, spans, PLENTY if open_ended else None, progress or _quiet)
    shown = drawn_whole(graph, run)
    index = {
        "name": graph.name or "nodeflow",
        "about": graph.about,
        "level": level,
        "epochs": graph.training.epochs,
        "levels": LEVELS,
        "whole": schedule.begins("epoch", run.position),
        "perEpoch": schedule.updates_per_epoch,
        "sparse": sum(stop - start for start, stop in spans) < end - spans[0][0],
        "phases": PHASES,
        "order": run.order,
        "lasting": [key for key in run.order if run.reader.stands(key)],
        **picture(shown, scene(shown)),
        "steps": recording.steps,
        "spans": recording.spans,
        "costs": recording.costs,
        "means": recording.means,
        "chunks": recording.firsts,
    }
    blobs: dict[str, bytes | str] = {"index": as_json(index).encode(), **recording.blobs}
    return filled(graph, theme, RECORDED, blobs)


def _quiet(_done: int, _total: int) -> None:
    pass


def _end(player: Player, until: str | None, epochs: int | None, samples: int | None) -> int:
    """Return the moment at which recording ends: the first of those that were asked for."""
    schedule, ends = player.schedule, []
    if until is not None:
        ends.append(schedule.number(schedule.find(Moment.read(until))))
    elif epochs is not None:
        ends.append(_after_epochs(player, epochs))
    if samples is not None:
        ends.append(schedule.after_passes(player.number, samples))
    return min(ends)


def _enough(player: Player, level: str) -> int:
    """Return the end of the training, or of the epochs that make about `STEPS` steps."""
    schedule = player.schedule
    an_epoch = list(_recorded(schedule, level, 0, schedule.steps_per_epoch))
    epochs = max(1, round(STEPS / sum(stop - start for start, stop in an_epoch)))
    end = schedule.number(end_of_training(player.run))
    return min(end, _after_epochs(player, epochs))


def _after_epochs(player: Player, epochs: int) -> int:
    return player.schedule.number(player.schedule.start_of_epoch(player.run.epoch + epochs))


def _recorded(schedule: Schedule, level: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what is recorded: from a moment to another."""
    if level not in ("update", "epoch"):
        yield begin, end
        return
    start = begin
    while start < end:
        beat = min(schedule.after(level, start), end)
        stop = min(schedule.after_passes(start, 1), beat)
        yield start, stop
        if stop < beat == end:
            yield schedule.phase_spans(end)[0].begin, end
        start = beat


# --- what happens -------------------------------------------------------------------------------


@dataclass(eq=False)
class _Recording:
    """The steps so far. `spans` are the first steps of phases, `costs` those that found a cost.

    `means` are the costs of whole epochs, where not all of their steps are recorded.
    """

    values: dict[str, NDArray[Any]]
    steps: int = 0
    spans: list[tuple[int, int, int, int, str]] = field(default_factory=list)
    costs: list[tuple[int, float]] = field(default_factory=list)
    means: list[tuple[int, float]] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    blobs: dict[str, str] = field(default_factory=dict)
    """Compressed: that takes most of the time of a recording, and is done once."""
    size: int = 0
    _before: str = ""
    _lines: list[str] = field(default_factory=list)
    _length: int = 0

    def add(self, place: int, step: Step, words: str) -> None:
        """Add a step of the node at `place` in the order; only values that changed are kept."""
        if not self._lines:
            self.firsts.append(self.steps)
            self._before = as_json(self.values)
        changed = {}
        for port, value in step.outputs.items():
            address = f"{step.node}.{port}"
            if not _same(self.values.get(address), value):
                self.values[address] = changed[port] = value
        line = as_json([place, changed, step.formula, words])
        self._lines.append(line)
        self._length += len(line)
        self.steps += 1

    @property
    def full(self) -> bool:
        """Whether the chunk should end with this pass."""
        return self._length > _CHUNK

    def leap(self, values: dict[str, NDArray[Any]]) -> None:
        """Go on from other values, behind steps that are not recorded."""
        self.close()
        self.values = values

    def close(self) -> None:
        """Compress the chunk that was begun."""
        if self._lines:
            steps = ",\n".join(self._lines)
            blob = f'{{"before":{self._before},"steps":[\n{steps}]}}'.encode()
            text = packed(blob)
            self.blobs[f"chunk-{len(self.blobs)}"] = text
            self.size += len(text)
            self._lines, self._length = [], 0


def _record(
    player: Player, spans: Sequence[tuple[int, int]], enough: int | None, progress: Progress
) -> _Recording:
    """Record from moments to others; where `enough` characters are found, no more."""
    run = player.run
    recording = _Recording(dict(run.values))
    places = {key: place for place, key in enumerate(run.order)}
    cost = run.plan.unfolding.cost
    total = sum(stop - start for start, stop in spans)
    now: tuple[int, int, int] | None = None
    for step in _steps(player, spans, recording):
        before, now = now, (step.update, step.sample, PHASES.index(step.phase))
        if before != now:
            where = described(run, step).removesuffix(f" · {step.node}")
            recording.spans.append((recording.steps, *now, where))
        for port, value in step.outputs.items():
            if f"{step.node}.{port}" == cost:
                recording.costs.append((recording.steps, float(np.mean(value))))
        recording.add(places[step.node], step, account(run, step) if remark(run, step) else "")
        if (run.update, run.sample) != now[:2]:
            progress(min(recording.steps, total), total)
            if recording.full:
                recording.close()
                if enough is None:
                    _check_size(recording.size, recording.steps / total)
                elif recording.size > enough:
                    break
    recording.close()
    _check_size(recording.size, 1.0)
    progress(total, total)
    return recording


def _steps(
    player: Player, spans: Sequence[tuple[int, int]], recording: _Recording
) -> Iterator[Step]:
    """Yield the steps to record; what lies between them is trained at full speed."""
    for start, stop in spans:
        if player.number < start:
            player.advance(start)
            recording.leap(dict(player.run.values))
            _add_mean(player, recording, recording.steps)
        for (step,) in beats(player, "step", stop):
            yield step
    if recording.means:
        _add_mean(player, recording, recording.steps - 1)


def _add_mean(player: Player, recording: _Recording, at: int) -> None:
    """Note the cost of the epoch that has just ended, if one has."""
    history = player.run.history
    if history and player.schedule.begins("epoch", player.number):
        mean = history[-1]["cost"]
        if mean is not None:
            recording.means.append((at, float(mean)))


def _check_size(size: int, part: float) -> None:
    """Raise `ExportError` if the page is too large, or will be by far when it is complete."""
    whole = size / min(part, 1.0)
    if size > LARGEST or (size > LARGEST / 20 and whole > 1.5 * LARGEST):
        raise ExportError(
            f"the page would be about {whole / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} MB is "
            "the most; record less of the run with --samples, --epochs or --until"
        )


def _same(old: NDArray[Any] | None, new: NDArray[Any]) -> bool:
    return old is not None and old.shape == new.shape and old.tobytes() == new.tobytes()


# --- how it is drawn ----------------------------------------------------------------------------


def drawn_whole(graph: Graph, run: Run) -> Graph:
    """Return the graph that is evaluated, every node in its place and every group open."""
    whole: Graph = run.plan.graph
    layout = {key: at for key, at in graph.layout.items() if key in whole.nodes}
    made = whole.nodes.keys() - graph.nodes.keys()
    opened = {
        key: {**group, "closed": False} if isinstance(group, Mapping) else group
        for key, group in graph.groups.items()
    }
    placed = replace(whole, layout=layout, groups=opened)
    if not layout:
        return tidy(placed)
    return replace(placed, layout={**layout, **under(placed, made)}) if made else placed


def picture(graph: Graph, drawn: Scene) -> dict[str, Any]:
    """Return how a graph is drawn, as plain data."""
    return {
        "bounds": drawn.bounds,
        "groups": [
            [group.title, group.x, group.y, group.width, group.height] for group in drawn.groups
        ],
        "nodes": {key: _node(graph, view) for key, view in drawn.nodes.items()},
        **_wires(drawn),
    }


def _node(graph: Graph, view: NodeView) -> dict[str, Any]:
    type_ = graph.nodes[view.key].known
    return {
        "x": view.x,
        "y": view.y,
        "width": view.width,
        "height": view.height,
        "title": view.title,
        "type": view.type,
        "family": view.family or "none",
        "foot": view.foot,
        **({"counts": True} if type_ is not None and type_.counts_hits else {}),
        "view": view.view,
        "formula": "" if type_ is None else type_.formula,
        "inputs": [_port(port) for port in view.inputs],
        "outputs": [_port(port) for port in view.outputs],
        "reads": [
            [
                wire.entry,
                wire.start,
                graph.feeds_back(wire),
            ]
            for wire in graph.into(view.key)
        ],
    }


def _port(port: PortView) -> list[Any]:
    return [port.address, port.label, port.x, port.y, port.side, port.wired, port.optional]


def _wires(drawn: Scene) -> dict[str, Any]:
    """Return the wires, and the strokes that bundles of them have in common."""
    strokes = [stroke for stroke in drawn.strokes if stroke.part != "wire"]
    of: dict[Wire, list[int]] = {}
    for part in ("start", "trunk", "end"):  # from one end to the other
        for number, stroke in enumerate(strokes):
            if stroke.part == part:
                for view in stroke.wires:
                    of.setdefault(view.wire, []).append(number)
    alone = {stroke.weighing.wire for stroke in strokes if stroke.weighing is not None}
    return {
        "wires": [_wire(view, of.get(view.wire, ()), alone) for view in drawn.wires],
        "strokes": [
            {
                "path": path(stroke.curve),
                "part": stroke.part,
                "text": stroke.text,
                "width": stroke.thickness,
            }
            for stroke in strokes
        ],
    }


def _wire(view: WireView, strokes: Sequence[int], alone: Collection[Wire]) -> dict[str, Any]:
    way = (
        {"strokes": strokes, "middle": view.mark}
        if strokes
        else {"path": path(view.curve), "middle": longest_run(view.curve)[0]}
    )
    return {
        "from": view.wire.start,
        "to": view.wire.end,
        **way,
        "kind": view.kind,
        "across": view.across,
        "weighs": view.weighs if not strokes or view.wire in alone else None,
    }


# --- the text -----------------------------------------------------------------------------------


def as_json(value: Any) -> str:
    """Return JSON; NaN and Infinity, which it cannot hold, as texts."""
    try:
        return _dumped(value)
    except ValueError:
        return _dumped(_spelled(value))


def _dumped(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=np.ndarray.tolist
    )


def _spelled(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not np.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _spelled(part) for key, part in value.items()}
    return [_spelled(part) for part in value] if isinstance(value, list | tuple) else value


def packed(data: bytes) -> str:
    """Return bytes compressed, as text."""
    return b64encode(zlib.compress(data, 9)).decode("ascii")


def _text_of(blob: bytes | str) -> str:
    return blob if isinstance(blob, str) else packed(blob)


DRAWN = (
    "elements.js", "picture.js", "camera.js", "tokens.js", "tip.js", "panel.js", "callout.js",
    "caption.js", "playing.js", "controls.js", "player.js",
)  # fmt: skip
"""The scripts that play a run on the drawing of a graph."""

RECORDED = ("packed.js", "common.js", "numbers.js", *DRAWN, "recorded.js", "page-recorded.js")
"""The scripts of a page that plays a recording, in their order."""
_OPENING = ("packed.js", "opening.js")
"""What a page begins with; the other scripts lie packed in it, a third as large."""


def filled(
    graph: Graph,
    theme: str,
    scripts: Sequence[str],
    blobs: Mapping[str, bytes | str],
    policy: str = "",
) -> str:
    """Return a page. What a person named is in it escaped, or packed.

    `policy` is what its scripts may do besides being the ones that are in it. A blob that is a text
    is `packed` already.
    """
    opening, program, style = script_of(_OPENING), script_of(scripts), style_of()
    blobs = {"program": program.encode(), **blobs}
    parts = {
        "title": escape(graph.name or "nodeflow"),
        "about": escape(graph.about),
        "theme": "" if theme == "auto" else f' data-theme="{theme}"',
        "opening": opening,
        "script_policy": " ".join(filter(None, (_hash(opening), _hash(program), policy))),
        "style": style,
        "style_hash": _hash(style),
        "blobs": "\n".join(
            f'<script type="text/plain" id="{escape(key)}">{_text_of(blob)}</script>'
            for key, blob in blobs.items()
        ),
    }
    template = (_FOLDER / "template.html").read_text("utf-8")
    # In one pass: a name may look like a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


_FOLDER = files("nodeflow.export") / "player"


def script_of(scripts: Sequence[str]) -> str:
    """Return the scripts of a page as one, without remarks, indents and most spaces."""
    whole = "\n".join((_FOLDER / name).read_text("utf-8") for name in scripts)
    for part in _REMARKS:
        whole = part.sub("", whole)
    lines = whole.split("\n")
    return "\n".join(line if _LITERAL.search(line) else _SPACES.sub(r"\1", line) for line in lines)


_LITERAL = re.compile("[\"'`/]")
"""Where a line may have a text or a pattern, in which spaces count; a division is taken for one."""
_SPACES = re.compile(r" ?(=>|!==?|[=,{};:?&|]+) ?")


_REMARKS = (
    re.compile(r"^[ ]*/\*\*.*?\*/\s*?\n", re.MULTILINE | re.DOTALL),
    re.compile(r"^[ ]*//.*\n", re.MULTILINE),
    re.compile(r"(?<=[;,{}()\]]) // [^\"'`\n]*$", re.MULTILINE),
    re.compile(r"^[ ]+", re.MULTILINE),
    re.compile(r"^\n", re.MULTILINE),
)
"""What the scripts are read without: no text in them goes over a line."""


def style_of() -> str:
    """Return the style of a player, with the colours of all themes, without remarks and indents."""
    style = re.sub(r"/\*.*?\*/|^\s+", "", (_FOLDER / "style.css").read_text("utf-8"), flags=_LINES)
    return "\n".join([*_palettes(), style])


_LINES = re.MULTILINE | re.DOTALL


def markup() -> str:
    """Return the markup that a player works on, for an element of any page."""
    template = (_FOLDER / "template.html").read_text("utf-8")
    body = template[template.index("<header>") : template.index("{{blobs}}")]
    return re.sub(r"\{\{(\w+)\}\}", "", body)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _palettes() -> Iterator[str]:
    """Yield the colours: light, dark where the reader's system is, and either by choice."""
    light, dark = _palette(LIGHT), _palette(DARK)
    yield f".nodeflow {{ color-scheme: light; {light} }}"
    yield "@media (prefers-color-scheme: dark) {"
    yield f".nodeflow:not([data-theme]) {{ color-scheme: dark; {dark} }} }}"
    yield f".nodeflow[data-theme=dark] {{ color-scheme: dark; {dark} }}"
    yield f"@media print {{ .nodeflow.nodeflow.nodeflow {{ color-scheme: light; {light} }} }}"


def _palette(theme: Theme) -> str:
    colours = {name: getattr(theme, name) for name in _COLOURS}
    colours |= {f"family-{name or 'none'}": colour for name, colour in theme.families.items()}
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
