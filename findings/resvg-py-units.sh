#!/usr/bin/env bash
# resvg-py 0.5.0: a picture whose size is in points or millimetres has "an invalid size".
#
# Guess: `svg_to_bytes` takes 72pt for 96 pixels, as every browser does and as resvg does in
# JavaScript (@resvg/resvg-js 2.6.2 has 96).
#
# Seen: without `dpi` any size in pt, mm or in is refused with "SVG has an invalid size", whether a
# width in pixels is asked for or not; with `dpi=96` the same file is drawn, as wide as was guessed.
# Sizes in pixels and in percent need no `dpi`.
#
# Here: the plots of the gallery are written by Matplotlib, whose SVG is in points. What nodeflow
# exports is in pixels, and is drawn.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check resvg-py==0.5.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import struct
import sys

import resvg_py

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}" viewBox="0 0 1 1"/>'


def width(size, **options):
    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=SQUARE.format(size), **options))
    except ValueError as error:
        return str(error)
    return struct.unpack(">I", png[16:20])[0]


refused = "SVG has an invalid size"
seen = {size: (width(size), width(size, width=500), width(size, dpi=96))
        for size in ("96", "72pt", "25.4mm", "1in")}
print(seen)
units = all(seen[size] == (refused, refused, 96) for size in ("72pt", "25.4mm", "1in"))
sys.exit(not (units and seen["96"] == (96, 500, 96)))
PYTHON
