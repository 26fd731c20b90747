"""Steps as a person reads them: where, which node, the formula with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from nodeflow.playback.moments import rows_of
from nodeflow.terminal import look
from nodeflow.terminal.held import held_lines
from nodeflow.terminal.look import PHASE_COLOURS, PHASE_SIGNS, WIDE, maybe, percent
from nodeflow.views.plot import Traces
from nodeflow.workings.lines import formulas_of
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run
    from nodeflow.engine.step import Step
    from nodeflow.views import Viewer


class StepPrinter:
    """Prints beats: an address for each phase, and under it each node's formula with numbers.

    Where there is room, it says in words as well what a step did. `every` writes out each number
    that a node calculated, not the first alone.
    """

    def __init__(
        self,
        run: Run,
        level: str,
        *,
        out: Console | None = None,
        talks_from: int = WIDE,
        every: bool = False,
    ) -> None:
        self.run = run
        self.level = level
        self.out = look.console() if out is None else out
        self._talks_from = talks_from
        self._every = every
        self._last: tuple[int, int, str] | None = None
        self._viewer: Viewer | None = None
        self._traces = Traces()
        self._longest = max(map(len, run.order), default=0)

    def __call__(self, steps: list[Step]) -> None:
        """Print one beat."""
        if self.level in ("step", "phase"):
            for step in steps:
                self.step(step)
        else:
            self.summary(steps[-1], self.level, self._cost(steps))
        self.out.file.flush()

    def step(self, step: Step, *, headed: bool = True) -> None:
        """Print a step, under a new address if it is in another phase than the one before."""
        if headed:
            self._head(step)
        self._last = (step.update, step.sample, step.phase)
        self._line(step)

    def summary(self, last: Step, level: str, cost: float | None) -> None:
        """Print the beat of a sample, update or epoch, which ended with a step, in one line."""
        if level == "epoch" and self.run.line(last.epoch + 1) is not None:
            self.epoch(last.epoch)
            return
        parts = [] if cost is None else [f"cost {show(cost)}"]
        parts.append(last.formula if level == "sample" and not parts else "")
        self._told(self.address(last), parts, last.phase)

    def epoch(self, epoch: int) -> None:
        """Print the history's line of an epoch."""
        line = self.run.line(epoch + 1) or {}
        parts = [f"cost {maybe(line.get('cost'))}"]
        for key, name in (("train_accuracy", "accuracy"), ("test_accuracy", "test")):
            if line.get(key) is not None:
                parts.append(f"{name} {percent(line[key])}")
        self._told(f"epoch {epoch}", parts, "update")

    def _told(self, head: str, parts: list[str], phase: str) -> None:
        self._last = None
        text = Text.assemble(
            (f"{PHASE_SIGNS[phase]} ", PHASE_COLOURS[phase]),
            (head, "dim"),
            "   " + "  ".join(part for part in parts if part),
        )
        self.out.print(text, soft_wrap=True)

    def note(self, text: Text) -> None:
        """Print a line between the steps; the next of them has its address again."""
        self._last = None
        self.out.print(text)

    def address(self, step: Step) -> str:
        """Return where a step is: "epoch 3 · sample 17 of 139"."""
        return rows_of(self.run, step)

    def _head(self, step: Step) -> None:
        now = (step.update, step.sample, step.phase)
        if now == self._last:
            return
        if self._last is not None and self._last[:2] != now[:2]:
            self.out.print()
        self._last = now
        style = PHASE_COLOURS[step.phase]
        self.out.print(
            Text.assemble(
                (f"{PHASE_SIGNS[step.phase]} ", style),
                (f"{self.address(step)} · ", "dim"),
                (step.phase, f"bold {style}"),
            ),
            soft_wrap=True,
        )

    def _line(self, step: Step) -> None:
        width = self._names_width()
        name = Text(f"  {step.node:<{width}}  ", style=PHASE_COLOURS[step.phase])
        room = max(20, self.out.width - 4 - width)
        held = self._seen(step, room) or held_lines(step, room)
        told = list(map(Text, held or (formulas_of(step) if self._every else [step.formula])))
        talks = self.out.is_terminal and self.out.width >= self._talks_from
        whole = held and not any("…" in line or "⋮" in line for line in held)
        if talks and not whole and (words := self._remark(step)):
            told.append(Text(words, style="dim"))
        if self.out.is_terminal:
            told = [line for text in told for line in text.wrap(self.out, room)]
        for line in told or [Text()]:
            self.out.print(name + line, soft_wrap=True)
            name = Text(" " * (4 + width))
        if step.fault:
            self.out.print(name + Text(f"! {step.fault}", "yellow"), soft_wrap=True)

    def _seen(self, step: Step, room: int) -> list[str]:
        """Return the lines that a view shows, () of other nodes."""
        graph = self.run.plan.graph
        if graph.type_of(step.node).family != "view":
            return []
        from nodeflow.views import Viewer
        from nodeflow.views.bars import Bars

        if self._viewer is None:
            self._viewer = Viewer(graph, self.run.plan.inference.tables)
        values = self.run.values
        past = {}
        if graph.type_of(step.node).over_time:
            over_time = graph.where(lambda type_: type_.over_time)
            plots = {key: [w.start for w in graph.into(key)] for key in over_time}
            self._traces.collect(plots, step.update, values)
            seen = self._traces.of(step.node, plots[step.node])
            past = {} if seen is None else {step.node: seen}
        content = self._viewer.look(step.node, values, self.run.weights, past)
        if content is None or isinstance(content, str):
            return [content] if content else []
        if isinstance(content, Bars) and len(content.sentence) <= room:
            return [content.sentence]
        return content.lines(room)

    def _names_width(self) -> int:
        """Return how wide the column of names is: a terminal may become wider or narrower."""
        room = max(12, min(32, self.out.width // 3))
        return min(self._longest, room)

    def _remark(self, step: Step) -> str:
        from nodeflow.explain import remark

        return remark(self.run, step)

    def _cost(self, steps: list[Step]) -> float | None:
        """Return the mean cost of the beat's samples."""
        key, _, port = (self.run.plan.unfolding.cost or "").rpartition(".")
        found = [np.ravel(step.outputs[port]) for step in steps if step.node == key]
        return float(np.mean(np.concatenate(found))) if found else None
