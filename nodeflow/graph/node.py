"""A node of a graph: its type's name, its settings, its mode; and what may be its id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from nodeflow.declare import CATALOG, NodeType, kind_of
from nodeflow.errors import GraphError
from nodeflow.inert import NO_SETTINGS, NOTHING, Inert, Settings, read_only, sealed, settings_of

MODES = ("active", "bypass", "disable", "freeze")
_ID = re.compile(r"[\w.\-]+")


def _is_id(text: str) -> bool:
    if not text[:1].isalpha() or text.endswith("."):
        return False
    # Marks are no letters to a regular expression, though many a script writes its vowels by them.
    return _ID.fullmatch(text) is not None or all(
        sign.isalnum() or sign in "_-." or category(sign).startswith("M") for sign in text
    )


def check_id(text: object) -> str:
    """Return a node id, or raise `GraphError`."""
    if isinstance(text, str) and _is_id(text):
        return text
    raise GraphError(
        f"{text!r} cannot be a node's id: a letter first, "
        "then letters, digits, '_', '-' and '.', no dot at the end"
    )


@read_only("graph.set(node, setting=value) or graph.with_mode(node, mode) returns a new graph")
@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph: a type's name, settings, and a mode (active, bypass, disable, freeze)."""

    type: str
    settings: Mapping[str, Any] = NO_SETTINGS
    mode: str = "active"
    extra: Mapping[str, Any] = NOTHING
    """Keys of the file that this version does not know; they are saved again."""

    def __post_init__(self) -> None:
        if type(self.settings) is not Settings:
            object.__setattr__(self, "settings", settings_of(self.settings))
        if not isinstance(self.extra, Inert):
            object.__setattr__(self, "extra", sealed(self.extra))

    @property
    def known(self) -> NodeType | None:
        """The node's type, or None for a placeholder."""
        return CATALOG.get(self.type)

    @property
    def kind(self) -> NodeType:
        """The node's type; of a placeholder one without ports that does nothing."""
        return kind_of(self.type)

    @property
    def is_parameter(self) -> bool:
        """Whether it holds numbers that training changes."""
        return self.kind.holds_weights

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer of neurons: a value for each row of its weights."""
        return self.kind.is_layer

    @property
    def holds_data(self) -> bool:
        """Whether it reads rows of features and targets."""
        return self.kind.holds_data

    @property
    def drawn_as(self) -> str:
        """What it is drawn as, where that is no box: knot, slider."""
        return self.kind.drawn_as

    @property
    def family(self) -> str:
        """The family of its type, "" for a placeholder."""
        return self.kind.family

    @property
    def is_typed(self) -> bool:
        """Whether it gives numbers that a person types, such as a constant or a slider."""
        return self.kind.typed

    @property
    def passes(self) -> str:
        """The port whose value it passes on as it is, or ""."""
        return self.kind.passes
