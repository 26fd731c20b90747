#!/usr/bin/env bash
# xlsx2csv 0.8.6: of a number in a workbook six decimals come out; one below 0.0000005 is 0.
#
# Guess: a cell without a format gives its number, as the workbook has it; -f and --floatformat change that.
#
# Seen: 0.3333333333333333 becomes 0.333333, 0.000033333 becomes 0.000033, and 3.3e-08 becomes 0: a column of
# small numbers is a column of zeros. Cells with a format are rounded to it, 0.005 as 1%. With --floatformat %.17g
# the plain ones have all their digits. csvkit 2.2.0's in2csv writes all of all; SheetJS (xlsx 0.18.5)
# writes what a cell would show, eleven characters, and with rawNumbers all digits.
#
# Here: `dataset` reads the workbook itself, and all digits of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    xlsx2csv==0.8.6 csvkit==2.2.0 xlsxwriter==3.3.1
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts xlsx@0.18.5 >/dev/null
cat >sheet.js <<'JS'
const xlsx = require("xlsx");
const book = xlsx.readFile("t.xlsx");
const rawNumbers = process.argv[2] === "raw";
process.stdout.write(xlsx.utils.sheet_to_csv(book.Sheets[book.SheetNames[0]], { rawNumbers }));
JS
v/bin/python - <<'END'
import csv
import io
import subprocess
import sys

from xlsxwriter import Workbook

numbers = [1 / 3, 1 / 30000, 3.3e-8, 100000.123456789]
book = Workbook("t.xlsx")
sheet = book.add_worksheet()
sheet.write_row(0, 0, ["plain", "percent"])
percent = book.add_format({"num_format": "0%"})
for row, number in enumerate(numbers, 1):
    sheet.write(row, 0, number)
    sheet.write(row, 1, 0.005, percent)
book.close()

seen = {}
for name, words in {
    "xlsx2csv": ["v/bin/xlsx2csv", "t.xlsx"],
    "with %.17g": ["v/bin/xlsx2csv", "--floatformat", "%.17g", "t.xlsx"],
    "in2csv": ["v/bin/in2csv", "t.xlsx"],
    "SheetJS": ["node", "sheet.js"],
    "SheetJS, raw": ["node", "sheet.js", "raw"],
}.items():
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    seen[name] = [tuple(row) for row in list(csv.reader(io.StringIO(text)))[1:]]
    print(name, seen[name])
plain = {name: [row[0] for row in rows] for name, rows in seen.items()}
ok = plain["xlsx2csv"] == ["0.333333", "0.000033", "0", "100000.123457"]
ok = ok and plain["SheetJS"] == ["0.333333333", "3.33333E-05", "0.000000033", "100000.1235"]
ok = ok and seen["xlsx2csv"][0][1] == "1%"
for name in ("with %.17g", "in2csv", "SheetJS, raw"):
    # workbooks hold sixteen digits
    ok = ok and all(abs(float(a) / b - 1) < 1e-15 for a, b in zip(plain[name], numbers))
sys.exit(0 if ok else "it has changed")
END
