#!/usr/bin/env bash
# skia-python 144.1: an SVG is drawn without any of its text.
#
# Guess: `SVGDOM` draws texts in the fonts of the system, or in one of its own.
#
# Seen: shapes are drawn, texts are not, and nothing is said. The same font draws by
# `Canvas.drawString`. No font manager can be given to `SVGDOM` from Python.
#
# Here: such a picture of a graph is boxes and wires without a name.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    skia-python==144.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import skia

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40">{}</svg>'


def dark(draw):
    surface = skia.Surface(100, 40)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorWHITE)
    draw(canvas)
    return int((surface.makeImageSnapshot().toarray()[..., 0] < 128).sum())


def svg(inside):
    stream = skia.MemoryStream(SVG.format(inside).encode(), True)
    return dark(skia.SVGDOM.MakeFromStream(stream).render)


seen = {
    "a rectangle": svg('<rect width="10" height="10"/>'),
    "a text": svg('<text x="5" y="30" font-size="24">delta</text>'),
    "the text on the canvas": dark(
        lambda canvas: canvas.drawString("delta", 5, 30, skia.Font(None, 24), skia.Paint())
    ),
}
print(seen)
sys.exit(not (seen["a rectangle"] == 100 and seen["a text"] == 0 < seen["the text on the canvas"]))
PYTHON
