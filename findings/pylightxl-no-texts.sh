#!/usr/bin/env bash
# pylightxl 1.61, openpyxl 3.1.5: of a workbook by openpyxl or pandas every text is read as empty.
#
# Guess: the reader gives the numbers and texts of a sheet, whoever wrote it.
#
# Seen: the numbers come, and each text is ''; a column that holds texts alone, the classes at the right edge, is
# not there at all. openpyxl puts a text into its cell, which the format calls an inline string; pylightxl looks
# for shared strings alone. Of a workbook by XlsxWriter it reads both.
#
# Here: `dataset` reads both kinds. A table that went through pylightxl has no header and no classes; its last
# column of numbers is taken for the target.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    pylightxl==1.61 openpyxl==3.1.5 xlsxwriter==3.3.1 pandas==3.1.1
cd "$folder"
v/bin/python - <<'END'
import sys

import openpyxl
import pandas
import pylightxl

table = pandas.DataFrame({"length": [5.1, 7.0], "class": ["setosa", "versicolor"]})
wanted = [["length", "class"], [5.1, "setosa"], [7, "versicolor"]]
found = {}
for engine in ("openpyxl", "xlsxwriter"):
    name = f"{engine}.xlsx"
    table.to_excel(name, index=False, engine=engine)
    book = pylightxl.readxl(name)
    found[engine] = [list(row) for row in book.ws(book.ws_names[0]).rows]
    print(engine, found[engine])
    assert [list(row) for row in openpyxl.load_workbook(name).active.values] == wanted
ok = found["openpyxl"] == [[""], [5.1], [7]] and found["xlsxwriter"] == wanted
sys.exit(0 if ok else "it has changed")
END
