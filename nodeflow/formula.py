"""Formulas typed by a person: parsed by Python's grammar, but only what is listed here is let in.

Nothing is ever handed to `eval`. A parsed formula can be evaluated with NumPy, differentiated,
written out again, and turned into a row of simple operations for the engine.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from nodeflow.errors import GraphError, nearest
from nodeflow.syntax import expression_in

Expression = tuple[Any, ...]
"""("number", 2.0), ("name", "x"), (operator, left, right) or (function, argument, …)."""

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "max": np.maximum,
    "min": np.minimum,
}


def _sigmoid(u: Any) -> Any:
    small = np.exp(-np.abs(u))
    return np.where(np.asarray(u) >= 0, 1 / (1 + small), small / (1 + small))


def _erf(u: Any) -> Any:
    from scipy.special import erf  # SciPy is slow to import, and few formulas have it

    return erf(u)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": _erf,
    "sigmoid": _sigmoid,
    "abs": np.abs,
    "sign": np.sign,
    "step": lambda u: (np.asarray(u) > 0) * 1.0,
}
CONSTANTS = {"pi": math.pi, "e": math.e}
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_LONGEST = 20_000
_DEEPEST = 100
_TYPED = str.maketrans({"^": "**", "·": "*", "×": "*", "−": "-", "÷": "/"})


def _number(value: float) -> Expression:
    return ("number", float(value))


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Return the expression written in `text`, or raise `GraphError` that says where it fails."""
    if len(text) > _LONGEST:
        raise GraphError(f"the formula has {len(text)} characters; at most {_LONGEST} are read")
    if "#" in text:
        at = text.index("#") + 1
        raise GraphError(f"the formula {_shown(text)} cannot be read at character {at}")
    try:
        with warnings.catch_warnings():
            # What Python would warn about is refused below, in one sentence.
            warnings.simplefilter("ignore")
            tree = expression_in(text.translate(_TYPED).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = _place(text, getattr(error, "offset", None))
        raise GraphError(f"the formula {_shown(text)} cannot be read{where}") from None
    return _read(tree, text, _DEEPEST)


def _place(text: str, offset: int | None) -> str:
    """Say where in what was typed Python stopped reading; it saw `^` as two characters."""
    if not offset or "\n" in text.strip():
        return ""
    at = len(text) - len(text.lstrip())
    while offset > 1 and at < len(text):
        offset -= len(text[at].translate(_TYPED))
        at += 1
    return f" at character {at + 1}"


def _read(tree: ast.expr, text: str, depth: int) -> Expression:
    if depth == 0:
        raise GraphError(f"the formula {_shown(text)} is nested more than {_DEEPEST} deep")
    depth -= 1
    match tree:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value) if abs(value) < 1e300:
            return _number(value)
        case ast.Name(id=name):
            return _number(CONSTANTS[name]) if name in CONSTANTS else ("name", name)
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return _read(part, text, depth)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            inner = _read(part, text, depth)
            return _number(-inner[1]) if inner[0] == "number" else ("*", _number(-1), inner)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _SIGNS:
            return (_SIGNS[type(op)], _read(left, text, depth), _read(right, text, depth))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            known = [*FUNCTIONS, "max", "min"]
            if name not in known:
                raise GraphError(f"the formula {_shown(text)} uses '{name}'{nearest(name, known)}")
            wanted = 1 if name in FUNCTIONS else 2
            if len(args) != wanted:
                values = "1 value" if wanted == 1 else "2 values"
                raise GraphError(
                    f"the formula {_shown(text)}: {name} takes {values}, not {len(args)}"
                )
            return (name, *(_read(part, text, depth) for part in args))
        case _:
            pass
    raise GraphError(
        f"the formula {_shown(text)} holds {_shown(_source(tree))}; "
        "only numbers, names, + - * / ^ and functions are allowed"
    )


def _source(tree: ast.expr) -> str:
    try:
        return ast.unparse(tree)
    except (RecursionError, ValueError):
        return "…"


def names(expression: Expression) -> tuple[str, ...]:
    """Return the names in an expression, in the order in which they appear."""
    found: dict[str, None] = {}
    stack = [expression]
    while stack:
        part = stack.pop()
        if part[0] == "name":
            found[part[1]] = None
        elif part[0] != "number":
            stack.extend(reversed(part[1:]))
    return tuple(found)


def filled(expression: Expression, numbers: Mapping[str, Any]) -> Expression:
    """Return the expression with numbers instead of some of its names."""
    head, *parts = expression
    if head == "number":
        return expression
    if head == "name":
        return _number(numbers[parts[0]]) if parts[0] in numbers else expression
    inner = [filled(part, numbers) for part in parts]
    if head == "*" and ONE in inner:
        return inner[1] if inner[0] == ONE else inner[0]
    return (head, *inner)


def placed(expression: Expression, parts: Mapping[str, Expression]) -> Expression:
    """Return the expression with others in the places of its names."""
    head, *inner = expression
    if head == "name":
        return parts[inner[0]]
    if head == "number":
        return expression
    return (head, *(placed(part, parts) for part in inner))


def computed(
    expression: Expression, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Return the expression's value with the functions of another library than NumPy."""
    head, *parts = expression
    if head == "number":
        return parts[0]
    if head == "name":
        return values[parts[0]]
    return functions[head](*(computed(part, values, functions) for part in parts))


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """Return the expression's value with NumPy; division by 0 gives Infinity."""
    with np.errstate(all="ignore"):
        return _evaluate(expression, values)


def _evaluate(part: Expression, values: Mapping[str, Any]) -> Any:
    head = part[0]
    if head == "number":
        return part[1]
    if head == "name":
        return values[part[1]]
    arguments = [_evaluate(inner, values) for inner in part[1:]]
    return (OPERATORS if head in OPERATORS else FUNCTIONS)[head](*arguments)


ZERO, ONE = _number(0), _number(1)


def _plus(a: Expression, b: Expression) -> Expression:
    return b if a == ZERO else a if b == ZERO else ("+", a, b)


def _minus(a: Expression, b: Expression) -> Expression:
    return a if b == ZERO else _times(_number(-1), b) if a == ZERO else ("-", a, b)


def _times(a: Expression, b: Expression) -> Expression:
    if ZERO in (a, b):
        return ZERO
    return b if a == ONE else a if b == ONE else ("*", a, b)


def derivative(part: Expression, name: str) -> Expression:
    """Return the derivative by one name; at a kink (abs, max, min) the right side counts."""
    head = part[0]
    if head == "number":
        return ZERO
    if head == "name":
        return ONE if part[1] == name else ZERO
    u = part[1]
    du = derivative(u, name)
    if head in OPERATORS:
        return _binary(head, u, part[2], du, derivative(part[2], name), part)
    slopes: dict[str, Callable[[], Expression]] = {
        "exp": lambda: part,
        "log": lambda: ("/", ONE, u),
        "sqrt": lambda: ("/", _number(0.5), part),
        "sin": lambda: ("cos", u),
        "cos": lambda: ("*", _number(-1), ("sin", u)),
        "tanh": lambda: ("-", ONE, ("*", part, part)),
        "sigmoid": lambda: ("*", part, ("-", ONE, part)),
        "erf": lambda: (
            "*",
            _number(2 / math.sqrt(math.pi)),
            ("exp", ("*", _number(-1), ("*", u, u))),
        ),
        "abs": lambda: ("sign", u),
        "sign": lambda: ZERO,
        "step": lambda: ZERO,
    }
    return ZERO if du == ZERO else _times(slopes[head](), du)


def _binary(
    head: str, u: Expression, v: Expression, du: Expression, dv: Expression, whole: Expression
) -> Expression:
    match head:
        case "+":
            return _plus(du, dv)
        case "-":
            return _minus(du, dv)
        case "*":
            return _plus(_times(du, v), _times(u, dv))
        case "/":
            top = _minus(du, _times(("/", u, v), dv))
            return ZERO if top == ZERO else ("/", top, v)
        case "**":
            by_base = ZERO if du == ZERO else _times(_times(v, ("**", u, _minus(v, ONE))), du)
            by_power = ZERO if dv == ZERO else _times(_times(whole, ("log", u)), dv)
            return _plus(by_base, by_power)
        case _:
            left = ("step", ("-", u, v)) if head == "max" else ("step", ("-", v, u))
            return _plus(_times(left, du), _times(("-", ONE, left), dv))


def write(part: Expression) -> str:
    """Return the expression as text that `parse` reads back."""
    head = part[0]
    if head == "number":
        text = repr(part[1])
        text = text.removesuffix(".0")
        return f"({text})" if text.startswith("-") else text
    if head == "name":
        return str(part[1])
    if head in FUNCTIONS or head in ("max", "min"):
        return f"{head}({', '.join(write(inner) for inner in part[1:])})"
    return f"({write(part[1])} {'^' if head == '**' else head} {write(part[2])})"
