"""Many runs in the terminal: one line per combination, with a strip of its quartiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nodeflow.sweeps.drawing import measures, telling
from nodeflow.sweeps.rows import is_share
from nodeflow.terminal import look
from nodeflow.terminal.look import clean, maybe, percent, plural, print_inset, table, title
from nodeflow.terminal.sweepplot import plot_lines
from nodeflow.workings.shown import duration, precise

if TYPE_CHECKING:
    from nodeflow.graph import Graph
    from nodeflow.sweeps import Folds, Summary, Sweep

_MOST_LINES = 40
_STRIP = 24
_WRITTEN = {".svg": "a picture", ".png": "a picture", ".html": "a page with pictures and tables"}
"""What a file holds, by its ending; all others have one row per run."""
_COLUMNS = {"cost": "cost", "train_accuracy": "accuracy", "test_cost": "test cost",
            "test_accuracy": "test accuracy"}  # fmt: skip


def show_sweep(found: Sweep, out: Path | None) -> None:
    """Print a combination a line: its run, or medians and quartiles over the seeds."""
    console = look.console()
    several = len(found.plan.seeds) > 1
    runs = plural(len(found), "run")
    told = f", {plural(len(found.plan.seeds), 'seed')} a line" if several else ""
    console.print(title(found.plan.graph.name, runs + told))
    console.print()
    summaries = found.summaries()
    there = measures(found)
    what = telling(found) if there else "cost"
    scale = _Scale.of([one.quartiles.get(what) for one in summaries], what)
    until = found.plan.until is not None
    names = [clean(name) for name in found.plan.names]
    strip = "epochs" if what == "epochs_to" else what.replace("_", " ")
    held = [name for name in _COLUMNS if name in there] or ["cost"]
    failed = any(one.failed for one in summaries)
    columns = [*names, *(_COLUMNS[name] for name in held),
               *(["reached", "median"] if until else []), *(["failed"] if failed else []),
               f"{strip}  {scale.ends}"]  # fmt: skip
    rows = table(*columns, numbers=tuple(columns[:-1]))
    for one in summaries[:_MOST_LINES]:
        rows.add_row(
            *_cells(one, held, until=until, failed=failed),
            Text(scale.strip(one.quartiles.get(what))),
        )
    print_inset(console, rows)
    console.print()
    lines = plot_lines(found, what, console.width - 4)
    for line in lines:
        line.rstrip()  # what is copied from a terminal has no blanks at its ends
        console.print(Text("  ") + line)
    if lines:
        console.print()
    if len(summaries) > _MOST_LINES:
        console.print(f"  … and {plural(len(summaries) - _MOST_LINES, 'line')} more")
    if several:
        console.print(Text("  medians over the seeds; ● the median, ━ from the first quartile to "
                           "the third", "dim"))  # fmt: skip
    if until:
        never = sum(one.runs - (one.reached or 0) for one in summaries)
        told = f"  epochs until {found.plan.until}; {plural(never, 'run')} never got there"
        console.print(Text(clean(told), "dim"))
    if out is not None:
        kind = _WRITTEN.get(out.suffix, "one row per run")
        console.print(Text.assemble("  ", (clean(str(out)), "bold"), f"  {kind}"),
                      soft_wrap=True)  # fmt: skip


def show_folds(graph: Graph, found: Folds) -> None:
    """Print one line per fold, and mean and spread below them."""
    console = look.console()
    k = len(found.folds)
    console.print(title(graph.name, f"cross-validation, {k} folds, {duration(found.seconds)}"))
    console.print()
    numbers = ("rows", "set apart", "epochs", "cost", "accuracy", "test cost", "test accuracy")
    rows = table("fold", *numbers, numbers=numbers)
    for one in found.folds:
        sizes = [f"{size:,}" for size in (one.rows, one.test_rows, one.epochs)]
        rows.add_row(str(one.fold), *sizes, *_measured(one.measures))
    rows.add_row("mean", "", "", "", *_measured(found.mean), style="bold", end_section=True)
    rows.add_row("spread", "", "", "", *_measured(found.spread), style="dim")
    print_inset(console, rows)
    for one in found.folds:
        if one.note:
            console.print(Text(f"  fold {one.fold}: {clean(one.note)}", style="yellow"))
    console.print(Text("\n  the spread is the standard deviation over the folds", "dim"))


def _measured(values: Mapping[str, float | None]) -> list[Text]:
    found = [maybe(values["cost"]), percent(values["train_accuracy"]),
             maybe(values["test_cost"]), percent(values["test_accuracy"])]  # fmt: skip
    return [Text(cell) for cell in found]


def _cells(one: Summary, held: Sequence[str], *, until: bool, failed: bool) -> list[Text]:
    def median(name: str) -> float | None:
        three = one.quartiles[name]
        return None if three is None else three[1]

    found = [clean(_value(value)) for value in one.settings.values()]
    found += [(percent if is_share(name) else maybe)(median(name)) for name in held]
    if until:
        found += [f"{one.reached}/{one.runs}", maybe(median("epochs_to"))]
    if failed:
        found += [f"{one.failed}/{one.runs}" if one.failed else ""]
    return [Text(cell) for cell in found]


def _value(value: Any) -> str:
    return precise(value) if isinstance(value, float) else str(value)


class _Scale:
    """Where a number stands on a strip; costs on a log scale if they differ by more than ten."""

    def __init__(self, low: float, high: float, *, log: bool, share: bool) -> None:
        self.low, self.high, self.log, self.share = low, high, log, share

    @classmethod
    def of(cls, quartiles: Sequence[tuple[float, float, float] | None], what: str) -> _Scale:
        there = [value for three in quartiles if three for value in three if math.isfinite(value)]
        low, high = (min(there), max(there)) if there else (0.0, 1.0)
        share = is_share(what)
        return cls(low, high, log=not share and low > 0 and high > 10 * low, share=share)

    @property
    def ends(self) -> str:
        show = percent if self.share else maybe
        return f"{show(self.low)} … {show(self.high)}"

    def _place(self, value: float) -> int:
        if not math.isfinite(value):
            return _STRIP - 1
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, low))
        return 0 if high <= low else round((value - low) / (high - low) * (_STRIP - 1))

    def strip(self, three: tuple[float, float, float] | None) -> str:
        if three is None:
            return "–"
        first, middle, third = (self._place(value) for value in three)
        signs = ["·"] * _STRIP
        signs[first : third + 1] = ["━"] * (third + 1 - first)
        signs[middle] = "●"
        return "".join(signs)
