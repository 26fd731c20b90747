"""A lesson in the terminal: lines in, tasks and numbers out. A pipe types as well as a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from nodeflow.engine.schedule import LEVELS
from nodeflow.engine.snapshot import ages
from nodeflow.errors import FileError, NodeflowError, nearest
from nodeflow.files import save
from nodeflow.jsontext import json_of
from nodeflow.lessons import Attempt, Done, Marks
from nodeflow.playback.answers import NOTE
from nodeflow.terminal import look
from nodeflow.terminal.held import value_lines
from nodeflow.terminal.steps import StepPrinter

PROMPT = "» "
HELP = """\
step [LEVEL]      go on by a step, phase, sample, update or epoch; an empty line is a step
back [LEVEL]      go back as far
go MOMENT         to EPOCH[:SAMPLE[:NODE]]
train N           N epochs at full speed, or until the task's condition holds
show [NODE.PORT]  a value; without a name all nodes and wires
set NODE.NAME V   a setting, such as set train.rate 0.5; set training.seed 9
add NODE TYPE     place a node
wire A -> B       draw a wire, from a node.port to a node.port; unwire A -> B takes it away
unlock NODE       lift a lock, which the answer notes
skip              leave the task undone
save FILE         write the answer, to hand it in
quit              end
A question is answered by typing the number, or yes or no."""


def lines(*, prompt: bool) -> Iterator[str]:
    """Yield what is typed, line by line, to the end of the input."""
    while True:
        if prompt:
            sys.stdout.write(PROMPT)
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        yield line.strip()


class Lead:
    """Leads through a lesson."""

    def __init__(self, attempt: Attempt, *, quiet: bool = False, keeps: bool = False) -> None:
        """Begin; `keeps` says that the answer is written in the end, whatever is typed."""
        self.attempt = attempt
        self._keeps = keeps
        self._saved = 0
        """How many tasks are done in the answer that was saved last."""
        self._warned = False
        self.out = look.console()
        self.out.quiet = quiet
        self._steps = StepPrinter(attempt.player.run, "step", out=self.out)
        self._commands: dict[str, Callable[[str], None]] = {
            "": lambda _: self._step("step"),
            "step": lambda rest: self._step(rest or "step"),
            "back": lambda rest: self._back(rest or "step"),
            "go": self._go,
            "train": self._train,
            "show": self._show,
            "set": self._set,
            "add": self._add,
            "wire": self._wire,
            "unwire": self._unwire,
            "unlock": self._unlock,
            "skip": lambda _: self._skip(),
            "save": self._save,
            "help": lambda _: self.out.print(HELP),
            "?": lambda _: self.out.print(HELP),
        }

    def run(self, typed: Iterable[str]) -> None:
        """Lead through the tasks until the lines end or one says to quit.

        Where the answer is kept, that is when all tasks are over, and otherwise when it is saved.
        """
        graph = self.attempt.graph
        self.out.print(look.title(graph.name, f"{len(self.attempt.lesson.tasks)} tasks"))
        if graph.about:
            self.out.print(look.clean(graph.about))
        self.out.print(Text("Enter goes on by a step; help lists all that can be typed.", "dim"))
        self._told(self.attempt.notice())
        self._say_task()
        source = iter(typed)
        while not self._is_over and (line := next(source, None)) is not None:
            if line.lower() in ("quit", "exit", "q"):
                if self._may_quit():
                    return
                continue
            try:
                self._do(line)
            except FileError as error:
                if error.file == self.attempt.file:
                    raise  # the lesson itself is at fault
                self.out.print(look.clean(str(error)))
            except NodeflowError as error:
                self.out.print(look.clean(str(error)))
            done = self.attempt.notice()
            self._told(done)
            if done:
                self._say_task()
        if self._is_unsaved:
            self.out.print("the answer was not saved; -o ANSWER writes it when the lesson ends")

    @property
    def _is_over(self) -> bool:
        return self.attempt.is_over and (self._keeps or not self._is_unsaved)

    @property
    def _is_unsaved(self) -> bool:
        return not self._keeps and len(self.attempt.done) > self._saved

    def _may_quit(self) -> bool:
        """Return whether nothing is lost; what is, was said once before."""
        if not self._is_unsaved or self._warned:
            return True
        self._warned = True
        self.out.print("the answer is not saved: save FILE writes it, and quit once more ends")
        return False

    # -- what it says

    def _say_task(self) -> None:
        attempt = self.attempt
        task = attempt.task
        if task is None:
            done, of = len(attempt.done), len(attempt.lesson.tasks)
            self.out.print(Text(f"{done} of {of} tasks done.", "bold"))
            if self._is_unsaved:
                self.out.print("save FILE writes the answer, to hand it in")
            return
        number = f"{attempt.index + 1}/{len(attempt.lesson.tasks)}"
        self.out.print(Text.assemble((f"\n{number}  ", "bold cyan"), look.clean(task.text)))
        if task.kind == "ask":
            self.out.print(Text("     " + look.clean(task.question), "italic"))

    def _told(self, done: Iterable[Done]) -> None:
        for each in done:
            self.out.print(Text(f"✓ task {each.task + 1} is done", "green"))

    # -- what is typed

    def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        asks = self.attempt.task is not None and self.attempt.task.kind == "ask"
        if asks and word.lower() == "answer":
            self._answer(rest)
        elif word.lower() in self._commands:
            self._commands[word.lower()](rest.strip())
        elif asks:
            self._answer(line)
        else:
            hint = (
                nearest(word, [name for name in self._commands if name.isalpha()])
                or ": type help for all"
            )
            self.out.print(f"there is no command '{look.clean(word)}'{hint}")

    def _answer(self, typed: str) -> None:
        if self.attempt.answer(typed):
            self._told(self.attempt.done[-1:])
            self._say_task()
            return
        why = self.attempt.why_refused(typed)
        self.out.print(f"✗ {look.clean(why)}" if why else f"✗ not yet ({NOTE})")

    def _step(self, level: str) -> None:
        self._require_level(level)
        self.attempt.step(level)
        self._show_last()

    def _back(self, level: str) -> None:
        self._require_level(level)
        self.attempt.player.back(level)
        self._show_last()

    def _require_level(self, level: str) -> None:
        if level not in LEVELS:
            raise NodeflowError(f"there is no level '{level}': {', '.join(LEVELS)}")

    def _go(self, rest: str) -> None:
        self.attempt.go(rest)
        self._show_last()

    def _show_last(self) -> None:
        player = self.attempt.player
        self._steps.run = player.run
        if player.last is None:
            self.out.print(player.place)
        else:
            self._steps.step(player.last)

    def _train(self, rest: str) -> None:
        epochs = self.attempt.graph.training.epochs
        if rest and not (rest.isdecimal() and len(rest) < 10):
            raise NodeflowError(f"train takes a number of epochs, not '{rest}'")
        self.attempt.train(int(rest) if rest else epochs)
        run = self.attempt.player.run
        cost = "" if run.cost is None else f" · cost {look.maybe(run.cost)}"
        self.out.print(f"{self.attempt.player.place}{cost}")

    def _show(self, rest: str) -> None:
        if not rest:
            self._show_graph()
            return
        run = self.attempt.player.run
        value = np.asarray(run[rest])
        age = ages(run).get(rest.rpartition(".")[0], "")
        for line in value_lines(look.clean(rest), value, max(self.out.width - len(age) - 4, 20)):
            self.out.print(Text.assemble(line, (f"  ({age})" if age else "", "dim")))
            age = ""

    def _show_graph(self) -> None:
        graph, hidden = self.attempt.graph, self.attempt.lesson.hidden
        for key, node in graph.nodes.items():
            if key not in hidden:
                lock = " (locked)" if self._is_locked(key) else ""
                self.out.print(look.clean(f"  {key}  {node.type}{lock}"))
        for wire in graph.wires:
            if not {wire.source, wire.target} & hidden:
                self.out.print(look.clean(f"  {wire}"))

    def _is_locked(self, key: str) -> bool:
        return key in self.attempt.lesson.locked and key not in self.attempt.unlocked

    def _set(self, rest: str) -> None:
        address, _, typed = rest.partition(" ")
        node, _, name = address.rpartition(".")
        if not node or not typed.strip():
            raise NodeflowError("set takes NODE.NAME and a value, such as set train.rate 0.5")
        self.attempt.set(node, **{name: _value(typed.strip())})

    def _add(self, rest: str) -> None:
        words = rest.split()
        if len(words) != 2:
            raise NodeflowError("add takes a name and a type, such as add p panel")
        self.attempt.add(*words)

    def _wire(self, rest: str) -> None:
        self.attempt.connect(*_ends(rest))

    def _unwire(self, rest: str) -> None:
        self.attempt.disconnect(*_ends(rest))

    def _unlock(self, rest: str) -> None:
        self.attempt.unlock(rest)
        self.out.print(f"'{look.clean(rest)}' is unlocked; the answer notes it")

    def _skip(self) -> None:
        if self.attempt.is_over:
            raise NodeflowError("no task is left; save FILE writes the answer, quit ends")
        self.attempt.skip()
        self._say_task()

    def _save(self, rest: str) -> None:
        if not rest:
            raise NodeflowError("save takes the name of a file, such as save answer.json")
        save(self.attempt.answered(), rest)
        self._saved, self._warned = len(self.attempt.done), False
        self.out.print(f"{look.clean(rest)} is written")


def _ends(text: str) -> tuple[str, str]:
    source, arrow, target = (part.strip() for part in text.partition("->"))
    if not (source and arrow and target):
        raise NodeflowError("a wire is written A -> B, such as wire sum.z -> cost.a")
    return source, target


def _value(text: str) -> Any:
    try:
        return json_of(text)
    except ValueError:
        return text


def show_class(found: Sequence[Mapping[str, Any]]) -> None:
    """Show what a class has done: one row per answer, one column per task, and how many did each.

    `found` is what `nodeflow lesson check --json` has under `answers`.
    """
    marked = [one for one in found if one["error"] is None]
    if len(found) < 2 or not marked:
        return
    out = look.console()
    count = len(marked[0]["tasks"])
    whole = [Path(one["file"]).absolute() for one in found]
    shared = os.path.commonpath([file.parent for file in whole])
    files = [look.clean(str(file.relative_to(shared))) for file in whole]
    numbers = [str(number) for number in range(1, count + 1)]
    rows = look.table("answer", *numbers, "done", "remarks", numbers=("done",))
    for file, one in zip(files, found, strict=True):
        if one["error"] is not None:
            rows.add_row(file, *[""] * count, "", "not read")
            continue
        signs = [Text("✓", "green") if task["done"] else Text("✗", "red") for task in one["tasks"]]
        told = [name for name in ("locked", "unlocked", "edited") if one[name]]
        rows.add_row(file, *signs, str(one["done"]), ", ".join(told))
    each = [sum(one["tasks"][task]["done"] for one in marked) for task in range(count)]
    rows.add_row(f"of {len(marked)}", *map(str, each), "", "", style="dim")
    out.print()
    look.print_inset(out, rows)


def show_marks(file: str, marks: Marks) -> None:
    """Show what came back in an answer."""
    out = look.console()
    out.print(look.title(file, f"{marks.done} of {len(marks.tasks)} tasks done"))
    for mark in marks.tasks:
        sign, colour = ("✓", "green") if mark.done else ("✗", "red")
        told = f"{mark.text.rstrip('.')}: {mark.why}" if mark.why else mark.text
        said = look.clean(f"{mark.task + 1} {told}")
        out.print(Text.assemble((f"  {sign} ", colour), said))
    for sentence in marks.locked:
        out.print(look.clean(f"  locked, but changed: {sentence}"))
    if marks.unlocked:
        out.print(look.clean(f"  unlocked: {', '.join(marks.unlocked)}"))
    for sentence in marks.edited:
        out.print(look.clean(f"  {sentence}"))
