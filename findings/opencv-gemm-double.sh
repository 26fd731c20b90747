#!/usr/bin/env bash
# OpenCV 5.0.0.93 (cv2.dnn), onnx 1.23.2: a Gemm in float64 gives wrong numbers and says nothing.
#
# Guess: a model whose tensors are all float64 is computed in float64, or is refused.
#
# Seen: the model is read, takes float64 and gives float64 back, and the numbers have nothing to do
# with the product. The same matrices in a MatMul are refused ("only float32 is supported for now"),
# and in float32 Gemm is right to the last digits. The operator alone decides whether one is told.
#
# Here: ONNX files are float64 unless --float32 is given; docs/interchange.md says which programs
# need that.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnx==1.23.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import cv2
import numpy as np
from onnx import checker, helper, numpy_helper, save

random = np.random.default_rng(1)
rows, weights, bias = random.normal(size=(5, 4)), random.normal(size=(4, 3)), random.normal(size=3)
right = rows @ weights + bias


def apart(dtype, *nodes):
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    numbers = [numpy_helper.from_array(array.astype(dtype), name)
               for name, array in (("w", weights), ("b", bias))]
    graph = helper.make_graph(
        [helper.make_node(*node) for node in nodes], "one",
        [helper.make_tensor_value_info("x", kind, [5, 4])],
        [helper.make_tensor_value_info("z", kind, [5, 3])], numbers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model, full_check=True)
    save(model, "one.onnx")
    network = cv2.dnn.readNetFromONNX("one.onnx")
    network.setInput(rows.astype(dtype))
    found = network.forward()
    return found.dtype.name, float(np.abs(found - right).max())


gemm = ("Gemm", ["x", "w", "b"], ["z"])
double, single = apart(np.float64, gemm), apart(np.float32, gemm)
print("Gemm", double, single)
try:
    apart(np.float64, ("MatMul", ["x", "w"], ["m"]), ("Add", ["m", "b"], ["z"]))
    said = ""
except cv2.error as error:
    said = str(error)
print("MatMul", said.splitlines()[0] if said else "taken")
ok = double[0] == "float64" and double[1] > 0.1 and single[1] < 1e-6
sys.exit(not (ok and "only float32 is supported" in said))
PYTHON
