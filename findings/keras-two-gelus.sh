#!/usr/bin/env bash
# Keras 3.15.1: "gelu" as an activation is the exact one, keras.ops.gelu the approximation by tanh.
#
# Guess: a layer with activation="gelu" and keras.ops.gelu of a layer without are the same network, as it
# is for relu, silu and softplus.
#
# Seen: keras.ops.gelu has approximate=True as preset, keras.activations.gelu False: 0.8412 and 0.8413 for
# 1, up to 4.7e-4 apart. For leaky_relu there are two presets, too: 0.2 for the activation and the
# operation, 0.3 for the layer LeakyReLU.
#
# Here: networks come in with the one that they have.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 \
    jaxlib==0.10.2 keras==3.15.1
KERAS_BACKEND=jax JAX_ENABLE_X64=1 "$folder/v/bin/python" -W ignore - <<'END'
import math
import sys

import keras
import numpy as np

keras.config.set_floatx("float64")
z = np.linspace(-6, 6, 1201)
exact = np.array([v / 2 * (1 + math.erf(v / math.sqrt(2))) for v in z])
by_tanh = z / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def apart(values, others):
    return float(np.abs(np.asarray(values) - others).max())


print("Keras", keras.__version__)
layer, operation = keras.layers.Activation("gelu")(z), keras.ops.gelu(z)
print("activation 'gelu': from the exact one", apart(layer, exact))
print("keras.ops.gelu:    from the exact one", apart(operation, exact), "from that by tanh",
      apart(operation, by_tanh))  # fmt: skip
slopes = [float(np.asarray(f(np.array([-1.0])))[0]) for f in (
    keras.layers.Activation("leaky_relu"), keras.ops.leaky_relu, keras.layers.LeakyReLU())]
print("leaky_relu of −1 as activation, operation, layer:", slopes)
ok = apart(layer, exact) < 1e-12 and apart(operation, by_tanh) < 1e-12
ok &= 4e-4 < apart(operation, exact) < 5e-4 and np.allclose(slopes, [-0.2, -0.2, -0.3])
same = all(apart(keras.layers.Activation(name)(z), np.asarray(getattr(keras.ops, name)(z))) == 0
           for name in ("relu", "silu", "softplus"))  # fmt: skip
sys.exit(0 if ok and same else "it has changed")
END
