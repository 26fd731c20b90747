"""The library, found by name, by another word for it, or by formula."""

from __future__ import annotations

from collections.abc import Callable

from nodeflow.declare import CATALOG, NodeType

_WORDS = {
    "cluster": "group",
    "logistic": "sigmoid",
    "dense": "weighted_sum",
    "neuron": "weighted_sum",
    "weights": "parameter",
    "learning rate": "gradient_descent",
    "backprop": "gradient_descent",
    "watch": "panel",
    "number": "constant",
}
"""Other words, beside the aliases that the types themselves declare."""


def found(text: str, fits: Callable[[NodeType], bool] = lambda _: True) -> list[NodeType]:
    """Return the node types that a text finds, the best first; all of them for no text."""
    wanted = text.strip().lower()
    ranked = []
    for order, type_ in enumerate(_types()):
        if fits(type_) and (rank := _rank(type_, wanted)) is not None:
            ranked.append((rank, order, type_))
    return [type_ for _, _, type_ in sorted(ranked, key=lambda entry: entry[:2])]


def _types() -> list[NodeType]:
    """Return what a person places; the blame of one single type is made by unfolding."""
    return [type_ for name, type_ in CATALOG.items() if not name.endswith("_blame")]


def _rank(type_: NodeType, wanted: str) -> int | None:
    if not wanted:
        return 0
    name = type_.name.replace("_", " ")
    words = [name, *(alias.lower() for alias in type_.aliases)]
    words += [word for word, target in _WORDS.items() if target == type_.name]
    plain = wanted.replace("_", " ")
    if plain in words[:1]:
        return 0
    if any(word.startswith(plain) for word in words):
        return 1
    if any(part.startswith(plain) for word in words for part in word.split()):
        return 2
    if any(plain in word for word in words):
        return 3
    if _squeezed(wanted) in _squeezed(type_.formula):
        return 4
    if _is_spread_in(plain, name):
        return 5
    return 6 if plain in type_.help.lower() else None


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _is_spread_in(letters: str, name: str) -> bool:
    """Return whether the letters come in this order: wsum finds weighted sum."""
    rest = iter(name)
    return len(letters) > 1 and all(letter in rest for letter in letters)
