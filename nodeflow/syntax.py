"""Python's syntax trees of formulas and kernel functions, from any thread."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from nodeflow.garbage import collection_paused

_parsing = Lock()


def expression_in(text: str) -> ast.expr:
    """Return the tree of an expression; raises what `ast.parse` raises."""
    with _alone():
        return ast.parse(text, mode="eval").body


def statements_in(text: str) -> list[ast.stmt]:
    """Return the trees of statements; raises what `ast.parse` raises."""
    with _alone():
        return ast.parse(text).body


@contextmanager
def _alone() -> Iterator[None]:
    """Let one thread parse at a time, and collect no garbage meanwhile.

    Python 3.11 counts the depth of a tree for all threads together. Where a finalizer runs while
    it makes one, and another thread makes its own meanwhile, it raises SystemError ("AST
    constructor recursion depth mismatch"). Code is compiled in a thread beside the training, and
    formulas are read by several threads.
    """
    with _parsing, collection_paused():
        yield
