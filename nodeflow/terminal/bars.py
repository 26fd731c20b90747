"""Progress bars on standard error: how far training or an export is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from nodeflow.terminal import look
from nodeflow.terminal.look import percent
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_REFRESH_SECONDS = 0.1
Tell = Callable[[int, int], None]


@contextmanager
def bar(what: str) -> Iterator[Tell]:
    """Show how far some work is on standard error; nothing where it is no terminal."""
    out = look.console(stderr=True)
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


class _Left(ProgressColumn):
    """The time that is left when stages take the shares that they mostly take."""

    def render(self, task: Task) -> Text:
        """Return it; nothing before the first stage is done."""
        if not task.completed or not task.total or task.elapsed is None:
            return Text("")
        whole = task.fields["since"] * task.total / task.completed
        return Text(f"about {max(1, round(whole - task.elapsed))} s left")


@contextmanager
def stages(shares: Mapping[str, float]) -> Iterator[Callable[[str], None]]:
    """Show on standard error at which stage some work is; `shares` is what each mostly takes.

    What is yielded is called with the name of the stage that begins.
    """
    out = look.console(stderr=True)
    whole = sum(shares.values())
    with Progress(
        TextColumn("{task.description}", style="bold"),
        BarColumn(bar_width=None),
        _Left(),
        console=out,
        transient=True,
        expand=True,
        disable=not out.is_terminal,
    ) as shown:
        task = shown.add_task("", total=whole, since=0.0)

        def enter(stage: str) -> None:
            names = list(shares)
            done = sum(shares[name] for name in names[: names.index(stage)])
            since = shown.tasks[0].elapsed or 0.0
            shown.update(task, description=stage, completed=done, since=since, refresh=True)

        yield enter


@contextmanager
def reading_bar() -> Iterator[None]:
    """Show how far the reading of a large file is, where standard error is a terminal."""
    from nodeflow.data.reading import watched

    with ExitStack() as shown:
        bars: dict[str, Tell] = {}

        def watch(file: str, share: float) -> None:
            if file not in bars:
                bars.clear()
                shown.close()
                bars[file] = shown.enter_context(bar(f"reading {look.clean(file)}"))
            bars[file](round(1000 * share), 1000)
            if share >= 1:
                shown.close()

        with watched(watch):
            yield


@contextmanager
def progress(run: Run, epochs: int) -> Iterator[Tell | None]:
    """Show a bar on standard error while a run trains; nothing where it is no terminal."""
    out = look.console(stderr=True)
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
            line = run.line(run.epoch) or {}
            accuracy, cost = line.get("train_accuracy"), line.get("cost")
            bar.update(
                task,
                completed=done,
                total=total,
                description=describe(run.epoch - before),
                cost="" if cost is None else f"cost {show(cost)}",
                accuracy="" if accuracy is None else f"accuracy {percent(accuracy)}",
            )
            bar.refresh()

        yield tell
