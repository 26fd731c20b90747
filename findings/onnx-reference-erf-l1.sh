#!/usr/bin/env bash
# onnx 1.23.2: in ONNX's reference an Erf of float64 has seven digits, and a LpNormalization with p = 1 adds numbers
# up with their signs.
#
# Guess: the reference computes a float64 in float64; the norm for p = 1 is the sum of magnitudes, as it is called.
#
# Seen: Erf goes through float32, and its output is called float64: 3e-8 apart from math.erf. (onnxruntime has no Erf
# for float64 at all.) The row (-20, -1, 1, 20) has the norm 0, and is divided by nothing; (3, -1) becomes
# (1.5, -0.5). onnxruntime divides by 42 and by 4.
#
# Here: an exact Gelu of PyTorch in float64 can be compared with the reference to seven digits only. Exported files
# have the error function made of parts, with all its digits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
v/bin/python -W ignore - <<'END'
import math
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper
from onnx.reference import ReferenceEvaluator


def model(kind, shape, **given):
    """Return a model of one operator in float64."""
    value = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], **given)], "one", value[:1], value[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(made, full_check=True)
    return made


def reference(made, x):
    """Return what the reference computes."""
    (found,) = ReferenceEvaluator(made).run(None, {"x": x})
    return found


x = np.linspace(-2, 2, 9)
right = np.array([math.erf(one) for one in x])
found = reference(model("Erf", [9]), x)
apart = np.abs(found - right).max()
print("Erf", found.dtype, apart)
ok = found.dtype == np.float64 and np.array_equal(found, right.astype(np.float32)) and 1e-9 < apart < 1e-7

for row in ([-20.0, -1.0, 1.0, 20.0], [3.0, -1.0]):
    rows = np.array([row])
    made = model("LpNormalization", list(rows.shape), axis=1, p=1)
    seen = reference(made, rows)
    (runtime,) = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": rows})
    print(row, "reference", seen, "onnxruntime", runtime)
    total = rows.sum()
    ok = ok and np.array_equal(seen, rows / total if total else 0 * rows)
    ok = ok and np.allclose(runtime, rows / np.abs(rows).sum(), rtol=1e-14)
sys.exit(0 if ok else "it has changed")
END
