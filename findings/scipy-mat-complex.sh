#!/usr/bin/env bash
# SciPy 1.17.1: loadmat drops imaginary parts where mat_dtype is asked for.
#
# Guess: loadmat(file, mat_dtype=True), "return arrays in the same dtype as would be loaded into
# MATLAB", gives a complex matrix as a complex array, as without the option.
#
# Seen: the array is float64, the imaginary part is gone, and a ComplexWarning is all that says so.
#
# Here: weights are read with mat_dtype, since MATLAB narrows whole numbers for
# storage; a file with complex numbers is refused by way of that warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$folder/v/bin/python" - <<'END'
import io
import sys
import warnings

import numpy as np
import scipy
from scipy.io import loadmat, savemat

stream = io.BytesIO()
savemat(stream, {"a": np.array([[1 + 2j, 3 - 4j]])})
stream.seek(0)
plain = loadmat(stream)["a"]
stream.seek(0)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    asked = loadmat(stream, mat_dtype=True)["a"]
print(f"SciPy {scipy.__version__}")
print("loadmat(file)                 ", plain.dtype, plain.tolist())
print("loadmat(file, mat_dtype=True) ", asked.dtype, asked.tolist())
print("warned:", ", ".join(one.category.__name__ for one in said))
dropped = asked.dtype == np.float64 and asked.tolist() == [[1.0, 3.0]]
sys.exit(0 if plain.dtype == np.complex128 and dropped else "it has changed")
END
