"""What a person chooses for an export: the lines of the form, and what comes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.reading import number, read
from nodeflow.editor.state.requests import Export
from nodeflow.engine.schedule import LEVELS
from nodeflow.errors import ExportError
from nodeflow.export import FORMATS, destination
from nodeflow.files.lessonform import LESSON
from nodeflow.graph import Graph

NOW, HELD, TRAINED = "as they stand now", "as in the graph", "trained from the start"
HERE, START = "where the run stands", "at the start"
INSIDE, BARE = "inside: can be opened again", "left out"
COMPUTES, PLAYS = "computes", "plays a recording"
FORWARD, STEP = "forward only", "one training step"
READERS = "as the reader's system"
_SHORT, _FEW = 200, 50
"""The most steps of an epoch that a film shows whole; of a longer one it shows a single pass, or at
most so many epochs."""
_NAMED = {".json": "-weights", ".csv": "-history"}
"""What the name of a file tells besides, that would else be one of the graph's own files."""


@dataclass(frozen=True)
class ExportForm:
    """What is to be exported: the format, the file's name and folder, and what else was chosen."""

    ending: str
    name: str
    folder: str
    chosen: Mapping[str, str] = field(default_factory=dict)
    """By the name of a line."""

    def named(self, name: str) -> ExportForm:
        """Return the form with another name; an ending in it chooses the format."""
        ending = Path(name.strip()).suffix.lower()
        return replace(self, name=name, ending=ending if ending in FORMATS else self.ending)

    def choosing(self, name: str, value: str) -> ExportForm:
        """Return the form with another value of a line."""
        return replace(self, chosen={**self.chosen, name: value})


@dataclass(frozen=True, slots=True)
class Line:
    """Something to choose or, without choices, to type; `hint` is shown while it is empty."""

    name: str
    label: str
    value: str
    choices: tuple[str, ...] = ()
    hint: str = ""


def first_form(
    editor: Editor, before: ExportForm | None = None, path: Path | None = None
) -> ExportForm:
    """Return what an export begins with: the form last used for the same file, else its choices.

    `path` is where the graph lay then.
    """
    if before is not None and path == editor.path:
        return before
    folder = editor.path.parent if editor.path else editor.graph.folder or Path.cwd()
    ending = ".png" if before is None else before.ending
    chosen = {} if before is None else before.chosen
    return ExportForm(ending, _name(editor, ending), str(folder), chosen)


def with_ending(editor: Editor, form: ExportForm, ending: str) -> ExportForm:
    """Return the form with another format; a name that was typed is kept."""
    name = form.name.strip()
    if name == _name(editor, form.ending):
        name = _name(editor, ending)
    elif name.lower().endswith(form.ending):
        name = name[: -len(form.ending)] + ending
    return completed(replace(form, name=name, ending=ending))


def completed(form: ExportForm) -> ExportForm:
    """Return the form with the ending of its format, where the name that was typed has none."""
    name = form.name.strip()
    return replace(form, name=name + form.ending) if name and not Path(name).suffix else form


def _name(editor: Editor, ending: str) -> str:
    stem = editor.path.stem if editor.path else re.sub(r"[/\\]", "-", editor.graph.name)
    return f"{stem or 'untitled'}{_NAMED.get(ending, '')}{ending}"


# --- what there is to choose ---------------------------------------------------------------------


def lines(editor: Editor, form: ExportForm) -> list[Line]:
    """Return what the format has to choose; what was chosen before holds where it can."""
    found: list[Line] = []

    def typed(name: str, label: str, value: str, hint: str = "") -> None:
        found.append(Line(name, label, form.chosen.get(name, value), hint=hint))

    def choose(name: str, label: str, *choices: str, first: str = "") -> str:
        value = form.chosen.get(name, "")
        if value not in choices:
            value = first if first in choices else choices[0]
        found.append(Line(name, label, value, choices))
        return value

    ending = form.ending
    takes = FORMATS[ending].takes
    if "theme" in takes:
        page = (READERS,) if ending == ".html" else ()
        first = READERS if page else editor.preferences.theme
        choose("theme", "theme", *page, "dark", "light", first=first)
    if "trained" in takes and choose("weights", "weights", *_weights(editor)) == TRAINED:
        typed("training", "epochs", str(editor.graph.training.epochs))
    if "history" in takes and choose("history", "history", *_histories(editor)) == TRAINED:
        typed("training", "epochs", str(editor.graph.training.epochs))
    if "recorded" in takes:
        choose("recorded", "the page", COMPUTES, PLAYS)
    if "code" in takes:
        choose("code", "written for", "numpy", "torch", "jax")
    if "backward" in takes:
        choose("backward", "the model", FORWARD, STEP)
    if "begin" in takes:
        taught = ending == ".html" and LESSON in editor.graph.extra  # it is done from its start
        here = (HERE,) if editor.live.playback.number and not taught else ()
        choose("begin", "begins", *here, START)
    level = choose("level", "a beat is a", *LEVELS) if "level" in takes else ""
    if "shown" in takes:
        few = min(editor.graph.training.epochs, _FEW)
        typed("epochs", "epochs", str(few) if level == "epoch" else "", "1")
    elif "epochs" in takes and "begin" in takes:
        typed("epochs", "epochs", "", "as many as a page holds well")
    if "samples" in takes:
        film = "shown" in takes
        long = film and editor.live.playback.per_epoch > _SHORT and level in ("step", "phase")
        typed("samples", "samples", "1" if long else "", "all of the epoch" if film else "all")
    if "speed" in takes:
        typed("speed", "beats a second", "2")
    if "size" in takes:
        typed("size", "size", "960 × 600")
    if "scale" in takes:
        typed("scale", "scale", "", "2, or less for a large graph")
    if "bare" in takes:
        choose("bare", "graph", INSIDE, BARE)
    return found


def settled(editor: Editor, form: ExportForm) -> ExportForm:
    """Return the form with all that its lines show: what a run does meanwhile changes no choice."""
    return replace(form, chosen={line.name: line.value for line in lines(editor, form)})


def _weights(editor: Editor) -> list[str]:
    """Return which weights there are, the present ones first: they are what is seen."""
    now = [NOW] if editor.live.update and editor.live.weights else []
    return [*now, HELD, *_of_run_file(editor), *_trained(editor)]


def _histories(editor: Editor) -> list[str]:
    now = [NOW] if editor.live.history else []
    return [*now, *_of_run_file(editor), TRAINED]


def _of_run_file(editor: Editor) -> list[str]:
    from nodeflow.export.values import run_file

    held = None if editor.path is None else run_file(editor.path)
    return [f"of {held.name}"] if held is not None and held.is_file() else []


def _trained(editor: Editor) -> list[str]:
    return [TRAINED] if editor.learns else []


# --- what comes of it ----------------------------------------------------------------------------


def place(editor: Editor, form: ExportForm) -> Path:
    """Return the file that would be written.

    Raises `ExportError` and `FileError` where it cannot be, with what can.
    """
    name, folder = completed(form).name.strip(), Path(form.folder.strip()).expanduser()
    if not name:
        raise ExportError(f"the file needs a name, such as {_name(editor, form.ending)}")
    out = Path(first_form(editor).folder) / folder / Path(name).expanduser()
    destination(editor.graph, out, editor.path)
    return out


def requested(editor: Editor, form: ExportForm) -> Export:
    """Return the export as the shell does it; raises as `place`, and for what cannot be read."""
    out = place(editor, form)
    values = {line.name: line.value for line in lines(editor, form)}
    graph, options = editor.graph, dict[str, Any]()
    read_as: Mapping[str, Callable[[str, str], Any]] = {
        "epochs": _count, "samples": _count, "scale": _number, "speed": _number, "size": _size,
    }  # fmt: skip
    for name, reader in read_as.items():
        if text := values.get(name, "").strip():
            options[name] = reader(name, text)
    if values.get("theme", READERS) != READERS:
        options["theme"] = values["theme"]
    if "level" in values:
        options["level"] = values["level"]
    if values.get("bare") == BARE:
        options["bare"] = True
    if values.get("recorded") == PLAYS:
        options["recorded"] = True
    if "code" in values:
        options["code"] = values["code"]
    if values.get("backward") == STEP:
        options["backward"] = True
    which = values.get("weights", values.get("history"))
    if which == TRAINED:
        options["epochs"] = _count("epochs", values["training"])
    elif which == NOW and "history" in values:
        options["history"] = editor.live.history
    elif which == NOW:
        graph = kept(graph, editor.live.weights)
    elif which not in (None, HELD) and "weights" in values:
        options["trained"] = True
    if values.get("begin") == HERE:
        graph = _begun(editor, options)
    if "shown" in FORMATS[form.ending].takes and "epochs" in options:
        begin = int(options.get("begin", "0").partition(":")[0])
        options["until"] = str(begin + options.pop("epochs"))
    said = "the weights as they stand" if which == NOW and form.ending == ".json" else ""
    return Export(graph, out, options, said)


def _begun(editor: Editor, options: dict[str, Any]) -> Graph:
    """Return the graph of a film that begins where the run stands.

    A run that was never led aside comes there again, bit by bit. Where something was changed on
    the way, the graph as it is now would take another way: it begins with the weights of now.
    """
    playback = editor.live.playback
    if not playback.futures or not playback.futures[playback.future].begin:
        options["begin"] = playback.moment
        return editor.graph
    return kept(editor.graph, editor.live.weights)


def kept(graph: Graph, weights: Mapping[str, Any]) -> Graph:
    """Return the graph with trained weights in its parameters."""
    for address, value in weights.items():
        node = address.rpartition(".")[0]
        if node in graph.nodes and graph.nodes[node].is_parameter:
            graph = graph.set(node, value=value.tolist())
    return graph


def _count(name: str, text: str) -> int:
    value = read(text, "integer")
    if not isinstance(value, int) or value < 1:
        raise ExportError(f"{name} is a whole number from 1 on, not '{text}'")
    return value


def _number(name: str, text: str) -> float:
    value = number(text)
    if isinstance(value, str):
        raise ExportError(f"{name} is a number above 0, not '{text}'")
    return value


def _size(name: str, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})\s*[x×,; ]\s*(\d{1,5})", text)
    if found is None:
        raise ExportError(f"{name} is width × height in pixels, such as 960 × 600, not '{text}'")
    return int(found[1]), int(found[2])


_SAID = {
    "--no-graph leaves the graph out": "or leave the graph out",
    "an earlier --until": "fewer samples or epochs",
    ", --epochs or --until": " or epochs",
    "--recorded makes a page that plays a recording of it": "or let the page play a recording",
    "--": "",
}
"""What a command line calls otherwise."""


def plain(text: str) -> str:
    """Return what an export says with the words of the lines instead of a command's options."""
    for said, meant in _SAID.items():
        text = text.replace(said, meant)
    return text
