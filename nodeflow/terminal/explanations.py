"""What explains a run: shares of blame, why a weight changed, where blame dies, derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from nodeflow.terminal import look
from nodeflow.terminal.look import clean, maybe, percent, plural, print_inset, table, title
from nodeflow.workings.shown import deviation, duration, share, show

if TYPE_CHECKING:
    from nodeflow.engine.comparison import Comparison
    from nodeflow.engine.run import Run
    from nodeflow.explain.alike import Alike
    from nodeflow.explain.responsibility import Responsibility
    from nodeflow.explain.saturation import Reason
    from nodeflow.explain.symbols import Derivative
    from nodeflow.explain.tracing import Why
    from nodeflow.graph import Graph
    from nodeflow.views import Content

_MOST_SAMPLES, _MOST_ROWS, _MOST_DELTAS = 10, 40, 6


def show_blame(run: Run, at: tuple[int, int], layers: Sequence[Responsibility]) -> None:
    """Print the shares of blame, one table per layer, the most to blame first."""
    out = look.console()
    where = f"epoch {at[0]}, sample {at[1]}, cost {maybe(run.cost)}"
    out.print(title(run.graph.name, where))
    for layer in layers:
        many = len(layer.layer) > 1
        deltas = ", ".join(
            f"{clean(name)} {show(delta)}"
            for name, delta in zip(layer.layer[:_MOST_DELTAS], layer.deltas, strict=False)
        )
        more = ", …" if len(layer.layer) > _MOST_DELTAS else ""
        out.print()
        out.print(Text.assemble(("  δ  ", "dim"), deltas + more), soft_wrap=True)
        out.print()
        if not layer.shares.any():
            out.print(Text("  every δ is 0: there is nothing to apportion"))
            continue
        of_each = layer.layer if many and len(layer.layer) <= _MOST_DELTAS else ()
        # Where there is too little room for all, names are worth more than bars.
        forms = (
            _shares(layer, of_each, bars=True),
            _shares(layer, of_each, bars=True, sign="of\n"),
            _shares(layer, of_each, bars=False, sign="of\n"),
        )
        room = out.width - 2
        fitting = next((form for form in forms if out.measure(form).maximum <= room), None)
        print_inset(out, fitting or _shares(layer, (), bars=True))
        if fitting is None:
            out.print(Text("  a wider terminal has the share in each δ beside them", style="dim"))


def _shares(
    layer: Responsibility, of_each: Sequence[str], *, bars: bool, sign: str = "of "
) -> Table:
    names = tuple(f"{sign}{clean(name)}" for name in of_each)
    bar = ("",) if bars else ()
    rows = table("neuron", "share", *bar, "∂C/∂a", *names, numbers=("share", "∂C/∂a", *names))
    for place, i in enumerate(layer.ranking[:_MOST_ROWS]):
        drawn = Text("█" * round(20 * layer.shares[i]) or "▏", style="yellow")
        rows.add_row(
            Text(clean(layer.neurons[i]) + (" ←" if place == 0 else "")),
            share(layer.shares[i]),
            *([drawn] if bars else []),
            show(layer.blame[i]),
            *(percent(abs(layer.each[j, i])) for j in range(len(of_each))),
        )
    return rows


def show_why(run: Run, found: Why) -> None:
    """Print how a weight changed, and the samples that moved it most."""
    out = look.console()
    first, last = found.epochs
    out.print(title(run.graph.name, f"epoch {first} to {last}"))
    out.print()
    out.print(Text(clean(found.summary)))
    out.print()
    rows = table("row", "moved it by", "share of the way", numbers=("moved it by",
                 "share of the way"))  # fmt: skip
    for row, change in found.by_sample[:_MOST_SAMPLES]:
        share = percent(change / found.change).replace("-", "−") if found.change else "–"
        rows.add_row(f"{row}" if row >= 0 else "the penalty", show(change), share)
    print_inset(out, rows)
    left = len(found.by_sample) - _MOST_SAMPLES
    if left > 0:
        rest = sum(change for _, change in found.by_sample[_MOST_SAMPLES:])
        out.print(Text(f"  and {plural(left, 'other')}, together {show(rest)}", style="dim"))


def show_saturated(run: Run, found: Sequence[Reason], same: Sequence[Alike]) -> None:
    """Print the neurons that blame does not come through, and why; and those that are alike."""
    out = look.console()
    out.print(title(run.graph.name, f"after {plural(run.epoch, 'epoch')}"))
    out.print()
    for one in same:
        out.print(Text(f"  {clean(one.layer)}: {one.text}"), soft_wrap=True)
    if not found:
        out.print(Text("  ✓ blame comes through every neuron"))
        return
    for reason in found[:_MOST_ROWS]:
        out.print(Text(f"  {clean(reason.text)}"), soft_wrap=True)
    if len(found) > _MOST_ROWS:
        out.print(Text(f"  and {plural(len(found) - _MOST_ROWS, 'other')}", style="dim"))


def show_derivative(graph: Graph, found: Derivative) -> None:
    """Print a derivative: by the chain rule, simplified, and what it comes to."""
    out = look.console()
    out.print(title(graph.name, f"∂{found.cost.rpartition('.')[2]}/∂{found.weight}"))
    out.print()
    head = f"∂C/∂{clean(found.weight)}"
    out.print(Text.assemble((f"  {head} = ", "dim"), clean(found.chain)), soft_wrap=True)
    if found.simplified != found.chain:
        room = " " * len(head)
        out.print(Text.assemble((f"  {room} = ", "dim"), (clean(found.simplified), "bold")),
                  soft_wrap=True)  # fmt: skip
    for name, meaning in found.where.items():
        out.print(Text.assemble(("  where ", "dim"), f"{clean(name)} = {clean(meaning)}"),
                  soft_wrap=True)  # fmt: skip
    out.print()
    told = f"  comes to {show(found.value)} at the start"
    if found.gradient is not None:
        told += f"; the backward pass gives {show(found.gradient)}"
    out.print(Text(told))


def show_sides(sides: Comparison) -> None:
    """Print every gradient next to the difference of the cost, and how long both took."""
    out = look.console()
    out.print()
    rows = table("∂J/∂", "backward pass", "differences", "apart", numbers=("backward pass",
                 "differences", "apart"))  # fmt: skip
    for name, gradient, difference in sides.listed(_MOST_ROWS):
        apart = deviation(abs(gradient - difference))
        rows.add_row(Text(clean(name)), show(gradient), show(difference), apart)
    print_inset(out, rows)
    count = sides.count
    if count > _MOST_ROWS:
        left = plural(count - _MOST_ROWS, "other")
        out.print(Text(f"  and {left}; --json has all", style="dim"))
    out.print()
    once, many = sides.seconds
    times = many / once if once > 0 else 0.0
    ratio = f", {times:,.0f} times as long" if times >= 1.5 else ""
    out.print(
        Text(
            f"  backward pass {duration(once)}, differences {duration(many)} "
            f"for {plural(count, 'number')}{ratio}"
        )
    )


def show_views(contents: dict[str, Content | str]) -> None:
    """Print what views show, each under its name."""
    out = look.console()
    for key, content in contents.items():
        out.print()
        out.print(Text.assemble("  ", (clean(key), "bold")))
        lines = [content] if isinstance(content, str) else content.lines(out.width - 4)
        for line in lines:
            out.print(Text(f"    {clean(line)}"), soft_wrap=True)


def show_dictionary(run: Run) -> None:
    """Print all weights as a dictionary."""
    from nodeflow.views.dictionary import Dictionary

    out = look.console()
    out.print()
    for line in Dictionary(dict(run.weights)).lines(max(out.width - 2, 20)):
        out.print(Text(f"  {clean(line)}"), soft_wrap=True)
