#!/usr/bin/env bash
# pnnx 20261020, ncnn 1.0.20261020: a network in float32 is converted to weights of half precision, and where that is
# switched off, a row alone may still be computed with such weights, and six rows not.
#
# Guess: a converter keeps float32 unless it is asked for less; a row gives the same numbers alone as in a batch.
#
# Seen: the file for ncnn holds float16 without a word, and every output is what these weights give: a third is
# 0.33325195. `fp16=0` writes float32, and six rows have seven digits then. The file of the same network for one row
# has another layer in the place of the product, for which ncnn, on a processor that can convert float16, rounds
# the weights again when it loads them; `net.opt.use_fp16_storage = False` and its two fellows before load_param
# keep them. A file holds the number of rows that it was converted for.
#
# Here: docs/interchange.md says how exactly each program computes an exported network.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    pnnx==20261020 ncnn==1.0.20261020 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 torch==2.13.0
cd "$folder"
v/bin/python -W ignore - <<'END'
import subprocess
import sys

import ncnn
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper, save

weights = np.float32(np.array([[1, 2, 4], [5, 7, 8], [10, 11, 13], [14, 16, 17]]) / 3)
bias = np.float32([0.1, 0.2, 0.3])
held = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")]
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])
graph = helper.make_graph([helper.make_node("Gemm", ["x", "w", "b"], ["y"])], "one", [x], [y], held)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
checker.check_model(model, full_check=True)
save(model, "one.onnx")
rows = np.float32(np.random.default_rng(0).normal(size=(6, 4)))
(right,) = onnxruntime.InferenceSession("one.onnx").run(None, {"x": rows})
halves = rows @ np.float32(np.float16(weights)) + np.float32(np.float16(bias))


def computed(size, words, full):
    """Return what ncnn computes of a file that was made for so many rows."""
    subprocess.run(
        ["v/bin/pnnx", "one.onnx", f"inputshape=[{size},4]f32", *words], capture_output=True, check=True
    )
    net = ncnn.Net()
    if full:
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param("one.ncnn.param")
    net.load_model("one.ncnn.bin")
    found = []
    for start in range(0, 6, size):
        asked = net.create_extractor()
        asked.input("in0", ncnn.Mat(rows[start : start + size]).clone())
        found.append(np.array(asked.extract("out0")[1]).reshape(size, 3))
    return np.concatenate(found)


ok = True
for size in (6, 1):
    for words in ([], ["fp16=0"]):
        for full in (False, True):
            found = computed(size, words, full)
            off, off_half = (float(np.abs(found - one).max()) for one in (right, halves))
            print(size, "rows", words, "options off" if full else "", off, "from halved weights", off_half)
            if not words:
                ok = ok and off > 1e-4
            elif full or size == 6:
                ok = ok and off < 3e-6
sys.exit(0 if ok else "it has changed")
END
