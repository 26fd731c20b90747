#!/usr/bin/env bash
# PyTensor 3.0.7: at a tie the largest of several numbers has its whole slope in each place.
#
# Guess: the slopes of `max` over [v, v] are shared or go to one place, as with PyTorch, JAX and
# autograd; the largest of v and v is v, so its slope by v is 1.
#
# Seen: it is 2, and of [2, 2, 1] the slopes are 1, 1, 0; `min` does the same. `maximum` of two values
# gives the whole slope to the first alone. Compiled and evaluated graphs agree.
#
# Here: formulas have `max` of two values, whose slope goes to the second at a tie. Where two programs
# are compared, ties are to be kept out, or the difference is to be expected: equal rows of a
# pooled feature are enough.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pytensor==3.0.7 numpy==2.4.6
export PYTENSOR_FLAGS="mode=FAST_COMPILE,linker=py,cxx=,base_compiledir=$folder/compiled"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pytensor
import pytensor.tensor as pt

v, w = pt.dscalar("v"), pt.dvector("w")
slope = pytensor.function([v], pytensor.grad(pt.max(pt.stack([v, v])), v))(1.0)
several = pytensor.function([w], pytensor.grad(pt.max(w), w))([2.0, 2.0, 1.0])
least = pytensor.function([w], pytensor.grad(pt.min(w), w))([2.0, 1.0, 1.0])
one, other = pytensor.function([w], pytensor.grad(pt.maximum(w[0], w[1]), w))([2.0, 2.0])
print("max [v, v]:", slope, "max [2, 2, 1]:", several, "min [2, 1, 1]:", least)
print("maximum of two:", one, other)
ok = float(slope) == 2 and several.tolist() == [1, 1, 0] and least.tolist() == [0, 1, 1]
sys.exit(not (ok and (one, other) == (1, 0)))
PYTHON
