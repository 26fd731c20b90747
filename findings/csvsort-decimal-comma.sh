#!/usr/bin/env bash
# csvkit 2.2.0: `csvsort`, `csvjoin` and `csvjson` take the comma out of 0,5 and 1,25: 5 and 125.
#
# Guess: a table that is sorted has the same cells in another order; a decimal comma that is not understood
# leaves the column as texts, as 1.234,5 does.
#
# Seen: a comma parts thousands, wherever it stands, and what is written has none. 0,5 comes out as 5, 1,25 as
# 125, 0,125 as 125 again: each cell is multiplied by 10 for every digit behind its comma, so nothing divides it
# back. `csvcut`, `csvgrep` and `csvformat`, or -I (no inference), leave the cells as they are, and
# --locale de_DE reads them rightly.
#
# Here: `dataset` reads a column with a decimal comma, says so, and asks where 3,126 could be either; after
# csvsort there is nothing left to see.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
cd "$folder"
cat >rents.csv <<'END'
name;width;depth
a;2,75;0,5
b;1,25;0,125
c;0,5;1,25
END
PATH="$folder/v/bin:$PATH"
expect() {
	found=$(tail -n +2 | tr '\n' ' ')
	echo "$1: $found"
	test "$found" = "$2"
}
csvsort -d ';' -c name rents.csv | expect csvsort 'a,275,5 b,125,125 c,5,125 '
csvjoin -d ';' -c name rents.csv rents.csv | cut -d, -f1-3 | expect csvjoin 'a,275,5 b,125,125 c,5,125 '
csvjson -d ';' rents.csv | grep -q '"width": 275.0, "depth": 5.0'
csvsort -d ';' -I -c name rents.csv | expect "csvsort -I" 'a,"2,75","0,5" b,"1,25","0,125" c,"0,5","1,25" '
csvsort -d ';' --locale de_DE -c name rents.csv |
	expect "csvsort --locale" 'a,2.75,0.5 b,1.25,0.125 c,0.5,1.25 '
