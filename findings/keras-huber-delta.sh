#!/usr/bin/env bash
# Keras 3.15.1: a Huber loss is saved without its delta, and comes back with 1.
#
# Guess: Huber(delta=0.25) in a compiled model that is saved and loaded is the same loss.
#
# Seen: get_config() has a name and a reduction, and no delta, so the loaded model trains with
# delta 1: for errors of 2 the loss is 1.5 where it was 0.46875, and no word is said. The function
# keras.losses.huber has the same preset.
#
# Here: a .keras file whose loss is Huber comes in with delta 1, and the description says that Keras
# keeps none; nf.from_keras(model) of the live model has the right one.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	keras==3.15.1 numpy==2.4.6 torch==2.13.0
cd "$folder"
KERAS_BACKEND=torch venv/bin/python - <<'PYTHON'
import sys

import keras
import numpy as np

print("keras", keras.__version__)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile("sgd", loss=keras.losses.Huber(delta=0.25))
model.save("m.keras")
again = keras.saving.load_model("m.keras")
x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [0.0]])
before, after = (float(one.evaluate(x, y, verbose=0)) for one in (model, again))
config = keras.losses.Huber(delta=0.25).get_config()
print("configuration:", config)
print("loss before and after:", before, after)
sys.exit(not ("delta" not in config and abs(before - 0.46875) < 1e-6 and abs(after - 1.5) < 1e-6))
PYTHON
