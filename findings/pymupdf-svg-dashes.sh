#!/usr/bin/env bash
# PyMuPDF 2.0: dashed lines of an SVG are drawn whole.
#
# Guess: `stroke-dasharray`, which is as old as SVG, is obeyed or warned of.
#
# Seen: a line of ten dashes and gaps has the same hundred dark pixels as one without; nothing is
# said. Neither the attribute nor `style` makes a difference. Width, colour and opacity are obeyed.
#
# Here: a dashed wire is one that feeds back. In a document that MuPDF converts it is a wire as any
# other; docs/export.md says which programs draw it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pymupdf==2.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import pymupdf

LINE = ('<svg xmlns="http://www.w3.org/2000/svg" width="100" height="20" viewBox="0 0 100 20">'
        '<path d="M0 10H100" stroke="black" {}/></svg>')


def dark(look):
    document = pymupdf.open(stream=LINE.format(look).encode(), filetype="svg")
    pixels = document[0].get_pixmap()
    return sum(pixels.pixel(x, 10)[0] < 128 for x in range(pixels.width))


seen = {look: dark(look) for look in (
    'stroke-width="4"',
    'stroke-width="4" stroke-dasharray="10 10"',
    'stroke-width="4" style="stroke-dasharray:10 10"',
    'stroke-width="4" stroke-opacity="0.1"',
)}
print(seen)
sys.exit(list(seen.values()) != [100, 100, 100, 0])
PYTHON
