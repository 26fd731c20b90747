"""`nodeflow import`: a network from another program."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.options import FiniteRange, json_option, out_option, read_layers
from nodeflow.commands.output import bold, count, echo, print_json, say
from nodeflow.commands.tables import option_of, table_options, taken
from nodeflow.errors import FileError

if TYPE_CHECKING:
    from nodeflow.data import Options
    from nodeflow.graph import Graph

_STANDING_IN = "no data: constants of zeros stand for it; --data NAME|FILE wires a table"
FORMATS = ("torch", "safetensors", "onnx", "keras", "mat", "brainjs", "fann", "snns", "weka")


@click.command(name="import")
@click.argument("source", metavar="SOURCE", type=click.Path())
@out_option
@click.option("--from", "format_", type=click.Choice(FORMATS),
              help="The format, where the ending does not say it.")  # fmt: skip
@click.option("--layers", callback=read_layers, metavar="N-…-N",
              help="Sizes, for files that hold weights alone: .safetensors, .pt, "
              ".weights.h5.")  # fmt: skip
@click.option("--activation", metavar="NAME",
              help="Of the hidden layers, for such files; of a .mat sigmoid.")  # fmt: skip
@click.option(
    "--output",
    metavar="NAME",
    help="Of the last layer, for such files; of a .mat as --activation.  [identity]",
)
@click.option("--data", type=click.Path(), metavar="NAME|FILE",
              help="A data set or table that the network is fed with; its numbers are taken as "
              "they are.")  # fmt: skip
@table_options
@click.option("--test", type=FiniteRange(0, 1, max_open=True),
              help="The fraction of its rows kept for testing.  [0]")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace OUT, and keep what it was as OUT.bak.")
@json_option
def import_(
    source: str,
    *,
    out: str,
    format_: str | None,
    layers: tuple[int, ...] | None,
    activation: str | None,
    output: str | None,
    data: str | None,
    test: float | None,
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a graph of a network from PyTorch, ONNX, Keras, brain.js, FANN, SNNS, Weka, MATLAB.

    What was made is compared with the other program, where that is installed.
    """
    options = taken(settings)
    if data is None and (options is not None or test is not None):
        word = "--test" if options is None else option_of(options)
        raise click.UsageError(f"{word} says how --data is read, and none is given.")
    target = Path(out)
    if os.path.lexists(target) and not target.is_dir() and not force:
        raise FileError("is there already; --force replaces it and keeps a backup", file=out)
    from nodeflow import terminal
    from nodeflow.files import save
    from nodeflow.interchange import Asked, imported

    asked = Asked(layers, activation, output)
    # Checking asks the other program, which takes seconds to start.
    with terminal.bar(f"reading and checking {terminal.clean(source)}"):
        found = imported(Path(source), format_=format_, asked=asked)
    graph = found.graph if found.graph.name else replace(found.graph, name=target.stem)
    if data is not None:
        graph = _fed(graph, data, target.parent, options, test or 0.0)
    save(graph, target)
    document = {**found.as_dict(), "nodes": len(graph.nodes)}
    if as_json:
        print_json(document)
        return
    sizes = "-".join(map(str, document["layers"]))
    echo(f"{bold(out)}  {sizes}, {count(document['nodes'], 'node')}")
    for line in found.graph.about.splitlines():
        echo(line)
    for one in found.network.missing:
        kept = "" if one is not found.network.missing[0] else "; what stands before it runs"
        say(f"{one.name} ({one.what}) is a placeholder: {one.why}{kept}", bad=False)
    if found.unheard:
        were = "were" if len(found.unheard) > 1 else "was"
        say(f"{' and '.join(found.unheard)} {were} not needed: the file itself says what the "
            "network is", bad=False)  # fmt: skip
    if found.network.missing:
        echo("not verified: what has no counterpart gives no numbers to compare")
    elif found.unverified:
        echo(f"not verified: the other program refuses to compute it ({found.unverified})")
    elif found.verified is None:
        echo(f"not verified: {found.unasked}")
    else:
        from nodeflow.workings.shown import deviation

        check = found.verified
        slopes = "" if check.gradients is None else f", gradients by {deviation(check.gradients)}"
        echo(
            f"verified against {check.against}: {check.rows} rows, outputs differ by at most "
            f"{deviation(check.outputs)}{slopes}"
        )
        if check.unlike:
            echo(f"slopes were not compared: there those of {check.unlike} are NaN")
    if not found.network.missing:
        if found.costless:
            echo("no cost in the file: it is squared_error, after a softmax cross-entropy")
        if data is None:
            echo(_STANDING_IN)
    echo(f"next: nodeflow play {shlex.quote(out)} --samples 1")


def _fed(graph: Graph, data: str, folder: Path, options: Options | None, test: float) -> Graph:
    from nodeflow import terminal
    from nodeflow.data.places import escapes, name_folder
    from nodeflow.data.relative import relative_source
    from nodeflow.derive.feeding import with_data

    source = relative_source(data, folder)
    if escapes(source):
        name_folder((folder / source).parent)  # whoever names a file lets graphs read there
    with terminal.reading_bar():
        return with_data(graph, source, options=options, test=test, folder=folder)
