#!/usr/bin/env bash
# onnxruntime 1.32.0: a sigmoid in float32 is 0 from −18 on downwards, in float64 at −40.
#
# Guess: a sigmoid is right to some seven digits of its value, as in NumPy and PyTorch: at −20 it is
# 2.06e-9, a number that float32 holds with all its digits down to −87.
#
# Seen: it is right to some 6e-8 of 1. In float32 it is 4.5389e-05 at −10 (4 digits), 8.9e-08 for 4.1e-08 at
# −17, and 0 at −18; in float64 0 at −40 for 4.2e-18. −log of it is infinite there, and z·sigmoid(z) (Swish)
# is 0. `Softplus` in float32 has all digits, and so has the sigmoid of ONNX's own reference.
#
# Here: networks that are written as ONNX have a Sigmoid. Training steps with a cross-entropy are written
# with z, not with log(a), and so are not infinite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 \
    onnxruntime==1.32.0
"$folder/v/bin/python" -W ignore - <<'END'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def both(operator, kind, z):
    values = [helper.make_tensor_value_info(name, kind, ["n"]) for name in "zy"]
    nodes = [helper.make_node(operator, ["z"], ["y"])]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    return session.run(None, {"z": z})[0], ReferenceEvaluator(made).run(None, {"z": z})[0]


print("onnxruntime", onnxruntime.__version__)
ok = True
for kind, type_ in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)):
    z = np.array([-10, -17, -18, -20, -30, -40], type_)
    truth = 1 / (1 + np.exp(-z.astype(np.float64)))
    found, reference = both("Sigmoid", kind, z)
    for one in zip(z, truth, found, reference, strict=True):
        print(f"{type_.__name__}  z {one[0]:4.0f}  sigmoid {one[1]:.5g}, onnxruntime {one[2]:.5g}, "
              f"reference {one[3]:.5g}")  # fmt: skip
    ok &= np.allclose(reference, truth, rtol=1e-6, atol=0) and np.abs(found - truth).max() < 1e-7
    ok &= bool((found[2:] == 0).all() and found[1] > 2 * truth[1] if type_ is np.float32
               else found[-1] == 0)  # fmt: skip
far = np.array([-20, -30], np.float32)
found, _ = both("Softplus", TensorProto.FLOAT, far)
print("Softplus", far.tolist(), found.tolist())
ok &= np.allclose(found, np.exp(far.astype(np.float64)), rtol=1e-6, atol=0)
sys.exit(0 if ok else "it has changed")
END
