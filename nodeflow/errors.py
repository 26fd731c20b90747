"""What can go wrong, as data and as one sentence each.

    NodeflowError
    ├── DeclarationError        a node type is declared wrongly (raised at import)
    ├── GraphError              a graph that cannot be
    │   ├── UnknownNode         no node of that id
    │   ├── UnknownType         no node type of that name
    │   ├── UnknownPort         the node has no such port
    │   ├── UnknownSetting      the type has no such setting
    │   ├── BadSetting          a setting's value is not allowed
    │   ├── PortTaken           a second wire into a port that takes one
    │   ├── MissingInput        an input that must be wired is not
    │   ├── Loop                wires that close a loop
    │   ├── ShapeMismatch       two shapes that cannot meet
    │   ├── NoBackward          blame cannot pass a node
    │   └── ReadOnly            a graph was to be changed in place
    ├── RunError                a node failed while it was evaluated
    │   └── Diverged            NaN or Infinity appeared
    ├── ConditionError          a condition to stop at that cannot be read
    ├── ExportError             an export that cannot be made as it was asked for
    ├── FileError               a file that cannot be read or written
    │   └── Overtaken           it was changed by somebody else since it was loaded
    └── DataError               a data set that cannot be used

Every message is one sentence: the rule, the names, the value given, the nearest fix. What goes
on, but more slowly than it could, is a warning: `Slower`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_WORD, _HEAD, _TAIL = 200, 500, 250


def visible(text: str) -> str:
    """Return a text that does nothing to a terminal: invisible signs are written as escapes."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def readable(text: str) -> str:
    """Return a message as one sentence that can be read, whatever names and cells are in it.

    Line breaks are blanks, what is invisible is written out, and what is very long is cut.
    """
    if len(text) > _HEAD + _TAIL + 8 or any(len(word) > _WORD for word in text.split(" ")):
        text = text[:100_000]
        words = text.split(" ")
        text = " ".join(w if len(w) <= _WORD else f"{w[:60]}…{w[-20:]}" for w in words)
        if len(text) > _HEAD + _TAIL + 8:
            text = f"{text[:_HEAD].rstrip()} … {text[-_TAIL:].lstrip()}"
    return visible(" ".join(text.splitlines()))


class NodeflowError(Exception):
    """Everything that nodeflow raises on purpose."""

    def __init__(self, *words: object) -> None:
        super().__init__(*(readable(one) if isinstance(one, str) else one for one in words))


class Slower(UserWarning):
    """Everything works, but more slowly than it could; the sentence says why."""


class DeclarationError(NodeflowError):
    """A node type is declared wrongly."""


class GraphError(NodeflowError):
    """A graph that cannot be; `node` names the node at fault, if there is one."""

    def __init__(self, message: str, *, node: str | None = None) -> None:
        super().__init__(message)
        self.node = node


class UnknownNode(GraphError):
    """No node of that id."""


class UnknownType(GraphError):
    """No node type of that name."""


class UnknownPort(GraphError):
    """The node has no such port."""


class UnknownSetting(GraphError):
    """The type has no such setting."""


class BadSetting(GraphError):
    """A setting's value is not allowed."""


class PortTaken(GraphError):
    """A second wire into a port that takes one."""


class MissingInput(GraphError):
    """An input that must be wired is not."""


class ReadOnly(GraphError, TypeError, AttributeError):
    """A graph was to be changed in place; a TypeError and an AttributeError as Python raises."""


class Loop(GraphError):
    """Wires that close a loop; `path` lists the nodes on it, the first one again at the end."""

    def __init__(self, message: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(message, node=path[0] if path else None)
        self.path = path


class ShapeMismatch(GraphError):
    """Two shapes that cannot meet."""


class NoBackward(GraphError):
    """Blame cannot pass a node."""


class RunError(NodeflowError):
    """A node failed while it was evaluated."""

    def __init__(self, message: str, *, node: str | None = None) -> None:
        super().__init__(message)
        self.node = node


class TooLarge(RunError):
    """The values of a batch would take more memory than a run may have."""


class Diverged(RunError):
    """NaN or Infinity appeared; `epoch`, `update` and `sample` say when."""

    def __init__(
        self, message: str, *, node: str, epoch: int = 0, update: int = 0, sample: int = 0
    ) -> None:
        super().__init__(message, node=node)
        self.epoch, self.update, self.sample = epoch, update, sample


CONDITION_FAILS = "the condition fails at character {place}: {why}"


class ConditionError(NodeflowError):
    """A condition that cannot be read or does not fit the values; `position` counts from 0.

    `why` is the message without the place.
    """

    def __init__(self, message: str, *, text: str, position: int) -> None:
        super().__init__(CONDITION_FAILS.format(place=position + 1, why=message))
        self.text, self.position, self.why = text, position, message

    @property
    def pointed(self) -> str:
        """The condition in one line, and below it a caret at the place."""
        line = "".join(" " if sign.isspace() else sign for sign in self.text)
        return f"{line}\n{' ' * self.position}^"


class PluginError(NodeflowError):
    """A plugin that is not there, or cannot be used."""


class SweepError(NodeflowError):
    """Many runs that cannot be made as they were asked for."""


class InterchangeError(NodeflowError):
    """A network of another program that cannot be read, or a graph that it cannot hold."""


class ExportError(NodeflowError):
    """An export that cannot be made as it was asked for."""


class FileError(NodeflowError):
    """A file that cannot be read or written; `path` is the place inside it (`$.nodes.w`).

    `why` is the message without file and place.
    """

    def __init__(self, message: str, *, file: str = "", path: str = "") -> None:
        place = ": ".join(part for part in (file, path) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.file, self.path, self.why = file, path, message


class Overtaken(FileError):
    """A file that somebody else changed after it was loaded, and that was to be saved to."""


class DataError(NodeflowError):
    """A data set that cannot be used; `row` and `column` count from 1."""

    def __init__(
        self, message: str, *, file: str = "", row: int | None = None, column: int | None = None
    ) -> None:
        at = [f"row {row}"] if row is not None else []
        at += [f"column {column}"] if column is not None else []
        place = ", ".join([file, *at] if file else at)
        # A cell or a name in the file may hold a line break: a sentence has none.
        message = " ".join(message.splitlines())
        super().__init__(f"{place}: {message}" if place else message)
        self.file, self.row, self.column = file, row, column


_MANY = 2000


def nearest(word: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known word nearest to `word`, or a list of them."""
    names = sorted(set(known))
    if len(names) > _MANY:
        names = [name for name in names if name[:1] == str(word)[:1]]
    if not names:
        return ""
    close = get_close_matches(str(word), names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    most = 12 if len(names) > 13 else 13  # "…" for a single name tells less
    said = [name if any(map(str.isalnum, name)) else f"'{name}'" for name in names[:most]]
    shown = ", ".join(said) + (", …" if len(names) > most else "")
    return f"; there is {shown}"
