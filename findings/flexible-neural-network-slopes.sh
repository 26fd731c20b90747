#!/usr/bin/env bash
# flexible-neural-network 0.0.42: with two hidden layers blame loses a slope on its way.
#
# Guess: the weights move by the rate times the slope of half the squared error.
#
# Seen: a hidden neuron hands on its error, not its error times the slope of its activation. With
# one hidden layer behind linear outputs this is right; with two, the first layer's weights move by
# several times what they should, here 6.7.
#
# Here: the twin flexible-neural-network has the wire that is in the wrong place.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	flexible-neural-network==0.0.42 numpy==1.23.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")  # NumPy says that its list of layers is ragged
from flexiblenn import NeuralNet

print("flexible-neural-network", version("flexible-neural-network"))
Net = NeuralNet if isinstance(NeuralNet, type) else NeuralNet.NeuralNet
x, t, rate = np.array([0.3, -0.7]), np.array([0.8, 0.1]), 1e-4


def ratio(depth):
    """Return how far the first weight moves, over the rate times its slope."""
    Net.all_nodes = []  # all networks of a program share this list
    net = Net(2, 2, depth, [3] * depth, "sigmoid", rate)
    net.test(x)  # weights are drawn when they are first needed
    r = np.random.default_rng(0)
    for layer in net.all_nodes[1:]:
        for node in layer:
            node.weights = r.normal(size=len(node.weights))

    def cost():
        return 0.5 * ((np.array(net.test(x)) - t) ** 2).sum()

    node, step = net.all_nodes[1][0], 1e-6
    start = node.weights.copy()
    node.weights = start + [step, 0, 0]
    above = cost()
    node.weights = start - [step, 0, 0]
    slope = (above - cost()) / (2 * step)
    node.weights = start.copy()
    net.train(x, t)
    return (start[0] - node.weights[0]) / rate / slope


found = {depth: float(ratio(depth)) for depth in (1, 2)}
print("moved, over the slope, by hidden layers:", found)
sys.exit(not (abs(found[1] - 1) < 1e-4 and abs(found[2] - 1) > 0.5))
PYTHON
