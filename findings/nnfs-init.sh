#!/usr/bin/env bash
# nnfs 0.5.1, NumPy 2.4.6, SciPy 1.17.1: `nnfs.init()` of the book puts other functions into NumPy, for all.
#
# Guess: it seeds the random numbers and makes new arrays float32, as the book says; a search by SciPy in
# the same notebook goes where it went before.
#
# Seen: it replaces `np.zeros`, `np.eye` and `np.dot` of the process. `np.zeros(3)` and `np.eye(3)` are
# float32, a product of two arrays of float64 has seven digits, that of two lists is an AttributeError.
# SciPy's conjugate gradients, which call `np.dot`, take another number of steps to another place; `@` and
# `np.linalg` stay what they were.
#
# Here: the type of every array is stated, so runs have the same bits after it. What `minimize` searches
# is searched by SciPy, on other ways than before: leave `nnfs.init()` out, or restart the kernel.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check nnfs==0.5.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
v/bin/python - <<'END'
import sys

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der


def seen():
    """Return what NumPy and a search by SciPy make of the same numbers."""
    a = np.array([0.1, 0.2])
    found = minimize(rosen, [1.3, 0.7, 0.8, 1.9, 1.2], jac=rosen_der, method="CG")
    types = [np.zeros(3).dtype.name, np.eye(3).dtype.name, np.dot(a, a).dtype.name]
    print(types, "dot:", np.dot(a, a), "@:", repr(a @ a), "CG:", found.nit, "steps to", found.fun)
    return types, float(np.dot(a, a)), found.nit, found.x.tolist()


before = seen()
import nnfs  # noqa: E402

nnfs.init()
after = seen()
try:
    np.dot([1.0], [1.0])
    lists = "a number"
except AttributeError as error:
    lists = str(error)
print("dot of lists:", lists)
ok = before[0] == ["float64"] * 3 and after[0] == ["float32"] * 3
ok = ok and abs(before[1] - 0.05) < 1e-16 and 0 < abs(after[1] - before[1]) < 1e-7
ok = ok and before[2:] != after[2:] and "astype" in lists
sys.exit(0 if ok else "it has changed")
END
