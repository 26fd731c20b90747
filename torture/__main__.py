"""`python -m torture`: all parts one after the other, a line each; `--minutes` says how long.

python -m torture --minutes 120
python -m torture --minutes 5 events kills
python -m torture --short --at-once 2
python -m torture --seed 7 --file 1234
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from torture.report import Report


@dataclass(frozen=True)
class Search:
    """How long a part searches, from which seed.

    A short one takes the same files and events on each machine, as many as a quiet one gets through
    in a minute, and judges nothing by the clock: it must not fail where much else is going on.
    """

    seconds: float
    seed: int
    short: bool = False


Part = Callable[[Search], Report]


def _kills(asked: Search) -> Report:
    from torture.kills import killed

    return killed(asked.seconds, most=300 if asked.short else 1000, seed=asked.seed)


def _mutated(asked: Search) -> Report:
    from torture.mutated import tortured

    if asked.short:
        return tortured(asked.seconds, most=4000, seed=asked.seed, workers=1, clock=False)
    return tortured(asked.seconds, seed=asked.seed, workers=os.cpu_count() or 1)


def _events(asked: Search) -> Report:
    from torture.events import searched

    return searched(asked.seconds, most=100_000, seed=asked.seed)


def _model(asked: Search) -> Report:
    from torture.filesystem import modelled

    return modelled(3 if asked.short or asked.seconds > 300 else 2)


def _signals(asked: Search) -> Report:
    from torture.signals import interrupted

    return interrupted(asked.seconds, most=60 if asked.short else 10_000, seed=asked.seed)


def _threads(asked: Search) -> Report:
    from torture.threads import told

    return told(asked.seconds, seed=asked.seed)


def _memory(asked: Search) -> Report:
    from torture.memory import trained

    if asked.short:
        return trained(asked.seconds, settled=50_000, most=400_000)
    return trained(asked.seconds)


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
_HANGS = 1800.0
"""Seconds after which a part that was to take a minute is ended: on no machine is it still busy."""


def _told(name: str, asked: Search) -> int:
    """Run a part, print its line and its faults, and return how many kinds there are."""
    begin = time.monotonic()
    report = PARTS[name][0](asked)
    print(f"{report.line} ({time.monotonic() - begin:.0f} s)", flush=True)
    for kind, how in report.faults.items():
        print(f"    {report.times[kind]} × {kind}\n        {how}", flush=True)
    return len(report.faults)


def _beside(names: list[str], seed: int, at_once: int) -> int:
    """Run short parts in processes of their own, some at once; return how many failed."""

    def run(name: str) -> int:
        words = [sys.executable, "-m", "torture", "--short", "--seed", str(seed), name]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_HANGS,
                                  check=False)  # fmt: skip
        except subprocess.TimeoutExpired as error:
            said = error.stdout or b""
            print(f"{name}: does not end\n{said.decode(errors='replace')}", flush=True)
            return 1
        if done.returncode not in (0, 1):
            print(f"{name}: ended with {done.returncode}\n{done.stderr[-3000:]}", flush=True)
        elif done.returncode and not done.stdout:
            print(f"{name}: {done.stderr[-3000:]}", flush=True)
        print(done.stdout, end="", flush=True)
        return int(done.returncode != 0)

    # The file-system model is soon done: it comes last, for two to end together.
    ordered = sorted(names, key=lambda name: name == "model")
    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(run, ordered))


def main(words: list[str] | None = None) -> int:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=120.0, help="of all parts together")
    parser.add_argument("--short", action="store_true", help="a minute of each, the same each time")
    parser.add_argument("--at-once", type=int, default=1, help="short parts side by side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=int, help="open this mutated file alone, to see its fault")
    given = parser.parse_args(words)
    if given.file is not None:
        from torture.mutated import shown

        shown(given.seed, given.file)
        return 0
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there is {', '.join(PARTS)}")
    if given.at_once > 1 and not given.short:
        parser.error("parts run side by side with --short only: others would spoil what they time")
    names = given.parts or list(PARTS)
    if given.at_once > 1:
        return 1 if _beside(names, given.seed, given.at_once) else 0
    whole = sum(PARTS[name][1] for name in names)
    faults = 0
    for name in names:
        seconds = 60.0 if given.short else 60 * given.minutes * PARTS[name][1] / whole
        faults += _told(name, Search(seconds, given.seed, given.short))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
