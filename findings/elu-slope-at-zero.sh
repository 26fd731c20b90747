#!/usr/bin/env bash
# tinygrad 0.14.0, MLX 0.32.4, JAX 0.10.2: the slope of ELU or CELU at 0 is 1, and 0 in two places.
#
# Guess: ELU and CELU with alpha 1 are one function, smooth at 0, and their slope there is 1 from
# both sides; only ReLU is a matter of taste.
#
# Seen: at exactly 0 tinygrad's ELU has the slope 0 and its CELU 1, MLX's CELU has 0 and its ELU 1,
# JAX has 1 for both. Both zeros come from pieces that are each given the flat side of a tie. Next
# to 0 all have 1. Zero is no rare input: biases start there, and so does z for an input of zeros.
#
# Here: ELU and CELU come in as formulas whose slope at 0 is 1.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    tinygrad==0.14.0 "mlx[cpu]==0.32.4" jax==0.10.2 numpy==2.4.6
cd "$folder"
DEV=PYTHON venv/bin/python - <<'PYTHON'
import sys

import jax
import mlx.core as mx
import mlx.nn as mn
import numpy as np
from tinygrad import Tensor

mx.set_default_device(mx.cpu)
NEAR = (-1e-3, 0.0, 1e-3)


def tiny(name):
    found = []
    for value in NEAR:
        x = Tensor([value])
        getattr(x, name)().sum().backward()
        found.append(x.grad.numpy()[0])
    return found


def apple(name):
    return np.array(mx.grad(lambda x: getattr(mn, name)(x).sum())(mx.array(NEAR)))


def google(name):
    return [jax.grad(getattr(jax.nn, name))(value) for value in NEAR]


seen = {f"{program.__name__} {name}": [round(float(slope), 2) for slope in program(name)]
        for program in (tiny, apple, google) for name in ("elu", "celu")}
print(seen)
flat = [key for key, slopes in seen.items() if slopes == [1.0, 0.0, 1.0]]
right = [key for key, slopes in seen.items() if slopes == [1.0, 1.0, 1.0]]
sys.exit(not (flat == ["tiny elu", "apple celu"] and len(right) == 4))
PYTHON
