"""`nodeflow why`: which samples changed a weight, through which deltas."""

from __future__ import annotations

import re

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import print_json
from nodeflow.errors import RunError

_WEIGHT = re.compile(r"(?P<name>[^\[\]]+?)(?:\[(?P<index>\s*\d+\s*(?:,\s*\d+\s*)*)\])?")


@click.command()
@file_argument
@click.argument("weight", metavar="WEIGHT")
@click.option("--from", "begin", type=click.IntRange(0), default=0, show_default=True,
              metavar="EPOCH", help="From the start of this epoch, counted from 0.")  # fmt: skip
@click.option("--to", "end", type=click.IntRange(0), metavar="EPOCH",
              help="To the start of this one; without it the next.")  # fmt: skip
@json_option
def why(file: str, weight: str, *, begin: int, end: int | None, as_json: bool) -> None:
    """Tell why a weight changed: which samples moved it, and by how much.

    WEIGHT is an address with a place counted from 0, such as theta1.value[0,2]; a parameter of
    one number needs no place. The graph is trained up to the epoch first.
    """
    if end is not None and begin > end:
        raise click.UsageError(f"--from {begin} comes after --to {end}.")
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.engine.run import Run
    from nodeflow.explain.tracing import why as traced

    run = Run(graph)
    address, index = place_in(weight, {key: value.shape for key, value in run.weights.items()})
    last = begin + 1 if end is None else end
    if last > run.epoch:
        with terminal.progress(run, last) as tell:
            run.train(last, progress=tell)
    found = traced(run, address, index, (begin, last))
    if as_json:
        print_json(found.as_dict())
    else:
        terminal.show_why(run, found)


def place_in(weight: str, shapes: dict[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """Return the address and place that a weight's name says; `RunError` says what is missing."""
    read = _WEIGHT.fullmatch(weight.strip())
    if read is None:
        raise RunError(f"'{weight}' is no weight: write an address and a place, theta1.value[0,2]")
    name = read["name"].strip()
    address = name if name in shapes or f"{name}.value" not in shapes else f"{name}.value"
    if read["index"] is not None:
        return address, tuple(int(part) for part in read["index"].split(","))
    shape = shapes.get(address, ())
    count = 1
    for size in shape:
        count *= size
    if count > 1:
        places = ",".join(["0"] * len(shape))
        sizes = "×".join(map(str, shape))
        raise RunError(f"'{address}' is {sizes}: say which number, such as {address}[{places}]")
    return address, (0,) * len(shape)
