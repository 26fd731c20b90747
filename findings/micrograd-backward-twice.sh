#!/usr/bin/env bash
# micrograd 0.1.0: a second `backward()` adds more than the gradient: as many times it as steps lie between.
#
# Guess: gradients add up over calls, as in PyTorch, which it is a small model of: after two calls
# the slope of (v·2)·2 is 4 + 4.
#
# Seen: it is 4 + 8. The values in between keep their gradients as well, so the second call hands on
# what they had before together with what is new; with three steps it is 8 + 24. Setting v.grad to 0
# between the calls does not help. A graph that is built anew for each pass, as its examples do, is
# not concerned.
#
# Here: blame belongs to one sample, and Δ alone is added up, by a node of its own (`accumulate`).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check micrograd==0.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from micrograd.engine import Value


def twice(levels, between=lambda value: None):
    value = made = Value(1.0)
    for _ in range(levels):
        made = made * 2
    made.backward()
    first = value.grad
    between(value)
    made.backward()
    return first, value.grad


two, three = twice(2), twice(3)
cleared = twice(2, lambda value: setattr(value, "grad", 0.0))
print("two levels:", two, "three:", three, "cleared:", cleared)
sys.exit(not (two == (4, 12) and three == (8, 32) and cleared == (4, 8)))
PYTHON
