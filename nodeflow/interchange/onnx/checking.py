"""Rows through onnxruntime, to compare an imported network with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.interchange.layers import Floats, Network
from nodeflow.interchange.verifying import Answer, Other, Refused, by_the_other


def _numbers(found: Any) -> Any:
    """Return an output as an array: of shares by class, those in order."""
    return np.array([list(one.values()) for one in found]) if isinstance(found, list) else found


def checked_against(path: Path, network: Network) -> Other | None:
    """Return what sends rows through onnxruntime, for `verified`; None without it."""
    try:
        import onnxruntime
    except ImportError:
        return None
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    with by_the_other():
        session = onnxruntime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    kinds = {"tensor(double)": np.float64, "tensor(float)": np.float32,
             "tensor(float16)": np.float16}  # fmt: skip
    given = {one.name: one for one in session.get_inputs()}
    names = [one.name for one in network.inputs]
    for name, one in given.items():
        if name not in names:
            raise Refused(f"it wants '{name}' too, which the outputs are not made of")
        if one.type not in kinds:
            raise Refused(f"'{name}' is a {one.type}, and real numbers are sent")
    labels = [end.label for end in network.outputs if end.label]

    def other(xs: Sequence[Floats], _ys: Sequence[Floats]) -> Answer:
        count = len(xs[0])
        # It may take so many rows, and no others: the last part is filled up.
        fixed = [
            one.shape[0] for one in given.values() if one.shape and isinstance(one.shape[0], int)
        ]
        size = max(fixed, default=count)
        parts: list[list[Floats]] = []
        for at in range(0, count, size):
            fed = {}
            for name, x in zip(names, xs, strict=True):
                rows = np.zeros((size, x.shape[1]), kinds[given[name].type])
                part = x[at : at + size]
                rows[: len(part)] = part
                sizes = [n for n in given[name].shape[1:] if isinstance(n, int)]
                whole = int(np.prod(sizes)) == x.shape[1]
                fed[name] = rows.reshape(size, *sizes) if whole else rows
            made = session.run(labels or None, fed)
            parts.append([_numbers(one).reshape(size, -1) for one in made[: len(network.outputs)]])
        return [np.concatenate(one)[:count].astype(np.float64)
                for one in zip(*parts, strict=True)], None  # fmt: skip

    return other
