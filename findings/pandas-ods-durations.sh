#!/usr/bin/env bash
# pandas 3.1.1: in an ODS sheet a duration of a day or more is refused, or a text such as PT28H30M00S.
#
# Guess: a column of durations comes as in a workbook of Excel, where openpyxl and calamine give timedeltas.
#
# Seen: with odfpy, the engine by default, what the cell shows is read as the time of a day: 28:30 is a
# DateParseError that refuses the whole file, and 7:30 is a time. With calamine 7:30 is a time as well, and from 24 hours
# on the cell is the text of the file, PT28H30M00S: a column of both. pyexcel-ods3 gives times and timedeltas, and
# the same durations in a workbook are timedeltas throughout, by openpyxl and by calamine.
#
# Here: durations are numbers of days if they come as such, in a workbook, Parquet or a DataFrame; a column
# of times and texts is none. Save the sheet as .xlsx, or format the column as a number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    pandas==3.1.1 odfpy==1.4.1 python-calamine==0.9.1 pyexcel-ods3==0.6.1 openpyxl==3.1.5
cd "$folder"
v/bin/python - <<'END'
import datetime as dt
import sys
import zipfile

import openpyxl
import pandas
import pyexcel_ods3

TYPE = "application/vnd.oasis.opendocument.spreadsheet"
NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
hours = [1, 7, 28]


def written(hours):
    """Write a sheet of durations with half an hour each, as [HH]:MM shows them."""
    rows = ['<table:table-cell office:value-type="string"><text:p>stay</text:p></table:table-cell>']
    rows += [
        f'<table:table-cell office:value-type="time" office:time-value="PT{hour:02d}H30M00S">'
        f"<text:p>{hour:02d}:30</text:p></table:table-cell>"
        for hour in hours
    ]
    sheet = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    names = "".join(f' xmlns:{name}="{NAMES}{name}:1.0"' for name in ("office", "table", "text"))
    content = f'<office:document-content{names} office:version="1.3"><office:body><office:spreadsheet>'
    content += f'<table:table table:name="s">{sheet}</table:table>'
    content += "</office:spreadsheet></office:body></office:document-content>"
    manifest = f'<m:manifest xmlns:m="{NAMES}manifest:1.0" m:version="1.3">'
    manifest += f'<m:file-entry m:full-path="/" m:media-type="{TYPE}"/>'
    manifest += '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
    with zipfile.ZipFile("t.ods", "w") as file:
        for name, text in (("mimetype", TYPE), ("content.xml", content), ("META-INF/manifest.xml", manifest)):
            file.writestr(name, text)


written(hours[:2])
short = pandas.read_excel("t.ods", engine="odf")["stay"].tolist()
written(hours)
try:
    refused = pandas.read_excel("t.ods")["stay"].tolist()
except ValueError as error:
    refused = f"{type(error).__name__}: {error}"
calamine = pandas.read_excel("t.ods", engine="calamine")["stay"].tolist()
other = [row[0] for row in pyexcel_ods3.get_data("t.ods")["s"][1:]]
print("odfpy", short, refused)
print("calamine", calamine)
print("pyexcel-ods3", other)
true = [dt.timedelta(hours=hour, minutes=30) for hour in hours]
times = [dt.time(hour, 30) for hour in hours[:2]]
ok = short == times and refused.startswith("DateParseError")
ok = ok and calamine == [*times, "PT28H30M00S"] and other == [*times, true[2]]

book = openpyxl.Workbook()
for value in ("stay", *true):
    book.active.append([value])
book.save("t.xlsx")
for engine in ("openpyxl", "calamine"):
    found = pandas.read_excel("t.xlsx", engine=engine)["stay"].tolist()
    print("workbook,", engine, found)
    ok = ok and found == true
sys.exit(0 if ok else "it has changed")
END
