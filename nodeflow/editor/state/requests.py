"""What an editor asks of the world around it: a closed set of plain values.

Of the window: files to be chosen, the clipboard, to end. Of the shell (`Shell.perform`): all
others; it answers with messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodeflow.editor.state.kept import Recovery
from nodeflow.editor.state.runcommands import RunCommand
from nodeflow.graph import Graph

# --- of the window ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskOpen:
    """Let somebody choose the file to open."""


@dataclass(frozen=True, slots=True)
class AskSave:
    """Let somebody choose the file to save to."""


@dataclass(frozen=True, slots=True)
class AskExport:
    """Let somebody choose what to export; `ending` is the format that is proposed."""

    ending: str = ""


@dataclass(frozen=True, slots=True)
class AskDiffer:
    """Let somebody choose the file to compare the graph with."""


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """Let somebody describe a new network."""


@dataclass(frozen=True, slots=True)
class ManyRuns:
    """Let somebody vary settings over many runs."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Put a text on the clipboard."""

    text: str


@dataclass(frozen=True, slots=True)
class Paste:
    """Answer with the text of the clipboard."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End."""


WindowRequest = (
    AskOpen | AskSave | AskExport | AskDiffer | NewNetwork | ManyRuns | Copy | Paste | Quit
)

# --- of the shell: files ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class New:
    """Begin an empty graph."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Read a graph; without a path, that of the editor."""

    path: Path | None = None


@dataclass(frozen=True, slots=True)
class OpenSample:
    """Open a graph that comes with the package."""

    name: str


@dataclass(frozen=True, slots=True)
class Save:
    """Write the graph; without a path, to the file of the editor.

    Where saving would remove parts of that file that could not be read, that is asked about first,
    unless it is `confirmed`.
    """

    path: Path | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """Write a graph in another format; `said` is reported instead of the usual."""

    graph: Graph
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True, slots=True)
class Discard:
    """Remove what a crash left behind."""

    recovery: Recovery


@dataclass(frozen=True, slots=True)
class SavePreferences:
    """Keep the editor's preferences."""


@dataclass(frozen=True, slots=True)
class AllowData:
    """Let graphs read data in folders that lie elsewhere."""

    folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class EnablePlugin:
    """Switch a plugin on: its code is run."""

    name: str


# --- of the shell: work and the run -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Derive:
    """Make another graph of the present one, in the background; `label` is for the history."""

    label: str
    change: Callable[[], Graph]


@dataclass(frozen=True, slots=True)
class DeriveCost:
    """Report the derivative of the cost by a parameter, as a formula."""

    node: str


@dataclass(frozen=True, slots=True)
class Differ:
    """Show what differs from another graph, or from a file; `name` is what that is called."""

    before: Path | Graph
    name: str = ""


@dataclass(frozen=True, slots=True)
class CompareGraphs:
    """Report whether two graphs compute the same numbers."""

    before: Graph
    after: Graph


@dataclass(frozen=True, slots=True)
class Check:
    """Check the gradients."""


@dataclass(frozen=True, slots=True)
class StopWork:
    """Cancel all that is under way in the background."""


@dataclass(frozen=True, slots=True)
class RunAnew:
    """Evaluate the graph from the start: it is that of another document."""


@dataclass(frozen=True, slots=True)
class ControlRun:
    """Let the run of the editor's graph do something."""

    command: RunCommand


ShellRequest = (
    New
    | OpenFile
    | OpenSample
    | Save
    | Export
    | Discard
    | SavePreferences
    | AllowData
    | EnablePlugin
    | Derive
    | DeriveCost
    | Differ
    | CompareGraphs
    | Check
    | StopWork
    | RunAnew
    | ControlRun
)
Request = WindowRequest | ShellRequest
