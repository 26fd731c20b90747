#!/usr/bin/env bash
# Keras 3.15.1: a row of zeros has the slope NaN in UnitNormalization, Dot(normalize=True) and
# keras.ops.normalize.
#
# Guess: a norm that is held at 1e-7 or more, x / max(norm(x), epsilon) as it is documented, has
# finite slopes where a row is 0, as PyTorch's normalize has.
#
# Seen: the values are right (0), and every slope of that row is NaN, on PyTorch and on JAX: it is
# computed as x · min(rsqrt(Σ x²), 1/epsilon), and the slope of rsqrt at 0 is infinite times 0. One
# such row makes all weights before it NaN in the next update: a sample whose features are all 0
# in front of a Dense without a bias, or whose values a Dropout has all put out.
#
# Here: such a layer comes in as √max(Σ x², 1e-14) below its row, with finite slopes; where Keras
# gives NaN, `nodeflow import` says that slopes were not compared.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	jax==0.10.2 keras==3.15.1 numpy==2.4.6 torch==2.13.0
cd "$folder"
cat > zeros.py <<'PYTHON'
import sys

import keras
import numpy as np

print("keras", keras.__version__, "on", keras.backend.backend())
x = np.array([[0.6, 0.8], [0.0, 0.0], [3.0, 4.0]], np.float32)
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((2,)), keras.layers.Dense(3, use_bias=False), keras.layers.UnitNormalization(),
])
if keras.backend.backend() == "torch":
    import torch

    outputs = model(x)
    (outputs[:, 0]).sum().backward()
    slopes = model.layers[0].kernel.value.grad.numpy()
    rows = torch.from_numpy(x.copy()).requires_grad_()
    torch.nn.functional.normalize(rows).sum().backward()
    print("slopes of PyTorch's own normalize:", rows.grad.tolist())
    own = bool(rows.grad.isfinite().all())
else:
    import jax

    outputs = model(x)
    trained = [one.value for one in model.trainable_variables]
    slopes = jax.grad(lambda w: model.stateless_call(w, [], x)[0][:, 0].sum())(trained)[0]
    slopes, own = np.asarray(slopes), True
values = keras.ops.convert_to_numpy(outputs)
print("row of zeros:", values[1].tolist(), " slopes of the kernel:", slopes.tolist())
sys.exit(not (np.isfinite(values).all() and np.isnan(slopes).all() and own))
PYTHON
for backend in torch jax; do
	KERAS_BACKEND=$backend venv/bin/python zeros.py
done
