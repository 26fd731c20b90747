"""The memory of a run that never ends: bytes an epoch, beyond the epochs that all have a line."""

from __future__ import annotations

from benchmarks.builds import Failed, builds
from benchmarks.harness import Result, Row, Target

_FEW, _MANY = 4_000_000, 8_000_000


def run(*, quick: bool = False) -> Result:
    """Train a network of one weight for millions of epochs, an update each."""
    few, many = (2_000, 4_000) if quick else (_FEW, _MANY)
    result = Result(
        "memory", f"one weight, {many:,} epochs of one update each: the process at its largest"
    )
    with builds(result.notes) as both:
        for build in both[:1] if quick else both:
            try:
                start, half, end = build.told("memory", 1, few, many)
            except Failed as reason:
                result.notes.append(f"not measured: {reason}")
                continue
            each = (end - half) / (many - few)
            result.rows += [
                Row(f"{build.name}: after {few:,} epochs", text=f"{(half - start) / 1e6:.1f} MB"),
                Row(f"{build.name}: after {many:,} epochs", text=f"{(end - start) / 1e6:.1f} MB"),
                Row(f"{build.name}: bytes an epoch between them", text=f"{each:.1f}"),
            ]
            if build is both[0]:
                text = f"memory of epochs {few:,} to {many:,}, an epoch"
                # a page more or less is no growth
                result.targets.append(Target(text, 1.0, each, unit=" bytes"))
    return result
