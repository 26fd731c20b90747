#!/usr/bin/env bash
# Pillow 13.0.0: a picture with more than a megabyte of text in it cannot be opened.
#
# Guess: what a PNG carries beside its pixels hinders nobody who wants the pixels: who knows no use for
# an iTXt chunk passes over it, and who finds it too large says so and leaves it out.
#
# Seen: where one compressed text unpacks to over 1,048,576 bytes, `load` raises ValueError, and there
# is no picture (so in Matplotlib's `imread` and all else that opens pictures with Pillow). The same text
# in pieces under one keyword opens, up to 64 MB in all; and so does one uncompressed chunk. `Image.open`
# alone says nothing, since the chunk stands behind the pixels. OpenCV 5.0.0.93 gives the pixels of all.
#
# Here: a .png carries its graph; that of 784-100-10 has 1.6 MB. It is written in pieces of a quarter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93
"$folder/v/bin/python" - <<'END'
import io
import sys

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def picture(pieces, *, packed=True):
    """Return a PNG of 8×8 red pixels, behind which texts stand, each a chunk of its own."""
    about = PngInfo()
    for piece in pieces:
        about.add_itxt("about", piece, zip=packed)
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG", pnginfo=about)
    data = stream.getvalue()
    begin, pixels, end = data.index(b"iTXt") - 4, data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    return data[:begin] + data[pixels:end] + data[begin:pixels] + data[end:]


numbers = np.random.default_rng(0).integers(0, 10, 2_000_000)
text = "".join(map(str, numbers))
pieces = [text[at : at + 250_000] for at in range(0, len(text), 250_000)]
seen = {}
for name, data in {
    "a megabyte": picture([text[:1_000_000]]),
    "two": picture([text]),
    "two in pieces": picture(pieces),
    "two, not compressed": picture([text], packed=False),
}.items():
    image = Image.open(io.BytesIO(data))
    try:
        image.load()
        seen[name] = "opened"
    except ValueError as error:
        seen[name] = str(error)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    print(f"{name:20} Pillow: {seen[name]}; OpenCV: {other.shape}")
    if other.shape != (8, 8, 3):
        sys.exit("OpenCV has changed")
said = seen.pop("two")
sys.exit(0 if "too large" in said and set(seen.values()) == {"opened"} else "it has changed")
END
