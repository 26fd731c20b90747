"""Starting: the command and the import beside bare Python. What follows is in `commands`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.harness import Contestant, Result, Target, race


def _python(*arguments: str, **environment: str) -> str:
    found = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        last = found.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"python {arguments[0]} … failed: {last}")
    return found.stdout


def run(*, quick: bool = False) -> Result:
    """Start processes, in turns."""
    result = Result("start", "starting processes; ratios are against `python -c pass`")
    commands: dict[str, tuple[str, ...]] = {
        "python -c pass": ("-c", "pass"),
        "import nodeflow": ("-c", "import nodeflow"),
    }
    if importlib.util.find_spec("nodeflow.cli") is not None:
        commands["python -m nodeflow --help"] = ("-m", "nodeflow", "--help")
    else:
        result.notes.append("nodeflow.cli is not there: `--help` is skipped")
    contestants = [
        Contestant(name, lambda c=command: c, lambda c: _python(*c))  # type: ignore[misc]
        for name, command in commands.items()
    ]
    times = race(contestants, 2 if quick else 15)
    result.add_race(contestants, times, "python -c pass")
    if "python -m nodeflow --help" in times:
        pairs = zip(times["python -m nodeflow --help"], times["python -c pass"], strict=True)
        more = [(slow - fast) * 1e3 for slow, fast in pairs]
        text = "`--help` over bare Python, in addition"
        result.targets.append(Target(text, 100, median(more), min(more), unit=" ms"))
    return result
