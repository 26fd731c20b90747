#!/usr/bin/env bash
# mpmath 1.4.1: float(x) of a number below 2.2e-308 is not always the nearest float64.
#
# Guess: float() of an mpf with many digits is rounded correctly, over the whole range.
#
# Seen: it rounds to 53 bits first, and what is left then has fewer bits and is rounded again. Just
# above half the smallest float64 (2⁻¹⁰⁷⁵ + 2⁻¹¹⁵⁰) float() is 0.0, while the nearest is 5e-324. Of
# 2,000 numbers just above the middle between two neighbours, about half come out one too small;
# among normal numbers none does. Python's Fraction has the right ones.
#
# Here: mpmath is the truth for the errors of exp, softplus and their like, which reach down there. They
# are to be measured in mpf, as `python -m benchmarks.ulps` does; a comparison with float(truth) would
# blame the function.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check mpmath==1.4.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import random
import sys
from fractions import Fraction

from mpmath import mp, mpf

mp.prec = 200
random.seed(0)
just_above = mpf(2) ** -1075 + mpf(2) ** -1150
print(float(just_above), float(Fraction(1, 2**1075) + Fraction(1, 2**1150)))


def wrong(exponent):
    """Count wrong ones among numbers just above the middle of two neighbours 2^exponent apart."""
    found = 0
    for _ in range(2000):
        k = 2 * random.randrange(2**51, 2**52) + 1 if exponent > -1074 else random.randrange(2**51)
        x = (mpf(2 * k + 1) + mpf(2) ** -80) * mpf(2) ** (exponent - 1)
        exact = (2 * k + 1 + Fraction(1, 2**80)) * Fraction(2) ** (exponent - 1)
        found += float(x) != float(exact)
    return found


small, normal = wrong(-1074), wrong(-60)
print(small, normal)
right = float(Fraction(1, 2**1075) + Fraction(1, 2**1150)) == 5e-324
sys.exit(not (right and float(just_above) == 0.0 and 800 < small < 1200 and normal == 0))
PYTHON
