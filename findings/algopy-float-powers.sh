#!/usr/bin/env bash
# algopy 0.7.2: the slope of x² at 0 is NaN if the two is written as a float.
#
# Guess: x**2 and x**2. are one function with the slope 2x, and abs(x) and absolute(x) another.
#
# Seen: forward, x**2. has the slope NaN at 0, and every slope of the result with it, also those by
# other variables; x**2 has 0. In reverse both have 0. It is (log x) · 2 that is differentiated. And
# abs(x) has the slope 1 at 0, absolute(x) 0; sqrt(x·x) NaN.
#
# Here: a squared error is 0 wherever the network is right to the bit; written (a - y)**2. there, its
# derivative is NaN. Powers in formulas have the slope of their number, whole or not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check algopy==0.7.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import algopy
import numpy as np
from algopy import UTPM

x = UTPM.init_jacobian(np.array([0.0, 2.0]))


def slopes(y):
    return UTPM.extract_jacobian(y).ravel().tolist()


def reverse(function):
    graph = algopy.CGraph()
    given = algopy.Function(np.array([0.0]))
    made = function(given[0])
    graph.trace_off()
    graph.independentFunctionList, graph.dependentFunctionList = [given], [made]
    return graph.gradient(np.array([0.0])).tolist()


whole, real = slopes(x[0] ** 2), slopes(x[0] ** 2.0)
print("x**2:", whole, "x**2.:", real, "at 2:", slopes(x[1] ** 2.0))
print("in reverse:", reverse(lambda u: u**2), reverse(lambda u: u**2.0))
print("abs:", slopes(abs(x[0])), "absolute:", slopes(algopy.absolute(x[0])))
ok = whole == [0, 0] and np.isnan(real).all() and slopes(x[1] ** 2.0) == [0, 4]
ok = ok and reverse(lambda u: u**2.0) == [0]
sys.exit(not (ok and slopes(abs(x[0])) == [1, 0] and slopes(algopy.absolute(x[0])) == [0, 0]))
PYTHON
