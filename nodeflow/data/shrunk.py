"""MNIST's digits without their margins: fewer and smaller images, for a network in a minute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.table import FloatArray, Table, frozen
from nodeflow.errors import DataError

SHRUNK = "mnist-20x20"
"""The name that `load` knows it by; it needs the files of `mnist`."""

_SIDE, _WHOLE = 20, 28
_TRAIN, _TEST = 500, 100


def shrunk(table: Table) -> Table:
    """Return 500 digits of each class as 20×20 pixels, and 100 of each for testing.

    They are the first ones in the order of the file, and stay in it. MNIST's digits were scaled
    to fit 20×20 pixels and then put into 28×28 by their centre of mass; so the middle 20×20 of
    many cuts strokes off (the feet of most sevens). Here the window stands in the middle too, but
    is moved as far as the digit reaches out of it: nothing is lost, no pixel is mixed with others.

    Raises DataError for images of another size, or too few of them.
    """
    if table.x.shape[1] != _WHOLE * _WHOLE:
        msg = f"{SHRUNK} is made from images of {_WHOLE} × {_WHOLE} pixels, as MNIST's are"
        raise DataError(msg)
    train: list[int] = []
    test: list[int] = []
    for number, name in enumerate(table.classes):
        rows = np.flatnonzero(table.y[:, number])[: _TRAIN + _TEST].tolist()
        if len(rows) < _TRAIN + _TEST:
            msg = f"{SHRUNK} takes {_TRAIN + _TEST} images of each class; '{name}' has {len(rows)}"
            raise DataError(msg)
        train += rows[:_TRAIN]
        test += rows[_TRAIN:]
    train.sort()
    test.sort()
    names = tuple(f"pixel {r},{c}" for r in range(_SIDE) for c in range(_SIDE))
    return Table(
        frozen(_windows(table.x[train])),
        frozen(table.y[train]),
        names,
        table.classes,
        frozen(_windows(table.x[test])),
        frozen(table.y[test]),
    )


def _windows(rows: FloatArray) -> FloatArray:
    images = rows.reshape(-1, _WHOLE, _WHOLE)
    inked = np.greater(images, 0)
    top, left = _starts(np.any(inked, axis=2)), _starts(np.any(inked, axis=1))
    steps = np.arange(_SIDE)
    pixels: FloatArray = images[
        np.arange(len(images))[:, None, None],
        (top[:, None] + steps)[:, :, None],
        (left[:, None] + steps)[:, None, :],
    ]
    return pixels.reshape(-1, _SIDE * _SIDE)


def _starts(inked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return where each window begins along one axis: the middle, or as near as ink allows."""
    first = inked.argmax(axis=1)
    last = _WHOLE - 1 - inked[:, ::-1].argmax(axis=1)
    middle = (_WHOLE - _SIDE) // 2
    found = np.maximum(middle, last - _SIDE + 1)
    return np.asarray(np.minimum(found, first), dtype=np.intp)
