"""`python -m torture`: all parts one after the other, a line each; `--minutes` says how long.

python -m torture --minutes 120
python -m torture --minutes 5 events kills
python -m torture --seed 7 --file 1234
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from torture.report import Report

Part = Callable[[float, int], Report]


def _kills(seconds: float, seed: int) -> Report:
    from torture.kills import killed

    return killed(seconds, seed=seed)


def _mutated(seconds: float, seed: int) -> Report:
    from torture.mutated import tortured

    return tortured(seconds, seed=seed, workers=os.cpu_count() or 1)


def _events(seconds: float, seed: int) -> Report:
    from torture.events import searched

    return searched(seconds, seed=seed)


def _model(seconds: float, _seed: int) -> Report:
    from torture.filesystem import modelled

    return modelled(3 if seconds > 300 else 2)


def _signals(seconds: float, seed: int) -> Report:
    from torture.signals import interrupted

    return interrupted(seconds, seed=seed)


def _threads(seconds: float, seed: int) -> Report:
    from torture.threads import told

    return told(seconds, seed=seed)


def _memory(seconds: float, _seed: int) -> Report:
    from torture.memory import trained

    return trained(seconds)


PARTS: dict[str, tuple[Part, float]] = {
    "model": (_model, 0.03),
    "kills": (_kills, 0.06),
    "events": (_events, 0.06),
    "signals": (_signals, 0.05),
    "threads": (_threads, 1 / 12),
    "mutated": (_mutated, 0.217),
    "memory": (_memory, 0.5),
}
"""Each part, and its share of the time: of two hours ten minutes for the threads, one hour for the
memory."""


def main(words: list[str] | None = None) -> int:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=120.0, help="of all parts together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=int, help="open this mutated file alone, to see its fault")
    given = parser.parse_args(words)
    if given.file is not None:
        from torture.mutated import shown

        shown(given.seed, given.file)
        return 0
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there is {', '.join(PARTS)}")
    chosen = {name: PARTS[name] for name in (given.parts or PARTS)}
    whole = sum(share for _, share in chosen.values())
    faults = 0
    for part, share in chosen.values():
        begin = time.monotonic()
        report = part(60 * given.minutes * share / whole, given.seed)
        print(f"{report.line} ({time.monotonic() - begin:.0f} s)", flush=True)
        for kind, how in report.faults.items():
            print(f"    {report.times[kind]} × {kind}\n        {how}", flush=True)
        faults += len(report.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
