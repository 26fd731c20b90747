"""Every text about values that editor, slow motion and terminal show, and what is true of it.

`told` lists the texts with the address whose value each writes; `Truth` steps a run of its own and
remembers what each step gave, and in which sample. What is done with these texts afterwards (they
are cut, placed and coloured) adds no number.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console

import nodeflow as nf
from nodeflow.editor.canvas.faces import Faces, foot, parted, summary
from nodeflow.editor.canvas.labels import carried, weighing
from nodeflow.editor.canvas.neurons import Known, neuron_map
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.panels.ports import port_text, ports_of
from nodeflow.editor.panels.reports import account, reported
from nodeflow.editor.panels.training import cost_now
from nodeflow.editor.panels.working import working
from nodeflow.editor.playing.motion import motion
from nodeflow.editor.playing.slowmotion import log_rows, watch_rows
from nodeflow.engine.snapshot import AHEAD
from nodeflow.terminal.live import Live as Terminal
from nodeflow.terminal.steps import StepPrinter
from nodeflow.theme import THEMES
from nodeflow.views.marks import Words
from nodeflow.wires import weight_of
from nodeflow.workings.lines import numbered

NUMBER = re.compile(r"[-−]?(?:\d+\.?\d*(?:e[-+−]?\d+)?|Infinity|NaN)")
AGE = re.compile(
    r"(?:partly )?(?:from )?"
    r"(?:epoch \d+, samples? \d+(?: to \d+)?|epoch \d+|samples? \d+(?: to \d+)?)"
)
SHAPE = re.compile(r"\d+(?:×\d+)+|\d+ numbers?")


@dataclass(frozen=True)
class Told:
    """A text, where it stands, and what it is about."""

    where: str
    text: str
    address: str = ""
    """The value that it writes; "" for formulas and sentences about several."""
    age: str = ""
    """Of when it is meant to be."""
    old: bool = False
    """Whether it is grey."""
    digits: float = 5e-4
    """How far off a number may be, relative to itself or to 0.1."""
    gradient: bool = False
    """Whether it writes the gradient of the value, not the value."""
    place: int | None = None
    """Which number of the value it writes, if not all."""
    numbers: tuple[float, ...] | None = None
    """What its numbers are, where that is no value at an address."""


def read(text: str) -> list[float]:
    """Return the numbers of a text, without shapes and without what says of when it is."""
    bare = SHAPE.sub("", AGE.sub("", text))
    found = [part.replace("−", "-").replace("Infinity", "inf") for part in NUMBER.findall(bare)]
    return [float(part) for part in found]


def told(editor, faces: Faces) -> Iterator[Told]:
    """Yield every text of the window about values."""
    yield from _on_nodes(editor, faces)
    yield from _on_wires(editor)
    yield from _at_the_pointer(editor)
    yield from _in_panels(editor)
    yield from _on_the_map(editor)
    yield from _of_motion(editor)


def _on_nodes(editor, faces) -> Iterator[Told]:
    faces.collect(editor)
    for view in editor.drawn.nodes.values():
        face = faces.of(view, editor)
        value, age = parted(face)
        ports = [port.address for port in view.outputs if port.address in editor.live.values]
        numbers = isinstance(value, np.ndarray) and view.family != "view"
        about = ports[0] if numbers and view.type != "accuracy" else ""
        for where, made in (("node", foot), ("node from afar", summary)):
            found = made(view, face)
            for text in (*found.choices, found.text):
                yield Told(where, text, about, age, found.faint)
        if view.family == "view" and not isinstance(value, np.ndarray | str | None):
            for mark in value.marks((0.0, 0.0, 200.0, 120.0), THEMES["dark"]):
                if isinstance(mark, Words):
                    yield Told("view", mark.text, age=age, old=bool(age))


def _on_wires(editor) -> Iterator[Told]:
    live = editor.live
    for view in editor.drawn.wires:
        start = view.wire.start
        value, age = live.values.get(start), live.age(start)
        if value is not None:
            found = carried(value, age)
            for text in found.choices:
                yield Told("wire", text, start, age, found.old)
        weight = weight_of(editor.graph, view.weighs, live.weights)
        if weight is None:
            continue
        text, old = weighing(view, weight, live)
        before, _, after = text.rpartition("× ")
        address, place = view.weighs
        yield Told("weight on a wire", after.lstrip("+"), address, place=place)
        if before.strip():
            yield Told("what is weighed", before, start, age, old)


def _at_the_pointer(editor) -> Iterator[Told]:
    live = editor.live
    ports = [p.address for v in editor.drawn.nodes.values() for p in (*v.inputs, *v.outputs)]
    hovered = [f"port:{address}" for address in ports]
    for hover in (*hovered, *(f"wire:{wire}" for wire in editor.graph.wires)):
        over = overlay(replace(editor, hover=hover))
        if over.tooltip is None or "not wired" in over.tooltip[1][0]:
            continue
        head, *lines = over.tooltip[1]
        one, _, other = head.partition(" ← ")
        start = (other or one.partition(" → ")[0]).partition("   ")[0]
        for line in lines:
            of_cost = line.startswith("∂C: ")
            age = live.gradient_ages.get(start, "") if of_cost else live.age(start)
            for part in _parts(line.removeprefix("∂C: ")):
                yield Told("tooltip", part, start, age, gradient=of_cost)


def _in_panels(editor) -> Iterator[Told]:
    live = editor.live
    for key in editor.graph.nodes:
        chosen = replace(editor, selection=frozenset([key]))
        type_ = editor.graph.nodes[key].known
        out = f"{key}.{type_.outputs[0].name}" if type_ is not None and type_.outputs else ""
        text = working(chosen, key)
        place = None if "[" in text else 0
        yield Told("formula", text, out, live.age(out), place=place)
        yield Told("account", account(chosen, key))
        yield Told("report", reported(chosen, key))
        for name in ports_of(editor, key):
            head, *lines = port_text(editor, key, name).split("\n")
            start = head.partition(" ← ")[2].partition("   ")[0].partition(" and ")[0]
            start = start or f"{key}.{name}"
            for part in _parts("   ".join(map(str.strip, lines))):
                yield Told("panel", part, start, live.age(start))
    yield Told("curve", cost_now(live), numbers=() if live.cost is None else (live.cost,))
    for row in watch_rows(live):
        text = f"{row.value} {row.age}".rstrip()
        yield Told("watch", text, row.address, live.age(row.address), old=bool(row.age))


def _parts(text: str) -> Iterator[str]:
    """Yield shape, numbers and range of a value, each with its age."""
    bare, bracket, age = text.partition("   (")
    for part in bare.split("   "):
        yield f"{part}{bracket}{age}"


def _on_the_map(editor) -> Iterator[Told]:
    live = editor.live
    known = Known(live.values, live.gradients, live.ages, live.gradient_ages)
    made = neuron_map(editor.graph, known=known)
    for dot in made.neurons:
        if dot.number is None:
            continue
        yield Told(
            "map", dot.number_text, dot.address, dot.age, bool(dot.age), 0.06, place=dot.number
        )
        for age in filter(None, (dot.age, dot.delta_age, dot.target_age)):
            assert any(age in remark for remark in made.remarks)
        if dot.error is not None:
            assert dot.age == dot.target_age  # an error is of one pass
            numbers = dot.target, dot.value - dot.target
            yield Told("map", dot.target_and_error, digits=0.06, numbers=numbers)


def _of_motion(editor) -> Iterator[Told]:
    playback = editor.live.playback
    for text in (*playback.formulas, playback.remark):
        yield Told("card", text)
    found = motion(editor)
    for token in found.tokens:
        yield Told("token", token.text)
    yield Told("change", found.change)


class Truth:
    """What each step of a run gave, and when."""

    def __init__(self, graph) -> None:
        self.run = nf.Run(graph)
        self.now: dict[str, np.ndarray] = {}
        """By address: what the present pass has given."""
        self.last: dict[str, tuple[np.ndarray, tuple[int, int, int]]] = {}
        """The same of all passes, with epoch, first sample and number of samples."""
        self.before: dict[str, np.ndarray] = {}
        """What the outputs of the last step were before it."""
        self.steps: dict[int, dict[str, np.ndarray]] = {}
        self.number = 0
        self.step = None
        self._promised: list[tuple[str, Told, list[float]]] = []
        """What was said of values before the present pass came to them."""
        self._log = io.StringIO()
        self._printer = StepPrinter(self.run, "step", out=Console(file=self._log, width=400))

    def on(self) -> None:
        """Go a step on."""
        self.step = step = self.run.step()
        self.number += 1
        outputs = {f"{step.node}.{port}": np.array(v) for port, v in step.outputs.items()}
        self.steps[self.number] = step.outputs
        self.before = {a: self.last[a][0] for a in outputs if a in self.last}
        when = step.epoch, step.sample, step.samples
        self.last |= {address: (value, when) for address, value in outputs.items()}
        self.now |= outputs
        for address, told_, numbers in self._promised:
            if address in self.now:
                _compare(numbers, self.now[address], told_)
        self._promised = [one for one in self._promised if one[0] not in self.now]
        if self.run.position.place == 0:
            assert not self._promised, self._promised[0]
            self.now = {}
        self._printer.step(step)

    def terminal(self, player) -> str:
        """Return what a terminal tells of the last step, a formula a line, and its foot."""
        text = self._log.getvalue()
        self._log.truncate(0)
        self._log.seek(0)
        lines = [line.strip().partition("  ")[2].strip() for line in text.split("\n")]
        foot_ = Terminal(player, "step", player.end)._status().plain
        return "\n".join([*lines, foot_])

    def hold(self, told_: Told) -> bool:
        """Check what a text writes of an address; return whether it has numbers."""
        numbers = read(told_.text)
        if not numbers:
            return False
        if told_.numbers is not None:
            _close(numbers, list(told_.numbers), told_)
            return True
        address, said = told_.address, AGE.search(told_.text)
        if told_.gradient:
            address = self.run.plan.unfolding.gradients[address]
        key = address.rpartition(".")[0]
        if told_.age == AHEAD:
            assert told_.old or AHEAD in told_.text, told_
            self._promised.append((address, told_, numbers))
            return True
        if key not in self.run.order or self.run.reader.stands(key):
            value = self.run[address]
            assert said is None, told_
        elif address in self.now:
            value = self.now[address]
            assert not told_.age.startswith("from"), told_
        else:
            value, when = self.last[address]
            assert told_.old or said is not None, told_
            if "partly" not in told_.age:
                assert said is None or said[0].removeprefix("from ") == self._words(when), told_
        if "partly" in told_.age:  # it lies where its inputs lie
            assert told_.old or said is not None, told_
            value = self.run[address]
        _compare(numbers, value, told_)
        return True

    def _words(self, when: tuple[int, int, int]) -> str:
        """Return in words when something was, as a person counts."""
        epoch, first, count = when
        rows = f"sample {first}" if count == 1 else f"samples {first} to {first + count - 1}"
        if epoch == self.run.epoch:
            return rows
        schedule = self.run.schedule
        whole = schedule.updates_per_epoch == 1 and schedule.passes(0) == 1
        return f"epoch {epoch}" if whole else f"epoch {epoch}, {rows}"


def _compare(numbers: list[float], value, told_: Told) -> None:
    flat = np.ravel(value).tolist()
    if told_.place is not None and len(flat) > 1:
        flat = flat[told_.place : told_.place + 1]
    if ", …" in told_.text:
        flat = flat[: len(numbers)]
    elif "…" in told_.text:
        flat = [min(flat), max(flat)]
    _close(numbers, flat, told_)


def _close(numbers: list[float], truth: list[float], told_: Told) -> None:
    assert len(numbers) == len(truth), (told_, truth)
    for one, other in zip(numbers, truth, strict=True):
        if np.isfinite(other):
            room = told_.digits * max(abs(other), 0.1)
            assert abs(one - other) <= room, (told_, truth)
        else:
            assert str(one) == str(other), (told_, truth)


def of_the_step(truth: Truth, editor) -> int:
    """Check what moves, what changed and what the log lists; return how many numbers that is."""
    found, step, playback = 0, truth.step, editor.live.playback
    values = [np.ravel(v).tolist() for v in (*step.inputs.values(), *step.outputs.values())]
    known = motion(editor)
    for token in known.tokens:
        numbers = read(token.text)
        found += bool(numbers)
        assert not numbers or any(
            len(value) == len(numbers) and np.allclose(numbers, value, rtol=6e-4, atol=6e-5)
            for value in values
        ), (token.text, values)
    if "→" in known.change:
        before, after = known.change.partition("  (")[0].split(" → ")
        name, _, before = before.rpartition(" ")
        (address, new), *_ = truth.last.items() if not step.outputs else [
            (f"{step.node}.{port}", value) for port, value in step.outputs.items()
        ]  # fmt: skip
        old = step.inputs["parameter"] if step.phase == "update" else truth.before[address]
        port = address.rpartition(".")[2]
        at = [index for index in np.ndindex(new.shape)
              if not name or numbered(port, new.shape, index) == name]  # fmt: skip
        assert len(at) == 1, known.change
        told_ = Told("change", known.change)
        _close(read(before), [float(np.reshape(old, new.shape)[at[0]])], told_)
        _close(read(after), [float(new[at[0]])], told_)
        found += 1
    for row in log_rows(playback):
        if row.number is not None and read(row.value):
            value = next(iter(truth.steps[row.number].values()))
            _compare(read(row.value), value, Told("log", row.value))
            found += 1
    return found
