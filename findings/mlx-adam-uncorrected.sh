#!/usr/bin/env bash
# MLX 0.32.4: Adam as preset does not correct its moments: the first step is three times as long.
#
# Guess: `mlx.optimizers.Adam(0.1)` is Adam as its authors have it, whose first step is as long as
# the learning rate; so it is in PyTorch, Keras, optax, tinygrad and TensorFlow.js.
#
# Seen: `bias_correction` is False unless it is asked for. From 1 the first step leads to 0.684 in
# the place of 0.9, with a gradient of any size, and the second one to 0.571 in the place of 0.873.
#
# Here: the twin `mlx-adam` has MLX's rule.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "mlx[cpu]==0.32.4"
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import mlx.core as mx
from mlx.optimizers import Adam

mx.set_default_device(mx.cpu)


def steps(gradients, **options):
    optimizer, weights, seen = Adam(0.1, **options), {"w": mx.array([1.0])}, []
    for gradient in gradients:
        weights = optimizer.apply_gradients({"w": mx.array([gradient])}, weights)
        seen.append(round(weights["w"].item(), 4))
    return seen


preset, small = steps([0.5, -0.25]), steps([0.0005, -0.00025])
corrected = steps([0.5, -0.25], bias_correction=True)
print("preset", preset, "gradients a thousandth", small, "corrected", corrected)
ok = preset == [0.6838, 0.5706] and abs(small[0] - 0.6838) < 1e-3
sys.exit(not (ok and corrected == [0.9, 0.8734]))
PYTHON
