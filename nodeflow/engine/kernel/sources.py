"""The source of kernel functions: what is written in them, before anything is translated."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from nodeflow.syntax import statements_in

KernelFunction = Callable[..., Any]


class Unsupported(Exception):
    """A kernel function uses something that the language does not have."""


def operands_of(function: KernelFunction) -> tuple[str, ...]:
    """Return the names of a row's operands, in the order of its columns."""
    return tuple(name for name, annotation in parameters_of(function) if annotation == "Whole")


def parameters_of(function: KernelFunction) -> list[tuple[str, str]]:
    """Return the names of the parameters, each with its annotation."""
    names = inspect.signature(function).parameters
    return [(name, annotation_of(function, name)) for name in names]


def annotation_of(function: KernelFunction, name: str) -> str:
    """Return the annotation of a parameter, or of the result, as it is written."""
    found = function.__annotations__.get(name, "nothing")
    if found is float:  # `Double`, where annotations are evaluated
        return "Double"
    return "None" if found is None else str(found)


def is_scalar(function: KernelFunction) -> bool:
    """Return whether a function works on single numbers only."""
    names = inspect.signature(function).parameters
    return bool(names) and all(annotation_of(function, name) == "Double" for name in names)


def require_function(function: Any) -> None:
    """Raise `Unsupported` for whatever is no function whose source alone says what it does."""
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise Unsupported(
            f"{getattr(function, '__name__', function)}: not a function defined by `def` in Python"
        )
    if function.__closure__:
        raise Unsupported(f"{function.__name__}: uses variables of a function around it")


@cache
def assigned_in(node: ast.stmt) -> tuple[str, ...]:
    """Return the variables that a statement, or one inside it, assigns."""
    names = [part.id for part in ast.walk(node)
             if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]  # fmt: skip
    return tuple(dict.fromkeys(names))


@cache
def tree_of(function: KernelFunction) -> ast.FunctionDef:
    """Return a function's syntax tree; raises `Unsupported` where there is no source."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = statements_in(source)[0]
    except (OSError, TypeError, SyntaxError, IndexError) as error:
        raise Unsupported(f"{function.__name__}: its source cannot be read") from error
    if not isinstance(tree, ast.FunctionDef):
        raise Unsupported(f"{function.__name__}: not a function defined by `def`")
    return tree
