#!/usr/bin/env bash
# onnx2torch 1.5.15 with PyTorch 2.14.1: an ONNX file that says it infers becomes a module that trains.
#
# Guess: a Dropout without `training_mode` is the identity, and a BatchNormalization with its `training_mode` 0 uses
# the mean and variance of the file, as ONNX defines them; a module made of such a file computes the same.
#
# Seen: the module is in training mode. Dropout drops half of the values and doubles the others, another half in each
# call; the normalisation takes mean and variance of the rows that it is given, and every call moves those that
# came with the file, so that `eval()` afterwards is not the file's network any more. `convert(FILE).eval()` at once
# is. The ONNX file and onnxruntime are the same before and after.
#
# Here: such a module is refused by from_torch until eval() was called, and then it may be too late; read the ONNX
# file itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    onnx2torch==1.5.15 torch==2.14.1 torchvision==0.29.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
v/bin/python -W ignore - <<'END'
import sys

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, checker, helper, numpy_helper, save
from onnx2torch import convert

torch.manual_seed(0)
x = np.random.default_rng(1).normal(3, 2, (8, 4))
value = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [8, 4]) for name in "xy"]


def file_of(node, arrays):
    """Write a model of one operator, and return its name and what onnxruntime computes."""
    held = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph([node], "one", value[:1], value[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model, full_check=True)
    name = f"{node.op_type}.onnx"
    save(model, name)
    return name, onnxruntime.InferenceSession(name).run(None, {"x": x})[0]


def apart(module, right):
    """Return the largest difference of what a module computes."""
    with torch.no_grad():
        return float(np.abs(module(torch.tensor(x)).numpy() - right).max())


ones, zeros = np.ones(4), np.zeros(4)
norm = helper.make_node("BatchNormalization", ["x", "scale", "shift", "mean", "var"], ["y"])
name, right = file_of(norm, {"scale": ones, "shift": zeros, "mean": zeros, "var": ones})
module = convert(name)
trains, first = module.training, apart(module, right)
late, at_once = apart(module.eval(), right), apart(convert(name).eval(), right)
print("BatchNormalization", "in training" if trains else "", first, "eval later", late, "at once", at_once)
ok = trains and first > 1 and late > 0.01 and at_once < 1e-4

name, right = file_of(helper.make_node("Dropout", ["x"], ["y"]), {})
module = convert(name)
with torch.no_grad():
    found, again = (module(torch.tensor(x)).numpy() for _ in range(2))
print("Dropout", found[0], again[0], "of", right[0], "eval", apart(module.eval(), right))
ok = ok and np.array_equal(right, x) and np.isin(found, [*(2 * x).ravel(), 0]).all()
ok = ok and not np.array_equal(found, again) and apart(module.eval(), right) == 0
sys.exit(0 if ok else "it has changed")
END
