#!/usr/bin/env bash
# neat-python 2.0.0: "sigmoid" is 1 / (1 + e^(−5z)), "tanh" is tanh(2.5z), "gauss" e^(−5z²), "sin" sin(5z).
#
# Guess: activation functions are those of their names: a genome's nodes, biases and weights, typed into
# another program, give the same outputs.
#
# Seen: z is multiplied before it enters, by 5 for sigmoid, sin and softplus (which is divided by it
# again), by 2.5 for tanh; relu, elu, selu and identity are what they are called. A network of one node
# with weight 1 and the sigmoid gives 0.9933 for 1, not 0.7311.
#
# Here: such a node is a weighted sum, a product with 5 and a sigmoid, or a sigmoid with weights and bias
# five times as large.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check neat-python==2.0.0
"$folder/v/bin/python" - <<'END'
import math
import sys
from importlib.metadata import version

from neat.activations import ActivationFunctionSet
from neat.aggregations import sum_aggregation
from neat.nn import FeedForwardNetwork

functions = ActivationFunctionSet()
named = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "sin": math.sin,
    "softplus": lambda z: math.log1p(math.exp(z)), "gauss": lambda z: math.exp(-z * z),
    "relu": lambda z: max(z, 0.0), "identity": lambda z: z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
}  # fmt: skip
seen = {
    "sigmoid": lambda z: named["sigmoid"](5 * z), "tanh": lambda z: math.tanh(2.5 * z),
    "sin": lambda z: math.sin(5 * z), "softplus": lambda z: named["softplus"](5 * z) / 5,
    "gauss": lambda z: math.exp(-5 * z * z),
}  # fmt: skip
print("neat-python", version("neat-python"))
ok = True
for name, function in named.items():
    given = [functions.get(name)(z) for z in (-0.3, 0.2, 1.0)]
    print(f"{name:9}", [round(value, 4) for value in given], "by its name",
          [round(function(z), 4) for z in (-0.3, 0.2, 1.0)])  # fmt: skip
    wanted = seen.get(name, function)
    ok &= all(abs(a - wanted(z)) < 1e-12 for a, z in zip(given, (-0.3, 0.2, 1.0), strict=True))
# A node: its activation, its aggregation, bias, response, and the weights of what enters.
node = (0, functions.get("sigmoid"), sum_aggregation, 0.0, 1.0, [(-1, 1.0)])
(output,) = FeedForwardNetwork([-1], [0], [node]).activate([1.0])
print("a node with the sigmoid and weight 1, for 1:", output)
sys.exit(0 if ok and abs(output - 0.9933071490757153) < 1e-12 else "it has changed")
END
