#!/usr/bin/env bash
# onnx 1.23.2: `version_converter` cannot make an older model of a Relu, an Identity or an addition.
#
# Guess: operators whose meaning has not changed, only the types that they take, are converted to an
# older set of operators as they are: a sum is a sum since 7, and a Relu a Relu since 1.
#
# Seen: from 18 to 13 a model of one MatMul or Sigmoid is converted, one with an Identity ("No Adapter
# From Version $16 for Identity"), an Add or a Relu ("$14 for Relu") is refused. Written by hand with
# the set 13 the same operators are a valid model.
#
# Here: ONNX files are written for the operators of set 18. A runtime that knows only older ones cannot
# be served by converting them.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import onnx
from onnx import checker, helper, version_converter


def model(operator, inputs, opset):
    of = [helper.make_tensor_value_info(name, 1, [2, 2]) for name in inputs]
    y = helper.make_tensor_value_info("y", 1, [2, 2])
    graph = helper.make_graph([helper.make_node(operator, inputs, ["y"])], "g", of, [y])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    checker.check_model(made, full_check=True)
    return made


told = {}
for operator, inputs in {
    "MatMul": "ab", "Relu": "a", "Sigmoid": "a", "Identity": "a", "Add": "ab",
}.items():  # fmt: skip
    model(operator, list(inputs), 13)
    try:
        made = version_converter.convert_version(model(operator, list(inputs), 18), 13)
        told[operator] = made.opset_import[0].version
    except RuntimeError as error:
        told[operator] = str(error).partition("failed: ")[2]
    print(operator, told[operator])
ok = told["MatMul"] == told["Sigmoid"] == 13 and "$16 for Identity" in str(told["Identity"])
ok = ok and all(f"$14 for {operator}" in str(told[operator]) for operator in ("Add", "Relu"))
sys.exit(not ok)
PYTHON
