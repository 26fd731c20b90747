#!/usr/bin/env bash
# Polars 2.1.0: whole numbers without a sign minus whole numbers with one are of 128 bits, which Arrow has not.
#
# Guess: sums and differences of whole numbers stay whole numbers of 64 bits, and what Polars saves as Parquet is
# read by pandas.
#
# Seen: UInt64 minus Int64, and times it, is Int128. `write_parquet` saves that without a word; pyarrow then refuses
# the whole file, the other columns too ("Integers with more than 64 bits not implemented"), and so does
# pandas by default. `to_pandas` is refused by a name that no manual has, '_pli128'. Polars itself and fastparquet
# read the file, fastparquet the column as bytes. A cast to Int64 or Float64 before saving helps.
#
# Here: such a table and such a file are refused with that reason; cast the column.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 fastparquet==2026.9.0
cd "$folder"
v/bin/python - <<'END'
import sys

import pandas
import polars
import pyarrow
import pyarrow.parquet

frame = polars.DataFrame(
    {"sold": [5, 3, 8], "bought": [4, 6, 7]},
    schema={"sold": polars.UInt64, "bought": polars.Int64},
).with_columns(polars.col("sold").sub(polars.col("bought")).alias("left"))
print(frame.schema)
ok = frame.schema["left"] == polars.Int128
frame.write_parquet("t.parquet")
ok = ok and polars.read_parquet("t.parquet")["left"].to_list() == [1, -3, 1]
for name, asked in {
    "pyarrow": lambda: pyarrow.parquet.read_table("t.parquet"),
    "pyarrow, one column": lambda: pyarrow.parquet.read_table("t.parquet", columns=["sold"]),
    "pandas": lambda: pandas.read_parquet("t.parquet"),
    "to_pandas": frame.to_pandas,
}.items():
    try:
        print(name, asked())
        ok = False
    except (NotImplementedError, pyarrow.ArrowInvalid) as error:
        print(name, type(error).__name__, error)
        ok = ok and ("64 bits" in str(error) or "_pli128" in str(error))
other = pandas.read_parquet("t.parquet", engine="fastparquet")["left"].tolist()
print("fastparquet", other)
ok = ok and other == [b"\x01", (-3).to_bytes(16, "little", signed=True), b"\x01"]
cast = frame.cast({polars.Int128: polars.Float64})
cast.write_parquet("t.parquet")
ok = ok and pandas.read_parquet("t.parquet")["left"].tolist() == cast.to_pandas()["left"].tolist() == [1, -3, 1]
sys.exit(0 if ok else "it has changed")
END
