"""What a part of the search counted, and what it found."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts of a part, and its faults: one of each kind is kept, with how often it came."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, number: int = 1) -> None:
        """Count something."""
        self.counts[what] += number

    def fault(self, kind: str, how: str) -> None:
        """Keep a fault; `how` says how to see it again."""
        self.times[kind] += 1
        self.faults.setdefault(kind, how)

    def raised(self, stage: str, error: BaseException, how: str) -> None:
        """Keep an error that should not have left; of one kind is what was raised at one line."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        self.fault(
            f"{stage}: {type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno} "
            f"({str(error)[:120]})",
            how,
        )

    def take(self, other: Report) -> None:
        """Add what another report of the same part holds."""
        self.counts += other.counts
        self.times += other.times
        self.faults = {**other.faults, **self.faults}

    @property
    def line(self) -> str:
        """All of it in a line."""
        counted = ", ".join(f"{number:,} {what}" for what, number in self.counts.items())
        return f"{self.name}: {counted}, {sum(self.times.values()):,} faults"
