"""What a system of the gallery shows: graphs, numbers that were measured, pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nodeflow as nf

GRAPHS = Path(__file__).parent.parent / "graphs"


def load(name: str) -> nf.Graph:
    """Open a graph of `graphs/`."""
    return nf.load(GRAPHS / f"{name}.json")


@dataclass(frozen=True)
class Number:
    """A number that was measured; `published` is what its source prints, where it prints one.

    `form` is how it is written ("{:.9f}"), `within` how far another machine may be from it: the
    last digit that is written, unless long training has amplified the order of additions.
    """

    what: str
    value: float
    form: str = "{:.4g}"
    published: str = ""
    within: float = 0.0

    @property
    def text(self) -> str:
        """The number as the page has it."""
        return self.form.format(self.value).replace("-", "−")


@dataclass(frozen=True)
class Picture:
    """A picture that `draw` makes on the axes it is given, or a graph.

    With `epochs` the graph is drawn with the values that it has after so many; 0 is the start.
    """

    name: str
    caption: str
    draw: Callable[[Path], None] | None = None
    graph: nf.Graph | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Exhibit:
    """A system of the literature.

    `about` says what it is and whose; `graphs` are names in `graphs/`; `commands` are what to try;
    `look` what to look for, one sentence each.
    """

    title: str
    about: str
    graphs: tuple[str, ...]
    commands: tuple[str, ...]
    look: tuple[str, ...]
    numbers: tuple[Number, ...]
    pictures: tuple[Picture, ...] = ()
