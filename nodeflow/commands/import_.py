"""`nodeflow import`: a network from another program."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nodeflow.commands.options import json_option, out_option, read_layers
from nodeflow.commands.output import bold, count, echo, print_json, say
from nodeflow.errors import FileError

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
    force: bool,
    as_json: bool,
) -> None:
    """Make a graph of a network from PyTorch, ONNX, Keras, brain.js, FANN, SNNS, Weka, MATLAB.

    What was made is compared with the other program, where that is installed.
    """
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
    save(found.graph, target)
    document = found.as_dict()
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
        echo("not verified: the other program is not installed, or cannot be asked")
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
