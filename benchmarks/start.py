"""Starting: the command, the import, and the first run with and without compiled code at hand."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.harness import Contestant, Result, Row, Target, duration, race

_FIRST_RUN = """
import time
begin = time.perf_counter()
import nodeflow as nf
x, y = nf.dataset(source="xor")
w, b = nf.parameter(shape=(1, 2)), nf.parameter(shape=(1,))
a = nf.sigmoid(nf.weighted_sum(x, w, b))
graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y), rate=0.3))
nf.Run(graph).train(1)
print(time.perf_counter() - begin)
"""


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
    if quick:
        result.notes.append("the first run is left out: compiling takes too long for --quick")
        return result
    with tempfile.TemporaryDirectory() as cache:
        cold = float(_python("-c", _FIRST_RUN, NUMBA_CACHE_DIR=cache))
        warm = [float(_python("-c", _FIRST_RUN, NUMBA_CACHE_DIR=cache)) for _ in range(5)]
    result.rows += [
        Row("import, first Run and epoch, nothing compiled (once)", text=duration(cold)),
        Row("import, first Run and epoch, compiled code at hand", text=duration(median(warm))),
    ]
    return result
