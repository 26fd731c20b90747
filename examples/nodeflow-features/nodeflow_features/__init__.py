"""Features of a number: how near it is to a centre, and where it stands in a wave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from nodeflow.declare import Blame, Output, Range, Value, node
from nodeflow.engine.kernel.language import Double
from nodeflow.engine.kernel.scalar import exp
from nodeflow.engine.lowering import compute_by
from nodeflow.nodes.arithmetic import times
from nodeflow.nodes.expression import expression


@node(
    "activation",
    formula="a = e^(−z²)",
    shapes="elementwise",
    aliases=("rbf", "gaussian"),
    calculation="exp(-(z * z))",
)
def radial_basis(z: Value) -> Value:
    """Give 1 at the centre, and less the farther z is from 0: e^(−z²).

    D. Broomhead and D. Lowe, "Multivariable functional interpolation and adaptive networks", 1988.
    """
    return np.exp(-z * z)


@radial_basis.backward
def _(blame: Blame, z: Output, a: Output) -> Mapping[str, Any]:
    return {"z": times(blame, expression(z=z, a=a, formula="-2 * z * a"))}


def radial_basis_of_a_number(z: Double) -> Double:
    """Return e^(−z²), in the kernel's language: so it trains at full speed."""
    return exp(-(z * z))


compute_by(radial_basis, radial_basis_of_a_number)


@node(
    "activation",
    formula="a = sin(f·z)",
    shapes="elementwise",
    aliases=("wave", "sine"),
    calculation="sin(frequency * z)",
)
def fourier(z: Value, *, frequency: Annotated[float, Range(0)] = 1.0) -> Value:
    """Give the height of a sine wave at z: features for what comes back again and again."""
    return np.sin(frequency * z)
