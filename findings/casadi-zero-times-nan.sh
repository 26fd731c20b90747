#!/usr/bin/env bash
# CasADi 3.8.2: zero times NaN is 0, and infinity less itself, for formulas are simplified first.
#
# Guess: a function of CasADi computes what its formula says with float64, so NaN and infinity go
# through it as through NumPy.
#
# Seen: 0·z and z − z are 0 for NaN and infinity, log(exp(z)) is z where exp(z) is 0 or infinite, and
# sqrt(z²) is |z|: its slope at 0 is 0, while that of the length of a vector of zeros is NaN. SX and
# MX agree. All of it happens while the formula is put together.
#
# Here: a run that has gone to infinity is told by the node in which NaN appeared first. The same
# formulas in CasADi may go on with numbers, and a mask of zeros hides what is under it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check casadi==3.8.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import casadi as ca

ok = True
for kind in (ca.SX, ca.MX):
    z, v = kind.sym("z"), kind.sym("v", 2)
    told = ca.Function("told", [z], [0 * z, z - z, ca.log(ca.exp(z))])
    nan, infinite, low = ([float(one) for one in told(at)] for at in (math.nan, math.inf, -800))
    root = float(ca.Function("root", [z], [ca.gradient(ca.sqrt(z**2), z)])(0))
    length = ca.Function("length", [v], [ca.gradient(ca.norm_2(v), v)])([0, 0])
    print(kind.__name__, "nan:", nan, "inf:", infinite, "-800:", low, "slopes:", root, length)
    ok = ok and nan[:2] == infinite[:2] == [0, 0] and low[2] == -800 and root == 0
    ok = ok and all(math.isnan(float(one)) for one in ca.vertsplit(length))
sys.exit(not ok)
PYTHON
