"""What everything in the terminal looks like: the console, tables, signs, colours, numbers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from nodeflow.errors import visible
from nodeflow.workings import shown
from nodeflow.workings.shown import show

PHASE_SIGNS = {"forward": "▶", "backward": "◀", "update": "●"}
PHASE_COLOURS = {"forward": "cyan", "backward": "magenta", "update": "yellow"}
_PIPE_WIDTH = 100
WIDE = 110
"""From this width on a line has room for words beside its formula."""


class _Console(Console):
    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Let nothing that is printed steer the terminal: names, cells and values are of others.

        What rich itself has to tell the terminal are segments of their own.
        """
        for part in super().render(renderable, options):
            text = part.text
            if part.control is None and not text.isprintable() and text != "\n":
                lines = (visible(line) for line in text.split("\n"))
                yield Segment("\n".join(lines), part.style)
            else:
                yield part

    def on_broken_pipe(self) -> None:
        """Leave it to the command's end; rich's own way out has the exit code of a fault."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Return a console for one of the streams; into a pipe or file lines are 100 wide."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else shutil.get_terminal_size((_PIPE_WIDTH, 25)).columns
    return _Console(
        stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
    )


def clean(text: str) -> str:
    """Return a text from a file without signs that would steer the terminal."""
    return visible(text)


def table(*columns: str, numbers: Sequence[str] = (), heading: bool = True) -> Table:
    """Return a table without lines, its number columns to the right."""
    made = Table(
        box=None, padding=(0, 2, 0, 0), show_header=heading, header_style="dim", pad_edge=False
    )
    for place, name in enumerate(columns):
        right = name in numbers
        made.add_column(name, justify="right" if right else "left", no_wrap=right or not place)
    return made


def print_inset(out: Console, what: RenderableType) -> None:
    """Print two columns in, without blanks at the ends of lines."""
    for line in out.render_lines(what, out.options.update_width(out.width - 2), pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        out.print(Segments([Segment("  "), *line, Segment.line()]))


def title(name: str, rest: str) -> Text:
    """Return the first line of a result: a graph's name, and what was done with it."""
    return Text.assemble((clean(name) or "graph without a name", "bold"), ("  " + rest, "dim"))


def percent(value: float | None) -> str:
    """Return a fraction in percent, – if it is not known."""
    return "–" if value is None else shown.percent(value)


def maybe(value: float | None) -> str:
    """Return a number as a person writes it, – if it is not known."""
    return "–" if value is None else show(value)


def plural(number: int, what: str) -> str:
    """Return "1 node", "3 nodes"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def shape_of(value: Any) -> str:
    """Return the sizes of an array: "5×7"; 1 of a number."""
    return "×".join(map(str, np.shape(value))) or "1"
