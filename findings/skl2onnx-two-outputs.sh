#!/usr/bin/env bash
# skl2onnx 1.20.0, scikit-learn 1.9.1, onnxruntime 1.32.0: a regressor with two outputs gives one
# column.
#
# Guess: the ONNX model of an MLPRegressor fitted to two targets gives an array (rows, 2), as
# predict does.
#
# Seen: it ends in a reshape to one column: 80 rows come out as (160, 1), the two outputs of a row
# below each other, and the model promises a width of 1. The numbers are right, in that order.
#
# Here: such a file comes in with both outputs; what a runtime gives is to be put into two columns
# before it is compared.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    skl2onnx==1.20.0 scikit-learn==1.9.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.neural_network import MLPRegressor

rows = np.random.default_rng(0).normal(size=(80, 4))
targets = np.column_stack([rows @ [1.0, 2.0, 3.0, 4.0], -rows[:, 0]])
model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=50, random_state=0).fit(rows, targets)
session = onnxruntime.InferenceSession(to_onnx(model, rows[:1]).SerializeToString())
(found,) = session.run(None, {"X": rows})
promised = session.get_outputs()[0].shape
print(model.predict(rows).shape, found.shape, promised)
ok = found.shape == (160, 1) and promised[1] == 1
sys.exit(not (ok and np.allclose(found.reshape(80, 2), model.predict(rows), atol=1e-12)))
PYTHON
