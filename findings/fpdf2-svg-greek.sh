#!/usr/bin/env bash
# fpdf2 2.8.9: an SVG with a Greek letter in it cannot be put on a page, unless its font was added first.
#
# Guess: a letter that the font does not have is left out or drawn as a box, or the error says which font
# is missing.
#
# Seen: `FPDF.image` of such an SVG raises KeyError with the letter and no other word: without a font of
# the name in font-family the text is set in Helvetica, which has none. Once a font is added under the
# name that comes first in font-family, the text is there.
#
# Here: exported drawings hold θ, ∂, − and ▾, and name DejaVu Sans: add it, in two styles, before the image.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
# Matplotlib brings the font.
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    fpdf2==2.8.9 pypdfium2==5.15.2 matplotlib==3.11.2
cd "$folder"
v/bin/python - <<'END'
import io
import sys
from pathlib import Path

import matplotlib
import pypdfium2
from fpdf import FPDF

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def page(text, *, font):
    """Return the text that is on a page with an SVG of this text, or the error."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" width="100" height="40">'
        f'<text x="10" y="25" font-family="DejaVu Sans, sans-serif" font-size="12">{text}</text></svg>'
    )
    pdf = FPDF()
    if font:
        pdf.add_font("DejaVu Sans", fname=FONT)
    pdf.add_page()
    try:
        pdf.image(io.BytesIO(svg.encode()), w=100)
    except KeyError as error:
        return repr(error)
    return pypdfium2.PdfDocument(bytes(pdf.output()))[0].get_textpage().get_text_range().strip()


ok = True
for text in ("theta", "θ", "∂J"):
    plain, added = page(text, font=False), page(text, font=True)
    print(f"{text}: {plain}; with its font: {added}")
    ok = ok and added == text and plain == (text if text.isascii() else repr(KeyError(text[0])))
sys.exit(0 if ok else "it has changed")
END
