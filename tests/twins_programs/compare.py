"""Runs the real programs again and compares them with the kept figures: `make test-twins`.

It makes environments of their own in a temporary folder, with pinned versions, and needs node, npm,
a C compiler and FANN's header files; what is missing is named, and counts as a failure.

    python compare.py          compare
    python compare.py --write  keep what the programs give now
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEPT = HERE.parent / "twins.json"
LIMIT = 1e-12
PYTHON = (
    "jax==0.10.2", "keras==3.15.1", "neurolab==0.3.5", "numpy==2.4.6", "optax==0.2.8",
    "scikit-learn==1.9.1", "scipy==1.17.1", "torch==2.13.0",
)  # fmt: skip
OLD = ("neurolab==0.3.5", "numpy==1.26.4")
"""neurolab uses names that newer NumPys have not."""
JAVASCRIPT = (
    "@tensorflow/tfjs@4.22.0", "brain.js@1.6.1", "convnetjs@0.3.0", "neataptic@1.4.7",
    "synaptic@1.1.4",
)  # fmt: skip
IN_JAVASCRIPT = ("brain-js", "convnetjs", "neataptic", "synaptic", "tensorflow-js")


def call(*words: str, cwd: Path, **extra: str) -> str:
    """Run a program and return what it prints; show what went wrong."""
    done = subprocess.run(words, cwd=cwd, env={**os.environ, **extra}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        sys.exit(f"{words[0]} failed")
    return done.stdout


def environment(folder: Path, *packages: str) -> str:
    """Return the Python of a new environment with packages."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(python, *quiet, *packages, cwd=folder)
    return python


def python_programs(folder: Path, names: list[str]) -> dict[str, Any]:
    """Return the weights of programs in Python."""
    old = [name for name in names if name.startswith("neurolab")]
    found = {}
    for part, packages, which in (("new", PYTHON, [n for n in names if n not in old]),
                                  ("old", OLD, old)):  # fmt: skip
        python = environment(folder / part, *packages)
        text = call(python, str(HERE / "python.py"), *which, cwd=folder, KERAS_BACKEND="torch",
                    JAX_ENABLE_X64="1")  # fmt: skip
        found |= json.loads(text.strip().splitlines()[-1])
    return found


def javascript_programs(folder: Path, names: list[str]) -> dict[str, Any]:
    """Return the weights of programs in JavaScript."""
    home = folder / "js"
    home.mkdir()
    (home / "package.json").write_text("{}")
    call("npm", "install", "--silent", "--ignore-scripts", *JAVASCRIPT, cwd=home)
    text = call("node", str(HERE / "javascript.js"), *names, cwd=home)
    return dict(json.loads(text.strip().splitlines()[-1]))


def fann(folder: Path, kept: dict[str, Any]) -> dict[str, Any]:
    """Return the weights of FANN, in the addresses of the kept figures."""
    program = folder / "fann"
    call("cc", str(HERE / "fann.c"), "-o", str(program), "-ldoublefann", "-lm", cwd=folder)
    found = {}
    for name, record in kept.items():
        weights = {}
        for updates in record["weights"]:
            numbers = [float(w) for w in call(str(program), name, updates, cwd=folder).split()]
            a, b = numbers[:6], numbers[6:12]
            weights[updates] = {
                "theta1.value": [a[0:2], a[3:5]], "bias1.value": [a[2], a[5]],
                "theta2.value": [b[0:2], b[3:5]], "bias2.value": [b[2], b[5]],
            }  # fmt: skip
        found[name] = {"version": record["version"], "weights": weights}
    return found


def distance(one: Any, other: Any) -> float:
    """Return the largest difference of two nested lists of numbers."""
    if isinstance(one, dict):
        return max(distance(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return max(map(distance, one, other))
    return abs(one - other)


def main() -> int:
    """Run all programs; 1 if one of them gives other numbers than those that are kept."""
    missing = [name for name in ("node", "npm", "cc") if shutil.which(name) is None]
    if missing:
        sys.exit(f"{', '.join(missing)} not found; install Node.js and a C compiler")
    kept = json.loads(KEPT.read_text())
    kinds: dict[str, list[str]] = {"python": [], "javascript": [], "fann": [], "r": []}
    for name in kept:
        kind = ("fann" if name.startswith("fann") else "r" if name.startswith("r-")
                else "javascript" if name.startswith(IN_JAVASCRIPT) else "python")  # fmt: skip
        kinds[kind].append(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found = fann(folder, {name: kept[name] for name in kinds["fann"]})
        found |= javascript_programs(folder, kinds["javascript"])
        found |= python_programs(folder, kinds["python"])
    wrong = 0
    for name, record in sorted(found.items()):
        away = max(distance(record["weights"][at], weights)
                   for at, weights in kept[name]["weights"].items())  # fmt: skip
        same = record["version"] == kept[name]["version"]
        ok = same and away <= LIMIT
        wrong += not ok
        print(f"{'ok ' if ok else 'NO '} {name} {record['version']}: {away:.1e}")
    for name in kinds["r"]:
        print(f"--  {name}: not run again here (R)")
    if "--write" in sys.argv:
        KEPT.write_text(json.dumps({**kept, **found}, indent=1) + "\n")
        return 0
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
