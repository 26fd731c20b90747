"""The command `nodeflow`: what it takes, what it prints, and how it ends.

Heavy imports stand inside the commands, so that `nodeflow --help` answers at once. Each command
gives an exit code: 0 done, 1 the graph or data has a fault, 2 wrong usage (click's), 130 Ctrl-C,
141 the reader of the output went away.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from nodeflow import __version__
from nodeflow.commands.tables import table_options, taken
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import (
    ConditionError,
    ExportError,
    FileError,
    GraphError,
    NodeflowError,
    RunError,
    Slower,
    UnknownType,
    nearest,
)

if TYPE_CHECKING:
    from nodeflow.declare import NodeType, Port, Setting
    from nodeflow.engine.run import Run
    from nodeflow.engine.step import Step
    from nodeflow.graph import Graph

FAULT, INTERRUPTED, READER_GONE = 1, 130, 141


# --- output -------------------------------------------------------------------------------------


@dataclass
class _State:
    """What the end of a command needs to know about its beginning."""

    json: bool = False
    printed: bool = False
    streams: bool = False
    """Whether standard output takes several documents, one a line."""


def _state() -> _State:
    state = click.get_current_context().find_object(_State)
    return _State() if state is None else state


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: arrays as lists, NaN and Infinity as texts."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def _print_json(document: Any) -> None:
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    text = json.dumps(plain(document), ensure_ascii=encoding != "utf8", allow_nan=False)
    _state().printed = True
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _sentence(error: BaseException) -> str:
    """Return an error's message as one line that a terminal can show."""
    text = " ".join(str(error).split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _say(sentence: str, *, bad: bool = True) -> None:
    click.echo(click.style("nodeflow:", fg="red" if bad else None, bold=True) + f" {sentence}",
               err=True)  # fmt: skip


def _refuse(state: _State, sentence: str, code: int) -> int:
    """Say why the command ends, on both streams if JSON was asked for."""
    if state.json and (not state.printed or (state.streams and code == FAULT)):
        sys.stdout.write(json.dumps({"error": sentence}) + "\n")
        sys.stdout.flush()
    _say(sentence)
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; no exception leaves, but for a debugger's."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    state = _State()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", Slower)
            warnings.showwarning = _say_slower
            return _ended(state, lambda: _invoked(state, arguments))
    except BrokenPipeError:
        # Python would complain once more when it flushes standard output at its end.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return READER_GONE


def _say_slower(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say in a sentence what is slower than it could be; other warnings are for developers."""
    if issubclass(category, Slower):
        _say(_sentence(Slower(str(message))), bad=False)
    else:
        (file or sys.stderr).write(
            warnings.formatwarning(message, category, filename, lineno, line)
        )


def _invoked(state: _State, arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    with app.make_context("nodeflow", words, obj=state) as context:
        code = app.invoke(context)
    sys.stdout.flush()
    return int(code or 0)


def _ended(state: _State, work: Callable[[], int]) -> int:
    """Turn whatever ends a command into an exit code and one sentence."""
    try:
        return work()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        raise
    except NodeflowError as error:
        return _refuse(state, _sentence(error), FAULT)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(state, f"{place}the system refused ({reason})", FAULT)
    except (KeyboardInterrupt, click.Abort) as error:
        return _refuse(state, _sentence(error) or "interrupted", INTERRUPTED)
    except MemoryError:
        return _refuse(state, "there is not enough memory; a smaller batch needs less", FAULT)
    except Exception as error:
        if os.environ.get("NODEFLOW_DEBUG"):
            raise
        about = f"{type(error).__name__}: {_sentence(error)}".removesuffix(": ")
        return _refuse(
            state,
            f"this is a bug of nodeflow ({about}); NODEFLOW_DEBUG=1 shows where it happened",
            FAULT,
        )


# --- what the commands take ---------------------------------------------------------------------


def _batch(_context: click.Context, _: click.Parameter, value: str | None) -> int | str | None:
    """Read a whole number from 1, or `all`."""
    if value is None or value == "all":
        return value
    if value.isdecimal() and int(value) > 0:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither a whole number from 1 nor 'all'.")


def _moment(_context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None:
            Moment.read(value)
    except RunError as error:
        raise click.BadParameter(f"{error}.") from None
    return value


def _note_json(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001
    if state := context.find_object(_State):
        state.json = value
    return value


_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_note_json,
    help="Print one JSON document and nothing else.",
)
_file = click.argument("file", metavar="FILE")
_out = click.option("-o", "--out", metavar="OUT", required=True, help="The graph file to write.")
_node = click.argument("node", metavar="[NODE]", required=False)
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(invoke_without_command=True, context_settings=_CONTEXT)
@click.version_option(__version__, message="nodeflow %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Take neural networks apart: train, check and play graphs, node by node.

    Without a command the editor opens.
    """
    if context.invoked_subcommand is None:
        context.exit(_edited(None))


@app.command()
@click.argument("file", required=False)
@_json
def edit(file: str | None, *, as_json: bool) -> int:
    """Open the editor, with a graph file if one is given."""
    code = _edited(file)
    if as_json and not code:
        _print_json({"file": file})
    return code


def _edited(file: str | None) -> int:
    """Open the editor's window and stay until it is closed."""
    from nodeflow.window import display

    why = display.reason()
    if why is not None:
        return _refuse(_state(), why, FAULT)
    if file is not None:
        _load(file)  # a fault of the file is said here, before a window opens
    from nodeflow.window.app import main as window

    return window(None if file is None else Path(file))


def _load(file: str) -> Graph:
    import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
    from nodeflow.files import load

    return load(file)


# --- run ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """One forward and backward pass: values and gradients by address, and the cost."""

    values: dict[str, Any] = field(default_factory=dict)
    gradients: dict[str, Any] = field(default_factory=dict)
    cost: float | None = None
    faults: tuple[str, ...] = ()
    """Where NaN or Infinity first appeared, unless the cost and all gradients are finite."""


def evaluate(graph: Graph, weights: Mapping[str, Any] | None = None) -> Evaluation:
    """Evaluate the first batch forward and backward; nothing is updated.

    Where an update is a loop over samples, the rows of the samples are put under each other. NaN
    and Infinity are values like others: they stop no node that does not depend on them.
    """
    import numpy as np

    from nodeflow.engine.run import Run
    from nodeflow.graph import Node

    # A search tries weights: the pass itself is that of any trainer over the whole data.
    searches = [key for key in graph.of_type("minimize") if graph.nodes[key].mode == "active"]
    nodes = {**graph.nodes, **dict.fromkeys(searches, Node("gradient_descent"))}
    run = Run(replace(graph, nodes=nodes), batch="all" if searches else None)
    if weights:
        run.set_weights(weights)
    phases, shapes = run.plan.phases, run.plan.inference.shapes
    wanted = {key for key in run.order if phases[key] < 2}
    last = max((run.order.index(key) for key in wanted), default=-1)
    found: dict[str, list[Any]] = {}
    faults: dict[str, str] = {}
    at = 0
    while run.update == 0 and at <= last:
        step = run.step(refuse=False)
        if step.fault:
            faults.setdefault(step.node, step.fault)
        for port, value in step.outputs.items():
            found.setdefault(f"{step.node}.{port}", []).append(value)
        if run.update == 0:
            at = run.order.index(run.node)
    values = {
        address: np.concatenate(parts) if shapes[address].batch else parts[-1]
        for address, parts in found.items()
        if address.rpartition(".")[0] in wanted
    }
    gradients = {
        address: values[source]
        for address, source in sorted(run.plan.unfolding.gradients.items())
        if source in values
    }
    costs = found.get(run.plan.unfolding.cost or "", [])
    cost = float(np.mean(np.concatenate([np.ravel(part) for part in costs]))) if costs else None
    if cost is not None and all(np.isfinite(one).all() for one in (cost, *gradients.values())):
        faults.clear()  # they come to nothing, or lie beside the way to the cost
    return Evaluation(
        {key: values[key] for key in sorted(values) if key.rpartition(".")[0] in graph.nodes},
        gradients,
        cost,
        tuple(faults.values()),
    )


@app.command(name="run")
@_file
@_json
def run_(file: str, *, as_json: bool) -> int:
    """Evaluate the first batch forward and backward, and update nothing."""
    graph = _load(file)
    found = evaluate(graph)
    if as_json:
        _print_json({"values": found.values, "gradients": found.gradients, "cost": found.cost})
    else:
        from nodeflow import terminal

        terminal.show_evaluation(graph, found.values, found.gradients, found.cost)
    for fault in found.faults:
        _say(f"{fault}; scale the data, or check the node's inputs")
    return FAULT if found.faults else 0


# --- train --------------------------------------------------------------------------------------


@app.command()
@_file
@click.option("--epochs", type=click.IntRange(0), help="How many epochs, instead of the graph's.")
@click.option("--batch", callback=_batch, metavar="N|all", help="Samples an update.")
@click.option("--rate", type=float, help="The learning rate α.")
@click.option("--seed", type=click.IntRange(0), help="The seed of weights, split and order.")
@click.option("--float32", is_flag=True, help="Compute in float32 instead of float64.")
@click.option("--save", is_flag=True, help="Write weights and history to NAME.run.npz.")
@_json
def train(
    file: str,
    *,
    epochs: int | None,
    batch: int | str | None,
    rate: float | None,
    seed: int | None,
    float32: bool,
    save: bool,
    as_json: bool,
) -> None:
    """Train at full speed, and show what came of it.

    The history has a line an epoch; of more than a million epochs older lines are thinned out.
    """
    graph = _load(file)
    from nodeflow import terminal
    from nodeflow.derive.rates import with_rate
    from nodeflow.engine.run import Run

    if rate is not None:
        graph = with_rate(graph, rate, by="--rate")
    with terminal.reading_bar():
        run = Run(graph, seed=seed, batch=batch, dtype="float32" if float32 else "float64")
    if run.machine.shortened is not None:
        _say(f"the data has {run.machine.rows} rows, so a batch is {run.batch} "
             f"and not {run.machine.shortened}", bad=False)  # fmt: skip
    stopped = ""
    started = time.perf_counter()
    try:
        with terminal.progress(run, graph.training.epochs if epochs is None else epochs) as tell:
            run.train(epochs, progress=tell)
    except KeyboardInterrupt:
        stopped = f"training was interrupted after {_count(run.epoch, 'epoch')}"
    seconds = time.perf_counter() - started
    saved = _save_run(run, file) if save else None
    if saved and stopped:
        stopped += f"; {saved} holds the weights up to there"
    if run.epochs_left_out:
        _say(f"the history has {len(run.history):,} of {run.epochs_known:,} epochs: of a run of "
             "more than a million, older lines are thinned out", bad=False)  # fmt: skip
    from nodeflow.explain.quality import quality

    result, good = _result(run, seconds), quality(run)
    if as_json:
        _print_json({**result, **({"error": stopped} if stopped else {})})
    elif not stopped or run.epoch:
        terminal.show_training(run, result, saved, good)
    if good is not None and good.fault and run.epoch:
        _say(good.fault, bad=False)
    if stopped:
        raise KeyboardInterrupt(stopped)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _save_run(run: Run, file: str) -> Path:
    from nodeflow.files import save_run

    path = Path(file).with_suffix(".run.npz")
    meta = {
        "graph": run.graph.name,
        "epochs": run.epoch,
        "updates": run.update,
        "seed": run.machine.seed,
        "batch": run.batch,
        "dtype": str(run.machine.dtype),
    }
    save_run(path, run.weights, run.history, meta)
    return path


def _result(run: Run, seconds: float) -> dict[str, Any]:
    cost, accuracy = run.machine.assess(test=False)
    test_cost, test_accuracy = (
        run.machine.assess(test=True) if run.machine.test_rows else (float("nan"), float("nan"))
    )
    if not run.machine.splits and run.plan.unfolding.cost:
        # Only data sets are assessed; constants are their own and only batch.
        found = evaluate(run.graph, run.weights).cost
        cost = float("nan") if found is None else found
    return {
        "epochs": run.epoch,
        "cost": _number(cost),
        "train_accuracy": _number(accuracy),
        "test_cost": _number(test_cost),
        "test_accuracy": _number(test_accuracy),
        "weights": run.weights,
        "history": run.history,
        "seconds": round(seconds, 6),
    }


def _number(value: float) -> float | None:
    return None if value != value else float(value)


# --- check --------------------------------------------------------------------------------------


@app.command()
@_file
@_json
def check(file: str, *, as_json: bool) -> int:
    """Check that a graph is valid and its gradients are right."""
    graph = _load(file)
    from nodeflow.engine.check import Check
    from nodeflow.engine.check import check as check_gradients
    from nodeflow.engine.plan import plan

    unfolding = plan(graph).unfolding
    known = bool(unfolding.cost and unfolding.gradients)
    outcome = check_gradients(graph) if known else Check(valid=True, max_relative_error=0.0)
    if as_json:
        _print_json(outcome.as_dict())
    else:
        from nodeflow import terminal

        terminal.show_check(graph, outcome)
    if not outcome.valid:
        bad = [key for key, node in outcome.nodes.items() if node.status == "fault"]
        what = "the gradient of" if len(bad) == 1 else "the gradients of"
        _say(f"{what} {', '.join(repr(key) for key in bad)} and the slope of the cost differ")
    return 0 if outcome.valid else FAULT


# --- play ---------------------------------------------------------------------------------------


@app.command()
@_file
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=4.0,
    show_default=True,
    help="Steps (or what --level says) a second; 0 is as fast as possible.",
)
@click.option("--from", "begin", callback=_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="The first step to play, counted from 0.")  # fmt: skip
@click.option("--until", callback=_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="Where to end: before this epoch or sample, after this node.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), help="How many passes to play.")
@click.option("--level", type=click.Choice(LEVELS), default="step", show_default=True,
              help="How far one beat goes.")  # fmt: skip
@click.option("--stop", "stops", multiple=True, metavar="CONDITION",
              help='Stop when this becomes true, such as "cost < 0.01"; may be '
              "repeated.")  # fmt: skip
@_json
def play(
    file: str,
    *,
    speed: float,
    begin: str | None,
    until: str | None,
    samples: int | None,
    level: str,
    stops: tuple[str, ...],
    as_json: bool,
) -> int:
    """Play a graph in slow motion: each node, with its numbers.

    In a terminal it is played by keys, of which ? shows the list; with --speed 0 or into a pipe it
    goes to the end.
    """
    graph = _load(file)
    from nodeflow import terminal
    from nodeflow.engine.run import Run
    from nodeflow.playback import moments
    from nodeflow.playback.beats import beats
    from nodeflow.playback.player import Player

    run = Run(graph)
    schedule = run.schedule
    _state().streams = True
    if begin is not None:
        moments.go_before(run, Moment.read(begin))
    end = moments.end_of_training(run) if until is None else schedule.find(Moment.read(until))
    player = Player(run)
    try:
        for text in stops:
            player.stops.add(run, text)
    except ConditionError as error:
        code = _refuse(_state(), _sentence(error), FAULT)
        click.echo(
            "\n".join(f"  {terminal.clean(row)}" for row in error.pointed.splitlines()), err=True
        )
        return code
    last = schedule.number(end)
    if samples is not None:
        last = min(last, schedule.after_passes(player.number, samples))
    try:
        if speed and not as_json and run.order and terminal.is_interactive():
            terminal.play_live(player, level, speed, last)
            return 0
        show: Callable[[list[Step]], None] = (
            (lambda steps: _print_json(steps[-1].as_dict()))
            if as_json
            else terminal.StepPrinter(run, level)
        )
        clock = time.perf_counter()
        for steps in beats(player, level, last):
            show(steps)
            if speed:
                clock = max(clock + 1 / speed, time.perf_counter())
                time.sleep(max(0.0, clock - time.perf_counter()))
    except KeyboardInterrupt:
        where = f"epoch {run.epoch}, sample {run.sample}"
        raise KeyboardInterrupt(f"playing was interrupted at {where}") from None
    if player.reason:
        _say(f"stopped at {player.place}: {player.reason}", bad=False)
    return 0


# --- new ----------------------------------------------------------------------------------------

# The same as in networks.py, which `--help` need not wait for.
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax")
COSTS = ("squared_error", "cross_entropy", "categorical_cross_entropy")
TRAINERS = ("gradient_descent", "adam", "minimize")
INITS = ("glorot", "uniform", "normal", "zeros", "naive_bayes")
SCALES = ("none", "minmax", "standard")


def _layers(_context: click.Context, _: click.Parameter, value: str | None) -> Any:
    """Read the sizes of layers, such as 7-5-3."""
    if value is None:
        return None
    from nodeflow.networks import layer_sizes

    try:
        return layer_sizes(value)
    except GraphError as error:
        raise click.BadParameter(f"{error}.") from None


@app.command()
@_file
@click.option("--layers", callback=_layers, metavar="N-…-N",
              help="Sizes from inputs to outputs, such as 7-5-3.")  # fmt: skip
@click.option(
    "--data",
    metavar="NAME|FILE",
    help="A data set, or a table: CSV and other text, ARFF, .mat, Excel, NPZ, IDX, …",
)
@table_options
@click.option("--activation", type=click.Choice(ACTIVATIONS), default="sigmoid",
              show_default=True, help="Of the hidden layers.")  # fmt: skip
@click.option("--cost", type=click.Choice(COSTS), help="By default squared_error.")
@click.option("--trainer", type=click.Choice(TRAINERS), default="gradient_descent",
              show_default=True, help="What updates the weights.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0), help="The learning rate α.")
@click.option("--init", type=click.Choice(INITS), help="How weights start; by default glorot.")
@click.option("--batch", callback=_batch, metavar="N|all", help="Samples an update.")
@click.option("--epochs", type=click.IntRange(0), help="How many epochs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="The seed of weights, split and order.")  # fmt: skip
@click.option("--test", type=click.FloatRange(0, 1, max_open=True),
              help="The fraction of rows kept for testing.")  # fmt: skip
@click.option("--scale", type=click.Choice(SCALES), help="How features are scaled.")
@click.option("--scale-target", type=click.Choice(SCALES), help="How number targets are scaled.")
@click.option("--explain", is_flag=True, help="Say why each choice was made.")
@click.option("--regularization", type=click.FloatRange(0), default=0.0, metavar="λ",
              help="Add the penalty λ/2 · Σ Θ² to the cost.")  # fmt: skip
@click.option("--level", type=click.Choice(("layer", "neuron")), default="layer",
              show_default=True, help="What is a node: a layer, or each neuron.")  # fmt: skip
@click.option("--unfolded", is_flag=True, help="Write the backward pass as wired nodes.")
@click.option("--force", is_flag=True, help="Replace FILE, and keep what it was as FILE.bak.")
@_json
def new(
    file: str,
    *,
    layers: tuple[int, ...] | None,
    data: str | None,
    unfolded: bool,
    force: bool,
    explain: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a network that can be trained, from --layers, from --data, or from both."""
    if layers is None and data is None:
        raise click.UsageError("Give --layers such as 7-5-3, or --data, or both.")
    path = Path(file)
    if os.path.lexists(path) and not path.is_dir() and not force:
        raise FileError("is there already; --force replaces it and keeps a backup", file=file)
    from nodeflow import terminal
    from nodeflow.data.relative import relative_source
    from nodeflow.files import save
    from nodeflow.measuring import choices, measured
    from nodeflow.networks import network

    with terminal.reading_bar():
        graph = network(
            layers,
            data=None if data is None else relative_source(data, path.parent),
            options=taken(settings),
            folded=not unfolded,
            name=path.stem,
            folder=path.parent,
            **settings,
        )
    found = measured(graph, given=settings) if data is not None else None
    graph = graph if found is None else found.graph
    save(graph, path)
    sizes = _made_sizes(graph)
    following = f"nodeflow train {shlex.quote(file)}"
    if as_json:
        _print_json(
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
    made = (_count(len(graph.nodes), "node"), _count(len(graph.wires), "wire"))
    click.echo(f"{click.style(file, bold=True)}  {', '.join(('-'.join(map(str, sizes)), *made))}")
    click.echo(graph.about)
    if found is not None:
        for line in found.lines:
            click.echo(line)
    if explain:
        for line in choices(graph, settings, found):
            click.echo(f"  {line}")
    click.echo(f"next: {following}")


def _made_sizes(graph: Graph) -> list[int]:
    """Return the sizes of a new network, from its weights or from those of its neurons."""
    sizes: list[int] = []
    while rows := [
        graph.settings(key)["shape"]
        for key in graph.of_type("parameter")
        if re.fullmatch(rf"theta{max(len(sizes), 1)}(\.\d+)?", key)
    ]:
        sizes += [*([] if sizes else [rows[0][1]]), sum(shape[0] for shape in rows)]
    return sizes


# --- graph to graph -----------------------------------------------------------------------------


@app.command()
@_file
@_out
@_json
def unfold(file: str, *, out: str, as_json: bool) -> None:
    """Write the graph with its backward pass as wired nodes."""
    from nodeflow.derive import unfold as derive

    _derived(file, out, derive, as_json=as_json)


@app.command()
@_file
@_out
@_json
def fold(file: str, *, out: str, as_json: bool) -> None:
    """Write the graph with its backward pass behind a trainer again."""
    from nodeflow.derive import fold as derive

    _derived(file, out, derive, as_json=as_json)


@app.command()
@_file
@_node
@_out
@_json
def explode(file: str, node: str | None, *, out: str, as_json: bool) -> None:
    """Write the graph with the layer NODE as neurons, or the neuron NODE as operations."""
    from nodeflow.derive import explode as derive

    _derived(file, out, partial(derive, node=node), as_json=as_json)


@app.command()
@_file
@_node
@_out
@_json
def collapse(file: str, node: str | None, *, out: str, as_json: bool) -> None:
    """Write the graph with the exploded layer or neuron NODE whole again."""
    from nodeflow.derive import collapse as derive

    _derived(file, out, partial(derive, node=node), as_json=as_json)


def _derived(file: str, out: str, derive: Callable[[Graph], Graph], *, as_json: bool) -> None:
    from nodeflow.files import save
    from nodeflow.files.moving import moved

    before = _load(file)
    after = moved(derive(before), Path(out).parent)
    save(after, out)
    nodes, wires = len(after.nodes), len(after.wires)
    if as_json:
        _print_json({"file": out, "nodes": nodes, "wires": wires})
        return
    from nodeflow import terminal

    terminal.show_derived(out, before, after)


# --- export -------------------------------------------------------------------------------------

_ENDINGS = """\b
  .svg   the canvas as a drawing
  .png   the canvas in pixels; can be opened again
  .gif   slow motion, for a page or a slide
  .mp4   slow motion as a video
  .html  slow motion as a page with buttons
  .dot   the graph for Graphviz
  .json  the weights by address
  .csv   the history, a line an epoch
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


@app.command(help=f"Write FILE as OUT, by OUT's ending:\n\n{_ENDINGS}")
@_file
@click.argument("out", metavar="OUT")
@click.option("--theme", type=click.Choice(("dark", "light")), help="The colours.  [dark]")
@click.option("--epochs", callback=_epochs, metavar="N|FIRST-LAST",
              help="Of .gif and .mp4: the epoch N, or FIRST to LAST, from 0. Of the others: train "
              "N epochs, or show so many.")  # fmt: skip
@click.option("--from", "begin", callback=_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="The first step to show, counted from 0.")  # fmt: skip
@click.option("--until", callback=_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="Where to end: before this epoch or sample, after this node.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), help="How many passes to show.")
@click.option("--level", type=click.Choice(LEVELS), help="How far one beat goes.  [step]")
@click.option("--speed", type=click.FloatRange(0.1, 50),
              help="Steps (or what --level says) a second.  [2]")  # fmt: skip
@click.option("--size", callback=_size, metavar="WIDTHxHEIGHT",
              help="Of .gif and .mp4, in pixels.  [960x600]")  # fmt: skip
@click.option("--scale", type=click.FloatRange(0.1, 8), help="Of .png: pixels a unit.  [2]")
@click.option("--trained", is_flag=True, default=None,
              help="Weights from NAME.run.npz, and not those of the start.")  # fmt: skip
@click.option("--no-graph", "bare", is_flag=True, default=None,
              help="Leave the graph out of a .png.")  # fmt: skip
@_json
def export(file: str, out: str, *, as_json: bool, **given: Any) -> None:
    """Write a graph in another format."""
    from nodeflow import export as exports
    from nodeflow import terminal

    try:
        kind = exports.format_of(out)
    except ExportError as error:
        raise click.UsageError(_sentence(error)) from None
    options = _asked(kind.takes, Path(out).suffix, given)
    graph = _load(file)
    try:
        with terminal.bar(f"writing {out}") as tell:
            made = exports.export(graph, out, file=Path(file), progress=tell, **options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the export was interrupted; nothing was written") from None
    if as_json:
        _print_json({"file": out, "bytes": len(made.data), **made.facts})
        return
    size = len(made.data)
    told = f"{size:,} bytes" if size < 100_000 else f"{size / 1e6:.1f} MB"
    click.echo("  ".join(part for part in (click.style(out, bold=True), made.said, told) if part))


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
            option = {"begin": "from", "bare": "no-graph"}.get(name, name)
            raise click.UsageError(f"--{option} says nothing about {ending}.")
    return options


# --- nodes --------------------------------------------------------------------------------------


def _port(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "many": port.many,
        "optional": port.optional,
        "feedback": port.feedback,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    span = setting.range
    return {
        "name": setting.name,
        "kind": setting.kind,
        "default": setting.default,
        "range": span and {"low": span.low, "high": span.high, "open": span.open},
        "choices": list(setting.choices),
    }


def _type(type_: NodeType) -> dict[str, Any]:
    return {
        "name": type_.name,
        "family": type_.family,
        "formula": type_.formula,
        "inputs": [_port(port) for port in type_.ports_in(type_.defaults)],
        "outputs": [_port(port) for port in type_.outputs],
        "settings": [_setting(setting) for setting in type_.settings],
        "aliases": list(type_.aliases),
        "backward": type_.rule is not None,
        "no_backward": type_.no_backward,
        "help": type_.help,
    }


def _named(word: str | None) -> list[NodeType]:
    """Return the types of that name or alias; all of them, by family, without a word."""
    import nodeflow.nodes  # noqa: F401  (fills the catalog)
    from nodeflow.declare import CATALOG, FAMILIES

    if word is None:
        return sorted(CATALOG.values(), key=lambda type_: FAMILIES.index(type_.family))
    if word in CATALOG:
        return [CATALOG[word]]
    lower = word.lower()
    found = [t for t in CATALOG.values() if lower in (alias.lower() for alias in t.aliases)]
    if not found:
        raise UnknownType(f"there is no node type '{word}'{nearest(word, CATALOG)}")
    return found


@app.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@_json
def nodes(type_: str | None, *, as_json: bool) -> None:
    """List the library, or describe one TYPE of node."""
    found = _named(type_)
    if as_json:
        _print_json([_type(one) for one in found])
        return
    from nodeflow import terminal

    if type_ is None:
        terminal.show_library(found)
    else:
        terminal.show_types(found)


# --- diff ---------------------------------------------------------------------------------------


@app.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@_json
def diff(a: str, b: str, *, as_json: bool) -> None:
    """Say what changed from graph A to graph B, in words."""
    from nodeflow.difference import difference

    changes = difference(_load(a), _load(b))
    if as_json:
        _print_json({"same": not changes, "changes": [change.sentence for change in changes]})
        return
    from nodeflow import terminal

    terminal.show_difference(changes)


# --- data ---------------------------------------------------------------------------------------


@app.group()
def data() -> None:
    """Look at tables, and fetch public data sets."""


@data.command()
@_file
@table_options
@_json
def look(file: str, *, as_json: bool, **said: Any) -> int:
    """Show how the table in FILE is read: its columns, its target, and why."""
    from nodeflow import terminal
    from nodeflow.data import look as read

    with terminal.reading_bar():
        reading = read(file, options=taken(said))
    if as_json:
        _print_json(reading.as_dict())
    else:
        terminal.show_reading(reading)
    return _refuse(_state(), reading.fault, FAULT) if reading.fault else 0


@data.command()
@click.argument("name", metavar="NAME")
@_json
def get(name: str, *, as_json: bool) -> None:
    """Fetch the data set NAME (mnist or wheat-seeds) into your data folder."""
    from nodeflow.data.fetch import get as fetch

    path = fetch(name, progress=sys.stderr.isatty())
    if as_json:
        _print_json({"name": name, "path": str(path)})
    else:
        click.echo(str(path))
