#!/usr/bin/env bash
# npnet 0.0.10: Adam corrects its means by the place of an array in the network, not by the time.
#
# Guess: the first step of Adam is the learning rate for every weight, whatever its gradient.
#
# Seen: in one step the powers of beta go on from array to array: the first array is corrected as
# if two steps were done, the second as if three. In the first update the weights and biases of
# two layers move by 0.0074, 0.0064, 0.0058 and 0.0055 at the rate 0.01, and so they go on: the
# corrections never become less.
#
# Here: the twin npnet-adam has the same numbers; each place is a number in a formula.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check npnet==0.0.10 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
from importlib.metadata import version

import npnet as nn
import numpy as np

print("npnet", version("npnet"))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.layers.Dense(2, 2, nn.act.Sigmoid())
        self.two = nn.layers.Dense(2, 2, nn.act.Sigmoid())

    def forward(self, x):
        return self.two(self.one(x))


np.random.seed(0)
net, cost = Net(), nn.losses.MSE()
optimizer = nn.optim.Adam(net.params, 0.01)
before = [array.copy() for layer in (net.one, net.two) for array in (layer.w, layer.b)]
for layer in (net.one, net.two):
    layer.w[:] = np.array([[0.5, -0.4], [0.3, 0.8]])
before = [array.copy() for layer in (net.one, net.two) for array in (layer.w, layer.b)]
net.backward(cost(net.forward(np.array([[0.5, 1.0]])), np.array([[0.0, 1.0]])))
optimizer.step()
after = [array for layer in (net.one, net.two) for array in (layer.w, layer.b)]
steps = [float(np.abs(new - old).max()) for new, old in zip(after, before, strict=True)]
print("first steps at the rate 0.01:", [round(step, 6) for step in steps])
wanted = [0.1 / (1 - 0.9**k) / np.sqrt(0.001 / (1 - 0.999**k)) * 0.01 for k in (2, 3, 4, 5)]
sys.exit(not np.allclose(steps, wanted, rtol=1e-2))
PYTHON
