"""Which formula a formula is: what came in as a formula goes out by its name again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

from nodeflow import formula as formulas


def recognised(text: str, templates: Mapping[str, str]) -> tuple[str, dict[str, float]] | None:
    """Return the template that a formula of one name was made of, with the numbers in its places.

    Templates are formulas in z with places such as {alpha}; None if none of them fits.
    """
    tree = formulas.parse(text)
    # One without places says more: relu6 is a hard tanh from 0 to 6 too.
    for kind, template in sorted(templates.items(), key=lambda one: "{" in one[1]):
        found: dict[str, float] = {}
        if _fits(_pattern(template), tree, found):
            return kind, {name.strip("_"): value for name, value in found.items()}
    return None


@lru_cache(maxsize=256)
def _pattern(template: str) -> formulas.Expression:
    places = {name: f"_{name}_" for _, name, _, _ in Formatter().parse(template) if name}
    return formulas.parse(template.format(**places))


def _fits(pattern: formulas.Expression, tree: formulas.Expression, found: dict[str, float]) -> bool:
    if pattern == ("name", "z"):
        return bool(tree[0] == "name")
    if pattern[0] in ("name", "number"):
        if formulas.names(tree):
            return False
        value = float(formulas.evaluate(tree, {}))
        if pattern[0] == "number":
            return value == float(pattern[1])
        return found.setdefault(pattern[1], value) == value
    if pattern[0] == "*" != tree[0] and pattern[1][0] == "name" and pattern[1] != ("name", "z"):
        # A factor of 1 need not be written.
        return found.setdefault(pattern[1][1], 1.0) == 1.0 and _fits(pattern[2], tree, found)
    return (
        pattern[0] == tree[0] and len(pattern) == len(tree)
        and all(_fits(one, other, found) for one, other in zip(pattern[1:], tree[1:], strict=True))
    )  # fmt: skip
