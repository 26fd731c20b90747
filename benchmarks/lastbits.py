"""Whose last bits differ: `python -m benchmarks.lastbits [COUNT] [--write-docs]`.

nodeflow's elementwise functions, Python's `math` (the machine's C library), NumPy and PyTorch
compute the same COUNT float64 (100,000 unless told). Counted is where they differ from nodeflow's
bits, and where each of them is not the float64 nearest to the truth, which mpmath tells to 160
bits. `--write-docs` puts the table into docs/numbers.md; it needs PyTorch (`make test-programs`
makes an environment that has it).
"""

from __future__ import annotations

import argparse
import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from benchmarks.harness import put
from benchmarks.ulps import BITS, CASES, error
from nodeflow.engine.kernel.scalar import SCALARS

DOCS = Path(__file__).parent.parent / "docs" / "numbers.md"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A function, as each library has it or as one writes it there."""

    points: Callable[[np.random.Generator, int], Floats]
    math: Callable[[float], float]
    numpy: Callable[[Floats], Floats]
    torch: Callable[[Any, Any], Any]


def _sums(random: np.random.Generator, count: int) -> Floats:
    """Weighted sums, most of them in the bend of a sigmoid."""
    return random.normal(0, 3, count)


def _shares(random: np.random.Generator, count: int) -> Floats:
    """Activations whose logarithm a cost takes."""
    return random.uniform(1e-3, 1, count)


ROWS = {
    "exp": Row(_sums, math.exp, np.exp, lambda t, z: t.exp(z)),
    "log": Row(_shares, math.log, np.log, lambda t, z: t.log(z)),
    "tanh": Row(_sums, math.tanh, np.tanh, lambda t, z: t.tanh(z)),
    "sigmoid": Row(
        _sums,
        lambda z: 1 / (1 + math.exp(-z)),
        lambda z: 1 / (1 + np.exp(-z)),
        lambda t, z: t.sigmoid(z),
    ),
    "softplus": Row(
        _sums,
        lambda z: max(z, 0) + math.log1p(math.exp(-abs(z))),
        lambda z: np.logaddexp(0, z),
        lambda t, z: t.nn.functional.softplus(z, threshold=100),
    ),
}


def found(name: str, points: Floats) -> dict[str, Floats]:
    """Return what each library computes at some points; PyTorch only where it is installed."""
    row = ROWS[name]
    all_ = {
        "nodeflow": np.array([SCALARS[name](float(z)) for z in points]),
        "math": np.array([row.math(float(z)) for z in points]),
        "NumPy": row.numpy(points),
    }
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
        all_["PyTorch"] = row.torch(torch, torch.tensor(points)).numpy()
    return all_


def table(count: int) -> str:
    """Return the table in Markdown."""
    random = np.random.default_rng(0)
    lines: list[Sequence[str]] = []
    names: list[str] = []
    for name, row in ROWS.items():
        points = row.points(random, count)
        values = found(name, points)
        names = list(values)
        with mp.workprec(BITS):
            truth = [CASES[name].truth(mpf(float(z))) for z in points]
            errors = {
                who: [error(float(v), true) for v, true in zip(found_, truth, strict=True)]
                for who, found_ in values.items()
            }
        apart = [f"{np.mean(values[who] != values['nodeflow']):.2%}" for who in names[1:]]
        off = [f"{np.mean(np.array(each) > 0.5):.2%}, {max(each):.2f}" for each in errors.values()]
        lines.append((name, *apart, *off))
    head = ["", *(f"{who} ≠ nodeflow" for who in names[1:]), *names]
    body = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in body)


def about() -> str:
    """Return whose versions were compared, and where."""
    torch = f", torch {version('torch')}" if find_spec("torch") is not None else ""
    library = " ".join(platform.libc_ver()) or "another C library"
    return (
        f"Python {platform.python_version()} with {library}, numpy {np.__version__}{torch}, "
        f"mpmath {version('mpmath')}; {platform.system()} {platform.machine()}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it where it is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lastbits", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100_000, metavar="COUNT")
    parser.add_argument("--write-docs", action="store_true", help="put the table into the document")
    options = parser.parse_args(arguments)
    if options.write_docs and find_spec("torch") is None:
        parser.error("--write-docs needs PyTorch: .venv-programs/bin/python has it")
    text = f"{options.count:,} float64 a function; {about()}.\n\n{table(options.count)}"
    print(text)
    if options.write_docs:
        put(DOCS, text)


if __name__ == "__main__":
    main()
