"""The harness: races in rounds, ratios within a round, targets, tables.

A shared machine is never equally fast for long, so times are compared only within a round: all
contestants take their turns (A B C, A B C, …), each round gives one ratio, and the median and
the least of the ratios are told.
"""

from __future__ import annotations

import gc
import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median, quantiles
from typing import Any

_PAUSE = 0.02
"""Seconds between turns, so that nothing of the last contestant is still at work."""
_STEADY = 1.5
"""Where the ratios' upper quartile is more than so many times the lower one, nothing is said."""
Times = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Contestant:
    """One way to do the job: `make` prepares (not timed), `work` does it (timed)."""

    name: str
    make: Callable[[], Any]
    work: Callable[[Any], object]
    share: float = 1.0
    """The part of the job that `work` does; its time is divided by it."""

    @property
    def label(self) -> str:
        """The name, with the part of the job that was done."""
        return self.name if self.share == 1 else f"{self.name} (1/{1 / self.share:g}, scaled)"


@dataclass(frozen=True)
class Row:
    """A line of a benchmark's table."""

    name: str
    seconds: float | None = None
    ratio: float | None = None
    """Median of the rounds' ratios, this contestant's time over nodeflow's."""
    least: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Target:
    """A figure that is wanted, and the figure that was measured."""

    text: str
    limit: float
    measured: float
    least: float | None = None
    at_most: bool = True
    unit: str = "×"
    spread: float = 1.0
    """Upper quartile of the rounds' ratios over the lower one."""

    @property
    def ok(self) -> bool | None:
        """Whether the median meets the target; None where the rounds differ too much to tell."""
        if self.spread > _STEADY:
            return None
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    def __str__(self) -> str:
        bound = "at most" if self.at_most else "at least"
        least = "" if self.least is None else f" (min {number(self.least)})"
        state = "ok" if self.ok else "missed"
        if self.ok is None:
            state = f"UNSTEADY (quartiles {number(self.spread)}× apart): not decided"
        return (
            f"{self.text}: {bound} {self.limit:g}{self.unit} → "
            f"{number(self.measured)}{self.unit}{least} {state}"
        )


@dataclass
class Result:
    """What a benchmark found."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    """Sentences; any of them makes the command fail."""

    @property
    def agreed(self) -> bool:
        """Whether all contestants came to the same numbers."""
        return not self.disagreements

    def add_race(self, contestants: Sequence[Contestant], times: Times, base: str) -> None:
        """Add a row for each contestant, with its ratio against `base`."""
        for contestant in contestants:
            own = times[contestant.name]
            found = ratios(times, contestant.name, base)
            self.rows.append(Row(contestant.label, median(own), median(found), min(found)))

    def add_target(
        self, text: str, limit: float, times: Times, over: str, under: str, *, at_most: bool = True
    ) -> None:
        """Add a target for the ratio of two contestants' times."""
        found = ratios(times, over, under)
        self.targets.append(
            Target(text, limit, median(found), min(found), at_most, spread=spread(found))
        )

    def agree(self, what: str, wanted: Any, found: Any, tolerance: float) -> None:
        """Note a disagreement where numbers differ by more than `tolerance`, relatively."""
        off = difference(wanted, found)
        if not off <= tolerance:
            self.disagreements.append(
                f"{self.name}: {what} is off by {off:.1e}; {tolerance:.0e} is allowed"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "rows": [asdict(row) for row in self.rows],
            "targets": [{**asdict(target), "ok": target.ok} for target in self.targets],
            "notes": self.notes,
            "disagreements": self.disagreements,
        }


def race(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Let everybody take a turn in each round, and return the seconds by name.

    An untimed turn comes first. The order turns by one place a round, so that nobody always
    follows the same neighbour.
    """
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number_of_round in range(-1, rounds):
        shift = number_of_round % len(contestants)
        for contestant in [*contestants[shift:], *contestants[:shift]]:
            state = contestant.make()
            seconds = timed(lambda c=contestant, s=state: c.work(s))  # type: ignore[misc]
            if number_of_round >= 0:
                times[contestant.name].append(seconds / contestant.share)
    return times


def timed(work: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds, without garbage collection in between."""
    time.sleep(_PAUSE)
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def ratios(times: Times, over: str, under: str) -> list[float]:
    """Return a ratio of times for each round."""
    return [a / b for a, b in zip(times[over], times[under], strict=True)]


def spread(found: Sequence[float]) -> float:
    """Return the upper quartile over the lower one."""
    if len(found) < 2:
        return 1.0
    low, _, high = quantiles(found, n=4, method="inclusive")
    return high / low


def difference(wanted: Any, found: Any) -> float:
    """Return the largest difference of two (nested) sequences of numbers.

    Relative where the numbers are larger than 1; infinite where shape or NaN differ.
    """
    import numpy as np

    if isinstance(wanted, list | tuple):
        if len(wanted) != len(found):
            return math.inf
        return max((difference(a, b) for a, b in zip(wanted, found, strict=True)), default=0.0)
    a, b = np.asarray(wanted, float), np.asarray(found, float)
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf
    if not a.size or np.isnan(a).all():
        return 0.0
    return float(np.nanmax(np.abs(a - b) / np.maximum(1.0, np.abs(a))))


# -- showing


def number(value: float) -> str:
    """Return a ratio with three digits or so."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(seconds: float) -> str:
    """Return a time with a fitting unit."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.text or ("" if row.seconds is None else duration(row.seconds)),
        "" if row.ratio is None else number(row.ratio),
        "" if row.least is None else number(row.least),
    )


_HEADS = ("", "time", "ratio", "min")


def table(result: Result) -> str:
    """Return a result as text for a terminal."""
    lines = [_HEADS, *map(_cells, result.rows)]
    wide = [max(len(line[place]) for line in lines) for place in range(len(_HEADS))]
    shown = [f"{result.name}: {result.title}"]
    for line in lines:
        parts = [line[0].ljust(wide[0])]
        parts += [part.rjust(width) for part, width in zip(line[1:], wide[1:], strict=True)]
        shown.append("  " + "  ".join(parts).rstrip())
    shown += [f"  {target}" for target in result.targets]
    shown += [f"  ({note})" for note in result.notes]
    shown += [f"  DISAGREE: {sentence}" for sentence in result.disagreements]
    return "\n".join(shown)


def markdown(result: Result) -> str:
    """Return a result as a part of a Markdown document."""
    lines = [f"### {result.name}", "", f"{result.title}.", ""]
    lines += ["| | time | ratio | least ratio |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in result.rows]
    for head, items in (("Targets", result.targets), ("Notes", result.notes)):
        if items:
            lines += ["", f"{head}:", "", *(f"- {item}" for item in items)]
    return "\n".join(lines)


def engine() -> str:
    """Return a digest of nodeflow's source: figures of a changing engine belong to no version."""
    import nodeflow

    digest = hashlib.sha256()
    for path in sorted(Path(str(nodeflow.__file__)).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def threads() -> str:
    """Return how many threads the contestants may use, as `__main__` has set it."""
    count = os.environ.get("OPENBLAS_NUM_THREADS")
    return "threads not set" if count is None else f"{count} thread{'s' * (count != '1')}"


def machine() -> str:
    """Return one line about where the figures come from."""
    versions = []
    for name in ("numpy", "scipy", "numba", "torch"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return (
        f"Python {platform.python_version()}, {', '.join(versions)}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{threads()} for everybody, load {os.getloadavg()[0]:.1f} at the start"
    )
