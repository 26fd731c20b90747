"""nodeflow's order of rows for hand-written Numba loops: they must do the same job."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint64


@njit(error_model="numpy")
def shuffle(order: Any, rows: int, seed: int, epoch: int) -> None:
    """Fisher and Yates' shuffle by splitmix64, as nodeflow.engine.kernel.drive has it."""
    for i in range(rows):
        order[i] = i
    state = uint64(seed) * uint64(0x9E3779B97F4A7C15) + uint64(epoch) * uint64(0xD1342543DE82EF95)
    for i in range(rows - 1, 0, -1):
        state = state + uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
        z = z ^ (z >> uint64(31))
        j = np.int64(((z >> uint64(32)) * uint64(i + 1)) >> uint64(32))
        order[i], order[j] = order[j], order[i]
