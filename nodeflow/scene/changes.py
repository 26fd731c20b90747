"""How a scene differs from the one before it: what is drawn already is not looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nodeflow.scene.pieces import Scene


@dataclass(frozen=True, eq=False)
class Change:
    """What in a scene is another object than in the scene before it, by numbers."""

    nodes: list[int] | None
    """The nodes that are other objects; None where there are other ones, or in another order."""
    same: NDArray[np.intp]
    """For each stroke the number that the same object had before, −1 for another object."""
    known: NDArray[np.intp]
    """For each stroke the number that it, or the one with its key, had before; −1 for a new one."""
    gone: tuple[object, ...]
    """The keys of strokes that are gone."""

    @property
    def strokes(self) -> list[int] | None:
        """The strokes that are other objects; None where there are other ones, or more or fewer."""
        count = len(self.known)
        stays = not self.gone and np.array_equal(self.known, np.arange(count))
        return np.flatnonzero(self.same < 0).tolist() if stays else None


def origins(old: Sequence[object], new: Sequence[object]) -> NDArray[np.intp]:
    """Return for each of the new ones its number among the old ones; −1 for another object."""
    numbers = {id(one): number for number, one in enumerate(old)}
    return np.array([numbers.get(id(one), -1) for one in new], np.intp)


def change_between(before: Scene, after: Scene) -> Change:
    """Return how a scene differs from another one, by looking at all that is in them."""
    old, new = before.strokes, after.strokes
    same = origins(old, new)
    stays = np.zeros(len(old), bool)
    stays[same[same >= 0]] = True
    others = {old[number].key: number for number in np.flatnonzero(~stays).tolist()}
    known = same.copy()
    for number in np.flatnonzero(same < 0).tolist():
        known[number] = others.pop(new[number].key, -1)
    nodes: list[int] | None = []
    if after.nodes is not before.nodes:
        nodes = None
        if list(after.nodes) == list(before.nodes):
            pairs = zip(before.nodes.values(), after.nodes.values(), strict=True)
            nodes = [number for number, (one, other) in enumerate(pairs) if one is not other]
    return Change(nodes, same, known, tuple(others))
