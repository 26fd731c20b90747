#!/usr/bin/env bash
# onnx 1.23.2: ONNX's reference computes a Softmax, LogSoftmax or Hardmax of an older operator set as the newest one.
#
# Guess: the reference follows the version that a file names; where a version changed what an operator computes,
# the converter of versions rewrites it.
#
# Seen: up to set 12 everything from `axis` (1 where it is not given) to the end is one row, since 13 only `axis`
# (the last one) is. For a tensor of 1 × 3 × 4 in set 11 onnxruntime gives twelve shares with the sum 1; the
# reference, which has one implementation of each for all sets, gives three times four with the sum 1 each: by its
# own default axis, and beside the rows where axis 1 is asked for. The converter puts the Flatten before a Softmax
# and a LogSoftmax that is needed, and leaves a Hardmax as it is: the converted file is another function.
#
# Here: files of sets up to 12 come in as their own set says; `import` compares with onnxruntime, not with the
# reference.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
v/bin/python -W ignore - <<'END'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, version_converter
from onnx.reference import ReferenceEvaluator

x = np.arange(12, dtype=np.float32).reshape(1, 3, 4) / 3
np.set_printoptions(precision=3, suppress=True)


def computed(model):
    """Return what the reference and onnxruntime make of x."""
    (reference,) = ReferenceEvaluator(model).run(None, {"x": x})
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    return reference, found


def whole(shares):
    """Return the sum of all shares of the tensor."""
    return round(float(shares.sum()), 5)


ok = True
for kind in ("Softmax", "LogSoftmax", "Hardmax"):
    for given in ({}, {"axis": 1}):
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4]) for name in "xy"]
        graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], **given)], "one", value[:1], value[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
        checker.check_model(model, full_check=True)
        newer = version_converter.convert_version(model, 18)
        checker.check_model(newer, full_check=True)
        seen = [np.exp(one) if kind == "LogSoftmax" else one for one in (*computed(model), *computed(newer))]
        reference, runtime, reference_18, runtime_18 = map(whole, seen)
        print(kind, given or "", "reference", reference, "onnxruntime", runtime)
        print("    converted to 18:", reference_18, runtime_18, [node.op_type for node in newer.graph.node])
        # Three rows of four, or four columns of three: either way it is more than one.
        several = 4 if given else 3
        ok = ok and (reference, runtime) == (several, 1)
        ok = ok and reference_18 == runtime_18 == (several if kind == "Hardmax" else 1)
sys.exit(0 if ok else "it has changed")
END
