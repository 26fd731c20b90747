#!/usr/bin/env bash
# Orange3 3.40.0: `C#name` is a number, `c#name` is the target, and `d#name` is nothing at all.
#
# Guess: the letters before a column's name in the short header of a .tab or .csv file mean the same in
# capitals as in small letters, as the words of the long header do: c is continuous, or the class.
#
# Seen: small letters say what a column is for (c class, i ignored, m meta, w weight), capitals what it
# holds (C or N numbers, D classes, S texts, T times), alone or both in either order. A small d, s or t
# before a name is part of the name. In the second row of the long header c is continuous, in the third
# it is the class.
#
# Here: `dataset` reads them so. Taken for the same, a feature `C#age` is a second target.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check orange3==3.40.0
cd "$folder"
v/bin/python - <<'END'
import sys

from Orange.data import ContinuousVariable, Table


def read(*head):
    """Return for each part of a domain the names in it, numbers marked with a plus."""
    rows = ["\t".join([f"{i / 7:.3f}", str(i % 4 + 3)]) for i in range(30)]
    with open("t.tab", "w", encoding="utf-8") as file:
        file.write("\n".join([*("\t".join(line) for line in head), *rows]) + "\n")
    domain = Table("t.tab").domain
    parts = (domain.attributes, domain.class_vars, domain.metas)
    return ["".join(one.name + "+" * isinstance(one, ContinuousVariable) for one in part) for part in parts]


ok = True
for head, wanted in (
    ([("C#a", "D#b")], ["a+b", "", ""]),
    ([("a", "c#b")], ["a+", "b+", ""]),
    ([("Cm#a", "cD#b")], ["", "b", "a+"]),
    ([("N#a", "d#b")], ["a+d#b+", "", ""]),
    ([("a", "b"), ("c", "d"), ("", "c")], ["a+", "b", ""]),
):
    found = read(*head)
    print(*head, "features, targets, metas:", found)
    ok = ok and found == wanted
sys.exit(0 if ok else "it has changed")
END
