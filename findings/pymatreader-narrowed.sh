#!/usr/bin/env bash
# pymatreader 1.3.2 (with SciPy 1.17.1): a matrix of doubles comes out as uint8.
#
# Guess: a reader made for handing MATLAB's variables on gives float64 for class double.
#
# Seen: MATLAB stores doubles that are small whole numbers as bytes, and the array has that dtype,
# uint8. So the labels 10, 0, 1 less 1 are 9, 255, 0. SciPy's own loadmat does the same unless
# mat_dtype=True is given; read_mat has no such option. mat4py 0.6.0 gives Python ints, which do not
# wrap.
#
# Here: the digits of Ng's course are such a file: y has 10 for zero, and everybody subtracts 1. A
# reader must cast to the class that the file names.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pymatreader==1.3.2 scipy==1.17.1 mat4py==0.6.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import struct
import sys
from pathlib import Path

import mat4py
from pymatreader import read_mat
from scipy.io import loadmat


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


# y = [10; 0; 1], class double (6), stored as miUINT8 (2): what MATLAB writes with -v6.
CLASS_DOUBLE, INT8, UINT8, INT32, UINT32, MATRIX = 6, 1, 2, 5, 6, 14
body = element(UINT32, struct.pack("<II", CLASS_DOUBLE, 0))
body += element(INT32, struct.pack("<ii", 3, 1)) + element(INT8, b"y")
body += element(UINT8, bytes([10, 0, 1]))
head = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + struct.pack("<H", 0x0100) + b"IM"
Path("y.mat").write_bytes(head + element(MATRIX, body))

y = read_mat("y.mat")["y"]
print(y.dtype, (y - 1).tolist())
print(loadmat("y.mat")["y"].dtype, loadmat("y.mat", mat_dtype=True)["y"].dtype)
print(mat4py.loadmat("y.mat"))
ok = y.dtype == "uint8" and (y - 1).tolist() == [9, 255, 0]
ok = ok and loadmat("y.mat")["y"].dtype == "uint8"
ok = ok and loadmat("y.mat", mat_dtype=True)["y"].dtype == "float64"
sys.exit(not (ok and mat4py.loadmat("y.mat") == {"y": [[10], [0], [1]]}))
PYTHON
