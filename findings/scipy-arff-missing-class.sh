#!/usr/bin/env bash
# SciPy 1.17.1: a missing value of a nominal attribute is a value of its own, b'?'.
#
# Guess: `loadarff` gives something that marks a missing value, as it gives NaN for numbers.
#
# Seen: b'?', which is none of the values that the attribute declares, in an array of texts as any
# other; a count of the classes has one more. And a nominal value that is not declared is refused, so
# the reader knows. liac-arff 2.5.0 gives None; but it cuts 4.7 of an INTEGER to 4, which is a number
# like any other in Weka and in SciPy.
#
# Here: ARFF is a format of `dataset`. A ? is missing there, a quoted '?' is not, and an integer
# attribute is numeric.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 liac-arff==2.5.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import arff
import numpy as np
from scipy.io.arff import loadarff

HEAD = "@relation r\n@attribute a numeric\n@attribute n integer\n@attribute c {no,yes}\n@data\n"
TEXT = HEAD + "1.5,2,yes\n?,4.7,?\n2.5,3,no\n"
rows, about = loadarff(io.StringIO(TEXT))
print(rows, about["c"])
print(arff.loads(TEXT)["data"])
try:
    refused = loadarff(io.StringIO(HEAD + "1,2,maybe\n")) is None
except ValueError as error:
    refused = "maybe" in str(error)
ok = rows["c"].tolist() == [b"yes", b"?", b"no"] and np.isnan(rows["a"][1]) and rows["n"][1] == 4.7
other = arff.loads(TEXT)["data"][1]
sys.exit(not (ok and refused and len(set(rows["c"])) == 3 and other == [None, 4, None]))
PYTHON
