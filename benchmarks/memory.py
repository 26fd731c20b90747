"""The memory of a run that never ends: bytes an epoch, beyond the epochs that all have a line."""

from __future__ import annotations

from benchmarks.builds import this_build
from benchmarks.harness import Result, Row, Target

_FEW, _MANY = 2_000_000, 4_000_000


def run(*, quick: bool = False) -> Result:
    """Train a network of one weight for millions of epochs, an update each."""
    few, many = (2_000, 4_000) if quick else (_FEW, _MANY)
    result = Result(
        "memory", f"one weight, {many:,} epochs of one update each: the process at its largest"
    )
    # Of the build before, 32 bytes an epoch without end are known from its source.
    with this_build() as one:
        start, half, end = one.told("memory", 1, few, many)
    each = (end - half) / (many - few)
    result.rows += [
        Row(f"after {few:,} epochs", text=f"{(half - start) / 1e6:.1f} MB"),
        Row(f"after {many:,} epochs", text=f"{(end - start) / 1e6:.1f} MB"),
        Row("bytes an epoch between them", text=f"{each:.1f}"),
    ]
    # What thinning needs for a moment is in it; 32 bytes an epoch would be a line of each.
    text = f"memory of epochs {few:,} to {many:,}, an epoch"
    result.targets.append(Target(text, 8.0, each, unit=" bytes"))
    return result
