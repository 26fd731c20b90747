#!/usr/bin/env bash
# imbalanced-learn 0.14.2: SMOTE cuts whole numbers off, and halves the share of ones in a flag.
#
# Guess: rows that are made between two rows lie between them: a flag of 0 and 1 comes out as 0.4, or is
# rounded, or SMOTE says that it wants SMOTENC; on average the new rows of a class are like the old ones.
#
# Seen: where a column holds whole numbers (an array of integers, or a column of a DataFrame among floats)
# every new number is cut to the whole one below, towards 0. Where a class has the flag in half of its rows,
# a quarter of its new rows have it; ages lose half a year, debts below 0 shrink by a half. ADASYN and
# BorderlineSMOTE do the same, without a warning. With the same numbers as floats the shares stay.
#
# Here: such a table is read as it is, and nothing shows what was done to it. Make the columns floats before
# (`X.astype(float)`), or use SMOTENC for flags.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1
cd "$folder"
v/bin/python - <<'END'
import sys
import warnings

import numpy as np
import pandas as pd
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE

rng = np.random.default_rng(0)
rows, rare = 2000, 300
y = (np.arange(rows) < rare).astype(int)
table = pd.DataFrame(
    {
        "flag": rng.integers(0, 2, rows),
        "age": rng.integers(20, 60, rows),
        "debt": -rng.integers(0, 40, rows),
        "rent": rng.normal(700, 90, rows),
    }
)
warnings.simplefilter("always")
said = []
warnings.showwarning = lambda message, kind, *_: said.append(f"{kind.__name__}: {message}")
ok = True
for maker in (SMOTE, ADASYN, BorderlineSMOTE):
    means = {}
    for name, x in (("whole numbers", table), ("floats", table.astype(float))):
        made, _ = maker(random_state=0).fit_resample(x, y)
        means[name] = made[rows:].mean()
        print(maker.__name__, name, means[name].round(3).to_dict())
    whole, floats = means["whole numbers"], means["floats"]
    ok = ok and whole["flag"] < 0.6 * floats["flag"] and 0.35 < floats["flag"] < 0.65
    ok = ok and 0.3 < floats["age"] - whole["age"] < 0.6 and 0.3 < whole["debt"] - floats["debt"] < 0.6
print("of the rows themselves:", table[:rare].mean().round(3).to_dict())
x = table[["flag", "age", "debt"]].to_numpy()
new = SMOTE(random_state=0).fit_resample(x, y)[0][rows:]
print("an array of integers:", new.dtype, new.mean(axis=0).round(3))
ok = ok and new.dtype.kind == "i" and new[:, 0].mean() < 0.4
print("warnings:", said)
ok = ok and not any("SMOTE" in one or "integer" in one or "categor" in one for one in said)
sys.exit(0 if ok else "it has changed")
END
