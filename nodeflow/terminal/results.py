"""Results of commands: values of a pass, what training came to, checks, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.text import Text

from nodeflow.terminal import look
from nodeflow.terminal.look import (
    WIDE,
    clean,
    maybe,
    percent,
    plural,
    print_inset,
    shape_of,
    table,
    title,
)
from nodeflow.workings.shown import deviation, duration, listed, short, show

if TYPE_CHECKING:
    from nodeflow.difference import Change
    from nodeflow.engine.run import Run
    from nodeflow.engine.verdicts import Check
    from nodeflow.explain.quality import Quality
    from nodeflow.graph import Graph

_MOST_ROWS = 4
"""The most rows of a matrix that are told one below the other."""


def show_evaluation(
    graph: Graph, values: Mapping[str, Any], gradients: Mapping[str, Any], cost: float | None
) -> None:
    """Print each value of a pass, and the gradient at the same address beside it."""
    out = look.console()
    about = "one batch forward and backward, nothing updated"
    out.print(title(graph.name, about))
    out.print()
    most = 3 if out.width >= WIDE else 2
    rows = table("value", "shape", "", "gradient", numbers=("shape",))
    for address, value in values.items():
        gradient = _rows(gradients[address], most) if address in gradients else ""
        rows.add_row(Text(address), shape_of(value), Text(_rows(value, most)), Text(gradient))
    print_inset(out, rows)
    out.print()
    out.print(Text.assemble("  cost ", (maybe(cost), "bold")))


def _rows(value: Any, most: int) -> str:
    """Return a small matrix whole, a row a line; of anything larger the first numbers."""
    array = np.asarray(value)
    if array.ndim == 2 and 1 < len(array) <= _MOST_ROWS and array.shape[1] <= most:
        return "\n".join(f"[{listed(row)}]" for row in array)
    return short(array, most)


def show_training(
    run: Run, result: Mapping[str, Any], saved: Path | None, quality: Quality | None = None
) -> None:
    """Print what training came to: cost, accuracy or error, and the weights in summary."""
    out = look.console()
    updates = plural(run.update, "update")
    taken = duration(result["seconds"])
    out.print(title(run.graph.name, f"{plural(result['epochs'], 'epoch')}, {updates}, {taken}"))
    out.print()
    tests = run.machine.test_rows
    columns = ("", "training", "test") if tests else ("", "training")
    rows = table(*columns, numbers=("training", "test"))
    rows.add_row("cost", maybe(result["cost"]), *([maybe(result["test_cost"])] * bool(tests)))
    if result["train_accuracy"] is not None:
        test = [percent(result["test_accuracy"])] * bool(tests)
        rows.add_row("accuracy", percent(result["train_accuracy"]), *test)
    if quality is not None and not quality.classes:
        test = [maybe(quality.test)] * bool(tests)
        rows.add_row("R² (the mean is 0)", maybe(quality.train), *test)
        if len(quality.error) == 1:
            there = [maybe(one) for one in quality.error_test] * bool(tests)
            rows.add_row("error in units of the data", maybe(quality.error[0]), *there)
    rows.add_row("samples", f"{run.machine.rows:,}", *([f"{tests:,}"] * bool(tests)))
    print_inset(out, rows)
    if result["weights"]:
        out.print()
        _show_weights(out, result["weights"])
    if saved is not None:
        out.print()
        out.print(Text(f"  weights and history: {look.clean(str(saved))}"))


def _show_weights(out: Console, weights: Mapping[str, Any]) -> None:
    names = ("shape", "smallest", "mean", "largest")
    rows = table("weights", *names, numbers=names)
    for address, value in weights.items():
        size = [show(one) for one in (value.min(), value.mean(), value.max())]
        if value.size == 1:
            size = ["", size[1], ""]
        rows.add_row(Text(address), shape_of(value), *size)
    print_inset(out, rows)


_VERDICTS = {
    "ok": ("✓", "right", "green"),
    "kink": ("~", "kink", "yellow"),
    "small": ("·", "too small to measure", "yellow"),
    "fault": ("✗", "wrong", "bold red"),
}


def show_check(graph: Graph, outcome: Check) -> None:
    """Print each gradient's relative error, and what was found of it."""
    out = look.console()
    size = f"{plural(len(graph.nodes), 'node')}, {plural(len(graph.wires), 'wire')}"
    out.print(title(graph.name, size))
    out.print()
    for finding in outcome.findings:
        out.print(Text(f"  ! {finding.sentence}", style="yellow"))
    if not outcome.nodes:
        out.print(Text("  ✓ valid; no parameter lies before a cost, so there are no gradients"))
        return
    if outcome.implied:
        out.print(Text(f"  {outcome.implied}"))
    if outcome.unlike_rates:
        out.print(Text(f"  {outcome.unlike_rates}"))
    rows = table("gradient of", "", "relative error", "tried", "", numbers=("relative error",
                  "tried"))  # fmt: skip
    for key, found in outcome.nodes.items():
        sign, word, style = _VERDICTS[found.status]
        apart = ""
        if found.status == "fault":
            apart = f"is {show(found.gradient)}, the cost's slope {show(found.difference)}"
        rows.add_row(
            Text(key),
            Text(f"{sign} {word}", style=style),
            deviation(found.relative_error),
            str(found.checked),
            Text(apart),
        )
    print_inset(out, rows)
    out.print()
    if outcome.left_out:
        all_ = len(outcome.nodes) + outcome.left_out
        out.print(
            Text(
                f"  {len(outcome.nodes):,} of {all_:,} gradients are checked, some of each node "
                "type; --every checks them all, and takes its time"
            )
        )
    bad = sum(found.status == "fault" for found in outcome.nodes.values())
    many = len(outcome.nodes)
    if bad:
        out.print(Text(f"  ✗ {bad} of {plural(many, 'gradient')} wrong", style="bold red"))
        reasons: dict[str, list[str]] = {}
        for key, found in outcome.nodes.items():
            if found.reason:
                reasons.setdefault(found.reason, []).append(key)
        for reason, keys in reasons.items():
            out.print(Text(f"  {', '.join(keys)}: {reason}"))
    else:
        worst = f"largest relative error {deviation(outcome.max_relative_error)}"
        out.print(Text(f"  ✓ valid; {worst}", style="green"))


def show_derived(out_file: str, before: Graph, after: Graph) -> None:
    """Print how a graph grew or shrank, and where it is."""
    size = f"{plural(len(after.nodes), 'node')}, {plural(len(after.wires), 'wire')}"
    was = f"(before: {len(before.nodes):,} and {len(before.wires):,})"
    look.console().print(
        Text.assemble((look.clean(out_file), "bold"), ("  " + f"{size} {was}", "dim")),
        soft_wrap=True,
    )


_CHANGES = {
    "added": ("+", "green"),
    "removed": ("−", "red"),
    "renamed": ("→", "cyan"),
    "changed": ("~", "yellow"),
    "moved": ("↔", "dim"),
}


def show_difference(changes: Sequence[Change]) -> None:
    """Print the sentences, each with a sign for what kind of change it is."""
    out = look.console()
    if not changes:
        out.print("no difference")
        return
    for change in changes:
        sign, style = _CHANGES[change.kind]
        out.print(Text.assemble((f"{sign} ", style), clean(change.sentence)), soft_wrap=True)
