#!/usr/bin/env bash
# openpyxl 3.1.5: with read_only=True a sheet ends where it says that it ends, not where its cells do.
#
# Guess: `read_only=True` reads the same cells as without it, faster and in less memory. The size that
# stands at the head of a sheet (`<dimension ref="A1:C41"/>`) is optional, and a reader that goes
# through all cells anyway has no need of it.
#
# Seen: rows and columns beyond the stated size are left out without a word; without a stated size, and
# without read_only, all are read, and so by pandas 3.1.1 and python-calamine 0.9.1. Programs that write
# a sheet before they know its size state a wrong one: "A1", or the size of a template. After
# `sheet.reset_dimensions()` all cells come.
#
# Here: `dataset` resets the size; half a table would train without a complaint.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    openpyxl==3.1.5 pandas==3.1.1 python-calamine==0.9.1
cd "$folder"
v/bin/python - <<'END'
import re
import sys
import zipfile

import openpyxl
import pandas

book = openpyxl.Workbook()
for row in [["a", "b", "y"], *([i / 8, i / 4, i % 2] for i in range(40))]:
    book.active.append(row)
book.save("right.xlsx")


def stated(size):
    """Write the workbook with another size at the head of its sheet."""
    with zipfile.ZipFile("right.xlsx") as right, zipfile.ZipFile("other.xlsx", "w") as other:
        for name in right.namelist():
            text = right.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text, found = re.subn(rb'<dimension ref="[^"]*" ?/>', size, text)
                assert found == 1
            other.writestr(name, text)


def read(*, only, reset=False):
    sheet = openpyxl.load_workbook("other.xlsx", read_only=only).active
    if reset:
        sheet.reset_dimensions()
    rows = list(sheet.iter_rows(values_only=True))
    return len(rows), len(rows[0])


ok = True
for size, cut in ((b'"A1"', (1, 1)), (b'"A1:B20"', (20, 2)), (b"", (41, 3))):
    stated(b"<dimension ref=%s/>" % size if size else b"")
    plain, only, reset = read(only=False), read(only=True), read(only=True, reset=True)
    others = [pandas.read_excel("other.xlsx", engine=e).shape for e in ("openpyxl", "calamine")]
    print(f"{size.decode() or 'none':9} {plain}, read_only {only}, reset {reset}, pandas {others}")
    ok = ok and plain == reset == (41, 3) and only == cut and others == [(40, 3)] * 2
sys.exit(0 if ok else "it has changed")
END
