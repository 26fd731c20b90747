"""Everything that has a name: menus, palette, shortcuts and the list of them are made of this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nodeflow.derive import collapse, explode, fold, unfold
from nodeflow.derive.exploding import RECORD as EXPLODED
from nodeflow.derive.giving import give_weights
from nodeflow.derive.silent import missing_wires
from nodeflow.derive.steps import without_rate
from nodeflow.editor.canvas import aside, editing
from nodeflow.editor.documents import exporting, plugins
from nodeflow.editor.panels import room, training
from nodeflow.editor.state.camera import Camera
from nodeflow.editor.state.messages import Key
from nodeflow.editor.state.model import (
    Editing,
    Editor,
    Find,
    Link,
    Palette,
    Panel,
    Question,
    Search,
    Settings,
)
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import (
    AllowData,
    AskDiffer,
    AskExport,
    AskOpen,
    AskSave,
    Check,
    CompareGraphs,
    ControlRun,
    Copy,
    Derive,
    DeriveCost,
    ManyRuns,
    New,
    NewNetwork,
    Paste,
    Quit,
    Request,
    Save,
    SavePreferences,
    StopWork,
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
from nodeflow.files.address import is_address
from nodeflow.graph import Graph, Wire
from nodeflow.scene import NodeView, closed_groups, note, with_places


@dataclass(frozen=True)
class Command:
    """Something a person can ask for; `menu` is where it stands, "" for nowhere."""

    name: str
    title: str
    does: Callable[[Editor], Editor]
    shortcut: str = ""
    menu: str = ""
    context: bool = False
    """Whether the menu of the right button has it."""


PICTURE = ".png"
"""The ending of a picture, which can be opened where it carries its graph, but not saved to."""
_LARGE = 400
"""Nodes, from which on unfolding and exploding take noticeable time."""

COMMANDS: dict[str, Command] = {}
MENUS = ("File", "Edit", "Arrange", "Network", "Play", "Lesson", "View", "Help")


def _command(
    name: str, title: str, shortcut: str = "", menu: str = "", *, context: bool = False
) -> Callable[[Callable[[Editor], Editor]], Callable[[Editor], Editor]]:
    def register(does: Callable[[Editor], Editor]) -> Callable[[Editor], Editor]:
        COMMANDS[name] = Command(name, title, does, shortcut, menu, context)
        return does

    return register


register = _command


def done(editor: Editor, name: str) -> Editor:
    """Return the editor after a command, or with the reason why it cannot be."""
    command = COMMANDS.get(name)
    if command is None:
        return editor.refused(f"there is no command '{name}'")
    if editor.comparison is not None and not _only_looks(command):
        return editor.refused(f"{LOOKED_AT}: {command.title.rstrip(' …').lower()} comes after it")
    plain = replace(editor, popup=None, gesture=None)
    return editing.attempted(plain, lambda: command.does(plain))


LOOKED_AT = "a comparison is only looked at; Escape goes back to the graph"


def _only_looks(command: Command) -> bool:
    """Return whether a command leaves the graph as it is: others wait while two are compared."""
    return command.name == "cancel" or (
        command.menu in ("File", "View", "Help") and command.name not in ("revert", "map")
    )


def of_key(key: Key) -> Command | None:
    """Return the command of a shortcut."""
    return _by_shortcut().get(named(key))


def named(key: Key) -> str:
    """Return a key as shortcuts are written: Ctrl+Shift+P."""
    parts = [name for name, held in (("Ctrl", key.ctrl), ("Alt", key.alt)) if held]
    letter = key.name.upper() if len(key.name) == 1 else key.name
    # The character itself tells of Shift where it is no letter: ? is Shift and /.
    if key.shift and (len(letter) > 1 or letter.isalpha()):
        parts.append("Shift")
    return "+".join([*parts, letter])


def _by_shortcut() -> dict[str, Command]:
    return {
        one: command
        for command in COMMANDS.values()
        for one in command.shortcut.split(" or ")
        if one
    }


# --- file ---------------------------------------------------------------------------------------


@_command("allow-data", "Let this graph read its data in other folders", menu="File")
def _allow_data(editor: Editor) -> Editor:
    from nodeflow.data.places import escapes

    graph, found = editor.graph, set()
    for key in graph.datasets:
        source = graph.settings(key)["source"]
        if graph.folder is not None and isinstance(source, str) and escapes(source):
            found.add((graph.folder / source).parent)
    if not found:
        return editor.refused("all data of this graph lies in its own folder, or needs no file")
    return leaving(editor, AllowData(tuple(sorted(found))))


@_command("new", "New graph", "Ctrl+N", "File")
def _new(editor: Editor) -> Editor:
    return leaving(editor, New())


@_command("new-network", "New network …", "Ctrl+Shift+N", "File")
def _new_network(editor: Editor) -> Editor:
    return leaving(editor, NewNetwork())


@_command("open", "Open …", "Ctrl+O", "File")
def _open(editor: Editor) -> Editor:
    return leaving(editor, AskOpen())


@_command("recent", "Open recent …", "Ctrl+Shift+O", "File")
def _recent(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("recent"))


@_command("samples", "Samples …", "", "File")
def _samples(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("samples"))


@_command("save", "Save", "Ctrl+S", "File")
def _save(editor: Editor) -> Editor:
    path = editor.path
    if path is None or path.suffix.lower() == PICTURE or is_address(str(path)):
        return editor.asking(AskSave())
    return editor.asking(Save(path))


@_command("save-as", "Save as …", "Ctrl+Shift+S", "File")
def _save_as(editor: Editor) -> Editor:
    return editor.asking(AskSave())


@_command("export", "Export …", "Ctrl+Shift+E", "File")
def _export(editor: Editor) -> Editor:
    if not editor.graph.nodes:
        return editor.refused("there is nothing to export: the graph has no nodes")
    return editor.asking(AskExport())


@_command("compare-with", "Compare with …", "", "File")
def _compare_with(editor: Editor) -> Editor:
    return editor.asking(AskDiffer())


@_command("revert", "Revert to the file", "", "File")
def _revert(editor: Editor) -> Editor:
    if editor.path is None or editor.saved is None:
        return editor.with_notice("this graph has no file yet: Ctrl+H lists all that can be undone")
    if not editor.changed:
        return editor.with_notice("nothing has changed since the file was opened")
    return editor.edited(with_places(editor.saved), "revert")


@_command("plugins", "Switch on the plugins that this graph needs …", "", "File")
def _plugins(editor: Editor) -> Editor:
    asking = plugins.asking(editor)
    if asking is editor:
        return editor.with_notice("no plugin is missing: every type that a plugin has is known")
    return asking


@_command("quit", "Quit", "Ctrl+Q", "File")
def _quit(editor: Editor) -> Editor:
    return leaving(editor, Quit())


def leaving(editor: Editor, then: Request) -> Editor:
    """Go on with something that gives up this graph; if it has changed, ask first."""
    if not editor.changed or not editor.graph.nodes:
        return replace(editor, requests=(*editor.requests, then))
    name = editor.path.name if editor.path else editor.graph.name or "this graph"
    question = Question(
        f"{name} has changes that are not saved.",
        (("Save", "save"), ("Throw away", "discard"), ("Cancel", "cancel")),
        then,
    )
    return replace(editor, popup=question)


def answered(editor: Editor, question: Question, answer: str) -> Editor:
    """Do what was answered: save and then go on, go on at once, or stay."""
    match answer:
        case "save":
            return replace(_save(editor), leaving=question.then)
        case "discard" | "enable":
            return replace(editor, requests=(*editor.requests, question.then))
        case _:
            return editor


def left(editor: Editor) -> Editor:
    """Go on with what waited for the graph to be saved."""
    if editor.leaving is None or editor.changed:
        return replace(editor, leaving=None)
    return replace(editor, leaving=None, requests=(*editor.requests, editor.leaving))


@_command("cancel", "Cancel", "Escape")
def _cancel(editor: Editor) -> Editor:
    if editor.busy:
        stopped = replace(editor, busy="", leaving=None).asking(StopWork())
        return stopped.with_notice(f"{editor.busy}: stopped")
    if editor.comparison is not None:
        back = editor.comparison.back
        return replace(editor, comparison=None, camera=back, fitted=None, notice=None)
    held = editor.selection or editor.wire or editor.notice
    if editor.view == "map" and not held:
        return replace(editor, view="canvas")
    if editor.inside and not editor.selection and not editor.wire:
        return replace(editor, inside=editor.inside[:-1])
    if editor.lesson is not None and not held:
        return COMMANDS["end-lesson"].does(editor)
    return replace(editor, selection=frozenset(), wire=None, notice=None)


# --- edit ---------------------------------------------------------------------------------------


@_command("undo", "Undo", "Ctrl+Z", "Edit")
def _undo(editor: Editor) -> Editor:
    return _at(editor, editor.history.at - 1, "nothing is left to undo")


@_command("redo", "Redo", "Ctrl+Y or Ctrl+Shift+Z", "Edit")
def _redo(editor: Editor) -> Editor:
    return _at(editor, editor.history.at + 1, "nothing is left to redo")


def _at(editor: Editor, at: int, otherwise: str) -> Editor:
    history = editor.history.to(at)
    if history.at == editor.history.at:
        return editor.with_notice(otherwise)
    step = max(history.at, editor.history.at)
    verb = "undid" if history.at < editor.history.at else "redid"
    return replace(editor, history=history).with_notice(f"{verb} {history.entries[step].label}")


@_command("history", "History …", "Ctrl+H", "Edit")
def _history(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("history"))


@_command("cut", "Cut", "Ctrl+X", "Edit", context=True)
def _cut(editor: Editor) -> Editor:
    return editing.deleted(_copy(editor)) if editor.selection else editor


@_command("copy", "Copy", "Ctrl+C", "Edit", context=True)
def _copy(editor: Editor) -> Editor:
    text = editing.copied(editor)
    if not text:
        return editor.refused("select what to copy")
    return editor.asking(Copy(text))


@_command("paste", "Paste", "Ctrl+V", "Edit", context=True)
def _paste(editor: Editor) -> Editor:
    return editor.asking(Paste())


@_command("duplicate", "Duplicate", "Ctrl+D", "Edit", context=True)
def _duplicate(editor: Editor) -> Editor:
    return editing.duplicated(editor)


@_command("duplicate-wired", "Duplicate with incoming wires", "Ctrl+Alt+D", "Edit", context=True)
def _duplicate_wired(editor: Editor) -> Editor:
    return editing.duplicated_wired(editor)


@_command("repeat", "Repeat as a template …", "Ctrl+Shift+R", "Edit", context=True)
def _repeat(editor: Editor) -> Editor:
    if not editor.chosen:
        return editor.refused("select the nodes to repeat: those of a neuron, or of a layer")
    return replace(editor, popup=Editing("", "repeat", "2"))


@_command("delete", "Delete", "Delete or Backspace", "Edit", context=True)
def _delete(editor: Editor) -> Editor:
    return editing.deleted(editor)


@_command("rename", "Rename", "F2", "Edit", context=True)
def _rename(editor: Editor) -> Editor:
    if len(editor.selection) != 1:
        return editor.refused("select the one node to rename")
    (node,) = editor.selection
    if node in editor.graph.groups:
        return _title(editor)
    return replace(editor, popup=Editing(node, "id", node))


@_command("select-all", "Select all", "Ctrl+A", "Edit")
def _select_all(editor: Editor) -> Editor:
    return replace(editor, selection=frozenset(editor.graph.nodes), wire=None)


@_command("select-upstream", "Select what feeds it", "Ctrl+Shift+U", "Edit", context=True)
def _select_upstream(editor: Editor) -> Editor:
    return replace(editor, selection=editor.graph.upstream(editor.chosen))


@_command("select-downstream", "Select what it feeds", "Ctrl+Shift+D", "Edit", context=True)
def _select_downstream(editor: Editor) -> Editor:
    return replace(editor, selection=editor.graph.downstream(editor.chosen))


@_command("find", "Find …", "Ctrl+F", "Edit")
def _find(editor: Editor) -> Editor:
    return replace(editor, popup=Find())


@_command("add", "Add a node …", "Tab", "Edit")
def _add(editor: Editor) -> Editor:
    return replace(editor, popup=Search(editor.aim))


@_command("note", "Write a note on it …", "T", "Edit", context=True)
def _note(editor: Editor) -> Editor:
    node = _one(editor, "write on")
    return replace(editor, popup=Editing(node, "note", note(editor.graph.nodes[node])))


@_command("wire", "Draw a wire …", "W", "Edit", context=True)
def _wire(editor: Editor) -> Editor:
    return replace(editor, popup=Link(_one(editor, "wire")))


@_command("settings", "Change a setting …", "S", "Edit", context=True)
def _settings(editor: Editor) -> Editor:
    node = _one(editor, "set")
    if not editor.graph.settings(node):
        return editor.refused(f"'{node}' has no settings")
    return replace(editor, popup=Settings(node))


def _one(editor: Editor, what: str) -> str:
    """Return the one selected node, or raise with what to select."""
    chosen = editor.selection & editor.graph.nodes.keys()
    if len(chosen) != 1:
        raise GraphError(f"select the one node to {what}")
    return next(iter(chosen))


def _beside(editor: Editor, across: int, down: int) -> Editor:
    """Select the nearest node in a direction."""
    views = editor.drawn.nodes
    if not views:
        return editor
    chosen = sorted(editor.selection & views.keys())
    if not chosen:
        first = min(views.values(), key=lambda view: (view.x, view.y))
        return replace(editor, selection=frozenset([first.key]), wire=None)
    here = views[chosen[0]]

    def place(view: NodeView) -> tuple[float, float]:
        return view.x + view.width / 2, view.y + view.height / 2

    x, y = place(here)
    found = []
    for view in views.values():
        dx, dy = place(view)[0] - x, place(view)[1] - y
        ahead = dx * across + dy * down
        aside = abs(dx * down) + abs(dy * across)
        if ahead > 1 and aside <= 3 * ahead:
            found.append((ahead + 2 * aside, view.key))
    return replace(editor, selection=frozenset([min(found)[1]]), wire=None) if found else editor


@_command("select-left", "Select the node to the left", "Alt+Left")
def _select_left(editor: Editor) -> Editor:
    return _beside(editor, -1, 0)


@_command("select-right", "Select the node to the right", "Alt+Right")
def _select_right(editor: Editor) -> Editor:
    return _beside(editor, 1, 0)


@_command("select-above", "Select the node above", "Alt+Up")
def _select_above(editor: Editor) -> Editor:
    return _beside(editor, 0, -1)


@_command("select-below", "Select the node below", "Alt+Down")
def _select_below(editor: Editor) -> Editor:
    return _beside(editor, 0, 1)


# --- arrange ------------------------------------------------------------------------------------


@_command("group", "Group", "Ctrl+G", "Arrange", context=True)
def _group(editor: Editor) -> Editor:
    return editing.grouped(editor)


@_command("ungroup", "Ungroup", "Ctrl+Shift+G", "Arrange", context=True)
def _ungroup(editor: Editor) -> Editor:
    return editing.ungrouped(editor)


@_command("title", "Title of the group", "Shift+F2", "Arrange", context=True)
def _title(editor: Editor) -> Editor:
    touched = editing.groups_of(editor)
    if len(touched) != 1:
        return editor.refused("select a node of the group")
    title = str(editor.graph.groups[touched[0]].get("title", ""))
    return replace(editor, popup=Editing(touched[0], "title", title))


@_command("colour", "Colour of the group", "", "Arrange", context=True)
def _colour(editor: Editor) -> Editor:
    return editing.coloured(editor)


@_command("close", "Make a subgraph", "Ctrl+Alt+G", "Arrange", context=True)
def _close(editor: Editor) -> Editor:
    made = editing.grouped(editor, closed=True)
    before = editor.graph.groups
    new = [key for key, held in made.graph.groups.items() if held != before.get(key)]
    return replace(made, selection=frozenset(new[-1:])) if new else made


@_command("enter", "Look inside", "Enter", "Arrange", context=True)
def _enter(editor: Editor) -> Editor:
    inside = sorted(editor.selection & set(closed_groups(editor.graph)))
    if not inside:
        return editor.refused("select a subgraph to look inside")
    return _first_view(
        replace(editor, inside=(*editor.inside, inside[0]), selection=frozenset(), wire=None)
    )


@_command("leave", "Back out", "Ctrl+Up", "Arrange")
def _leave(editor: Editor) -> Editor:
    if not editor.inside:
        return editor.with_notice("this is the whole graph already")
    return _first_view(replace(editor, inside=editor.inside[:-1], selection=frozenset(), wire=None))


@_command("expand", "Dissolve the subgraph", "", "Arrange", context=True)
def _expand(editor: Editor) -> Editor:
    return editing.expanded(editor)


@_command("align-left", "Align left", "Ctrl+Shift+L", "Arrange")
def _align_left(editor: Editor) -> Editor:
    return editing.aligned(editor, "left")


@_command("align-top", "Align top", "Ctrl+Shift+T", "Arrange")
def _align_top(editor: Editor) -> Editor:
    return editing.aligned(editor, "top")


@_command("distribute-across", "Distribute across", "", "Arrange")
def _distribute_across(editor: Editor) -> Editor:
    return editing.distributed(editor, "across")


@_command("distribute-down", "Distribute down", "", "Arrange")
def _distribute_down(editor: Editor) -> Editor:
    return editing.distributed(editor, "down")


@_command("tidy", "Tidy up", "Ctrl+L", "Arrange", context=True)
def _tidy(editor: Editor) -> Editor:
    """Lay out; nothing of what was in view, or of a whole graph, is off the screen then."""
    made = editing.tidied(editor)
    if made.graph is editor.graph or _sees_all(made):
        return made
    return _fitted(made) if len(editor.chosen) < 2 or _sees_all(editor) else made


def _sees_all(editor: Editor) -> bool:
    left, top, right, bottom = editor.drawn.bounds
    (x0, y0), (x1, y1) = editor.camera.on_canvas((0, 0)), editor.camera.on_canvas(editor.size)
    return x0 <= left and right <= x1 and y0 <= top and bottom <= y1


@_command("bypass", "Bypass", "Ctrl+B", "Arrange", context=True)
def _bypass(editor: Editor) -> Editor:
    return editing.with_mode(editor, "bypass")


@_command("disable", "Disable", "Ctrl+E", "Arrange", context=True)
def _disable(editor: Editor) -> Editor:
    return editing.with_mode(editor, "disable")


@_command("freeze", "Freeze weights", "Ctrl+Shift+F", "Arrange", context=True)
def _freeze(editor: Editor) -> Editor:
    return editing.with_mode(editor, "freeze")


# --- network ------------------------------------------------------------------------------------


@_command("unfold", "Unfold the backward pass", "Ctrl+U", "Network", context=True)
def _unfold(editor: Editor) -> Editor:
    if not editor.graph.of_family("trainer"):
        return editor.refused(
            "there is nothing to unfold: no trainer hides a backward pass in this graph"
        )
    return _deriving(editor, "unfold", unfold)


@_command("fold", "Fold the backward pass", "Ctrl+Shift+Y", "Network", context=True)
def _fold(editor: Editor) -> Editor:
    return _deriving(editor, "fold", fold)


@_command("explode", "Explode", "Ctrl+K", "Network", context=True)
def _explode(editor: Editor) -> Editor:
    graph = editor.graph
    layers = [key for key in sorted(editor.chosen) if graph.nodes[key].is_layer]
    if editor.selection and not layers:
        return editor.refused("only a weighted_sum can be exploded; select one, or nothing for all")
    return _deriving(editor, "explode", partial(_each, explode, layers))


@_command("collapse", "Collapse", "Ctrl+Shift+K", "Network", context=True)
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
    return _first_view(seen)


@_command("check", "Check gradients", "Ctrl+Shift+C", "Network")
def _check(editor: Editor) -> Editor:
    return editor.asking(Check()).with_notice("checking the gradients …")


@_command("give-weights", "Give it weights and a bias", "Ctrl+Shift+W", "Network", context=True)
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


@_command("many-runs", "Many runs …", "Ctrl+M", "Network")
def _many_runs(editor: Editor) -> Editor:
    if not editor.graph.nodes:
        return editor.refused("there is nothing to run: the graph has no nodes")
    return editor.asking(ManyRuns())


@_command("wire-back", "Wire what is missing: updates back to their parameters", "Ctrl+Alt+W",
          "Network", context=True)  # fmt: skip
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


@_command("train", "Train", "Ctrl+Enter or F5", "Network")
def _train(editor: Editor) -> Editor:
    return replace(editor, notice=None).asking(ControlRun(Train()))


@_command("pause", "Pause", "F6", "Network")
def _pause(editor: Editor) -> Editor:
    return editor.asking(ControlRun(Pause()))


@_command("toggle-training", "Train or pause", "Space")
def _toggle(editor: Editor) -> Editor:
    running = editor.live.state in ("training", "playing")
    return _pause(editor) if running else _train(editor)


@_command("set-epochs", "Set epochs …", "", "Network")
def _set_epochs(editor: Editor) -> Editor:
    return _typing_training(editor, "epochs")


@_command("set-batch", "Set batch …", "", "Network")
def _set_batch(editor: Editor) -> Editor:
    return _typing_training(editor, "batch")


@_command("set-seed", "Set seed …", "", "Network")
def _set_seed(editor: Editor) -> Editor:
    return _typing_training(editor, "seed")


def _typing_training(editor: Editor, name: str) -> Editor:
    return replace(editor, popup=Editing("", name, training.present(editor.graph, name)))


@_command("set-rate", "Set learning rate …", "", "Network")
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


@_command("reset", "Start again from the first weights", "F7", "Network")
def _reset(editor: Editor) -> Editor:
    return editor.asking(ControlRun(Reset()))


@_command("keep-weights", "Keep the trained weights in the graph", "", "Network")
def _keep(editor: Editor) -> Editor:
    graph = exporting.kept(editor.graph, editor.live.weights)
    if graph is editor.graph:
        return editor.refused("there are no trained weights yet; train first")
    return editor.edited(graph, "keep the trained weights")


@_command("why", "Why did this weight change", "Y", "Network", context=True)
def _why(editor: Editor) -> Editor:
    node = _parameter(editor)
    if not node:
        return editor.refused("select the parameter whose change is to be explained")
    return editor.asking(ControlRun(ExplainChange(node)))


@_command("origin", "Where does its slope come from", "D", "Network", context=True)
def _origin(editor: Editor) -> Editor:
    node = _parameter(editor)
    if not node:
        return editor.refused("select the parameter by which the cost is to be derived")
    return editor.asking(DeriveCost(node))


@_command("where-blame-dies", "Where does blame die", "Shift+B", "Network")
def _where_blame_dies(editor: Editor) -> Editor:
    nothing = replace(editor, selection=frozenset(), wire=None)
    return nothing.asking(ControlRun(ExplainVanishingBlame()))


def _parameter(editor: Editor) -> str:
    """Return the parameter that is selected, or the only one of the graph, or ""."""
    chosen = [key for key in sorted(editor.selection) if key in editor.graph.nodes]
    found = [key for key in chosen if editor.graph.nodes[key].is_parameter]
    all_ = editor.graph.parameters
    return found[0] if found else all_[0] if len(all_) == 1 else ""


@_command("resume", "Go on with the saved training", "", "Network")
def _resume(editor: Editor) -> Editor:
    if editor.offer is None:
        return editor.refused("there is no training beside the file that could be gone on with")
    return replace(editor, offer=None, notice=None).asking(ControlRun(Resume(editor.offer)))


# --- view ---------------------------------------------------------------------------------------


@_command("fit", "Zoom to fit", "F", "View")
def _fitted(editor: Editor) -> Editor:
    drawn = editor.drawn
    return _seen_as(
        editor, "fit",
        Camera.fitting(drawn.bounds, editor.size, aside.foot(editor), editor.preferences.scale),
    )  # fmt: skip


@_command("first-view", "Read from the start", "Home", "View")
def _first_view(editor: Editor) -> Editor:
    """Show all of a graph if it can be read then, or else begin at its data."""
    drawn = editor.drawn
    begin = _beginning(editor)
    camera = Camera.first(
        drawn.bounds, editor.size, begin, aside.foot(editor), editor.preferences.scale
    )
    camera = camera.ending_between(drawn.boxes, editor.size, editor.preferences.scale)
    return _seen_as(editor, "first-view", camera)


def _beginning(editor: Editor) -> tuple[float, float]:
    """Return where a graph is read from: its first data set, or the first constant of the network.

    Without either it is the node at the far left.
    """
    drawn, graph = editor.drawn.nodes, editor.graph
    data = [drawn[key] for key in graph.datasets if key in drawn]
    views = data or [drawn[key] for key in drawn if _feeds_forward(graph, key)]
    if not drawn:
        return 0.0, 0.0
    first = min(views or drawn.values(), key=lambda view: (view.x, view.y))
    return float(first.x), first.y + first.height / 2


def _feeds_forward(graph: Graph, key: str) -> bool:
    """Whether a node is a constant that goes into the network, not only into what trains it."""
    node = graph.nodes.get(key)
    if node is None or node.family != "source" or node.is_parameter:
        return False
    families = {graph.nodes[wire.target].family for wire in graph.out_of(key)}
    return bool(families - {"backward", "update", "trainer", "view"})


def _seen_as(editor: Editor, name: str, camera: Camera) -> Editor:
    return aside.placed(replace(editor, camera=camera, fitted=(name, camera)))


def refitted(editor: Editor) -> Editor:
    """Return an editor of another size with its view fitted again, if nobody moved it since."""
    if editor.fitted is None or editor.camera != editor.fitted[1]:
        return editor
    return COMMANDS[editor.fitted[0]].does(editor)


@_command("fit-selection", "Zoom to the selection", "Shift+F", "View")
def _fit_selection(editor: Editor) -> Editor:
    chosen = [editor.drawn.nodes[key] for key in editor.selection if key in editor.drawn.nodes]
    if not chosen:
        return _fitted(editor)
    bounds = (
        min(n.x for n in chosen),
        min(n.y for n in chosen),
        max(n.x + n.width for n in chosen),
        max(n.y + n.height for n in chosen),
    )
    scale = editor.preferences.scale
    return replace(editor, camera=Camera.fitting(bounds, editor.size, scale=scale))


@_command("zoom-in", "Zoom in", "+ or =", "View")
def _zoom_in(editor: Editor) -> Editor:
    return _zoomed(editor, 1.25)


@_command("zoom-out", "Zoom out", "-", "View")
def _zoom_out(editor: Editor) -> Editor:
    return _zoomed(editor, 0.8)


@_command("zoom-100", "Actual size", "1", "View")
def _zoom_100(editor: Editor) -> Editor:
    return _zoomed(editor, editor.preferences.scale / editor.camera.zoom)


def _zoomed(editor: Editor, factor: float) -> Editor:
    middle = editor.size[0] / 2, editor.size[1] / 2
    return replace(editor, camera=editor.camera.zoomed(factor, middle))


@_command("map", "Canvas or map of neurons", "M", "View")
def _map(editor: Editor) -> Editor:
    return replace(editor, view="map" if editor.view == "canvas" else "canvas")


@_command("differences", "List what differs …", "", "View")
def _differences(editor: Editor) -> Editor:
    if editor.comparison is None:
        return editor.refused("nothing is compared: File ▸ Compare with … does")
    return replace(editor, popup=Panel("differences"))


@_command("library", "Library: where there is room, hidden, always", "Ctrl+1", "View")
def _library(editor: Editor) -> Editor:
    return _panel(editor, "library", room.LIBRARY)


@_command("side", "Panels at the right: where there is room, hidden, always", "Ctrl+2", "View")
def _side(editor: Editor) -> Editor:
    return _panel(editor, "side", room.SIDE)


def _panel(editor: Editor, name: str, wide: float) -> Editor:
    """Go on to the next of the three ways in which a panel is there."""
    now = getattr(editor.preferences, name)
    after, said = (
        (-1.0, "hidden")
        if now == 0
        else ((float(wide), "always there") if now < 0 else (0.0, "where there is room"))
    )
    what = {"library": "the library is", "side": "the panels at the right are"}[name]
    return _preferring(editor, **{name: after}).with_notice(f"{what} {said}")


@_command("minimap", "Minimap", "N", "View")
def _minimap(editor: Editor) -> Editor:
    return _preferring(editor, minimap=not editor.preferences.minimap)


@_command("theme", "Dark or light", "", "View")
def _theme(editor: Editor) -> Editor:
    return _preferring(editor, theme="light" if editor.preferences.theme == "dark" else "dark")


@_command("values", "Values on wires: off, hover, changed, all", "V", "View")
def _values(editor: Editor) -> Editor:
    ways = ("off", "hover", "changed", "all")
    after = ways[(ways.index(editor.preferences.values) + 1) % len(ways)]
    return _preferring(editor, values=after).with_notice(f"values on wires: {after}")


@_command("larger", "Larger text and controls", "Ctrl++ or Ctrl+=", "View")
def _larger(editor: Editor) -> Editor:
    return _scaled(editor, min(editor.preferences.scale + 0.1, 3.0))


@_command("smaller", "Smaller text and controls", "Ctrl+-", "View")
def _smaller(editor: Editor) -> Editor:
    return _scaled(editor, max(editor.preferences.scale - 0.1, 0.5))


def _scaled(editor: Editor, scale: float) -> Editor:
    """Change the size of texts and controls, those of the nodes as well."""
    scale = round(scale, 2)
    made = _preferring(editor, scale=scale)
    if made.fitted is not None and made.camera == made.fitted[1]:
        return refitted(made)
    return _zoomed(made, scale / editor.preferences.scale)


@_command("reduced-motion", "Reduced motion", "", "View")
def _reduced_motion(editor: Editor) -> Editor:
    return _preferring(editor, reduced_motion=not editor.preferences.reduced_motion)


def _preferring(editor: Editor, **chosen: object) -> Editor:
    made = replace(editor, preferences=replace(editor.preferences, **chosen))  # type: ignore[arg-type]
    return made.asking(SavePreferences())


# --- help ---------------------------------------------------------------------------------------


@_command("palette", "All commands …", "Ctrl+Shift+P", "Help")
def _palette(editor: Editor) -> Editor:
    return replace(editor, popup=Palette())


@_command("shortcuts", "Shortcuts", "? or F1", "Help")
def _shortcuts(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("shortcuts"))
