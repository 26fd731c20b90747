"""The menu Network: graphs are taken apart and folded, checked, trained and explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from nodeflow.derive import collapse, explode, fold, unfold
from nodeflow.derive.exploding import RECORD as EXPLODED
from nodeflow.derive.giving import give_weights
from nodeflow.derive.silent import missing_wires
from nodeflow.derive.steps import without_rate
from nodeflow.editor.commands.registry import register
from nodeflow.editor.commands.view import first_view
from nodeflow.editor.documents import exporting
from nodeflow.editor.panels import training
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import (
    Check,
    CompareGraphs,
    ControlRun,
    Derive,
    DeriveCost,
    ManyRuns,
)
from nodeflow.editor.state.runcommands import (
    ExplainChange,
    ExplainVanishingBlame,
    Pause,
    Reset,
    Resume,
    Train,
)
from nodeflow.errors import GraphError
from nodeflow.graph import Graph, Wire
from nodeflow.scene import with_places

_LARGE = 400
"""Nodes, from which on unfolding and exploding take noticeable time."""


@register("unfold", "Unfold the backward pass", "Ctrl+U", "Network")
def _unfold(editor: Editor) -> Editor:
    if not editor.graph.of_family("trainer"):
        return editor.refused(
            "there is nothing to unfold: no trainer hides a backward pass in this graph"
        )
    return _deriving(editor, "unfold", unfold)


@register("fold", "Fold the backward pass", "Ctrl+Shift+Y", "Network")
def _fold(editor: Editor) -> Editor:
    return _deriving(editor, "fold", fold)


@register("explode", "Explode", "Ctrl+K", "Network")
def _explode(editor: Editor) -> Editor:
    graph = editor.graph
    layers = [key for key in sorted(editor.chosen) if graph.nodes[key].is_layer]
    if editor.selection and not layers:
        return editor.refused("only a weighted_sum can be exploded; select one, or nothing for all")
    return _deriving(editor, "explode", partial(_each, explode, layers))


@register("collapse", "Collapse", "Ctrl+Shift+K", "Network")
def _collapse(editor: Editor) -> Editor:
    graph = editor.graph
    held = graph.extra.get(EXPLODED, {})
    names = {name for key in editor.chosen for name in held if _belongs(key, name)}
    # What lies inside goes first: it is collapsed with its layer.
    layers = [name for name in names if not any(_belongs(name, o) for o in names - {name})]
    if not layers and editor.selection:  # neurons that were wired one by one: one stands for all
        layers = [k for k in sorted(editor.chosen) if graph.nodes[k].is_layer][:1]
    return _deriving(editor, "collapse", partial(_each, collapse, sorted(layers)))


def _each(
    change: Callable[[Graph, str | None], Graph], layers: Sequence[str], graph: Graph
) -> Graph:
    """Change some layers of a graph; without any, all."""
    for key in layers or (None,):
        graph = change(graph, key)
    return graph


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _deriving(editor: Editor, label: str, change: Callable[[Graph], Graph]) -> Editor:
    """Make another graph of this one; of a large one in the background, for it takes seconds."""
    graph = editor.graph
    if len(graph.nodes) < _LARGE:
        return derived(editor, change(graph), label)
    return editor.asking(Derive(label, lambda: with_places(change(graph))))


def derived(editor: Editor, graph: Graph, label: str) -> Editor:
    """Go on with a graph that was made of the present one, and have the two compared."""
    made = editor.edited(with_places(graph), label)
    made = replace(made, selection=frozenset())
    seen = made.asking(CompareGraphs(editor.graph, graph))
    return first_view(seen)


@register("check", "Check gradients", "Ctrl+Shift+C", "Network")
def _check(editor: Editor) -> Editor:
    return editor.asking(Check()).with_notice("checking the gradients …")


@register("give-weights", "Give it weights and a bias", "Ctrl+Shift+W", "Network")
def _give_weights(editor: Editor) -> Editor:
    graph = editor.graph
    sums = [key for key in sorted(editor.chosen) if graph.nodes[key].is_layer]
    if not sums:
        return editor.refused("select the weighted_sum that is to have weights and a bias")
    try:
        given, made = give_weights(graph, sums)
    except GraphError as error:
        return editor.refused(str(error))
    return editor.edited(given, "give weights").with_notice(f"made: {', '.join(made)}")


@register("many-runs", "Many runs …", "Ctrl+M", "Network")
def _many_runs(editor: Editor) -> Editor:
    if not editor.graph.nodes:
        return editor.refused("there is nothing to run: the graph has no nodes")
    return editor.asking(ManyRuns())


@register("wire-back", "Wire what is missing: updates back to their parameters", "Ctrl+Alt+W",
          "Network")  # fmt: skip
def _wire_back(editor: Editor) -> Editor:
    graph, missing = editor.graph, missing_wires(editor.graph)
    if not missing:
        return editor.refused("no feedback wire is missing: every update reaches its parameter")
    for wire in map(Wire.parse, missing):
        graph = graph.connect(wire.start, wire.end)
    count = "1 wire" if len(missing) == 1 else f"{len(missing)} wires"
    return editor.edited(graph, "wire updates back").with_notice(
        f"{count} drawn: {', '.join(missing)}"
    )


@register("train", "Train", "Ctrl+Enter or F5", "Network")
def _train(editor: Editor) -> Editor:
    return replace(editor, notice=None).asking(ControlRun(Train()))


@register("pause", "Pause", "F6", "Network")
def _pause(editor: Editor) -> Editor:
    return editor.asking(ControlRun(Pause()))


@register("toggle-training", "Train or pause", "Space")
def _toggle(editor: Editor) -> Editor:
    running = editor.live.state in ("training", "playing")
    return _pause(editor) if running else _train(editor)


@register("set-epochs", "Set epochs …", "", "Network")
def _set_epochs(editor: Editor) -> Editor:
    return _typing_training(editor, "epochs")


@register("set-batch", "Set batch …", "", "Network")
def _set_batch(editor: Editor) -> Editor:
    return _typing_training(editor, "batch")


@register("set-seed", "Set seed …", "", "Network")
def _set_seed(editor: Editor) -> Editor:
    return _typing_training(editor, "seed")


def _typing_training(editor: Editor, name: str) -> Editor:
    return replace(editor, popup=Editing("", name, training.present(editor.graph, name)))


@register("set-rate", "Set learning rate …", "", "Network")
def _set_rate(editor: Editor) -> Editor:
    found = training.rate(editor)
    if found is None and without_rate(editor.graph):
        return _typing_training(editor, "rate")
    if found is None:
        return editor.refused("no trainer of this graph has a learning rate")
    if not found.node:
        return _typing_training(editor, "rate")
    return typing(editor, found.node, found.setting)


def typing(editor: Editor, node: str, setting: str) -> Editor:
    """Open the field for a setting of a node."""
    value = editor.graph.settings(node)[setting]
    return replace(editor, popup=Editing(node, setting, written(value)))


@register("reset", "Start again from the first weights", "F7", "Network")
def _reset(editor: Editor) -> Editor:
    return editor.asking(ControlRun(Reset()))


@register("keep-weights", "Keep the trained weights in the graph", "", "Network")
def _keep(editor: Editor) -> Editor:
    graph = exporting.kept(editor.graph, editor.live.weights)
    if graph is editor.graph:
        return editor.refused("there are no trained weights yet; train first")
    return editor.edited(graph, "keep the trained weights")


@register("why", "Why did this weight change", "Y", "Network")
def _why(editor: Editor) -> Editor:
    node = _parameter(editor)
    if not node:
        return editor.refused("select the parameter whose change is to be explained")
    return editor.asking(ControlRun(ExplainChange(node)))


@register("origin", "Where does its slope come from", "D", "Network")
def _origin(editor: Editor) -> Editor:
    node = _parameter(editor)
    if not node:
        return editor.refused("select the parameter by which the cost is to be derived")
    return editor.asking(DeriveCost(node))


@register("where-blame-dies", "Where does blame die", "Shift+B", "Network")
def _where_blame_dies(editor: Editor) -> Editor:
    nothing = replace(editor, selection=frozenset(), wire=None)
    return nothing.asking(ControlRun(ExplainVanishingBlame()))


def _parameter(editor: Editor) -> str:
    """Return the parameter that is selected, or the only one of the graph, or ""."""
    chosen = [key for key in sorted(editor.selection) if key in editor.graph.nodes]
    found = [key for key in chosen if editor.graph.nodes[key].is_parameter]
    all_ = editor.graph.parameters
    return found[0] if found else all_[0] if len(all_) == 1 else ""


@register("resume", "Go on with earlier training", "", "Network")
def _resume(editor: Editor) -> Editor:
    if editor.offer is None:
        return editor.refused("there is no earlier training that could be gone on with")
    return replace(editor, offer=None, notice=None).asking(ControlRun(Resume(editor.offer)))
