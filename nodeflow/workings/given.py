"""What a step was given, by port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nodeflow.workings.parts import Index, Number, Terms

Arrays = Mapping[str, NDArray[Any]]


class Evaluated(Protocol):
    """The part of the engine's `Step` that its formula is written from."""

    @property
    def node(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> Arrays: ...  # noqa: D102
    @property
    def outputs(self) -> Arrays: ...  # noqa: D102
    @property
    def settings(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def activation(self) -> str: ...  # noqa: D102


class Source(NamedTuple):
    """The value at an input port and the address it came from."""

    value: NDArray[Any]
    address: str

    def at(self, index: Index) -> Number:
        """Return the number that broadcasting pairs with this place."""
        shape = self.value.shape
        index = (0,) * (len(shape) - len(index)) + index[max(0, len(index) - len(shape)) :]
        place = tuple(i if size > 1 else 0 for i, size in zip(index, shape, strict=True))
        return Number(float(self.value[place]), self.address, place)

    @property
    def width(self) -> int:
        """How many features the value has."""
        return int(self.value.shape[-1]) if self.value.ndim else 1

    @property
    def rows(self) -> int:
        """How many rows the value has."""
        return len(self.value) if self.value.ndim > 1 else 1

    def row(self, number: int) -> NDArray[Any]:
        """Return the features that broadcasting pairs with this row."""
        table = np.atleast_2d(self.value)
        found: NDArray[Any] = table[number if len(table) > 1 else 0].astype(np.float64)
        return found

    def column(self, number: int) -> NDArray[Any]:
        """Return what broadcasting pairs with this column, one number per row."""
        table = np.atleast_2d(self.value)
        found: NDArray[Any] = table[:, number if table.shape[1] > 1 else 0].astype(np.float64)
        return found

    def terms(self, number: int) -> Terms:
        """Return the features of a row as the terms of a sum."""
        return Terms(self.row(number), lambda i: self.at((number, i)))


class Given:
    """What a step was given; `addresses` tells by the name of an input where it came from."""

    def __init__(self, step: Evaluated, addresses: Mapping[str, str] | None = None) -> None:
        self.step = step
        self.settings = step.settings
        self.ports: dict[str, list[Source]] = defaultdict(list)
        for name, value in step.inputs.items():
            port = name.partition("[")[0]  # `a[1]` is the second wire into port `a`
            self.ports[port].append(Source(value, (addresses or {}).get(name, "")))

    def one(self, port: str) -> Source:
        """Return what came in at a port that takes a single wire."""
        return self.ports[port][0]

    @cached_property
    def width(self) -> int:
        """How many features the wires into port `a` have side by side."""
        return sum(source.width for source in self.ports["a"])

    def feature(self, number: int, port: str = "a") -> tuple[Source, int]:
        """Return the source and the column of a feature among those side by side."""
        for source in self.ports[port]:
            if number < source.width:
                return source, number
            number -= source.width
        raise IndexError(number)

    def features(self, row: int, port: str = "a") -> NDArray[Any]:
        """Return a row of all features side by side."""
        return np.concatenate([source.row(row) for source in self.ports[port]])


def row_of(index: Index) -> int:
    """Return the row that an output number stands in."""
    return index[0] if len(index) > 1 else 0
