#!/usr/bin/env bash
# tablib 3.10.0: of equal cells side by side in an ODS sheet one is read, and of equal rows one.
#
# Guess: a sheet comes in as it is shown, row by row and cell by cell, as with the four other readers tried.
#
# Seen: spreadsheet programs write neighbours that are equal once, with a number of repetitions, which is left out of
# account. A row 2, 2, 1.5 becomes 2, 1.5 and an empty cell, so that 1.5 stands in another column; three such rows are
# one. Empty rows and cells in between go the same way. Nothing is said. pandas by odfpy and by calamine, Polars and
# pyexcel-ods3 read all of it.
#
# Here: ODS comes in as a DataFrame, `pandas.read_excel("t.ods")`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    tablib==3.10.0 odfpy==1.4.1 pandas==3.1.1 python-calamine==0.9.1 polars==2.1.0 fastexcel==0.21.0 \
    pyexcel-ods3==0.6.1 pyarrow==26.0.1
cd "$folder"
v/bin/python - <<'END'
import sys
import zipfile

import pandas
import polars
import pyexcel_ods3
import tablib

TYPE = "application/vnd.oasis.opendocument.spreadsheet"
NAMES = "urn:oasis:names:tc:opendocument:xmlns:"


def cell(value, times=1):
    kind, stored = ("string", "") if isinstance(value, str) else ("float", f' office:value="{value}"')
    repeated = f' table:number-columns-repeated="{times}"' if times > 1 else ""
    return f'<table:table-cell{repeated} office:value-type="{kind}"{stored}><text:p>{value}</text:p></table:table-cell>'


def row(*cells, times=1):
    repeated = f' table:number-rows-repeated="{times}"' if times > 1 else ""
    return f"<table:table-row{repeated}>{''.join(cells)}</table:table-row>"


rows = [
    row(cell("a"), cell("b"), cell("y")),
    row(cell(2, 2), cell(1.5), times=3),
    row(cell(5), cell(6), cell(7)),
]
names = "".join(f' xmlns:{name}="{NAMES}{name}:1.0"' for name in ("office", "table", "text"))
sheet = f'<table:table table:name="s">{"".join(rows)}</table:table>'
content = f'<office:document-content{names} office:version="1.3"><office:body><office:spreadsheet>{sheet}'
content += "</office:spreadsheet></office:body></office:document-content>"
manifest = f'<m:manifest xmlns:m="{NAMES}manifest:1.0" m:version="1.3">'
manifest += f'<m:file-entry m:full-path="/" m:media-type="{TYPE}"/>'
manifest += '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
with zipfile.ZipFile("t.ods", "w") as file:
    for name, text in (("mimetype", TYPE), ("content.xml", content), ("META-INF/manifest.xml", manifest)):
        file.writestr(name, text)

true = [[2, 2, 1.5]] * 3 + [[5, 6, 7]]
with open("t.ods", "rb") as file:
    found = [list(row) for row in tablib.Dataset().load(file, format="ods")]
print("tablib", found)
ok = found == [[2, 1.5, ""], [5, 6, 7]]
others = {f"pandas, {engine}": pandas.read_excel("t.ods", engine=engine).values.tolist() for engine in ("odf", "calamine")}
others["Polars"] = [list(row) for row in polars.read_ods("t.ods").rows()]
others["pyexcel-ods3"] = [row for row in pyexcel_ods3.get_data("t.ods")["s"][1:] if row]
for name, rows in others.items():
    print(name, rows)
    ok = ok and rows == true
sys.exit(0 if ok else "it has changed")
END
