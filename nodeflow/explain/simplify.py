"""Expressions tidied, multiplied out, measured, and written as a person writes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nodeflow import formula as formulas
from nodeflow.symbolic import rounded
from nodeflow.workings.shown import show

Part = formulas.Expression
Monomial = tuple[tuple[str, int], ...]
"""Names with their powers, in order."""
Polynomial = dict[Monomial, float]
_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
ZERO, ONE = formulas.ZERO, formulas.ONE


def innermost_first(
    part: Part, *, enters: Callable[[Part], bool] = lambda _: True
) -> Iterator[tuple[Part, list[Part]]]:
    """Yield every part of an expression with those in it, which come first; a shared one once.

    What `enters` is false of is not looked into. Long chains do not recurse.
    """
    done: set[int] = set()
    stack = [part]
    while stack:
        now = stack[-1]
        if id(now) in done:
            stack.pop()
            continue
        inner = [one for one in now[1:] if isinstance(one, tuple)] if enters(now) else []
        waiting = [one for one in inner if id(one) not in done]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        done.add(id(now))
        yield now, inner


# --- tidied -----------------------------------------------------------------------------------


class Walk(ABC):
    """Makes something of every part of an expression, its parts first, and of a shared one once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Part, Part]] = {}

    def __call__(self, part: Part) -> Part:
        """Return what becomes of an expression."""
        known = self._known
        for now, inner in innermost_first(part, enters=lambda one: id(one) not in known):
            if id(now) not in known:
                known[id(now)] = now, self._of(now, [known[id(one)][1] for one in inner])
        return known[id(part)][1]

    @abstractmethod
    def _of(self, part: Part, inner: list[Part]) -> Part:
        """Return what becomes of a part, from what became of those in it."""


class Tidy(Walk):
    """Leaves out of expressions what changes nothing: · 1, + 0, ^1.

    What is equal becomes one object, so that a part can be known by its identity.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[tuple[Any, ...], Part] = {}

    def _of(self, part: Part, inner: list[Part]) -> Part:
        head = part[0]
        if head in ("number", "name"):
            return self._one(part)
        if head in ("+", "-", "*") and all(one[0] == "number" for one in inner):
            a, b = (one[1] for one in inner)
            number = a + b if head == "+" else a - b if head == "-" else a * b
            return self._one(("number", rounded(number)))
        a, b = inner if len(inner) == 2 else (inner[0], inner[0])
        match head:
            case "+" if ZERO in (a, b):
                return b if a == ZERO else a
            case "-" if b == ZERO:
                return a
            case "*" if ZERO in (a, b):
                return self._one(ZERO)
            case "*" if ONE in (a, b):
                return b if a == ONE else a
            case "/" if b == ONE or a == ZERO:
                return a
            case "**" if b == ONE:
                return a
            case _:
                return self._one((head, *inner))

    def _one(self, part: Part) -> Part:
        key = part if part[0] in ("number", "name") else (part[0], *map(id, part[1:]))
        return self._made.setdefault(key, part)


# --- multiplied out -----------------------------------------------------------------------------


def polynomial(part: Part, most: int) -> Polynomial | None:
    """Return an expression multiplied out; None if it is no polynomial of at most so many terms."""
    match part:
        case ("number", value):
            return {(): float(value)}
        case ("name", name):
            return {((name, 1),): 1.0}
        case ("+" | "-" as sign, left, right):
            a, b = polynomial(left, most), polynomial(right, most)
            if a is None or b is None:
                return None
            total = dict(a)
            for term, factor in b.items():
                total[term] = total.get(term, 0.0) + (factor if sign == "+" else -factor)
            return _few(total, most)
        case ("*", left, right):
            a, b = polynomial(left, most), polynomial(right, most)
            return None if a is None or b is None else _multiplied(a, b, most)
        case ("/", left, ("number", divisor)) if divisor:
            a = polynomial(left, most)
            return None if a is None else {term: x / divisor for term, x in a.items()}
        case ("**", base, ("number", power)) if power == int(power) and 0 <= power <= 8:
            a = polynomial(base, most)
            product: Polynomial | None = {(): 1.0}
            for _ in range(int(power)):
                product = None if a is None or product is None else _multiplied(product, a, most)
            return product
        case _:
            return None


def _multiplied(a: Polynomial, b: Polynomial, most: int) -> Polynomial | None:
    product: Polynomial = {}
    for one, x in a.items():
        for other, y in b.items():
            powers: dict[str, int] = dict(one)
            for name, power in other:
                powers[name] = powers.get(name, 0) + power
            term = tuple(sorted(powers.items()))
            product[term] = product.get(term, 0.0) + x * y
    return _few(product, most)


def _few(found: Polynomial, most: int) -> Polynomial | None:
    size = max((abs(x) for x in found.values()), default=0.0)
    kept = {term: x for term, x in found.items() if abs(x) > 1e-14 * size}
    return kept if len(kept) <= most else None


def written(found: Polynomial) -> str:
    """Write a polynomial, higher powers first: 4.5·w − 1.5."""
    order = sorted(found, key=lambda term: (-sum(power for _, power in term), term))
    text = ""
    for term in order:
        factor = found[term]
        names = "·".join(
            name if power == 1 else f"{name}{str(power).translate(_DIGITS)}" for name, power in term
        )
        size = abs(factor)
        body = (
            names
            if names and abs(size - 1) < 1e-12
            else "·".join(part for part in (_short(size), names) if part)
        )
        if not text:
            text = f"−{body}" if factor < 0 else body
        else:
            text += f" {'−' if factor < 0 else '+'} {body}"
    return text or "0"


def _short(number: float) -> str:
    text = f"{number:.10g}"
    return text.replace("-", "−") if float(text) == number or abs(number) < 1e15 else show(number)


# --- written ------------------------------------------------------------------------------------

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_NAMES = {"sigmoid": "σ", "log": "ln"}


Names = Mapping[int, str]
"""What parts are called, by identity: they are written as their names."""


def told(part: Part, names: Names | None = None, *, named: bool = True) -> str:
    """Write an expression with as few parentheses as it takes: 2·(1.5·w − 0.5)·1.5.

    Without `named` the expression itself is written out, though it has a name.
    """
    return _told(part, names or {}, out=not named)[0]


def _told(part: Part, names: Names, *, out: bool = False) -> tuple[str, int]:
    """Return a text and how tightly it holds together."""
    head = part[0]
    if not out and id(part) in names:
        return names[id(part)], _ATOM
    if head == "number":
        return _short(part[1]), _ATOM if part[1] >= 0 else _SUM
    if head == "name":
        return str(part[1]), _ATOM
    inner = [_told(one, names) for one in part[1:]]
    match head:
        case "+":
            right = inner[1][0]
            if right.startswith("−") and part[2][0] in ("number", "*"):
                return f"{inner[0][0]} − {right[1:]}", _SUM
            return f"{inner[0][0]} + {right}", _SUM
        case "-":
            return f"{inner[0][0]} − {_held(inner[1], _PRODUCT)}", _SUM
        case "*":
            if part[1] == ("number", -1.0):
                return f"−{_held(inner[1], _PRODUCT)}", _SUM
            return f"{_held(inner[0], _PRODUCT)}·{_held(inner[1], _PRODUCT)}", _PRODUCT
        case "/":
            return f"{_held(inner[0], _PRODUCT)} / {_held(inner[1], _POWER)}", _PRODUCT
        case "**":
            base = _held(inner[0], _ATOM)
            power = part[2]
            if power[0] == "number" and power[1] == int(power[1]):
                return f"{base}{str(int(power[1])).translate(_DIGITS)}", _POWER
            return f"{base}^{_held(inner[1], _ATOM)}", _POWER
        case _:
            return f"{_NAMES.get(head, head)}({', '.join(text for text, _ in inner)})", _ATOM


def _held(told_: tuple[str, int], tight: int) -> str:
    text, holds = told_
    return text if holds >= tight else f"({text})"


def length(part: Part, names: Names | None = None, *, named: bool = True) -> int:
    """Return about how many characters an expression has, without writing it."""
    names = names or {}
    known: dict[int, int] = {}

    def is_named(one: Part) -> bool:
        return id(one) in names and (named or one is not part)

    for now, inner in innermost_first(part, enters=lambda one: not is_named(one)):
        if is_named(now):
            size = len(names[id(now)])
        elif now[0] == "number":
            size = len(_short(now[1]))
        elif now[0] == "name":
            size = len(now[1])
        else:
            size = 3 + sum(known[id(one)] for one in inner)
        known[id(now)] = size
    return known[id(part)]


def comes_to(part: Part, values: Mapping[str, float]) -> float:
    """Return an expression's value; what is shared is computed once."""
    known: dict[int, float] = {}
    for now, inner in innermost_first(part):
        held = {f"a{number}": known[id(one)] for number, one in enumerate(inner)}
        whole = (now[0], *(("name", name) for name in held)) if inner else now
        known[id(now)] = float(formulas.evaluate(whole, held if inner else values))
    return known[id(part)]


def symbols_of(part: Part) -> set[str]:
    """Return the names in an expression."""
    return {now[1] for now, _ in innermost_first(part) if now[0] == "name"}
