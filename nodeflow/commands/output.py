"""What a command prints, and what it says when it ends badly."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, TextIO

import click

from nodeflow.errors import readable, visible

_INVISIBLE = re.compile("[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is, and a terminal may act on."""

WRONG = "error"
"""The key of a document under which a sentence says what went wrong."""
FAULT, INTERRUPTED, READER_GONE = 1, 130, 141
"""Exit codes: the graph or data has a fault; Ctrl-C; the reader of the output went away."""


@dataclass
class State:
    """What the end of a command needs to know about its beginning."""

    json: bool = False
    printed: bool = False
    streams: bool = False
    """Whether standard output takes several documents, one per line."""
    out: TextIO | None = None
    """Where documents go while standard output is kept clean for them; None is standard output."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep standard output for documents: what a plugin prints goes to standard error."""
        self.out = sys.stdout
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            self.out = None


def state() -> State:
    """Return what the present command said at its beginning."""
    found = click.get_current_context().find_object(State)
    return State() if found is None else found


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


def print_json(document: Any) -> None:
    """Print a document on a line of its own."""
    out = state().out or sys.stdout
    encoding = (getattr(out, "encoding", None) or "utf-8").lower().replace("-", "")
    text = json.dumps(plain(document), ensure_ascii=encoding != "utf8", allow_nan=False)
    text = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    state().printed = True
    out.write(text + "\n")
    out.flush()


def sentence(error: BaseException) -> str:
    """Return an error's message as one line that a terminal can show."""
    return readable(" ".join(str(error).split()))


_BOLD = "\ufdd0{}\ufdd1"
"""Marks that no text has, around what is bold."""


def bold(text: str) -> str:
    """Return a text that `echo` prints in bold."""
    return _BOLD.format(visible(text))


def echo(line: str) -> None:
    """Print a line; what is in it does nothing to the terminal, and makes no line of its own."""
    parts = map(visible, re.split(_BOLD.format("(.*?)"), line, flags=re.DOTALL))
    click.echo("".join(click.style(part, bold=True) if number % 2 else part
                       for number, part in enumerate(parts)))  # fmt: skip


def say(sentence: str, *, bad: bool = True) -> None:
    """Say something on standard error, for a person."""
    head = click.style("nodeflow:", fg="red" if bad else None, bold=True)
    click.echo(f"{head} {visible(sentence)}", err=True)


def refuse(state: State, sentence: str, code: int) -> int:
    """Say why the command ends, on both streams if JSON was asked for."""
    if state.json and (not state.printed or (state.streams and code == FAULT)):
        print_error(sentence, state.out)
    say(sentence)
    return code


def print_error(sentence: str, out: TextIO | None = None) -> None:
    """Print the document that stands for the one that was asked for."""
    out = out or sys.stdout
    out.write(json.dumps({WRONG: sentence}) + "\n")
    out.flush()


def count(number: int, what: str) -> str:
    """Return a number of things in words: 1 node, 2 nodes."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
