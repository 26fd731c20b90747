"""Shapes of the values on wires, and the signatures that node types declare for them.

A value is a batch of rows, written n×3 (n samples, 3 features), or has no sample axis: a
single row 1×3, a weight matrix 5×2, a bias 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodeflow.errors import DeclarationError, ShapeMismatch


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a value; with `batch` the sample axis stands before them. None is unknown."""

    dims: tuple[int | None, ...]
    batch: bool = False

    @classmethod
    def rows(cls, features: int | None) -> Shape:
        """Return the shape of a batch with so many features."""
        return cls((features,), batch=True)

    @property
    def features(self) -> int | None:
        """The last size."""
        return self.dims[-1] if self.dims else 1

    @property
    def flat(self) -> tuple[int | None, int | None]:
        """Rows and columns without the sample axis: a vector is one row."""
        if self.batch or len(self.dims) == 1:
            return (1, self.dims[-1])
        return (self.dims[0], self.dims[1])

    def single_row(self) -> bool:
        """Return whether it can stand where one row per sample is wanted."""
        return self.batch or self.flat[0] in (1, None)

    def same(self, other: Shape) -> bool:
        """Return whether both hold the same numbers in the same order (k is 1×k)."""
        return self.batch == other.batch and all(
            a is None or b is None or a == b for a, b in zip(self.flat, other.flat, strict=True)
        )

    def array(self, samples: int) -> tuple[int, ...]:
        """Return the NumPy shape for a batch of `samples`."""
        dims = tuple(1 if size is None else size for size in self.dims)
        return (samples, *dims) if self.batch else dims

    def __str__(self) -> str:
        sizes = ["?" if size is None else str(size) for size in self.dims]
        if self.batch:
            sizes.insert(0, "n")
        return "×".join(sizes)


def _way(name: str, shape: Shape, wanted: Shape) -> str:
    """Return what makes the gradient or the parameter that is wanted; "" for other ports."""
    if wanted.batch:
        return ""
    if name != "gradient":
        return "; what has a sample axis is no parameter" if shape.batch else ""
    is_bias = len(wanted.dims) == 1
    if shape.batch and is_bias:
        return "; bias_gradient sums it over the rows"
    if shape.batch:
        return "; weight_gradient makes it of δ and what the weights take"
    if shape.dims == wanted.dims[::-1] != wanted.dims:
        return "; weight_gradient makes it the other way round of δ and a: are they swapped?"
    if len(shape.dims) == len(wanted.dims):
        return "; it is the gradient of another parameter"
    made = (
        "bias_gradient makes that of a bias" if is_bias else "weight_gradient makes that of weights"
    )
    return f"; {made}"


@dataclass(frozen=True, slots=True)
class Signature:
    """How a node type's output shapes follow from its input shapes.

    Written like NumPy's: "(n,i), (o,i), (o) -> (n,o)". `n` is the sample axis; a name without
    brackets is any shape; `1` is a single number; "elementwise" broadcasts all inputs.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Return the signature written in `text`, or raise `DeclarationError`."""
        if text == "elementwise":
            return cls(("*",), ("*",))
        if text.count("->") != 1:
            raise DeclarationError(f"shapes {text!r} need one '->' between inputs and outputs")
        left, right = (re.findall(r"\([^)]*\)|\w+", part) for part in text.split("->"))
        return cls(tuple(part.replace(" ", "") for part in left), tuple(right))

    @property
    def elementwise(self) -> bool:
        """Whether all inputs are broadcast together."""
        return self.inputs == ("*",)

    def apply(
        self, names: Sequence[str], shapes: Sequence[Shape | None], node: str, *, last: str = ""
    ) -> tuple[Shape, ...]:
        """Return the output shapes; `names` are the ports, None stands for one not wired.

        Of two that do not fit the later one is refused: the port `last` is looked at after all
        others.
        """
        if self.elementwise:
            given = [(n, s) for n, s in zip(names, shapes, strict=True) if s is not None]
            return (broadcast(given, node),)
        sizes: dict[str, int | None] = {}
        origin: dict[str, str] = {}
        anything: dict[str, Shape] = {}
        batch = False
        given_in_order = list(zip(names, shapes, self.inputs, strict=False))
        given_in_order.sort(key=lambda one: one[0] == last)
        for name, shape, pattern in given_in_order:
            if shape is None:
                continue
            if pattern == "1":
                if shape.flat not in ((1, 1), (None, 1)) or shape.batch:
                    raise ShapeMismatch(
                        f"'{node}.{name}' takes a single number, not {shape}", node=node
                    )
            elif not pattern.startswith("("):
                known = anything.setdefault(pattern, shape)
                origin.setdefault(pattern, name)
                if not known.same(shape):
                    raise ShapeMismatch(
                        f"{shape} cannot enter '{node}.{name}': "
                        f"it must be {known} as '{origin[pattern]}' is{_way(name, shape, known)}",
                        node=node,
                    )
            else:
                batch |= self._match(pattern, name, shape, node, sizes, origin)
        return tuple(
            self._result(pattern, sizes, anything, batch=batch) for pattern in self.outputs
        )

    def _match(
        self,
        pattern: str,
        name: str,
        shape: Shape,
        node: str,
        sizes: dict[str, int | None],
        origin: dict[str, str],
    ) -> bool:
        letters = pattern.strip("()").split(",")
        if letters[0] == "n":
            if not shape.single_row():
                raise ShapeMismatch(
                    f"{shape} cannot enter '{node}.{name}': it takes one row per sample", node=node
                )
            actual: tuple[int | None, ...] = (shape.features,)
            letters = letters[1:]
        else:
            if shape.batch:
                raise ShapeMismatch(
                    f"{shape} cannot enter '{node}.{name}': "
                    "it takes a parameter, which has no sample axis",
                    node=node,
                )
            actual = shape.dims if len(letters) == len(shape.dims) else shape.flat[-len(letters) :]
            if len(letters) == 1 and shape.flat[0] not in (1, None):
                raise ShapeMismatch(
                    f"{shape} cannot enter '{node}.{name}': it takes a single row of numbers",
                    node=node,
                )
            if len(letters) == 2 and len(shape.dims) == 1:
                raise ShapeMismatch(
                    f"'{node}.{name}' takes rows and columns (out×in), not {shape}; "
                    f"write it as [[…]]",
                    node=node,
                )
        for letter, size in zip(letters, actual, strict=True):
            if letter.isdigit():
                if size is not None and size != int(letter):
                    raise ShapeMismatch(
                        f"{shape} cannot enter '{node}.{name}': it takes {letter} feature",
                        node=node,
                    )
                continue
            known = sizes.get(letter)
            if known is None:
                sizes[letter] = size
                origin[letter] = f"'{name}' is {shape}"
            elif size is not None and size != known:
                raise ShapeMismatch(
                    f"{shape} cannot enter '{node}.{name}': {origin[letter]}, "
                    f"so it must have {known} where it has {size}",
                    node=node,
                )
        return pattern.startswith("(n") and shape.batch

    @staticmethod
    def _result(
        pattern: str,
        sizes: Mapping[str, int | None],
        anything: Mapping[str, Shape],
        *,
        batch: bool,
    ) -> Shape:
        if not pattern.startswith("("):
            return anything[pattern]
        letters = pattern.strip("()").split(",")
        rows = letters[0] == "n"
        dims = tuple(
            int(letter) if letter.isdigit() else sizes.get(letter)
            for letter in (letters[1:] if rows else letters)
        )
        if rows:
            return Shape(dims, batch=True) if batch else Shape((1, *dims))
        return Shape(dims)


def broadcast(shapes: Sequence[tuple[str, Shape]], node: str) -> Shape:
    """Return the shape of values combined number by number; 1 stretches, as in NumPy."""
    batch = any(shape.batch for _, shape in shapes)
    width = max((len(shape.dims) for _, shape in shapes), default=1)
    rows: int | None = 1
    features: int | None = 1
    by_features = by_rows = ""
    for name, shape in shapes:
        tall, wide = shape.flat
        if batch and not shape.single_row():
            raise ShapeMismatch(
                f"{shape} cannot enter '{node}.{name}': the other values have one row per sample",
                node=node,
            )
        for size, known, by in ((wide, features, by_features), (tall, rows, by_rows)):
            if size not in (1, None) and known not in (1, None) and size != known:
                raise ShapeMismatch(
                    f"{shape} cannot enter '{node}.{name}': it must have 1 or {known} "
                    f"where it has {size}, as '{by}' has",
                    node=node,
                )
        if wide != 1 and (features == 1 or features is None):
            features, by_features = wide, name
        if tall != 1 and (rows == 1 or rows is None):
            rows, by_rows = tall, name
    if batch:
        return Shape((features,), batch=True)
    return Shape((features,)) if width == 1 else Shape((rows, features))
