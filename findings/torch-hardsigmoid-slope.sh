#!/usr/bin/env bash
# PyTorch 2.13.0: the slope of hardsigmoid is that of a float32 in double precision too.
#
# Guess: hardsigmoid(z) = z/6 + 1/2 has the slope 1/6 inside, in float64 0.16666666666666666.
#
# Seen: values are right to the last digit, but the gradient of a float64 tensor is
# 0.1666666716337204, the float32 nearest to 1/6: 5e-9 off, a gradient check to 1e-10 fails by it.
# hardswish, which is z times the same function, has the right slope.
#
# Here: networks from PyTorch are compared by every weight's gradient; with a hardsigmoid in them
# only to 1e-7.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import torch
from torch.nn.functional import hardsigmoid, hardswish


def slope(function, at):
    z = torch.tensor([at], dtype=torch.float64, requires_grad=True)
    function(z).backward()
    return z.grad.item()


value = hardsigmoid(torch.tensor([1.0], dtype=torch.float64)).item()
print(value, slope(hardsigmoid, 0.0), slope(hardswish, 1.0))
ok = value == 1 / 6 + 0.5 and slope(hardsigmoid, 0.0) == 0.1666666716337204
sys.exit(not (ok and abs(slope(hardswish, 1.0) - (2 / 6 + 0.5)) < 1e-15))
PYTHON
