"""How results look in a terminal: quiet tables, a progress bar, steps in slow motion.

Colour never says anything alone: a sign or a word says the same. Without a terminal there is
neither colour nor a bar.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from nodeflow.workings.shown import short, show

if TYPE_CHECKING:
    from nodeflow.declare import NodeType, Port, Setting
    from nodeflow.difference import Change
    from nodeflow.engine.check import Check
    from nodeflow.engine.run import Run
    from nodeflow.engine.step import Step
    from nodeflow.graph import Graph

PHASE_SIGNS = {"forward": "▶", "backward": "◀", "update": "●"}
PHASE_COLOURS = {"forward": "cyan", "backward": "magenta", "update": "yellow"}
_PIPE_WIDTH = 100
_WIDE = 110
_HELP_WIDTH = 40
_REFRESH_SECONDS = 0.1


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command's end; rich's own way out has the exit code of a fault."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Return a console for one of the streams; into a pipe or file lines are 100 wide."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else shutil.get_terminal_size((_PIPE_WIDTH, 25)).columns
    return _Console(
        stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )


def clean(text: str) -> str:
    """Return a text from a file without signs that would steer the terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _table(*columns: str, numbers: Sequence[str] = (), heading: bool = True) -> Table:
    """Return a table without lines, its number columns to the right."""
    made = Table(
        box=None, padding=(0, 2, 0, 0), show_header=heading, header_style="dim", pad_edge=False
    )
    for place, name in enumerate(columns):
        right = name in numbers
        made.add_column(name, justify="right" if right else "left", no_wrap=right or not place)
    return made


def _print_inset(out: Console, what: RenderableType) -> None:
    """Print two columns in, without blanks at the ends of lines."""
    for line in out.render_lines(what, out.options.update_width(out.width - 2), pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        out.print(Segments([Segment("  "), *line, Segment.line()]))


def _title(name: str, rest: str) -> Text:
    return Text.assemble((clean(name) or "graph without a name", "bold"), ("  " + rest, "dim"))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _maybe(value: float | None) -> str:
    return "–" if value is None else show(value)


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _shape(value: Any) -> str:
    return "×".join(map(str, np.shape(value))) or "1"


# --- run ----------------------------------------------------------------------------------------


def show_evaluation(
    graph: Graph, values: Mapping[str, Any], gradients: Mapping[str, Any], cost: float | None
) -> None:
    """Print each value of a pass, and the gradient at the same address beside it."""
    out = console()
    about = "one batch forward and backward, nothing updated"
    out.print(_title(graph.name, about))
    out.print()
    most = 3 if out.width >= _WIDE else 2
    rows = _table("value", "shape", "", "gradient", numbers=("shape",))
    for address, value in values.items():
        gradient = short(gradients[address], most) if address in gradients else ""
        rows.add_row(Text(address), _shape(value), Text(short(value, most)), Text(gradient))
    _print_inset(out, rows)
    out.print()
    out.print(Text.assemble("  cost ", (_maybe(cost), "bold")))


# --- train --------------------------------------------------------------------------------------

Tell = Callable[[int, int], None]


@contextmanager
def bar(what: str) -> Iterator[Tell]:
    """Show how far some work is on standard error; nothing where it is no terminal."""
    out = console(stderr=True)
    with Progress(
        TextColumn("{task.description}", style="bold"),
        BarColumn(bar_width=None),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=out,
        transient=True,
        expand=True,
        disable=not out.is_terminal,
    ) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def progress(run: Run, epochs: int) -> Iterator[Tell | None]:
    """Show a bar on standard error while a run trains; nothing where it is no terminal."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}", style="bold"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[cost]}"),
        TextColumn("{task.fields[accuracy]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=out,
        auto_refresh=False,
        expand=True,
    )
    width = len(str(epochs))
    before = run.epoch
    drawn = 0.0

    def describe(epoch: int) -> str:
        return f"epoch {epoch:>{width}} of {epochs}"

    with bar:
        task = bar.add_task(
            "getting ready", total=epochs * run.updates_per_epoch, cost="", accuracy=""
        )

        def tell(done: int, total: int) -> None:
            nonlocal drawn
            now = time.perf_counter()
            if now - drawn < _REFRESH_SECONDS and done < total:
                return
            drawn = now
            line = run.history[-1] if run.epoch else {}
            accuracy, cost = line.get("train_accuracy"), line.get("cost")
            bar.update(
                task,
                completed=done,
                total=total,
                description=describe(run.epoch - before),
                cost="" if cost is None else f"cost {show(cost)}",
                accuracy="" if accuracy is None else f"accuracy {_percent(accuracy)}",
            )
            bar.refresh()

        yield tell


def show_training(run: Run, result: Mapping[str, Any], saved: Path | None) -> None:
    """Print what training came to: cost, accuracy, and the weights in summary."""
    out = console()
    updates = _plural(run.update, "update")
    taken = result["seconds"]
    seconds = f"{taken:.2f} s" if taken >= 1 else f"{1000 * taken:.0f} ms"
    out.print(_title(run.graph.name, f"{_plural(result['epochs'], 'epoch')}, {updates}, {seconds}"))
    out.print()
    tests = run.machine.test_rows
    columns = ("", "training", "test") if tests else ("", "training")
    rows = _table(*columns, numbers=("training", "test"))
    rows.add_row("cost", _maybe(result["cost"]), *([_maybe(result["test_cost"])] * bool(tests)))
    if result["train_accuracy"] is not None:
        test = [_percent(result["test_accuracy"])] * bool(tests)
        rows.add_row("accuracy", _percent(result["train_accuracy"]), *test)
    rows.add_row("samples", f"{run.machine.rows:,}", *([f"{tests:,}"] * bool(tests)))
    _print_inset(out, rows)
    if result["weights"]:
        out.print()
        _show_weights(out, result["weights"])
    if saved is not None:
        out.print()
        out.print(Text(f"  weights and history: {saved}"))


def _show_weights(out: Console, weights: Mapping[str, Any]) -> None:
    names = ("shape", "smallest", "mean", "largest")
    rows = _table("weights", *names, numbers=names)
    for address, value in weights.items():
        size = [show(one) for one in (value.min(), value.mean(), value.max())]
        if value.size == 1:
            size = ["", size[1], ""]
        rows.add_row(Text(address), _shape(value), *size)
    _print_inset(out, rows)


# --- check --------------------------------------------------------------------------------------

_VERDICTS = {
    "ok": ("✓", "right", "green"),
    "kink": ("~", "kink", "yellow"),
    "fault": ("✗", "wrong", "bold red"),
}


def show_check(graph: Graph, outcome: Check) -> None:
    """Print each gradient's relative error, and what was found of it."""
    out = console()
    size = f"{_plural(len(graph.nodes), 'node')}, {_plural(len(graph.wires), 'wire')}"
    out.print(_title(graph.name, size))
    out.print()
    if not outcome.nodes:
        out.print(Text("  ✓ valid; no parameter lies before a cost, so there are no gradients"))
        return
    rows = _table("gradient of", "", "relative error", "tried", "", numbers=("relative error",
                  "tried"))  # fmt: skip
    for key, found in outcome.nodes.items():
        sign, word, style = _VERDICTS[found.status]
        apart = ""
        if found.status == "fault":
            apart = f"is {show(found.gradient)}, the cost's slope {show(found.difference)}"
        rows.add_row(
            Text(key),
            Text(f"{sign} {word}", style=style),
            f"{found.relative_error:.1e}",
            str(found.checked),
            Text(apart),
        )
    _print_inset(out, rows)
    out.print()
    bad = sum(found.status == "fault" for found in outcome.nodes.values())
    many = len(outcome.nodes)
    if bad:
        out.print(Text(f"  ✗ {bad} of {_plural(many, 'gradient')} wrong", style="bold red"))
        reasons: dict[str, list[str]] = {}
        for key, found in outcome.nodes.items():
            if found.reason:
                reasons.setdefault(found.reason, []).append(key)
        for reason, keys in reasons.items():
            out.print(Text(f"  {', '.join(keys)}: {reason}"))
    else:
        worst = f"largest relative error {outcome.max_relative_error:.1e}"
        out.print(Text(f"  ✓ valid; {worst}", style="green"))


# --- play ---------------------------------------------------------------------------------------


class StepPrinter:
    """Prints beats: an address for each phase, and under it each node's formula with numbers.

    A wide terminal has room for what a step did in words as well.
    """

    def __init__(self, run: Run, level: str) -> None:
        self.run = run
        self.level = level
        self.out = console()
        self._last: tuple[int, int, str] | None = None
        names = [len(name) for name in run.order]
        room = max(12, min(32, self.out.width // 3))
        self._width = min(max(names, default=0), room)
        self._talks = self.out.is_terminal and self.out.width >= _WIDE

    def __call__(self, steps: list[Step]) -> None:
        """Print one beat."""
        if self.level in ("step", "phase"):
            for step in steps:
                self._head(step)
                self._line(step)
        else:
            self._summary(steps)
        self.out.file.flush()

    def _address(self, step: Step) -> str:
        machine = self.run.machine
        first, count = machine.bounds(step.update)
        rows = str(step.sample)
        if not self.run.plan.loop and count > 1:
            rows = f"{first}–{first + count - 1}"
        word = "samples" if "–" in rows else "sample"
        return f"epoch {step.epoch} · {word} {rows} of {machine.rows}"

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
                (f"{self._address(step)} · ", "dim"),
                (step.phase, f"bold {style}"),
            ),
            soft_wrap=True,
        )

    def _line(self, step: Step) -> None:
        name = Text(f"  {step.node:<{self._width}}  ", style=PHASE_COLOURS[step.phase])
        told = [Text(step.formula)]
        if self._talks and (words := self._remark(step)):
            told.append(Text(words, style="dim"))
        if self.out.is_terminal:
            room = max(20, self.out.width - 4 - self._width)
            told = [line for text in told for line in text.wrap(self.out, room)]
        for line in told or [Text()]:
            self.out.print(name + line, soft_wrap=True)
            name = Text(" " * (4 + self._width))

    def _remark(self, step: Step) -> str:
        from nodeflow.explain import remark

        return remark(self.run, step)

    def _summary(self, steps: list[Step]) -> None:
        last = steps[-1]
        history = self.run.history
        if self.level == "epoch" and len(history) > last.epoch:
            line = history[last.epoch]
            parts = [f"cost {_maybe(line['cost'])}"]
            for key, name in (("train_accuracy", "accuracy"), ("test_accuracy", "test")):
                if line[key] is not None:
                    parts.append(f"{name} {_percent(line[key])}")
            head = f"epoch {last.epoch}"
        else:
            head = self._address(last)
            parts = [] if (cost := self._cost(steps)) is None else [f"cost {show(cost)}"]
            parts.append(last.formula if self.level == "sample" and not parts else "")
        sign = PHASE_SIGNS[last.phase]
        text = Text.assemble(
            (f"{sign} ", PHASE_COLOURS[last.phase]),
            (head, "dim"),
            "   " + "  ".join(part for part in parts if part),
        )
        self.out.print(text, soft_wrap=True)

    def _cost(self, steps: list[Step]) -> float | None:
        """Return the mean cost of the beat's samples."""
        key, _, port = (self.run.plan.unfolding.cost or "").rpartition(".")
        found = [np.ravel(step.outputs[port]) for step in steps if step.node == key]
        return float(np.mean(np.concatenate(found))) if found else None


# --- unfold, fold -------------------------------------------------------------------------------


def show_derived(out_file: str, before: Graph, after: Graph) -> None:
    """Print how a graph grew or shrank, and where it is."""
    size = f"{_plural(len(after.nodes), 'node')}, {_plural(len(after.wires), 'wire')}"
    was = f"(before: {len(before.nodes):,} and {len(before.wires):,})"
    console().print(
        Text.assemble((out_file, "bold"), ("  " + f"{size} {was}", "dim")), soft_wrap=True
    )


# --- nodes --------------------------------------------------------------------------------------


def _ports(ports: Iterable[Port]) -> str:
    return ", ".join(map(str, ports))


def _signature(type_: NodeType) -> str:
    inputs = "(its names)" if type_.dynamic_inputs else _ports(type_.inputs)
    return f"{inputs} → {_ports(type_.outputs)}".strip()


def show_library(types: Sequence[NodeType]) -> None:
    """Print the library by family: name, ports, formula, and help where there is room."""
    out = console()
    for number, (family, group) in enumerate(groupby(types, key=lambda type_: type_.family)):
        members = list(group)
        if number:
            out.print()
        out.print(Text(family, style="bold"))
        columns = [
            [type_.name for type_ in members],
            [_signature(type_) for type_ in members],
            [type_.formula for type_ in members],
            [type_.help.partition("\n")[0] for type_ in members],
        ]
        longest = [max(map(len, column)) for column in columns]
        names, ports = max(16, longest[0]), max(18, longest[1])
        room = out.width - names - ports - 10
        formulas = min(longest[2], max(room - _HELP_WIDTH, 20) if out.width >= _WIDE else room)
        about = room - formulas - 2
        rows = _table("type", "ports", "formula", heading=False)
        if out.width >= _WIDE and about >= 20:
            rows.add_column("help", no_wrap=True, overflow="ellipsis", style="dim")
        widths = (names, ports, formulas, about)
        for column, width in zip(rows.columns, widths, strict=False):
            column.width = width
        rows.columns[0].style = "cyan"
        for cells in zip(*columns, strict=True):
            rows.add_row(*map(Text, cells[: len(rows.columns)]))
        _print_inset(out, rows)
    out.print()
    out.print(Text("… takes several wires, ? may be left unwired; nodeflow nodes TYPE tells more",
                   style="dim"))  # fmt: skip


def show_types(types: Sequence[NodeType]) -> None:
    """Print all there is to know about each type."""
    out = console()
    for number, type_ in enumerate(types):
        if number:
            out.print()
        _show_type(out, type_)


def _show_type(out: Console, type_: NodeType) -> None:
    out.print(Text.assemble((type_.name, "bold cyan"), (f"  {type_.family}", "dim")))
    _print_inset(out, Text(type_.formula))
    out.print()
    for paragraph in type_.help.split("\n\n"):
        _print_inset(out, Text(" ".join(paragraph.split())))
        out.print()
    rows = _table("", "", heading=False)
    rows.columns[0].style = "dim"
    ports = "the names in its formula" if type_.dynamic_inputs else _described(type_.inputs)
    rows.add_row("inputs", Text(ports))
    rows.add_row("outputs", Text(_described(type_.outputs)))
    width = max((len(setting.name) for setting in type_.settings), default=0)
    for place, setting in enumerate(type_.settings):
        rows.add_row("settings" if not place else "", _setting(setting, width))
    rows.add_row("blame", Text(_blame(type_)))
    if type_.aliases:
        rows.add_row("found as", Text(", ".join(type_.aliases)))
    _print_inset(out, rows)


def _described(ports: Sequence[Port]) -> str:
    if not ports:
        return "none"
    notes = []
    for port in ports:
        what = [
            word
            for word, given in (
                ("several wires", port.many),
                ("fed back", port.feedback),
                ("optional", port.optional and not port.feedback),
            )
            if given
        ]
        notes.append(port.name + (f" ({', '.join(what)})" if what else ""))
    return ", ".join(notes)


_KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
    "text": "a text",
    "array": "a number, a row or rows of numbers",
    "shape": "one or two sizes",
    "index": "a feature's number, or several",
    "target": "a column's name or number, or several",
}


def _setting(setting: Setting, width: int) -> Text:
    allowed = " | ".join(setting.choices) or _KINDS.get(setting.kind, setting.kind)
    if setting.range is not None:
        allowed += f" {setting.range}"
    default = setting.default
    if isinstance(default, bool):
        default = str(default).lower()
    text = Text.assemble(f"{setting.name:<{width}}", ("  " + allowed, "dim"))
    return text if default is None else text + Text(f", {default} by default", style="dim")


def _blame(type_: NodeType) -> str:
    if type_.family == "trainer":
        return "starts here, from the cost"
    if type_.rule is not None:
        through = sorted(type_.rules_through)
        with_ = f"; in one step with {', '.join(through)} before it" if through else ""
        return "passes, by a rule" + with_
    if not type_.inputs and not type_.dynamic_inputs:
        return "ends here: it has no inputs"
    if not type_.outputs:
        return "none reaches it: it has no outputs"
    return "stops here: " + (type_.no_backward or "it has no rule")


# --- diff ---------------------------------------------------------------------------------------

_CHANGES = {
    "added": ("+", "green"),
    "removed": ("−", "red"),
    "renamed": ("→", "cyan"),
    "changed": ("~", "yellow"),
    "moved": ("↔", "dim"),
}


def show_difference(changes: Sequence[Change]) -> None:
    """Print the sentences, each with a sign for what kind of change it is."""
    out = console()
    if not changes:
        out.print("no difference")
        return
    for change in changes:
        sign, style = _CHANGES[change.kind]
        out.print(Text.assemble((f"{sign} ", style), clean(change.sentence)), soft_wrap=True)


__all__ = [
    "StepPrinter",
    "clean",
    "console",
    "progress",
    "show_check",
    "show_derived",
    "show_difference",
    "show_evaluation",
    "show_library",
    "show_training",
    "show_types",
]
