"""Ten thousand damaged tables: each is read, or refused in one sentence that says what mends it."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from nodeflow.data import Options, Table
from nodeflow.data.arff import arff_sheet
from nodeflow.data.deciding import table_of
from nodeflow.data.textfile import text_sheet
from nodeflow.errors import DataError

MUTATIONS = 10_000

SEEDS = {
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
PIECES = [
    b"inf",
    b",", b";", b"\t", b" ", b'"', b"'", b"\n",
    b"\r", b"\r\n", b".", b"-", b"?", b"NA", b"#", b"%",
    b"{", b"}", b"\0", b"\xff", b"\xef\xbb\xbf", b"1e999", b"nan", b"1_0", b"$", b"0,5", b"1,234",
    "−3".encode(), "½".encode(), b"a\nb", b"sep=|\n", b"@data\n", b"1.5 cm", b"2019-05-06", b"TRUE",
    b"Total,,", "٣".encode(), b"9" * 400, b",,,,", b"class",
]  # fmt: skip
OPTIONS = [
    *[{}] * 30, {"target": 0}, {"target": "kind"}, {"missing": "drop"}, {"missing": "mean"},
    {"missing": "keep"}, {"header": "no"}, {"header": "yes"}, {"decimal": ","}, {"thousands": ","},
    {"skip": 1}, {"drop": 0}, {"features": [0]}, {"target_kind": "numbers"}, {"text": "ordinal"},
    {"target_kind": "classes"}, {"separator": " "}, {"separator": ";"}, {"target": [0, 1]},
    {"text": "drop"}, {"thousands": "none"}, {"decimal": "."},
]  # fmt: skip

MENDS = re.compile(
    r"--[a-z]|\b(write|make|add|save|name|close|fill|separate|give|declare|leave|delete|did you "
    r"mean|must be|may be|there (is|are) |end|from 0 to)\b"
)
"""What a sentence says of how to mend the table."""


def mutated(r: random.Random, content: bytes) -> bytes:
    """Return the content with a few bytes, lines or cells changed."""
    for _ in range(r.choice((1, 1, 1, 2, 5))):
        how = r.randrange(6)
        if how == 0 and content:  # a piece in place of a few bytes
            at = r.randrange(len(content))
            content = content[:at] + r.choice(PIECES) + content[at + r.randrange(4) :]
        elif how == 1:  # a line goes, or comes twice, or changes its place
            lines = content.splitlines(keepends=True)
            if lines:
                line = lines.pop(r.randrange(len(lines)))
                for _ in range(r.randrange(3)):
                    lines.insert(r.randrange(len(lines) + 1), line)
            content = b"".join(lines)
        elif how == 2:  # one sign in place of another, everywhere
            content = content.replace(r.choice(PIECES[:14]), r.choice(PIECES))
        elif how == 3 and content:  # the file ends early
            content = content[: r.randrange(len(content) + 1)]
        elif how == 4:  # a cell changes
            cells = content.split(b",")
            cells[r.randrange(len(cells))] = r.choice(PIECES)
            content = b",".join(cells)
        else:  # a column is added to some lines
            lines = content.splitlines()
            content = b"\n".join(line + r.choice((b"", b",", b",1", b"\t2")) for line in lines)
    return content[:20_000]


def outcome(path: Path, options: Options) -> Table | DataError:
    """Return the table in a file, or the fault that refuses it; nothing else is caught."""
    sheet = arff_sheet if path.suffix == ".arff" else text_sheet
    try:
        return table_of(sheet(path, options), options)
    except DataError as error:
        return error


@pytest.mark.parametrize("part", range(10))
def test_damaged_tables(tmp_path, part):
    r = random.Random(part)
    read = 0
    for _ in range(MUTATIONS // 10):
        name = r.choice(sorted(SEEDS))
        content = mutated(r, SEEDS[name].encode())
        said = r.choice(OPTIONS)
        path = tmp_path / name
        path.write_bytes(content)
        found = outcome(path, Options(**said).checked())
        if isinstance(found, DataError):
            sentence = str(found)
            assert found.file == name, (content, said)
            assert len(sentence.splitlines()) == 1, (content, said)
            assert len(sentence) < 1000
            assert MENDS.search(sentence), (sentence, content, said)
            continue
        table = found
        read += 1
        assert len(table.x) == len(table.y) > 0, (content, said)
        assert np.isfinite(table.x).all(), (content, said)
        assert np.isfinite(table.y).all(), (content, said)
        assert len(table.features) == table.x.shape[1], (content, said)
        assert table.reading is not None
        assert table.reading.rows >= len(table.x)
    assert read > MUTATIONS // 100  # else the damage is too great to tell anything
