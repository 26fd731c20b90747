"""What lies over the canvas: lists to choose from, fields to type into, questions to answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.requests import Request
from nodeflow.graph import Graph


@dataclass(frozen=True, slots=True)
class Search:
    """The library, searched; what is chosen is placed at `at`, and wired to `port`."""

    at: Point
    text: str = ""
    choice: int = 0
    port: str | None = None


@dataclass(frozen=True, slots=True)
class Palette:
    """All commands, searched."""

    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Find:
    """Nodes of this graph, searched."""

    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A wire drawn by keyboard: first a port of `node`, then one that fits."""

    node: str
    port: str | None = None
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a node, to choose which is typed."""

    node: str
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands for what is under the pointer, at a screen point."""

    at: Point
    choice: int = 0
    canvas: bool = False
    """Whether nothing is under it: then it is about the canvas."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A list to read: "shortcuts", "history", "recent", "samples", "differences"."""

    name: str


@dataclass(frozen=True, slots=True)
class Editing:
    """A setting, or the name of a node or group, is typed; `fault` says why it cannot be so.

    Without a node it is batch, epochs or seed of the training.
    """

    node: str
    setting: str
    text: str
    fault: str = ""
    port: str = ""
    """The input port that it is typed at; without a setting the port gets a new constant."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a setting can be, to choose from."""

    node: str
    setting: str
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Something is typed: a moment, a condition, an answer to the player or to the lesson."""

    what: Literal["moment", "condition", "answer", "task"]
    text: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether changes are saved before something else goes on; each answer has a name."""

    text: str
    answers: tuple[tuple[str, str], ...]
    then: Request
    """What goes on."""
    about: Rival | None = None
    """The file of another program that the question is about."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A file that another program changed since it was opened, and what can be done about it."""

    path: Path
    ours: Graph
    """The graph that was to be saved."""
    theirs: Graph | None
    """What the file holds now; None if that is no graph."""
    merged: Graph | None
    """Both edits in one; None where they contradict each other."""
    origin: tuple[str, str]
    """The file as it was looked at: whoever replaces it replaces this, and nothing newer."""


Searched = Search | Palette | Find | Link | Settings | Choices
"""Lists that what is typed makes shorter."""


Listed = Searched | Menu
"""Lists with a line that is lit."""


Popup = Listed | Panel | Editing | Ask | Question
