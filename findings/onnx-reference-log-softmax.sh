#!/usr/bin/env bash
# onnx 1.23.2: the reference's LogSoftmax is minus infinity where a share is below the least number.
#
# Guess: ONNX's own evaluator, which tells what an operator means, computes LogSoftmax as the operator
# is there for: z − max − log Σ e^(z − max), finite for any z, as onnxruntime, PyTorch and SciPy do.
#
# Seen: it is the logarithm of the softmax. In float32 what is 104 below the largest is −inf, in float64
# what is 746 below; and a cost made of it, −Σ y·log a, is NaN, since 0 times infinity is.
#
# Here: what is written as ONNX is compared with this evaluator.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 \
    onnxruntime==1.32.0
"$folder/v/bin/python" -W ignore - <<'END'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
ok = True
for kind, type_, far in ((TensorProto.FLOAT, np.float32, 120), (TensorProto.DOUBLE, np.float64, 800)):
    values = [helper.make_tensor_value_info(name, kind, ["n", 3]) for name in "zy"]
    node = helper.make_node("LogSoftmax", ["z"], ["y"], axis=-1)
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    z = np.array([[0, -50, -far]], type_)
    (reference,) = ReferenceEvaluator(model).run(None, {"z": z})
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"z": z})
    cost = -(np.array([[1, 0, 0]], type_) * reference).sum()
    print(f"{type_.__name__}  z {z.tolist()}: reference {reference.tolist()}, "
          f"onnxruntime {found.tolist()}; cost of the reference's {cost}")  # fmt: skip
    ok &= bool(np.isneginf(reference[0, 2]) and np.isnan(cost) and np.allclose(found, z, atol=1e-6))
sys.exit(0 if ok else "it has changed")
END
