"""What is written on wires: the value that a wire carries, or the weight that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.state.live import Live
from nodeflow.scene import sized
from nodeflow.wires import WireView, single
from nodeflow.workings.shown import listed, signed, weighed

_LISTED = 2
"""The most numbers that are listed."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What may stand on a wire."""

    choices: tuple[str, ...]
    """The best first; where there is room for none, the last."""
    old: bool
    """Whether it is of another pass than the present one."""


def carried(value: NDArray[Any], age: str) -> Carried:
    """Return what is written of a value, and where it is from."""
    texts = [listed(value)] if value.size <= _LISTED else []
    if value.size != 1:
        texts.append(sized(np.shape(value)))
    choices = [text for one in texts for text in ((f"{one}  {age}", one) if age else (one,))]
    return Carried(tuple(choices), bool(age))


def weighing(view: WireView, weight: float, live: Live) -> tuple[str, bool]:
    """Return what is written on a wire that stands for a weight, and whether it is old.

    That is the number that the wire carries, times the weight; where it carries several, or none
    that is known, only "times the weight".
    """
    if view.carries_weight:
        return signed(weight), False
    number = None if view.across else single(live.values.get(view.wire.start))
    return weighed(weight, number), number is not None and bool(live.age(view.wire.start))
