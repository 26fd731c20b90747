#!/usr/bin/env bash
# pycel 1.0b30, HyperFormula 3.5.0: a workbook's =EXP(-A1^2) and =INT(-1.5) depend on what calculates them.
#
# Guess: programs that calculate a workbook without a spreadsheet program agree with each other and with Excel.
#
# Seen: in a workbook a minus in front binds closer than a power: -2^2 is 4 (Microsoft's table of the order of
# operators has it first), and EXP(-A1^2) is e^(x²). formulas 1.3.4 and HyperFormula do so; pycel takes it as Python
# does: -4, and e^(-x²). INT(-1.5), which goes down to -2, is -1 in HyperFormula. Neither says a word.
#
# Here: formulas that nothing has calculated are refused; which program calculates them decides what a network
# learns. In workbooks write -(A1^2).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    pycel==1.0b30 formulas==1.3.4 openpyxl==3.1.5
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts hyperformula@3.5.0 >/dev/null
cat >hyper.js <<'JS'
const { HyperFormula } = require("hyperformula");
const rows = JSON.parse(process.argv[2]);
const sheet = HyperFormula.buildFromArray(rows, { licenseKey: "gpl-v3" });
console.log(JSON.stringify(rows.map((_, row) => sheet.getCellValue({ sheet: 0, col: 1, row }))));
JS
v/bin/python - <<'END'
import contextlib
import io
import json
import math
import subprocess
import sys

import formulas
from openpyxl import Workbook
from pycel import ExcelCompiler

FORMULAS = ["=-A1^2", "=EXP(-A1^2)", "=0-A1^2", "=INT(-A4)", "=-(A1^2)"]
rows = [[number, text] for number, text in zip([2, 0, 0, 1.5, 0], FORMULAS)]
book = Workbook()
book.active.title = "S"
for row in rows:
    book.active.append(row)
book.save("t.xlsx")

numbers = range(1, len(rows) + 1)


def pycel_says():
    """Return what pycel makes of the formulas."""
    compiled = ExcelCompiler("t.xlsx")
    return [float(compiled.evaluate(f"S!B{row}")) for row in numbers]


def formulas_says():
    """Return what formulas makes of them."""
    model = formulas.ExcelModel().loads("t.xlsx").finish().calculate()
    cells = {str(key).upper(): value for key, value in model.items()}
    return [float(cells[f"'[T.XLSX]S'!B{row}"].value[0, 0]) for row in numbers]


def hyperformula_says():
    """Return what HyperFormula makes of them."""
    words = ["node", "hyper.js", json.dumps(rows)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    sys.stderr.write(done.stderr)
    return json.loads(done.stdout)


asked = {"pycel": pycel_says, "formulas": formulas_says, "HyperFormula": hyperformula_says}
seen, said = {}, {}
for name, ask in asked.items():
    with contextlib.redirect_stderr(io.StringIO()) as told:
        seen[name] = ask()
    said[name] = told.getvalue()
wanted = {
    "pycel": [-4, math.exp(-4), -4, -2, -4],
    "formulas": [4, math.exp(4), -4, -2, -4],
    "HyperFormula": [4, math.exp(4), -4, -1, -4],
}
ok = True
for name, values in seen.items():
    print(name, dict(zip(FORMULAS, values)))
    ok = ok and all(abs(a / b - 1) < 1e-9 for a, b in zip(values, wanted[name]))
    print("  on standard error:", repr(said[name]))
ok = ok and said["pycel"] == said["HyperFormula"] == ""  # formulas shows a bar of its progress
sys.exit(0 if ok else "it has changed")
END
