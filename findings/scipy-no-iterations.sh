#!/usr/bin/env bash
# SciPy 1.17.1: minimize(…, options={"maxiter": 0}) leaves x0 alone with some methods, and moves it
# with others.
#
# Guess: no iteration, so every method returns x0.
#
# Seen, from (0, 0, 0): CG, BFGS, Newton-CG and SLSQP return x0 with nit 0. L-BFGS-B returns what it
# returns for maxiter 1, (0.267…, 0.534…, 0.801…) with nit 1, and so do dogleg, trust-ncg,
# trust-krylov and trust-exact.
#
# Here: `minimize` has the methods cg and l-bfgs, and a run has its number of updates. 0 updates must
# not be handed on as maxiter: with one method nothing would happen, with the other an update.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from scipy.optimize import minimize

TARGET = np.array([1.0, 2.0, 3.0])


def after(method, iterations):
    hess = None
    if method == "dogleg" or method.startswith("trust"):
        hess = lambda x: np.diag(2 + 12 * x**2)
    return minimize(
        lambda x: float(((x - TARGET) ** 2).sum() + (x**4).sum()), np.zeros(3),
        jac=lambda x: 2 * (x - TARGET) + 4 * x**3, hess=hess, method=method,
        options={"maxiter": iterations},
    )


still = {m: after(m, 0) for m in ("CG", "BFGS", "Newton-CG", "SLSQP")}
moves = ("L-BFGS-B", "dogleg", "trust-ncg", "trust-krylov", "trust-exact")
moved = {m: after(m, 0) for m in moves}
for name, result in (still | moved).items():
    print(name, result.nit, result.x)
ok = all(r.nit == 0 and not r.x.any() for r in still.values())
for name, result in moved.items():
    one = after(name, 1)
    ok = ok and result.nit == one.nit == 1 and (result.x == one.x).all() and result.x.all()
sys.exit(not ok)
PYTHON
