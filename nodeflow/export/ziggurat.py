"""The tables of NumPy's normal numbers, read off its generator.

NumPy draws normal numbers by Marsaglia and Tsang's ziggurat: a draw of 64 bits names a layer and
a place in it, and the number is the place times the layer's width, at once if the place is below
the layer's bound. NumPy does not offer its tables; but a PCG64 whose state is set so that it gives
a chosen draw tells a width as the number at place 1, and a bound by whether one draw was enough.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS = 256
_WHOLE = 1 << 52
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_MASK = (1 << 128) - 1
_BACK = pow(_MULTIPLIER, -1, 1 << 128)


@cache
def tables() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return widths, bounds (whole numbers as float64) and heights of the layers."""
    bits = np.random.PCG64()
    random = np.random.Generator(bits)

    def draw(layer: int, place: int) -> tuple[float, bool]:
        """Return what a draw gives, and whether it was enough."""
        wanted = layer | place << 9  # below 2⁶¹ the state, which is not turned, is the draw
        before = (wanted - 1) * _BACK & _MASK
        state: Any = bits.state
        state["state"] = {"state": before, "inc": 1}
        bits.state = state
        found = float(random.standard_normal())
        return found, bits.state["state"]["state"] == wanted

    widths = np.array([draw(layer, 1)[0] for layer in range(LAYERS)])
    # At place 1 of the one layer without a bound the number comes from the layer's rim.
    edges = widths * _WHOLE
    bounds = np.zeros(LAYERS, float)
    for layer in range(LAYERS):
        low, high = 0, _WHOLE
        while low < high:
            middle = (low + high) // 2
            if draw(layer, middle)[1]:
                low = middle + 1
            else:
                high = middle
        bounds[layer] = low
    heights = np.array([math.exp(-0.5 * edge * edge) for edge in edges])
    heights[0] = 1.0
    return widths, bounds, heights


FAR = 3.6541528853610087963519472518
"""Where the tail begins."""
