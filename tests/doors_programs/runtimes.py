"""Which programs run the ONNX files written here, and how exactly: `make runtimes`.

It installs the programs, pinned, in a temporary folder (PyPI and npm), exports a few networks and
training steps in float64 and in float32, has each program run them, and compares with the float64
values of ONNX's own reference. `--write-docs` puts the table into docs/interchange.md. It fails
where a program does other than is written in `EXPECTED`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from compare import call
from onnx.reference import ReferenceEvaluator

import nodeflow as nf
from nodeflow.networks import network

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "interchange.md"
MARK = "<!-- runtimes -->"
PYTHON = {
    "onnxruntime": "1.32.0", "openvino": "2026.4.1", "opencv-python-headless": "5.0.0.93",
    "tract": "0.23.9", "tinygrad": "0.14.0", "apache-tvm": "0.27.0.post1", "mnn": "3.6.1",
    "iree-base-compiler": "3.13.0", "iree-base-runtime": "3.13.0",
    "onnx": "1.23.2", "numpy": "2.4.6",
}  # fmt: skip
NPM = {"onnxruntime-web": "1.30.0", "onnxruntime-node": "1.30.0"}
NETWORKS = {
    "sigmoid": ("sigmoid", "sigmoid"),
    "softmax": ("tanh", "softmax"),
    "relu": ("relu", "identity"),
    "parts": ("leaky_relu", "softplus"),
}
STEPS = ("iris", "spiral", "four-layers")
ROWS = 6
EXACT, SINGLE = 1e-12, 2e-5  # of Adam's 1 − 0.999ᵗ a float32 keeps four digits
ASKED = ("float64", "float64 step", "float32", "float32 step")
EXPECTED = {
    "onnxruntime": ("exact", "exact", "single", "single"),
    "onnxruntime-web": ("exact", "exact", "single", "single"),
    "onnxruntime-node": ("exact", "exact", "single", "single"),
    "tinygrad": ("exact", "exact", "single", "single"),
    "apache-tvm": ("exact", "exact", "single", "single"),
    "openvino": ("single", "single", "single", "single"),
    "mnn": ("single", "", "single", ""),
    "tract": ("refused", "in part", "single", "single"),
    "iree-base-compiler": ("in part", "in part", "single", "single"),
    "opencv-python-headless": ("wrong", "refused", "single", "in part"),
}
"""What each does with the files of `ASKED`; "" where it was not asked."""
SAID = {
    "onnxruntime-web": "onnxruntime-web {}, for browsers",
    "openvino": "OpenVINO {}, with `INFERENCE_PRECISION_HINT: f32`",
    "mnn": "MNN {}",
    "apache-tvm": "Apache TVM {}",
    "iree-base-compiler": "IREE {}, with `--iree-input-demote-f64-to-f32=false`",
    "opencv-python-headless": "OpenCV {}, `cv2.dnn`",
}


def export(folder: Path) -> None:
    """Write models, rows, and what the reference makes of them."""
    random, cases = np.random.default_rng(5), []
    graphs = {name: (network((4, 5, 3), activation=kinds[0], output=kinds[1]), False)
              for name, kinds in NETWORKS.items()}  # fmt: skip
    graphs |= {f"{name} step": (nf.load(HERE.parents[1] / "graphs" / f"{name}.json"), True)
               for name in STEPS}  # fmt: skip
    for name, (graph, backward) in graphs.items():
        model = {}
        for kind in ("float64", "float32"):
            model[kind] = folder / f"{name} {kind}.onnx".replace(" ", "-")
            nf.export.export(graph, model[kind], backward=backward, float32=kind == "float32")
        reference = ReferenceEvaluator(str(model["float64"]))
        given = {}
        for port in reference.proto_.graph.input:
            sizes = [size.dim_value or ROWS for size in port.type.tensor_type.shape.dim]
            given[port.name] = random.normal(size=sizes)
            if port.name == "y":
                given["y"] = np.eye(sizes[1])[np.arange(sizes[0]) % sizes[1]]
            elif port.name.endswith("time.value"):
                given[port.name] = np.full(sizes, 3.0)
            elif port.name.endswith("size.value"):  # Adam's mean of squares
                given[port.name] = np.square(given[port.name])
        # A file in float32 is given the float32 nearest to each number, so the other is, too.
        given = {key: np.float32(array).astype(np.float64) for key, array in given.items()}
        found = dict(zip(reference.output_names, reference.run(None, given), strict=True))
        assert all(np.isfinite(array).all() for array in found.values()), name
        for kind, file in model.items():
            cases.append({
                "asked": f"{kind} step" if backward else kind, "file": str(file), "dtype": kind,
                "given": {key: [list(array.shape), array.ravel().tolist()]
                          for key, array in given.items()},
                "right": {key: np.ravel(array).tolist() for key, array in found.items()},
            })  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(cases))


def measured(folder: Path) -> dict[str, dict[str, list[float | str]]]:
    """Return the largest difference of each case, or why it was refused, by program and kind."""
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    packages = [f"{name}=={version}" for name, version in PYTHON.items()]
    call(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages, cwd=folder)
    (folder / "package.json").write_text("{}")
    wanted = [f"{name}@{version}" for name, version in NPM.items()]
    call("npm", "install", "--silent", "--ignore-scripts", *wanted, cwd=folder)
    found: dict[str, dict[str, list[float | str]]] = {}
    jobs = [(name, [python, str(HERE / "onnx_run.py"), name]) for name in EXPECTED
            if name not in NPM]  # fmt: skip
    (folder / "onnx_run.mjs").write_text((HERE / "onnx_run.mjs").read_text())
    jobs += [(name, ["node", "onnx_run.mjs", name]) for name in NPM]
    for name, words in jobs:
        # What a program prints itself, or how it ends, is no matter of ours.
        done = subprocess.run(
            [*words, "cases.json"], cwd=folder, capture_output=True, text=True, check=False
        )
        lines = [json.loads(one[1:]) for one in done.stdout.splitlines() if one.startswith("=")]
        if not lines:
            sys.exit(f"{name} ran nothing: {done.stderr[-1500:]}")
        for asked, apart in lines:
            found.setdefault(name, {}).setdefault(asked, []).append(apart)
    return found


def verdict(cases: list[float | str]) -> str:
    """Return in one word what a program did with all cases of a kind."""
    if not cases:
        return ""
    refused = sum(isinstance(one, str) for one in cases)
    most = max((one for one in cases if not isinstance(one, str)), default=0.0)
    if not most < SINGLE:
        return "wrong"
    if refused:
        return "refused" if refused == len(cases) else "in part"
    return "exact" if most < EXACT else "single"


def cell(cases: list[float | str]) -> str:
    """Return what stands in the table: the largest difference, or what went wrong."""
    numbers = [one for one in cases if not isinstance(one, str)]
    most = f"{max(numbers):.1e}" if numbers else ""
    match verdict(cases):
        case "refused":
            return "refused"
        case "in part":
            return f"{most}; {len(cases) - len(numbers)} of {len(cases)} refused"
        case "wrong":
            return f"**wrong, and not a word of it**: {most}"
    return most


def main() -> int:
    """Measure, print, and say what is not as expected."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(folder)
        found = measured(folder)
    versions = PYTHON | NPM
    lines = ["| program | float64 | one training step | float32 | one training step |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    faults = 0
    for program, expected in EXPECTED.items():
        cases = [found[program].get(asked, []) for asked in ASKED]
        title = SAID.get(program, f"{program} {{}}").format(versions[program])
        lines.append(f"| {title} | {' | '.join(map(cell, cases))} |")
        for asked, said, own in zip(ASKED, expected, cases, strict=True):
            if verdict(own) != said:
                faults += 1
                print(f"{program}, {asked}: expected {said}, found {own}", file=sys.stderr)
    print("\n".join(lines))
    if "--write-docs" in sys.argv and not faults:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
        after = rest.partition(MARK)[2]
        text = "\n".join(lines)
        PAGE.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
