"""Puts what `make doors` measured into docs/interchange.md: `python -m gallery.doors FIGURES`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "interchange.md"
MARK = "<!-- figures -->"
ROWS = {
    "torch": "PyTorch 2.13.0, float64, in",
    "torch rough": "… with a softplus (the identity above 20 there), a hardsigmoid (its slope is a "
    "float32's) or what is made of them",
    "onnx in": "onnxruntime 1.32.0, float32, in",
    "onnx out": "onnxruntime 1.32.0, float64, out and in again; gradients of one training step",
    "keras": "Keras 3.15.1, float32, in; relative to the largest",
    "sklearn": "scikit-learn 1.9.1, float64, in",
}


def table(lines: list[list[object]]) -> str:
    """Return the largest differences by program."""
    head = "| against | networks | outputs | gradients |"
    rows = [head, "| --- | --- | --- | --- |"]
    for key, said in ROWS.items():
        own = [line for line in lines if line[0] == key]
        slopes = [float(str(line[2])) for line in own if line[2] is not None]
        outputs = max((float(str(line[1])) for line in own), default=0.0)
        gradients = f"{max(slopes):.1e}" if slopes else ""
        rows.append(f"| {said} | {len(own)} | {outputs:.1e} | {gradients} |")
    return "\n".join(rows)


def main(path: Path) -> None:
    """Write the table."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    PAGE.write_text(f"{before}{MARK}\n{table(lines)}\n{MARK}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
