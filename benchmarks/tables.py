"""Reading 100 MB of CSV: nodeflow beside pandas, Polars, pyarrow, numpy.loadtxt and csv."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Contestant, Result, Target, race, ratios

_COLUMNS = 10
_MEMORY = """
import sys
from nodeflow.data import load

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

for name in ("pandas", "polars"):
    try:
        __import__(name)
    except ImportError:
        pass
begin = peak()
table = load(sys.argv[1])
print((peak() - begin) / (table.x.nbytes + table.y.nbytes))
"""


def _write(path: Path, rows: int) -> None:
    r = np.random.default_rng(0)
    names = ",".join(f"x{i}" for i in range(_COLUMNS))
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f"{names},kind\n")
        for _ in range(0, rows, 10_000):
            numbers, kinds = r.normal(0, 10, (10_000, _COLUMNS)), r.integers(0, 3, 10_000)
            for row, kind in zip(numbers.tolist(), kinds.tolist(), strict=True):
                stream.write(",".join(f"{value:.6f}" for value in row) + f",{'abc'[kind]}\n")


def _nodeflow(path: Path) -> Any:
    from nodeflow.data import Options, formats

    table = formats.read(path, Options())
    return None if table is None else table.x


def _pandas(path: Path) -> Any:
    import pandas as pd

    return pd.read_csv(path).iloc[:, :_COLUMNS].to_numpy()


def _polars(path: Path) -> Any:
    import polars as pl

    return pl.read_csv(path)[:, :_COLUMNS].to_numpy()


def _pyarrow(path: Path) -> Any:
    from pyarrow import csv as reader

    table = reader.read_csv(path)
    return np.column_stack([table.column(i).to_numpy() for i in range(_COLUMNS)])


def _loadtxt(path: Path) -> Any:
    return np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(_COLUMNS))


def _csv(path: Path) -> Any:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        return np.array([[float(cell) for cell in row[:_COLUMNS]] for row in rows])


_READERS = {
    "nodeflow": (_nodeflow, ""),
    "pandas": (_pandas, "pandas"),
    "Polars": (_polars, "polars"),
    "pyarrow": (_pyarrow, "pyarrow"),
    "numpy.loadtxt": (_loadtxt, ""),
    "csv": (_csv, ""),
}


def run(*, quick: bool = False) -> Result:
    """Read one file with all readers that are installed, in turns."""
    result = Result("tables", "a table of 100 MB, ten columns of numbers and one of classes")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        _write(path, 20_000 if quick else 1_000_000)
        there = {
            name: read for name, (read, package) in _READERS.items()
            if not package or importlib.util.find_spec(package) is not None
        }  # fmt: skip
        missing = sorted(set(_READERS) - set(there))
        if missing:
            result.notes.append(f"not installed: {', '.join(missing)}")
        wanted = _loadtxt(path)
        for name, read in there.items():
            result.agree(name, wanted, read(path), 0.0)
        contestants = [
            Contestant(name, lambda: path, read) for name, read in there.items()
        ]  # fmt: skip
        times = race(contestants, 1 if quick else 5)
        result.add_race(contestants, times, "nodeflow")
        others = {name: min(found) for name, found in times.items() if name != "nodeflow"}
        fastest = min(others, key=lambda name: others[name])
        found = ratios(times, "nodeflow", fastest)
        text = f"nodeflow over the fastest reader ({fastest})"
        result.targets.append(Target(text, 1.5, float(np.median(found)), min(found)))
        if not Path("/proc/self/status").exists():
            return result
        command = [sys.executable, "-c", _MEMORY, str(path)]
        taken = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        result.targets.append(Target("memory over the numbers", 3, taken))
    if "pandas" not in there:
        result.notes.append("without pandas large tables are read by the careful reader alone")
    return result
