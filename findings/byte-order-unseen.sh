#!/usr/bin/env bash
# onnxruntime 1.32.0, Flax 0.12.8, tinygrad 0.14.0, pyarrow 26.0.1: an array of the other byte order is
# read as if it were of this machine's, and not a word of it.
#
# Guess: a NumPy array says its byte order in its type, so a library either turns the bytes over, as
# pandas, h5py and SciPy do, or refuses the array, as PyTorch and JAX do.
#
# Seen: `InferenceSession.run` and `OrtValue`, Flax's `msgpack_serialize`, tinygrad's `Tensor` and
# pyarrow's `Tensor.from_numpy` take the bytes as they lie: 0.25 and 1.5 are 4.6e-41 and 6.9e-41, and a
# network that takes them gives what it gives for zeros.
#
# Here: IDX, MATLAB files of other machines and FITS are of that order, and readers keep it
# (idx2numpy-byte-order.sh); nodeflow turns over what it reads and what it is given.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 \
    onnxruntime==1.32.0 jax==0.10.2 jaxlib==0.10.2 flax==0.12.8 tinygrad==0.14.0 pyarrow==26.0.1
cd "$folder"
"$folder/v/bin/python" -W ignore - <<'END'
import sys
from importlib.metadata import version

import numpy as np
import onnxruntime
import pyarrow
from flax.serialization import msgpack_restore, msgpack_serialize
from onnx import TensorProto, helper
from tinygrad import Tensor

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString())
ways = {
    "onnxruntime": lambda array: session.run(None, {"x": array})[0],
    "flax": lambda array: msgpack_restore(msgpack_serialize({"a": array}))["a"],
    "tinygrad": lambda array: Tensor(array).numpy(),
    "pyarrow": lambda array: pyarrow.Tensor.from_numpy(array).to_numpy(),
}
array = np.array([[0.25, 1.5]], np.float32)
print("given:", array.tolist())
seen = []
for name, way in ways.items():
    mine, other = way(array), way(array.astype(">f4"))
    print(f"{name} {version(name)}: '<f4' {mine.tolist()}, '>f4' {other.tolist()}")
    seen += [(mine == array).all(), (other == array.byteswap()).all(), (np.abs(other) < 1e-30).all()]
sys.exit(0 if all(seen) else "it has changed")
END
