"""Runs the real programs again and compares them with the kept figures: `make test-twins`.

It makes environments of their own in a temporary folder, with pinned versions, and needs node, npm,
a C compiler, clang (for tinygrad), FANN's header files, R with nnet, Java and Weka; what is missing
is named, and counts as a failure.

    python compare.py          compare
    python compare.py --write  keep what the programs give now
"""

from __future__ import annotations

import json
import os
import re
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
    "jax==0.10.2", "keras==3.15.1", "mlx[cpu]==0.32.4", "neurolab==0.3.5", "numpy==2.4.6",
    "optax==0.2.8", "scikit-learn==1.9.1", "scipy==1.17.1", "tinygrad==0.14.0", "torch==2.13.0",
)  # fmt: skip
OLD = ("PyBrain3==3.0.4", "ffnet==0.8.6", "networkx==3.4.2", "neurolab==0.3.5", "numpy==1.26.4",
       "scipy==1.15.3", "setuptools==80.9.0")  # fmt: skip
"""Programs that use names which newer NumPys have not."""
STUDENTS = (
    "another-neural-net==0.1", "backpropagation==0.0.3", "BackPropagation2==0.0.2",
    "flexible-neural-network==0.0.42", "h5py==3.16.0", "mlxtend==0.25.0",
    "multilayer-perceptron-from-scratch==0.1.4", "neuralnetlib==5.0.0", "npnet==0.0.10",
    "numpy==2.4.6", "numpy-neural-network==0.1.8", "opencv-python-headless==4.14.0.94",
    "seaborn==0.13.2", "tqdm==4.67.1",
)  # fmt: skip
IN_OLD = ("neurolab", "pybrain", "ffnet")
IN_STUDENTS = ("another", "backpropagation", "flexible", "mlxtend", "multilayer", "neuralnetlib",
               "npnet", "numpy", "opencv")  # fmt: skip
WEKA = Path("/usr/share/java/weka.jar")
JAVASCRIPT = (
    "@tensorflow/tfjs@4.22.0", "brain.js@1.6.1", "convnetjs@0.3.0", "neataptic@1.4.7",
    "synaptic@1.1.4",
)  # fmt: skip
IN_PYTHON = ("torch", "keras", "optax", "mlx-", "tinygrad", "sklearn", "mlxtend", "neurolab")
"""Those of python.py; packages.py has the others."""
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
    old = [name for name in names if name.startswith(IN_OLD)]
    students = [name for name in names if name.startswith(IN_STUDENTS)]
    new = [name for name in names if name not in (*old, *students)]
    found = {}
    for part, packages, which in (("new", PYTHON, new), ("old", OLD, old),
                                  ("students", STUDENTS, students)):  # fmt: skip
        python = environment(folder / part, *packages)
        for script in ("python.py", "packages.py"):
            own = script == "python.py"
            mine = [n for n in which if n.startswith(IN_PYTHON) == own]
            if mine:
                text = call(python, str(HERE / script), *mine, cwd=folder, KERAS_BACKEND="torch",
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


def weka(folder: Path, kept: dict[str, Any]) -> dict[str, Any]:
    """Return Weka's weights from the model that it prints, in every digit."""
    rows = ("0.05,0.10,no", "1,0,yes", "0.3,-0.8,yes")
    head = "@relation rows\n@attribute a numeric\n@attribute b numeric\n@attribute class {no,yes}\n"
    (folder / "rows.arff").write_text(head + "@data\n" + "\n".join(rows) + "\n")
    weights = {}
    for updates in kept["weka"]["weights"]:
        text = call(
            "java", "-cp", str(WEKA), "weka.classifiers.functions.MultilayerPerceptron", "-t",
            "rows.arff", "-H", "2", "-L", "0.5", "-M", "0.2", "-N", str(int(updates) // 3), "-S",
            "0", "-no-cv", cwd=folder,
        )  # fmt: skip
        numbers = [float(n) for n in re.findall(
            r"^ +(?:Threshold|Node \d|Attrib \w) +(\S+)$", text, re.MULTILINE)]  # fmt: skip
        o1, o2, h1, h2 = (numbers[at : at + 3] for at in (0, 3, 6, 9))
        weights[updates] = {
            "theta1.value": [h1[1:], h2[1:]], "bias1.value": [h1[0], h2[0]],
            "theta2.value": [o1[1:], o2[1:]], "bias2.value": [o1[0], o2[0]],
        }  # fmt: skip
    version = call("java", "-cp", str(WEKA), "weka.core.Version", cwd=folder).split()[0]
    return {"weka": {"version": version, "weights": weights}}


def r_nnet(folder: Path) -> dict[str, Any]:
    """Return the weights of R's nnet after its first iteration."""
    first, numbers = call("Rscript", str(HERE / "nnet.R"), cwd=folder).splitlines()[-2:]
    w = [float(number) for number in numbers.split()]
    weights = {
        "theta1.value": [w[1:3], w[4:6]], "bias1.value": [w[0], w[3]],
        "theta2.value": [w[7:9], w[10:12]], "bias2.value": [w[6], w[9]],
    }  # fmt: skip
    return {"r-nnet": {"version": first.strip(), "weights": {"1": weights}}}


def written(kept: dict[str, Any]) -> str:
    """Return figures as text, a line for the weights after each update."""
    parts = []
    for name, record in sorted(kept.items()):
        weights = ",\n".join(f"   {json.dumps(updates)}: {json.dumps(record['weights'][updates])}"
                             for updates in sorted(record["weights"], key=int))  # fmt: skip
        head = f' {json.dumps(name)}: {{"version": {json.dumps(record["version"])}, "weights": {{'
        parts.append(f"{head}\n{weights}}}}}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def distance(one: Any, other: Any) -> float:
    """Return the largest difference of two nested lists of numbers."""
    if isinstance(one, dict):
        return max(distance(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return max(map(distance, one, other))
    return abs(one - other)


def told(found: dict[str, Any], kept: dict[str, Any]) -> int:
    """Print how far programs are from the kept figures; return how many are too far."""
    wrong = 0
    for name, record in sorted(found.items()):
        if "version" not in kept.get(name, {}):
            print(f"new {name} {record['version']}", flush=True)
            continue
        away = max(distance(record["weights"][at], weights)
                   for at, weights in kept[name]["weights"].items())  # fmt: skip
        same = record["version"] == kept[name]["version"]
        ok = same and away <= LIMIT
        wrong += not ok
        print(f"{'ok ' if ok else 'NO '} {name} {record['version']}: {away:.1e}", flush=True)
    return wrong


def main() -> int:
    """Run all programs; 1 if one of them gives other numbers than those that are kept."""
    needed = ("node", "npm", "cc", "clang", "java", "Rscript")
    missing = [name for name in needed if shutil.which(name) is None]
    missing += [] if WEKA.exists() else [str(WEKA)]
    if missing:
        sys.exit(f"{', '.join(missing)} not found; see the head of this file")
    kept = json.loads(KEPT.read_text())
    every = dict.fromkeys([*kept, *sys.argv[2:]])  # those named behind --write are new
    kinds: dict[str, list[str]] = {"python": [], "javascript": [], "fann": [], "weka": []}
    for name in every:
        if name == "r-nnet":
            continue
        kind = name.partition("-")[0] if name.startswith(("fann", "weka")) else "python"
        kinds["javascript" if name.startswith(IN_JAVASCRIPT) else kind].append(name)
    kept.setdefault("weka", {"weights": {"3": {}, "6": {}, "9": {}, "60": {}}})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found: dict[str, Any] = {}
        wrong = 0
        for part in (
            lambda: fann(folder, {name: kept[name] for name in kinds["fann"]}),
            lambda: javascript_programs(folder, kinds["javascript"]),
            lambda: weka(folder, kept),
            lambda: r_nnet(folder),
            lambda: python_programs(folder, kinds["python"]),
        ):
            more = part()
            wrong += told(more, kept)
            found |= more
    if "--write" in sys.argv:
        KEPT.write_text(written({**kept, **found}))
        return 0
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
