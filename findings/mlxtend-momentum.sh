#!/usr/bin/env bash
# mlxtend 0.25.0: MultiLayerPerceptron's momentum is taken off as it is, without the learning rate.
#
# Guess: momentum 0.9 adds 0.9 of the last step to this one.
#
# Seen: w -= eta * gradient, and then w -= momentum * (the last gradient), raw: with eta 0.001 the
# remembered part is 900 times the other. The cost of three epochs on iris goes 8.9, 2.1, 6.5 with
# momentum 0.9 where without it stays near 0.55. The last gradient alone is kept; nothing adds up.
#
# Here: the twin mlxtend-momentum has the same numbers, with the remembered gradient as a node.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check mlxtend==0.25.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import mlxtend
import numpy as np
from mlxtend.classifier import MultiLayerPerceptron
from mlxtend.data import iris_data

print("mlxtend", mlxtend.__version__)
x, y = iris_data()
x = (x - x.mean(axis=0)) / x.std(axis=0)


def costs(momentum):
    net = MultiLayerPerceptron(hidden_layers=[4], eta=0.001, epochs=3, momentum=momentum,
                               minibatches=5, random_seed=1)
    return [float(cost) for cost in net.fit(x, y).cost_]


without, with_ = costs(0.0), costs(0.9)
print("cost of three epochs without momentum:", [round(c, 4) for c in without])
print("cost of three epochs with momentum 0.9:", [round(c, 4) for c in with_])
sys.exit(not (max(without) < 0.6 and with_[0] > 5 and with_[2] > with_[1]))
PYTHON
