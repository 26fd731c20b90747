"""How a graph is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nodeflow.errors import BadSetting
from nodeflow.inert import read_only


@read_only("dataclasses.replace(graph, training=Training(…)) returns a new graph")
@dataclass(frozen=True, slots=True)
class Training:
    """How a graph is trained: samples an update (a number or "all"), epochs, seed.

    `rate` is the learning rate of all updates that have no wire for one. Training ends when an
    epoch changes the weights by no more than `tolerance` (the norm of the change of all trained
    numbers together), or after all epochs; None trains all epochs.
    """

    batch: int | str = 1
    epochs: int = 10
    seed: int = 0
    rate: float | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.batch, int) and not isinstance(self.batch, bool)
        if not ((whole and int(self.batch) >= 1) or self.batch == "all"):
            raise BadSetting(
                f'training.batch must be a whole number from 1 or "all", not {self.batch!r}'
            )
        for name in ("epochs", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise BadSetting(f"training.{name} must be a whole number from 0, not {value!r}")
        for name in ("rate", "tolerance"):
            value = getattr(self, name)
            typed = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (typed and 0 <= value < math.inf):
                kind = "" if typed and math.isfinite(value) else "finite "
                raise BadSetting(f"training.{name} must be a {kind}number from 0, not {value!r}")


AS_PRESET = Training()
