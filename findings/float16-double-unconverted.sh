#!/usr/bin/env bash
# onnxconverter-common 1.16.0: a network in float64 "converted" to float16 is still in float64.
#
# Guess: `convert_float_to_float16` makes float16 of float64 as it does of float32, or refuses it.
#
# Seen: of float32 it makes a file of half the size. Of float64 it gives back the same nodes with weights
# that are doubles, and the same outputs to the bit; no word, no warning. (It looks for tensors of the
# type FLOAT; DOUBLE is another one.) onnxruntime 1.32.0's quantiser leaves doubles as they are too, and
# warns.
#
# Here: exported files are float64 unless `--float32` is given; give it to what is to become smaller.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 onnxconverter-common==1.16.0
cd "$folder"
v/bin/python - <<'END'
import logging
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxconverter_common.float16 import convert_float_to_float16
from onnxruntime.quantization import quantize_dynamic

said = []
logging.getLogger().addFilter(lambda record: said.append(record.getMessage()) is not None)
rng = np.random.default_rng(0)
first, second = rng.normal(size=(64, 100)), rng.normal(size=(100, 10))


def network(kind, numbers):
    nodes = [helper.make_node("MatMul", ["x", "a"], ["h"]), helper.make_node("Sigmoid", ["h"], ["s"]),
             helper.make_node("MatMul", ["s", "b"], ["y"])]  # fmt: skip
    weights = [numpy_helper.from_array(w.astype(numbers), n) for w, n in ((first, "a"), (second, "b"))]
    ends = [helper.make_tensor_value_info(n, kind, ["rows", w]) for n, w in (("x", 64), ("y", 10))]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def outputs(model, numbers):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.random.default_rng(1).random((5, 64)).astype(numbers)
    return session.run(None, {"x": x})[0]


seen = {}
for name, kind, numbers in (("float32", TensorProto.FLOAT, np.float32),
                            ("float64", TensorProto.DOUBLE, np.float64)):  # fmt: skip
    plain = network(kind, numbers)
    said.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        half = convert_float_to_float16(network(kind, numbers), keep_io_types=True)
    warned = [str(one.message) for one in caught] + said
    said.clear()
    onnx.save(plain, "plain.onnx")
    quantize_dynamic("plain.onnx", "eight.onnx")
    eight, told = onnx.load("eight.onnx"), any("unsupported type" in text for text in said)
    for made, model in (("float16", half), ("eight bits", eight)):
        share = model.ByteSize() / plain.ByteSize()
        types = sorted({TensorProto.DataType.Name(w.data_type) for w in model.graph.initializer})
        same = bool((outputs(model, numbers) == outputs(plain, numbers)).all())
        seen[name, made] = share, types, same
        print(f"{name} to {made}: {share:.2f} of the bytes, {types}, outputs the same: {same}")
print("about float64: the converter", warned or "nothing", "- the quantiser warned" if told else "")
small = [seen["float32", made] for made in ("float16", "eight bits")]
large = [seen["float64", made] for made in ("float16", "eight bits")]
ok = all(share < 0.6 and not same for share, _, same in small)
ok = ok and all(share > 0.95 and types == ["DOUBLE"] and same for share, types, same in large)
sys.exit(0 if ok and told and not warned else "it has changed")
END
