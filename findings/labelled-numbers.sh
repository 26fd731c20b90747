#!/usr/bin/env bash
# pandas 3.1.1 and pyreadstat 1.3.7: one label on a number makes texts and numbers of the whole column.
#
# Guess: value labels of SPSS and Stata name codes, 1 male and 2 female; a column that counts or measures
# stays a column of numbers, though its last number has the label "5 or more".
#
# Seen: `read_spss` and `read_stata` give a category of numbers and one text. It has no mean, and no Parquet
# file can be made of it (ArrowInvalid). With convert_categoricals=False, and from `pyreadstat.read_sav`,
# the numbers come.
#
# Here: a mixture of texts and numbers is refused; read such files with convert_categoricals=False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    pandas==3.1.1 pyreadstat==1.3.7 pyarrow==26.0.1
cd "$folder"
v/bin/python - <<'END'
import sys

import pandas
import pyarrow
import pyreadstat

numbers = [0, 1, 2, 3, 2, 5]
frame = pandas.DataFrame({"children": numbers, "rent": [500.0, 610, 720, 800, 655, 990]})
labels = {"children": {5: "5 or more"}}
pyreadstat.write_sav(frame, "t.sav", variable_value_labels=labels)
frame.to_stata("t.dta", value_labels=labels, write_index=False)

ok = True
for read, file in ((pandas.read_spss, "t.sav"), (pandas.read_stata, "t.dta")):
    table, plain = read(file), read(file, convert_categoricals=False)
    found, wanted = table["children"], plain["children"]
    print(file, found.dtype.name, found.tolist(), "without:", wanted.dtype.name, wanted.tolist())
    ok = ok and found.tolist() == [*numbers[:5], "5 or more"] and wanted.tolist() == numbers
    try:
        table.to_parquet("t.parquet")
        ok = False
    except pyarrow.ArrowInvalid as error:
        print("  to_parquet:", str(error.args[0])[:60])
ok = ok and pyreadstat.read_sav("t.sav")[0]["children"].tolist() == numbers
sys.exit(0 if ok else "it has changed")
END
