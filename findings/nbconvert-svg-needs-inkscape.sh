#!/usr/bin/env bash
# nbconvert 7.17.2: an output that has a PNG beside its SVG is still handed to Inkscape for LaTeX and PDF.
#
# Guess: of several formats the exporter takes the best one that it can use, here the PNG, and an SVG
# beside it does no harm.
#
# Seen: the preprocessor that turns SVG into PDF looks at every output that has an SVG and no
# application/pdf. Without Inkscape the whole conversion fails, though LaTeX would have taken the PNG.
# With an application/pdf in the same output it succeeds, and LaTeX takes that.
#
# Here: graphs and runs have an SVG in their outputs, so they have a PDF as well.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check nbconvert==7.17.2 pillow==12.0.0
cd "$folder"
PATH="$folder/venv/bin:/usr/bin:/bin" venv/bin/python - <<'PYTHON'
import io
import sys
from base64 import b64encode
from importlib.metadata import version
from shutil import which

from nbconvert import LatexExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

if which("inkscape"):
    sys.exit("Inkscape is installed here: nothing can be seen")
made = {}
for kind in ("PNG", "PDF"):
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "blue").save(stream, kind)
    made[kind] = b64encode(stream.getvalue()).decode()
svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><path d="M0 0H40V20H0Z"/></svg>'


def converted(**more):
    data = {"image/svg+xml": svg, "image/png": made["PNG"], "text/plain": "a box", **more}
    output = new_output("execute_result", data=data, execution_count=1)
    cell = new_code_cell("box", outputs=[output], execution_count=1)
    try:
        text, _ = LatexExporter().from_notebook_node(new_notebook(cells=[cell]))
    except Exception as error:
        return type(error).__name__, str(error).splitlines()[0]
    return "converted", next(line.strip() for line in text.splitlines() if "output_0_0" in line)


alone, beside = converted(), converted(**{"application/pdf": made["PDF"]})
print("nbconvert", version("nbconvert"))
print("SVG and PNG:", *alone)
print("SVG, PNG and PDF:", *beside)
sys.exit(not (alone[0] != "converted" and "nkscape" in alone[1] and beside[0] == "converted" and ".pdf" in beside[1]))
PYTHON
