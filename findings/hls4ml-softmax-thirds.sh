#!/usr/bin/env bash
# hls4ml 1.3.0: with precisions chosen by itself, a softmax gives every class the same share.
#
# Guess: a network for an FPGA has three digits; `granularity="name"` finds out how many bits each layer needs, and
# is at least as good as the sixteen bits of `granularity="model"`.
#
# Seen: of a layer that hands scores between -2.4 and 2 to a softmax the answer is three times 0.333 for every row,
# with "name" and with "type". The exponentials are looked up in a table of 1,024 places, and the scores' own
# range is spread over them: with 34 bits, 14 before the point, a place is 16 wide. With "model" a place is 1/16 wide,
# and shares are up to 0.15 off; with `Implementation: legacy` of the softmax, up to 0.05. Nothing is said. Without a
# softmax a network has two digits or more either way.
#
# Here: a classifier goes there as a network of Keras or PyTorch. Leave its softmax out, which changes no decision,
# or give the layer before it a precision of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    hls4ml==1.3.0 keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$folder"
KERAS_BACKEND=jax v/bin/python - 2>errors.txt <<'END' || { cat errors.txt; exit 1; }
import contextlib
import io
import sys

import hls4ml
import keras
import numpy as np

rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
powers = np.exp(rows)
shares = powers / powers.sum(axis=1, keepdims=True)


def computed(granularity, activation, change=None):
    """Return what the C++ of a layer that passes its inputs on computes."""
    layer = keras.layers.Dense(3, use_bias=False, activation=activation, name="scores")
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.set_weights([np.eye(3)])
    with contextlib.redirect_stdout(io.StringIO()):
        config = hls4ml.utils.config_from_keras_model(model, granularity=granularity)
        for name, settings in (change or {}).items():
            config["LayerName"][name].update(settings)
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=f"{granularity}-{activation}-{len(change or {})}",
        )
        converted.compile()
        return converted.predict(rows)


off = {}
for granularity in ("name", "type", "model"):
    found = computed(granularity, "softmax")
    off[granularity] = np.abs(found - shares).max()
    print(granularity, "first row", found[0], "true", shares[0], "off by", off[granularity])
    if granularity != "model":
        ok = np.ptp(found) < 0.001 and abs(found[0, 0] - 1 / 3) < 0.001
        off[granularity] = 1 if ok else 0
legacy = computed("name", "softmax", {"scores_softmax": {"Implementation": "legacy"}})
narrow = computed("name", "softmax", {"scores": {"Precision": {"result": "fixed<16,6>"}}})
plain = computed("name", "linear")
print("legacy off by", np.abs(legacy - shares).max(), "with fixed<16,6>", np.abs(narrow - shares).max())
print("without softmax off by", np.abs(plain - rows).max())
ok = off["name"] == off["type"] == 1 and 0.05 < off["model"] < 0.15
ok = ok and np.abs(legacy - shares).max() < 0.05 and np.abs(narrow - shares).max() < 0.15
ok = ok and np.abs(plain - rows).max() < 0.01
sys.exit(0 if ok else "it has changed")
END
