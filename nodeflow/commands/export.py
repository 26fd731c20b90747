"""`nodeflow export`: a graph in another format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import FiniteRange, file_argument, json_option, read_moment
from nodeflow.commands.output import bold, echo, print_json, sentence
from nodeflow.engine.schedule import LEVELS
from nodeflow.errors import ExportError, FileError

_ENDINGS = """\b
  .svg   the canvas as a drawing
  .png   the canvas in pixels; can be opened again
  .gif   slow motion, for a page or a slide
  .mp4   slow motion as a video
  .html  a page that computes: to step, to train, to change
  .dot   the graph for Graphviz
  .json  the weights by address
  .csv   the history, one line per epoch
  .py    a program of its own that trains
  .onnx  for ONNX: forward, or a training step
  .safetensors  weights for PyTorch and others
  .keras  for Keras 3
  .mat   weights for MATLAB and Octave
  .net   for FANN
"""


def _size(_context: click.Context, _: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Read a width and a height such as 960x600."""
    if value is None:
        return None
    if found := re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", value):
        return int(found[1]), int(found[2])
    raise click.BadParameter(f"{value!r} is not WIDTHxHEIGHT, such as 960x600.")


def _epochs(
    _context: click.Context, _: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Read an epoch or the first and the last of some: 3 or 0-2."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", value)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise click.BadParameter(f"{value!r} is neither a number of epochs nor FIRST-LAST.")
    return int(found[1]), int(found[2] or found[1])


@click.command(help=f"Write FILE as OUT, by OUT's ending:\n\n{_ENDINGS}")
@file_argument
@click.argument("out", metavar="OUT", type=click.Path())
@click.option("--theme", type=click.Choice(("dark", "light")), help="The colours.  [dark]")
@click.option("--epochs", callback=_epochs, metavar="N|FIRST-LAST",
              help="Of .gif and .mp4: the epoch N, or FIRST to LAST, from 0. Of the others: train "
              "N epochs, or show so many.")  # fmt: skip
@click.option("--from", "begin", callback=read_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="The first step to show, counted from 0.")  # fmt: skip
@click.option("--until", callback=read_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="Where to end: before this epoch or sample, after this node.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), help="How many passes to show.")
@click.option("--level", type=click.Choice(LEVELS), help="How far one beat goes.  [step]")
@click.option("--speed", type=FiniteRange(0.1, 50),
              help="Steps (or what --level says) a second.  [2]")  # fmt: skip
@click.option("--size", callback=_size, metavar="WIDTHxHEIGHT",
              help="Of .gif and .mp4, in pixels.  [960x600]")  # fmt: skip
@click.option("--scale", type=FiniteRange(0.1, 8), help="Of .png: pixels per unit.  [2]")
@click.option("--trained", is_flag=True, default=None,
              help="Weights from NAME.run.npz, and not those of the start.")  # fmt: skip
@click.option("--recorded", is_flag=True, default=None,
              help="Of .html: a recording of the steps, and nothing that computes.")  # fmt: skip
@click.option("--rows", type=click.IntRange(1),
              help="Of .html: how many rows of the data travel in it.  "
              "[all; of a large set 500]")  # fmt: skip
@click.option("--float32", is_flag=True, default=None,
              help="Of .html and .onnx: compute in float32.")  # fmt: skip
@click.option("--neurons", is_flag=True, default=None,
              help="Of .html: the layers taken apart, too.")  # fmt: skip
@click.option("--operations", is_flag=True, default=None,
              help="Of .html: the layers as single operations, too.")  # fmt: skip
@click.option("--code", type=click.Choice(("numpy", "torch", "jax")),
              help="Of .py: the library.  [numpy]")  # fmt: skip
@click.option("--backward", is_flag=True, default=None,
              help="Of .onnx: one training step, weights in and new weights out.")  # fmt: skip
@click.option("--for", "program", type=click.Choice(("brainjs", "brainjs2")),
              help="Of .json: whose JSON, instead of the weights by address: that of brain.js 1, "
              "which npm installs, or 2.")  # fmt: skip
@click.option("--no-graph", "bare", is_flag=True, default=None,
              help="Leave the graph out of a .png.")  # fmt: skip
@json_option
def export(file: str, out: str, *, as_json: bool, **given: Any) -> None:
    """Write a graph in another format."""
    from nodeflow import export as exports
    from nodeflow import terminal

    try:
        kind = exports.format_of(out)
    except ExportError as error:
        raise click.UsageError(sentence(error)) from None
    options = _asked(kind.takes, Path(out).suffix, given)
    graph = load(file)
    try:
        with terminal.bar(f"writing {out}") as tell:
            made = exports.export(graph, out, file=Path(file), progress=tell, **options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the export was interrupted; nothing was written") from None
    except FileError as error:
        if error.file:
            raise
        raise FileError(str(error), file=file) from None  # a place in the graph's own file
    if as_json:
        print_json({"file": out, "bytes": len(made.data), **made.facts})
        return
    size = len(made.data)
    told = f"{size:,} bytes" if size < 100_000 else f"{size / 1e6:.1f} MB"
    echo("  ".join(part for part in (bold(out), made.said, told) if part))


def _asked(takes: Sequence[str], ending: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given; raises `UsageError` for one that the ending has not."""
    options = {name: value for name, value in given.items() if value is not None}
    if "epochs" in options and "shown" in takes:
        options["shown"] = options.pop("epochs")
    elif "epochs" in options:
        first, last = options["epochs"]
        if first != last:
            raise click.UsageError(f"--epochs is a single number for {ending}.")
        options["epochs"] = first
    for name in options:
        if name not in takes:
            option = {"begin": "from", "bare": "no-graph", "program": "for"}.get(name, name)
            raise click.UsageError(f"--{option} says nothing about {ending}.")
    return options
