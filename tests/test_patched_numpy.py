"""NumPy as a library left it that replaced some of its functions: the same bits all the same."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "nodeflow"

# What `nnfs.init()` of the book "Neural Networks from Scratch" does: findings/nnfs-init.sh.
PATCHED = """
import numpy as np

def single(make, places):
    def made(*args, **kwargs):
        if len(args) <= places and "dtype" not in kwargs:
            kwargs["dtype"] = "float32"
        return make(*args, **kwargs)
    return made

dot = np.dot
np.zeros, np.eye = single(np.zeros, 1), single(np.eye, 1)
np.dot = lambda *args, **kwargs: dot(
    *(one.astype("float64") for one in args), **kwargs).astype("float32")
assert np.zeros(1).dtype == np.dot(np.ones(1), np.ones(1)).dtype == np.float32
"""

TRAINED = """
import hashlib
from pathlib import Path
import numpy as np
import nodeflow as nf
from nodeflow.export import export
from nodeflow.interchange import imported
from nodeflow.networks import network

def told(name, graph, epochs=3):
    run = nf.Run(graph)
    run.train(epochs)
    bits = hashlib.sha256()
    for key, value in sorted(run.weights.items()):
        bits.update(f"{key} {value.dtype} {value.shape}".encode() + value.tobytes())
    print(name, bits.hexdigest(), run.cost)

for name in ("circle", "iris"):
    told(name, nf.sample(name))
rows = np.random.default_rng(0).random((300, 3))
told("sums", network(data=nf.hold((rows, rows.sum(axis=1)), "sums"), hidden=200))
for name in ("iris.net", "iris.mat"):
    export(nf.sample("iris"), name)
    told(name, imported(Path(name)).graph)
"""


def said(program: str, folder: Path) -> str:
    """Return what a program prints that ends well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_runs_have_the_same_bits(tmp_path):
    assert said(PATCHED + TRAINED, tmp_path) == said(TRAINED, tmp_path)


def test_the_type_of_the_numbers_is_stated():
    """Machine code is given addresses: in smaller numbers it would write past an array's end."""
    calls = [
        (path.relative_to(PACKAGE).as_posix(), call)
        for path in PACKAGE.rglob("*.py")
        if (text := path.read_text(encoding="utf-8")) and ("np.zeros(" in text or "np.eye(" in text)
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("zeros", "eye")
        and ast.unparse(call.func.value) == "np"
    ]
    assert len(calls) > 30
    unsaid = [
        f"{path}:{call.lineno}"
        for path, call in calls
        if not any(word.arg == "dtype" for word in call.keywords)
        and (call.func.attr == "eye" or len(call.args) < 2)
    ]
    assert unsaid == []
