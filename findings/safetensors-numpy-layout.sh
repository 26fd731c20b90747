#!/usr/bin/env bash
# safetensors 0.8.0: a transposed NumPy array is saved as other numbers, and not a word of it.
#
# Guess: `safetensors.numpy.save` writes the array that it is given, whatever its order in memory, as
# `numpy.save` does; or it refuses it, as `safetensors.torch.save` refuses a transposed tensor ("non
# contiguous").
#
# Seen: the bytes are written as they lie in memory, with the shape that the array has: what comes back
# has the right shape and type, and its numbers stand in other places. So does each array of every
# second column of another one.
#
# Here: weights are (out, in) in safetensors and (in, out) in Keras and Flax, and `kernel.T` is how one
# becomes the other; exports are made contiguous first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 safetensors==0.8.0
"$folder/v/bin/python" - <<'END'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

kernel = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
given = {"kernel": kernel, "kernel.T": kernel.T, "kernel[:, ::2]": kernel[:, ::2],
         "contiguous": np.ascontiguousarray(kernel.T)}  # fmt: skip
print(f"safetensors {safetensors.__version__}")
right = {}
for name, array in given.items():
    back = load(save({"a": array}))["a"]
    right[name] = bool(back.shape == array.shape and (back == array).all())
    print(f"{name:15}{array.tolist()} came back as {back.tolist()}")
wanted = {"kernel": True, "kernel.T": False, "kernel[:, ::2]": False, "contiguous": True}

sys.exit(0 if right == wanted else "it has changed")
END
