"""What the search begins with where nodeflow writes no such file itself: tables and networks."""

from __future__ import annotations

import random
from typing import Any

TABLES = {
    "plain.csv": "a,b,kind\n0.5,1,x\n0.25,2,y\n0.125,3,x\n1,4,y\n0.75,5,x\n0.1,7,y\n",
    "quoted.csv": '"a","b","place"\n1,"2,5","Rome"\n2,"3,5","New York, NY"\n3,"4,5","Rome"\n' * 2,
    "semicolons.csv": "sep=;\na;b;y\n0,5;1.234;7,1\n0,25;2.345;8,2\n0,75;3.456;9,3\n"
                      "1,5;4.567;1,4\n",
    "money.tsv": "size\trooms\tprice\n3066\t3\t$936.00\n7536\t4\t$1,389.00\n6831\t2\t$513.50\n",
    "report.txt": "Report\n\n# by hand\na b y\n(cm) (kg) -\n1 2 3.5\n2 3 4.5\n4 5 6.5\n"
                  "Total 3 rows\n",
    "pixels.data": "".join(f"{i % 10},{i * 7 % 256},{i * 13 % 256},0\n" for i in range(20)),
    "missing.csv": "id,day,a,ok,kind\n1,2019-01-02,NA,TRUE,x\n2,2019-01-03,4,FALSE,y\n"
                   "3,,-999,TRUE,x\n",
    "names.tab": "kind\ta\tb\nd\tc\tc\nclass\t\t\nx\t1\t2\ny\t3\t4\nx\t5\t6\n",
    "weka.arff": "@relation r\n@attribute a real\n@attribute 'b c' {u,'v w'}\n@attribute k {x,y}\n"
                 "@data\n1.5,u,x\n{0 2,2 y}\n?,'v w',y\n3,u,x % no\n",
}  # fmt: skip
_PIECES = [
    b"inf",
    b",", b";", b"\t", b" ", b'"', b"'", b"\n",
    b"\r", b"\r\n", b".", b"-", b"?", b"NA", b"#", b"%",
    b"{", b"}", b"\0", b"\xff", b"\xef\xbb\xbf", b"1e999", b"nan", b"1_0", b"$", b"0,5", b"1,234",
    "−3".encode(), "½".encode(), b"a\nb", b"sep=|\n", b"@data\n", b"1.5 cm", b"2019-05-06", b"TRUE",
    b"Total,,", "٣".encode(), b"9" * 400, b",,,,", b"class",
]  # fmt: skip
_OPTIONS: list[dict[str, Any]] = [
    *[{}] * 30, {"target": 0}, {"target": "kind"}, {"missing": "drop"}, {"missing": "mean"},
    {"missing": "keep"}, {"header": "no"}, {"header": "yes"}, {"decimal": ","}, {"thousands": ","},
    {"skip": 1}, {"drop": 0}, {"features": [0]}, {"target_kind": "numbers"}, {"text": "ordinal"},
    {"target_kind": "classes"}, {"separator": " "}, {"separator": ";"}, {"target": [0, 1]},
    {"text": "drop"}, {"thousands": "none"}, {"decimal": "."},
]  # fmt: skip


def table_options(dice: random.Random) -> dict[str, Any]:
    """Return what a person may say of a table, mostly nothing."""
    return dice.choice(_OPTIONS)


def spoilt_table(content: bytes, r: random.Random) -> bytes:
    """Return the content with a few bytes, lines or cells changed."""
    for _ in range(r.choice((1, 1, 1, 2, 5))):
        how = r.randrange(6)
        if how == 0 and content:  # a piece in place of a few bytes
            at = r.randrange(len(content))
            content = content[:at] + r.choice(_PIECES) + content[at + r.randrange(4) :]
        elif how == 1:  # a line goes, or comes twice, or changes its place
            lines = content.splitlines(keepends=True)
            if lines:
                line = lines.pop(r.randrange(len(lines)))
                for _ in range(r.randrange(3)):
                    lines.insert(r.randrange(len(lines) + 1), line)
            content = b"".join(lines)
        elif how == 2:  # one sign in place of another, everywhere
            content = content.replace(r.choice(_PIECES[:14]), r.choice(_PIECES))
        elif how == 3 and content:  # the file ends early
            content = content[: r.randrange(len(content) + 1)]
        elif how == 4:  # a cell changes
            cells = content.split(b",")
            cells[r.randrange(len(cells))] = r.choice(_PIECES)
            content = b",".join(cells)
        else:  # a column is added to some lines
            lines = content.splitlines()
            content = b"\n".join(line + r.choice((b"", b",", b",1", b"\t2")) for line in lines)
    return content[:20_000]


SNNS = """\
SNNS network definition file V1.4-3D
generated at Mon Jan  1 00:00:00 1996

network name : two
source files :
no. of units : 5
no. of connections : 6
no. of unit types : 0
no. of site types : 0


learning function : Std_Backpropagation
update function   : Topological_Order


unit default section :

act      | bias     | st | subnet | layer | act func     | out func
---------|----------|----|--------|-------|--------------|-------------
 0.00000 |  0.00000 | h  |      0 |     1 | Act_Logistic | Out_Identity
---------|----------|----|--------|-------|--------------|-------------


unit definition section :

no. | typeName | unitName | act      | bias     | st | position | act func | out func | sites
----|----------|----------|----------|----------|----|----------|----------|----------|-------
  1 |          | left     |  1.00000 |  0.00000 | i  |  1, 1, 0 |||
  2 |          | right    |  0.00000 |  0.00000 | i  |  1, 2, 0 |||
  3 |          | h1       |  0.00000 |  0.50000 | h  |  2, 1, 0 | Act_TanH ||
  4 |          | h2       |  0.00000 | -0.25000 | h  |  2, 2, 0 | Act_TanH ||
  5 |          | out      |  0.00000 |  0.12500 | o  |  3, 1, 0 |||
----|----------|----------|----------|----------|----|----------|----------|----------|-------


connection definition section :

target | site | source:weight
-------|------|---------------------------------------------------------------
     3 |      |  2: 0.75000,  1:-1.50000
     4 |      |  2: 0.10000,
                 1: 2.00000
     5 |      |  4: 3.00000,  3:-1.00000
-------|------|---------------------------------------------------------------
"""
WEKA = """\
=== Classifier model (full training set) ===

Sigmoid Node 0
    Inputs    Weights
    Threshold    0.5
    Node 2    1.5
    Node 3    -2.0E-1
Sigmoid Node 1
    Inputs    Weights
    Threshold    -0.5
    Node 2    -1.5
    Node 3    0.25
Sigmoid Node 2
    Inputs    Weights
    Threshold    0.125
    Attrib petal length    2.0
    Attrib width    -1.0
Sigmoid Node 3
    Inputs    Weights
    Threshold    -1.0
    Attrib petal length    0.5
    Attrib width    4.0
Class yes
    Input
    Node 0
Class no
    Input
    Node 1
"""
