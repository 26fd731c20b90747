"""Networks of the real programs come in, and ours go out to them: `make real-files`.

It installs brain.js 1 and 2, skl2onnx and onnx, pinned, in a temporary folder, and needs nodeflow,
node, npm, a C compiler with FANN's header files, Java and Weka. Files that the programs save
are read here, and what comes out of both is compared; files that are written here are run there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

import nodeflow as nf
from nodeflow.interchange import imported
from nodeflow.interchange.building import ends_of
from nodeflow.networks import network

HERE = Path(__file__).parent
ROW = [[0.3, -0.7, 0.2]]
WEKA = Path("/usr/share/java/weka.jar")
PYTHON = ("numpy==2.4.6", "onnx==1.23.2", "scikit-learn==1.9.1", "skl2onnx==1.20.0")


def call(*words: str, cwd: Path) -> str:
    """Run a program and return what it prints; show what went wrong."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        sys.exit(f"{words[0]} failed")
    return done.stdout


def given(graph: nf.Graph, rows: object) -> np.ndarray:
    """Return what a graph gives for rows."""
    run = nf.Run(graph.set("x", value=np.asarray(rows, float).tolist()), batch="all")
    run.evaluate()
    return np.asarray(run[ends_of(graph)[0]])


class Table:
    """What was compared, and how far apart it was."""

    def __init__(self) -> None:
        self.wrong = 0

    def add(self, what: str, ours: object, theirs: object, within: float) -> None:
        """Print a line."""
        apart = float(np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))))
        ok = apart <= within
        self.wrong += not ok
        print(f"{'ok ' if ok else 'NO '} {what}: {apart:.1e}")


def fann(folder: Path, table: Table) -> None:
    """Activations of FANN by their numbers, with steepness ¼ in the hidden layer; and out."""
    program = str(folder / "fann")
    call("cc", str(HERE / "fann.c"), "-o", program, "-ldoublefann", "-lm", cwd=folder)
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17):
        theirs = call(program, "made", f"{code}.net", str(code), cwd=folder).split()
        found = imported(folder / f"{code}.net")
        table.add(f"FANN in, activation {code}", given(found.graph, ROW)[0], theirs, 1e-14)
        nf.export.export(found.graph, folder / "again.net")
        again = call(program, "run", "again.net", cwd=folder).split()
        table.add(f"FANN out again, activation {code}", again, theirs, 1e-14)
    for kind in ("sigmoid", "tanh", "identity"):
        graph = network((3, 4, 2), activation=kind, output=kind)
        nf.export.export(graph, folder / "own.net")
        theirs = call(program, "run", "own.net", cwd=folder).split()
        table.add(f"FANN out, {kind}", given(graph, ROW)[0], theirs, 1e-14)


def brain(folder: Path, table: Table) -> None:
    """Both versions and all activations, in and out."""
    for version, form in (("1.6.1", "brainjs"), ("2.0.0-beta.24", "brainjs2")):
        home = folder / form
        home.mkdir()
        (home / "package.json").write_text("{}")
        call("npm", "install", "--silent", "--ignore-scripts", f"brain.js@{version}", cwd=home)
        script = str(HERE / "brain.js")
        for kind in ("sigmoid", "tanh", "relu", "leaky-relu"):
            theirs = call("node", script, "made", f"{kind}.json", kind, cwd=home).split()[-2:]
            found = imported(home / f"{kind}.json", format_="brainjs")
            table.add(f"brain.js {version} in, {kind}", given(found.graph, ROW)[0], theirs, 1e-6)
            graph = found.graph
            if kind != "leaky-relu" or form == "brainjs2":
                graph = network((3, 4, 2), activation=kind.replace("-", "_"),
                                output=kind.replace("-", "_"))  # fmt: skip
            nf.export.export(graph, home / "own.json", program=form)
            theirs = call("node", script, "run", "own.json", cwd=home).split()[-2:]
            table.add(f"brain.js {version} out, {kind}", given(graph, ROW)[0], theirs, 1e-6)


def weka(folder: Path, table: Table) -> None:
    """The model that Weka prints, and the shares that it gives for its rows, in three decimals."""
    r = np.random.default_rng(0)
    rows = r.uniform(-2, 3, (30, 2)).round(3)
    classes = np.where(rows[:, 0] * rows[:, 1] > 0.5, "yes", "no")
    lines = [f"{a},{b},{c}" for (a, b), c in zip(rows, classes, strict=True)]
    head = "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute class {no,yes}\n"
    (folder / "r.arff").write_text(head + "@data\n" + "\n".join(lines) + "\n")
    base = ("java", "-cp", str(WEKA), "weka.classifiers.functions.MultilayerPerceptron", "-t",
            "r.arff", "-H", "3", "-N", "50", "-no-cv")  # fmt: skip
    (folder / "model.txt").write_text(call(*base, cwd=folder))
    found = imported(folder / "model.txt")
    low, high = rows.min(0), rows.max(0)
    out = given(found.graph, (rows - (high + low) / 2) / ((high - low) / 2))
    text = call(*base, "-d", "model.bin", cwd=folder)
    text = call(*base[:4], "-T", "r.arff", "-l", "model.bin", "-p", "0", "-distribution",
                cwd=folder)  # fmt: skip
    theirs = [[float(n.strip("*")) for n in pair.split(",")] for pair in re.findall(
        r"(\*?[\d.]+,\*?[\d.]+) *$", text, re.MULTILINE)]  # fmt: skip
    table.add("Weka in", out / out.sum(1, keepdims=True), theirs, 6e-4)


def skl2onnx(folder: Path, table: Table) -> None:
    """Models of scikit-learn as skl2onnx writes them; this process reads them with its onnx."""
    home = folder / "skl"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    call(python, "-m", "pip", "install", "--quiet", *PYTHON, cwd=folder)
    call(python, str(HERE / "sklearn_onnx.py"), str(folder), cwd=folder)
    site = call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    sys.path.append(site)  # where nodeflow has no onnx of its own
    x = np.load(folder / "x.npz")["x"]
    for path in sorted(folder.glob("*.onnx")):
        theirs = np.load(path.with_suffix(".npz"))["out"]
        out = given(imported(path).graph, x)
        table.add(f"skl2onnx in, {path.stem}", out, theirs, 5e-6)


def main() -> int:
    """Compare all; 1 if something is off."""
    missing = [name for name in ("node", "npm", "cc", "java") if shutil.which(name) is None]
    missing += [] if WEKA.exists() else [str(WEKA)]
    if missing:
        sys.exit(f"{', '.join(missing)} not found; see the head of this file")
    os.environ["LC_ALL"] = "C"
    table = Table()
    with tempfile.TemporaryDirectory() as temporary:
        for part in (fann, brain, weka, skl2onnx):
            part(Path(temporary), table)
    return int(table.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
