#!/usr/bin/env bash
# idx2numpy 1.2.3 with PyTorch 2.13.0: numbers of an IDX file cannot be handed on.
#
# Guess: float64 numbers come out in the machine's byte order, as after np.load, and PyTorch takes
# them.
#
# Seen: the array has dtype '>f8' (the file's big-endian order) and cannot be written; NumPy calculates
# with it, torch.from_numpy refuses it ("byte order different from the native byte order"). Images of
# bytes, as MNIST's, are not concerned, so it works until the first file of floats or of int32.
#
# Here: IDX is one of the formats of `dataset`. A reader must say dtype.newbyteorder("=").
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check idx2numpy==1.2.3 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import struct
import sys
import warnings
from pathlib import Path

import idx2numpy
import torch

warnings.simplefilter("ignore")  # PyTorch warns that the array cannot be written
Path("a.idx").write_bytes(struct.pack(">HBBI", 0, 0x0E, 1, 3) + struct.pack(">3d", 1, 2, 3))
found = idx2numpy.convert_from_file("a.idx")
print(found, found.dtype.str, found.flags.writeable)
try:
    refused = torch.from_numpy(found) is None
except ValueError as error:
    print(error)
    refused = "byte order" in str(error)
native = torch.from_numpy(found.astype(found.dtype.newbyteorder("="))).tolist()
ok = found.dtype.str == ">f8" and not found.flags.writeable and refused
sys.exit(not (ok and native == [1, 2, 3]))
PYTHON
