"""What others wrote: it may raise whatever it likes, and return anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.errors import GraphError, NodeflowError

if TYPE_CHECKING:
    from nodeflow.declare.nodetype import NodeType


@contextmanager
def foreign(type_: NodeType, key: str, what: str) -> Iterator[None]:
    """Turn whatever is raised by what others wrote into a `GraphError` at the node.

    Of nodeflow's own types nothing is hidden.
    """
    try:
        yield
    except (NodeflowError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        if type_.is_own:
            raise
        raise GraphError(
            f"{what} of '{key}' ({type_.name}) fails: {type(error).__name__}", node=key
        ) from error


def plain_numbers(value: Any) -> str:
    """Return what is wrong with a function's result, which is to be real numbers; "" if nothing."""
    try:
        kind = np.asarray(value).dtype.kind
    except Exception:  # noqa: BLE001  an object may raise whatever it likes when it is looked at
        return f"returns {_a(type(value).__name__)}"
    if kind in "fiub":
        return ""
    return "returns complex numbers" if kind == "c" else f"returns {_a(type(value).__name__)}"


def _a(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}, not numbers"
