"""The memory of a run that never ends: bytes an epoch, beyond the epochs that all have a line."""

from __future__ import annotations

from benchmarks.builds import this_build
from benchmarks.harness import Result, Row, Target

_FEW, _MANY = 4_000_000, 8_000_000


def run(*, quick: bool = False) -> Result:
    """Train a network of one weight for millions of epochs, an update each."""
    few, many = (2_000, 4_000) if quick else (_FEW, _MANY)
    result = Result("memory", f"one weight, {many:,} epochs of one update each")
    with this_build() as build:
        (kept_half, half), (kept, largest) = build.told("memory", few, many)
    for epochs, own, process in ((few, kept_half, half), (many, kept, largest)):
        shown = (
            f"the run keeps {own / 1e6:.1f} MB; the process at its largest {process / 1e6:.0f} MB"
        )
        result.rows.append(Row(f"after {epochs:,} epochs", text=shown))
    since = many - few
    result.targets += [
        Target(f"kept of epochs {few:,} to {many:,}, an epoch", 1, (kept - kept_half) / since,
               unit=" bytes"),
        # A line of each would be 32; what a process gives back is the system's affair.
        Target("the process grows, an epoch", 16, (largest - half) / since, unit=" bytes"),
    ]  # fmt: skip
    return result
