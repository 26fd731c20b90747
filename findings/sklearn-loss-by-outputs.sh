#!/usr/bin/env bash
# scikit-learn 1.9.1: MLPRegressor's gradient is not that of its loss_, by the number of outputs.
#
# Guess: loss_ is what the solver goes down; a gradient check against it succeeds.
#
# Seen: loss_ is half the mean of the squared errors over rows and outputs; the gradient that is
# used is that of half their sum over outputs, averaged over rows. With 4 outputs the weights move
# 4 times as far as the slope of loss_ says. With one output both agree.
#
# Here: a regressor comes in with C = ½ Σ e², whose slopes are scikit-learn's; J is then the number
# of outputs times loss_.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	scikit-learn==1.9.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore")
print("scikit-learn", sklearn.__version__)
r = np.random.default_rng(0)
x = r.normal(size=(20, 3))


def factor(outputs):
    """Return how far the weights move, over the slope of loss_ times the rate."""
    y = r.normal(size=(20, outputs))
    rate = 1e-3
    options = dict(hidden_layer_sizes=(4,), activation="tanh", solver="sgd", alpha=0.0,
                   batch_size=20, learning_rate_init=rate, momentum=0.0, max_iter=1,
                   random_state=0, shuffle=False)
    net = MLPRegressor(**options).fit(x, y)
    before = net.coefs_[0].copy()
    net.partial_fit(x, y)
    moved = before[0, 0] - net.coefs_[0][0, 0]

    def loss(weight):
        net.coefs_[0][:] = before
        net.coefs_[0][0, 0] = weight
        net.coefs_[1][:], net.intercepts_[0][:], net.intercepts_[1][:] = rest
        return ((net.predict(x).reshape(y.shape) - y) ** 2).mean() / 2

    net = MLPRegressor(**options).fit(x, y)
    rest = [net.coefs_[1].copy(), net.intercepts_[0].copy(), net.intercepts_[1].copy()]
    step = 1e-5
    slope = (loss(before[0, 0] + step) - loss(before[0, 0] - step)) / (2 * step)
    return float(moved / rate / slope)


found = {outputs: factor(outputs) for outputs in (1, 2, 4)}
print("moved, over the slope of loss_, by outputs:", found)
sys.exit(not all(abs(value - outputs) < 1e-4 for outputs, value in found.items()))
PYTHON
