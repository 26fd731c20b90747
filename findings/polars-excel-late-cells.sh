#!/usr/bin/env bash
# Polars 2.1.0 with fastexcel 0.21.0: what stands below row 1000 of a workbook may be lost.
#
# Guess: `read_excel` reads a column of numbers as numbers, and one in which a text turns up as texts;
# where it guesses from the first rows, it says so when it was wrong.
#
# Seen: a column whose first number comes below the first thousand rows is a column of texts, "750" (a
# line on stderr says so). A text below them in a column of whole numbers is gone: null, and no word.
# With engine="openpyxl" the first is Float64 and the second String.
#
# Here: `dataset` reads every cell of a sheet before it decides what a column holds. A table that went
# through Polars on its way has missing values where the workbook has none.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check polars==2.1.0 fastexcel==0.21.0 openpyxl==3.1.5 xlsxwriter==3.3.1 pyarrow==26.0.1
cd "$folder"
venv/bin/python - 2>"$folder/said" <<'PYTHON'
import sys

import polars
from xlsxwriter import Workbook

book = Workbook("rows.xlsx")
sheet = book.add_worksheet()
sheet.write_row(0, 0, ["row", "late", "odd"])
for i in range(1, 1501):
    sheet.write(i, 0, i)
    sheet.write(i, 2, i if i < 1500 else "broken")
    if i > 1200:
        sheet.write(i, 1, i / 2)
book.close()

ok = True
for engine, kinds, last in (
    ("calamine", [polars.String, polars.Int64], ("750", None)),
    ("openpyxl", [polars.Float64, polars.String], (750.0, "broken")),
):
    table = polars.read_excel("rows.xlsx", engine=engine)
    found = [table.schema["late"], table.schema["odd"]]
    print(engine, found, table.row(-1)[1:], "nulls in odd:", table["odd"].null_count())
    ok = ok and found == kinds and table.row(-1)[1:] == last
sys.exit(not ok)
PYTHON
