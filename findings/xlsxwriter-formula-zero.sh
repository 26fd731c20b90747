#!/usr/bin/env bash
# XlsxWriter 3.3.1: a formula has the value 0 for whoever reads the file before a spreadsheet does.
#
# Guess: a formula that nobody has calculated has no value; readers give nothing, or calculate it.
#
# Seen: `=A1*2+1` is written with the result 0, so pandas, openpyxl (data_only=True), calamine and
# Polars read a column of zeros, and no one says a word. The same formula by openpyxl has no value
# and comes back as nothing. Both files ask the program that opens them to calculate (fullCalcOnLoad);
# no reader looks at that.
#
# Here: a column of zeros would be a feature or a target. `dataset` looks at that mark, and refuses
# formulas without a value.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check xlsxwriter==3.3.1 openpyxl==3.1.5 python-calamine==0.9.1 pandas==3.1.1 polars==2.1.0 fastexcel==0.21.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
import zipfile

import openpyxl
import pandas
import polars
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

book = Workbook("x.xlsx")
sheet = book.add_worksheet()
other = openpyxl.Workbook()
for i, cells in enumerate([["a", "double"], [1.5, "=A2*2+1"], [2.5, "=A3*2+1"]]):
    sheet.write_row(i, 0, cells)
    other.active.append(cells)
book.close()
other.save("o.xlsx")

read = {
    "pandas": lambda file: pandas.read_excel(file)["double"].tolist(),
    "openpyxl": lambda file: [
        row[1].value for row in openpyxl.load_workbook(file, data_only=True).active.iter_rows(2)
    ],
    "calamine": lambda file: [
        row[1] for row in CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()[1:]
    ],
    "polars": lambda file: polars.read_excel(file)["double"].to_list(),
}
ok = True
for name, reader in read.items():
    zeros, nothing = reader("x.xlsx"), reader("o.xlsx")
    print(f"{name}: XlsxWriter's {zeros}, openpyxl's {nothing}")
    ok = ok and zeros == [0, 0] and all(one in (None, "") or one != one for one in nothing)
for file in ("x.xlsx", "o.xlsx"):
    ok = ok and b'fullCalcOnLoad="1"' in zipfile.ZipFile(file).read("xl/workbook.xml")
sys.exit(not ok)
PYTHON
