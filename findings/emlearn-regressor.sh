#!/usr/bin/env bash
# emlearn 0.23.2, scikit-learn 1.9.1: an MLPRegressor becomes a classifier on the microcontroller.
#
# Guess: a regressor is converted into code that gives its number, or is refused.
#
# Seen: it is converted without a word, and gives classes: whole numbers, 0 for one output (or 1,
# where that is above a half), the place of the largest for several. Classifiers come out right.
#
# Here: `nf.to_sklearn` makes the estimators that such programs take; a network that predicts numbers
# has to go another way, a FANN file or ONNX.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    emlearn==0.23.2 scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import sys

import emlearn
import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

rows = np.random.default_rng(0).normal(size=(80, 4))
numbers, classes = rows @ [1.0, 2.0, 3.0, 4.0], (rows[:, 0] > rows[:, 1]).astype(int)
chosen = {"hidden_layer_sizes": (5,), "max_iter": 50, "random_state": 0}
regressor = MLPRegressor(**chosen).fit(rows, numbers)
classifier = MLPClassifier(**chosen).fit(rows, classes)
found = np.asarray(emlearn.convert(regressor, method="inline").predict(rows))
other = np.asarray(emlearn.convert(classifier, method="inline").predict(rows))
print("regressor", regressor.predict(rows[:4]), found[:4], found.dtype)
print("classifier", classifier.predict(rows[:4]), other[:4])
ok = found.dtype.kind == "i" and set(found.tolist()) <= {0, 1}
ok = ok and np.array_equal(found, (regressor.predict(rows) > 0.5).astype(int))
sys.exit(not (ok and np.array_equal(other, classifier.predict(rows))))
PYTHON
