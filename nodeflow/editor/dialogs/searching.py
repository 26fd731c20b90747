"""The library, found by name, by another word for it, or by formula."""

from __future__ import annotations

from collections.abc import Callable

from nodeflow.data.bundled import BUNDLED
from nodeflow.data.generators import GENERATORS
from nodeflow.declare import CATALOG, FAMILIES, NodeType


def found(text: str, fits: Callable[[NodeType], bool] = lambda _: True) -> list[NodeType]:
    """Return the node types that a text finds, the best first; all of them for no text."""
    wanted = text.strip().lower()
    ranked = []
    for order, type_ in enumerate(_types()):
        if fits(type_) and (rank := _rank(type_, wanted)) is not None:
            ranked.append((rank, order, type_))
    return [type_ for _, _, type_ in sorted(ranked, key=lambda entry: entry[:2])]


def _types() -> list[NodeType]:
    """Return what a person places, as the library has it, from sources to views.

    The blame of one single type is made by unfolding.
    """
    placed = [type_ for name, type_ in CATALOG.items() if not name.endswith("_blame")]
    return sorted(placed, key=lambda type_: FAMILIES.index(type_.family))


def _rank(type_: NodeType, wanted: str) -> int | None:
    """Return how well a text tells of a type: its name, then other words, then the rest.

    Whole words come before beginnings, and these before parts; scattered letters are the last.
    """
    if not wanted:
        return 0
    plain = wanted.replace("_", " ")
    name = type_.name.replace("_", " ")
    others = [alias.lower() for alias in type_.aliases]
    if type_.holds_data:
        others += [*GENERATORS, *BUNDLED]
    parts = [part for word in (name, *others) for part in word.split()]
    tests = (
        plain == name,
        plain in others or plain in (type_.family, f"{type_.family}s"),
        name.startswith(plain),
        plain in parts,
        any(word.startswith(plain) for word in others),
        any(part.startswith(plain) for part in parts),
        type_.family.startswith(plain),
        any(plain in word for word in (name, *others)),
        _squeezed(wanted) in _squeezed(type_.formula),
        plain in type_.help.lower(),
        _is_spread_in(plain, name),
    )
    return next((rank for rank, holds in enumerate(tests) if holds), None)


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _is_spread_in(letters: str, name: str) -> bool:
    """Return whether the letters come in this order: wsum finds weighted sum."""
    rest = iter(name)
    return len(letters) > 1 and all(letter in rest for letter in letters)
