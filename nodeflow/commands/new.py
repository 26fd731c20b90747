"""`nodeflow new`: a network from a shape or from data."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from nodeflow.commands.options import (
    FiniteRange,
    file_argument,
    json_option,
    read_batch,
    read_layers,
)
from nodeflow.commands.output import bold, count, echo, print_json
from nodeflow.commands.tables import option_of, table_options, taken
from nodeflow.errors import FileError


class _Kind(click.Choice[str]):
    """A node type of a family: those of the library in the help, those of plugins besides."""

    def __init__(self, family: str) -> None:
        self._family = family
        self.case_sensitive = True

    @property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override]
        """The types of the library; asked for by the help and for an answer alone."""
        from nodeflow.declare import CATALOG
        from nodeflow.networks import offered

        return tuple(name for name in offered(self._family) if CATALOG[name].is_own)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a type; of unknown ones, those of plugins are asked for."""
        from nodeflow.networks import offered

        if value in offered(self._family):
            return str(value)
        return super().convert(value, param, ctx)


INITS = ("glorot", "uniform", "normal", "zeros", "naive_bayes")
SCALES = ("none", "minmax", "standard")


@click.command()
@file_argument
@click.option("--layers", callback=read_layers, metavar="N-…-N",
              help="Sizes from inputs to outputs, such as 7-5-3.")  # fmt: skip
@click.option("--hidden", type=click.IntRange(1), metavar="N",
              help="Neurons of each hidden layer, with --data: at most 100,000.")  # fmt: skip
@click.option("--depth", type=click.IntRange(0), metavar="N",
              help="How many hidden layers, with --data: at most 1,000; 0 is none.")  # fmt: skip
@click.option(
    "--data",
    type=click.Path(),
    metavar="NAME|FILE",
    help="A data set, or a table: CSV and other text, ARFF, .mat, Excel, NPZ, IDX, …",
)
@table_options
@click.option("--activation", type=_Kind("activation"), default="sigmoid",
              show_default=True, help="Of the hidden layers.")  # fmt: skip
@click.option("--cost", type=_Kind("cost"), help="By default squared_error.")
@click.option("--trainer", type=_Kind("trainer"), default="gradient_descent",
              show_default=True, help="What updates the weights.")  # fmt: skip
@click.option("--rate", type=FiniteRange(0), help="The learning rate α.")
@click.option("--init", type=click.Choice(INITS), help="How weights start; by default glorot.")
@click.option("--batch", callback=read_batch, metavar="N|all", help="Samples per update.")
@click.option("--epochs", type=click.IntRange(0), help="How many epochs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="The seed of weights, split and order.")  # fmt: skip
@click.option("--test", type=FiniteRange(0, 1, max_open=True),
              help="The fraction of rows kept for testing.")  # fmt: skip
@click.option("--scale", type=click.Choice(SCALES), help="How features are scaled.")
@click.option("--scale-target", type=click.Choice(SCALES), help="How number targets are scaled.")
@click.option("--explain", is_flag=True, help="Say why each choice was made.")
@click.option("--regularization", type=FiniteRange(0), default=0.0, metavar="λ",
              help="Add the penalty λ/2 · Σ Θ² to the cost.")  # fmt: skip
@click.option("--level", type=click.Choice(("layer", "neuron")), default="layer",
              show_default=True, help="What is a node: a layer, or each neuron.")  # fmt: skip
@click.option("--unfolded", is_flag=True, help="Write the backward pass as wired nodes.")
@click.option("--force", is_flag=True, help="Replace FILE, and keep what it was as FILE.bak.")
@json_option
def new(
    file: str,
    *,
    layers: tuple[int, ...] | None,
    hidden: int | None,
    depth: int | None,
    data: str | None,
    unfolded: bool,
    force: bool,
    explain: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a network that can be trained, from --layers, from --data, or from both."""
    if (hidden is not None or depth is not None) and (layers is not None or data is None):
        raise click.UsageError(
            "--hidden and --depth go with --data, which gives inputs and outputs; "
            "--layers says all sizes."
        )
    if layers is None and data is None:
        raise click.UsageError("Give --layers such as 7-5-3, or --data, or both.")
    options = taken(settings)
    if data is None:
        of_data = [] if options is None else [option_of(options)]
        of_data += [
            f"--{name.replace('_', '-')}"
            for name in ("test", "scale", "scale_target")
            if settings.get(name) is not None
        ]
        if of_data:
            raise click.UsageError(f"{of_data[0]} says how --data is read, and none is given.")
    path = Path(file)
    if os.path.lexists(path) and not path.is_dir() and not force:
        raise FileError("is there already; --force replaces it and keeps a backup", file=file)
    from nodeflow import terminal
    from nodeflow.data.places import escapes, name_folder
    from nodeflow.data.relative import relative_source
    from nodeflow.derive.sizes import sizes_of
    from nodeflow.files import save
    from nodeflow.measuring import choices, measured
    from nodeflow.networks import network

    source = None if data is None else relative_source(data, path.parent)
    if source is not None and escapes(source):
        name_folder((path.parent / source).parent)  # whoever names a file lets graphs read there
    with terminal.reading_bar():
        graph = network(
            layers,
            data=source,
            hidden=hidden,
            depth=depth,
            options=options,
            folded=not unfolded,
            name=path.stem,
            folder=path.parent,
            **settings,
        )
    found = measured(graph, given=settings) if data is not None else None
    graph = graph if found is None else found.graph
    save(graph, path)
    sizes = sizes_of(graph)
    following = f"nodeflow train {shlex.quote(file)}"
    if as_json:
        print_json(
            {
                "file": file,
                "layers": sizes,
                "nodes": len(graph.nodes),
                "wires": len(graph.wires),
                "about": graph.about,
                "next": following,
                **({} if found is None else found.as_dict()),
            }
        )
        return
    made = (count(len(graph.nodes), "node"), count(len(graph.wires), "wire"))
    echo(f"{bold(file)}  {', '.join(('-'.join(map(str, sizes)), *made))}")
    for line in graph.about.splitlines():
        echo(line)
    if found is not None:
        for line in found.lines:
            echo(line)
    if explain:
        for line in choices(graph, settings, found):
            echo(f"  {line}")
    echo(f"next: {following}")
