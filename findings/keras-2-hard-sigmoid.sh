#!/usr/bin/env bash
# Keras 2.15.0 → Keras 3.15.1: a model with `hard_sigmoid` is loaded, and computes another function.
#
# Guess: what Keras 2 saved as `.h5` or `.keras` either gives the same outputs in Keras 3, or is
# refused, as other layers that are gone are (`ThresholdedReLU`).
#
# Seen: `hard_sigmoid` was 0.2 z + 0.5 between 0 and 1, and is z/6 + 0.5 now. Both files are loaded
# without a warning, and outputs are up to 0.08 apart; with a sigmoid they are the same.
#
# Here: files say which version of Keras wrote them, and the activation comes in as it was there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pip=(-m pip install --quiet --disable-pip-version-check)
python3.11 -m venv "$folder/2"
"$folder/2/bin/python" "${pip[@]}" tensorflow-cpu==2.15.1 keras==2.15.0
python3 -m venv "$folder/3"
"$folder/3/bin/python" "${pip[@]}" numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2 keras==3.15.1
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/2/bin/python" -W ignore - 2>log <<'END' || { cat log; exit 1; }
import keras
import numpy as np

rows = np.linspace(-4, 4, 9, dtype=np.float32).reshape(-1, 1)
found = {}
for name in ("hard_sigmoid", "sigmoid"):
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, name)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    for ending in ("h5", "keras"):
        model.save(f"{name}.{ending}")
    found[name] = model.predict(rows, verbose=0).ravel()
np.savez("found.npz", rows=rows, version=keras.__version__, **found)
END
KERAS_BACKEND=jax "$folder/3/bin/python" -W error::UserWarning - <<'END'
import sys

import keras
import numpy as np

found = np.load("found.npz")
apart = {}
for name in ("hard_sigmoid", "sigmoid"):
    print(f"{name}, z {found['rows'].ravel().tolist()}")
    print(f"  Keras {found['version']}:", np.round(found[name], 4).tolist())
    for ending in ("h5", "keras"):
        model = keras.saving.load_model(f"{name}.{ending}", compile=False)
        got = np.asarray(model(found["rows"])).ravel()
        apart[name, ending] = float(np.abs(got - found[name]).max())
        print(f"  Keras {keras.__version__} of .{ending}:", np.round(got, 4).tolist())
print({" .".join(key): round(value, 4) for key, value in apart.items()})
ok = all(0.06 < apart["hard_sigmoid", ending] < 0.1 for ending in ("h5", "keras"))
ok &= all(apart["sigmoid", ending] < 1e-6 for ending in ("h5", "keras"))
sys.exit(0 if ok else "it has changed")
END
