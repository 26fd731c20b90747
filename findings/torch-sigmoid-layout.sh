#!/usr/bin/env bash
# PyTorch 2.13.0, on a processor with AVX2: the float64 sigmoid of a number depends on its place.
#
# Guess: sigmoid is a function of the number, so the bits are the same wherever it stands.
#
# Seen: of 20,000 numbers, 511 have another last bit where every second number of a wider tensor is
# taken instead of a contiguous one, and of the first 3,000, 75 where they are given one by one.
# softplus does the same (2,089 and 300); exp, tanh and log do not. With
# ATEN_CPU_CAPABILITY=default there is one path, and no difference.
#
# Here: one sample at a time and a batch of them cannot agree to the last bit in PyTorch, and the bits
# of a comparison depend on strides. Comparisons need a tolerance, also for elementwise functions.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$folder"
ATEN_CPU_CAPABILITY=avx2 venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import torch

torch.set_num_threads(1)
z = torch.tensor(np.random.default_rng(0).normal(0, 3, 20_000))
found = {}
for f in (torch.sigmoid, torch.nn.functional.softplus, torch.exp, torch.tanh):
    whole = f(z)
    strided = f(torch.stack([z, z], 1)[:, 0])
    alone = torch.stack([f(x) for x in z[:3000]])
    found[f.__name__] = (int((whole != strided).sum()), int((whole[:3000] != alone).sum()))
    assert torch.allclose(whole, strided, rtol=1e-15)  # it is the last bit
print(torch.backends.cpu.get_cpu_capability(), found)
differ = all(min(found[name]) > 0 for name in ("sigmoid", "softplus"))
sys.exit(not (differ and found["exp"] == found["tanh"] == (0, 0)))
PYTHON
