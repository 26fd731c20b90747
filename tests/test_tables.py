"""Tables as people have them: read rightly, and what was decided is said; or refused in a sentence.

Each is small and synthetic, of the shape of trouble that files of one origin have: UCI's text,
spreadsheets, Kaggle's CSV, R's exports, Weka's ARFF, Orange, MATLAB.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow import data
from nodeflow.data import Options, kinds
from nodeflow.errors import DataError

R = random.Random(1)


def rows(count: int, *columns, seed: int = 1) -> list[list[str]]:
    """Return rows of cells; a column is a function of the random generator and the row."""
    r = random.Random(seed)
    return [[str(column(r, i)) for column in columns] for i in range(count)]


def joined(lines, separator: str = ",") -> str:
    return "".join(separator.join(line) + "\n" for line in lines)


def fraction(r, i):
    return f"{r.random():.3f}"


def whole(r, i):
    return str(r.randint(1000, 9999))


def letter(r, i):
    return "abc"[i % 3]


def digit(r, i):
    return str(i % 10)


def pixel(r, i):
    return str(r.randint(0, 255))


BODY = rows(30, fraction, fraction, letter)
NUMBERS = rows(30, fraction, fraction, fraction)


def load(folder: Path, content: str | bytes, name: str = "t.csv", **options) -> data.Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return data.load(str(path), options=Options(**options))


def load_path(folder: Path, content: str) -> Path:
    path = folder / "t.csv"
    path.write_text(content)
    return path


def refused(folder: Path, content: str | bytes, name: str = "t.csv", **options) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, content, name, **options)
    return str(caught.value)


def loaded(path: Path) -> data.Table | DataError:
    try:
        return data.load(str(path))
    except DataError as error:
        return error


# --- the rule of targets -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1, 0], True),
        ([0, 1], True),
        ([1, 2, 3, 4], False),  # all differ
        ([1, 2, 3, 1, 2, 3], True),
        ([1, 2, 3, 4, 1], False),  # they hardly repeat
        ([0.5, 1, 0.5, 1], False),
        ([-1, 1, -1, 1], True),
        ([1000, 2000, 3000] * 5, False),  # prices, years
        ([1999, 2000] * 5, True),  # two values
        (list(range(26)) * 4, True),  # letters, counted
        ([i + 2 for i in range(26)] * 4, False),
        ([*list(range(30)) * 2, *[3] * 900], False),  # counts, not balanced
        (list(range(0, 40, 2)) * 4, False),
    ],
)
def test_classes_or_numbers(values, classes):
    assert kinds.looks_like_classes(np.array(values, float))[0] is classes


def test_the_same_rule_for_every_format(tmp_path):
    from scipy.io import savemat

    for y in ([1, 2, 3, 1, 2, 3], [5, 9, 7, 8, 6, 4], [0.5, 1, 2, 3, 4, 5]):
        column = np.array(y, float).reshape(-1, 1)
        x = np.arange(12.0).reshape(6, 2) / 7
        text = joined([[*map(repr, row), repr(v)] for row, v in zip(x.tolist(), y, strict=True)])
        arff = "@relation r\n" + "@attribute a numeric\n" * 3 + "@data\n" + text
        np.savez(tmp_path / "t.npz", x=x, y=column)
        savemat(tmp_path / "t.mat", {"X": x, "y": column})
        tables = [
            load(tmp_path, text),
            load(tmp_path, text.replace(",", " "), "t.dat"),
            load(tmp_path, arff, "t.arff"),
            data.load(str(tmp_path / "t.npz")),
            data.load(str(tmp_path / "t.mat")),
            data.load(nf.hold((x, column))),
        ]
        first = tables[0]
        for table in tables:
            assert np.array_equal(table.x, x)
            assert table.classes == first.classes
            assert np.array_equal(table.y, first.y)


def test_the_kind_can_be_said(tmp_path):
    text = joined(rows(20, fraction, digit))
    assert load(tmp_path, text).y.shape == (20, 10)
    assert load(tmp_path, text, target_kind="numbers").y.shape == (20, 1)
    text = joined(rows(20, fraction, whole))
    assert load(tmp_path, text).y.shape == (20, 1)
    assert len(load(tmp_path, text, target_kind="classes").classes) == 20
    assert "'a' is text in a column of numbers" in refused(
        tmp_path, joined(BODY), target_kind="numbers"
    )


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$936.50", "$1,389.00", "-$5"], [936.5, 1389, -5]),
        (["5 €", "6,5 €", "7 €"], [5, 6.5, 7]),
        (["CHF 1'200.50", "CHF 3", "CHF 4"], [1200.5, 3, 4]),
        (["21%", "4.5 %", "93%"], [21, 4.5, 93]),
        (["1.4 cm", "2.5 cm", "3 cm"], [1.4, 2.5, 3]),
        (["2 km/h", "3 km/h", "5.5 km/h"], [2, 3, 5.5]),
        (["20 °C", "−3 °C", "5 °C"], [20, -3, 5]),
        (["3 m²", "4 m²", "9 m²"], [3, 4, 9]),
        (["0.635D+02", "1D3", "-2d-1"], [63.5, 1000, -0.2]),
        (["−0.39", "−1", "+2"], [-0.39, -1, 2]),
        (["1.234,5", "12,25", "1.000.000"], [1234.5, 12.25, 1e6]),
        (["1,234.5", "12.25", "1,000,000"], [1234.5, 12.25, 1e6]),
        (["1 234,5", "7,5", "12 000"], [1234.5, 7.5, 12000]),
        (["1'234", "12'345'678", "5"], [1234, 12345678, 5]),
        (["12,34,567", "1,234", "5"], [1234567, 1234, 5]),
        (["3,126", "684,959", "5,442"], [3126, 684959, 5442]),
    ],
)
def test_formatted_numbers(tmp_path, cells, numbers):
    lines = [["a", "y"], *[[f"0.{i}", f'"{cell}"'] for i, cell in enumerate(cells)]]
    for text in (joined(lines), joined(lines).replace("\n", "\r\n")):
        table = load(tmp_path, text)
        assert table.y.ravel().tolist() == numbers
        assert table.reading.target_kind == "numbers"


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        (["1.4 cm", "3 m", "2 cm"], "'1.4 cm' and '3 m' are numbers in two forms"),
        (["$5", "6 €", "$7"], "are numbers in two forms"),
        (["1.5", "2,5", "3"], "'2,5' has a decimal comma and '1.5' a decimal point"),
        (["2019-01-05", "2020-02-06", "2021-03-07"], "'2019-01-05' is a date"),
        (["5.6.2019 12:30", "6.6.2019 11:00", "7.6.2019 10:00"], "is a date"),
    ],
)
def test_numbers_that_are_refused(tmp_path, cells, part):
    lines = [["a", "y"], *[[f"0.{i}", f'"{cell}"'] for i, cell in enumerate(cells)]]
    assert part in refused(tmp_path, joined(lines))


def test_ordinals_are_classes_and_inf_is_no_number(tmp_path):
    text = "a,c\n" + joined(rows(30, fraction, lambda r, i: ("1st", "2nd", "3rd")[i % 3]))
    assert load(tmp_path, text).classes == ("1st", "2nd", "3rd")
    for word in ("inf", "-Infinity", "1e999"):
        wrong = "a,y\n1,0.5\n2," + word + "\n3,0.7\n4,0.1\n"
        sentence = refused(tmp_path, wrong)
        assert sentence.startswith(f"t.csv, row 3, column 2: '{word}' is not a finite number")


def test_a_separator_inside_quotes_is_none(tmp_path):
    text = "a,c\n" + joined(rows(30, fraction, lambda r, i: ('"a;b"', '"c;d"')[i % 2]))
    assert load(tmp_path, text).classes == ("a;b", "c;d")
    behind = 'a,"c" \n' + joined([f'"{i}.5"', '"x, "" ,y" ' if i % 2 else '"z" '] for i in range(9))
    assert load(tmp_path, behind).classes == ('x, " ,y', "z")


@pytest.mark.parametrize("above", ["", "a{0}b{0}kind\n", "Messung 2019\na{0}b{0}kind\n"])
@pytest.mark.parametrize("separator", ["\t", ";", "|", " "])
def test_commas_inside_of_numbers_separate_nothing(tmp_path, separator, above):
    if separator == " " and above.startswith("Messung"):
        above = above.replace("Messung 2019", "Messung")  # two words would be a row of two cells
    body = [[*(cell.replace(".", ",") for cell in line[:2]), line[2]] for line in BODY]
    table = load(tmp_path, above.format(separator) + joined(body, separator))
    assert table.x.tolist() == [[float(line[0]), float(line[1])] for line in BODY]
    assert table.classes == ("a", "b", "c")
    numbers = joined(([cell.replace(".", ",") for cell in line] for line in NUMBERS), separator)
    assert load(tmp_path, numbers).y.ravel().tolist() == [float(line[2]) for line in NUMBERS]


def test_commas_inside_of_texts_separate_nothing(tmp_path):
    text = joined(
        (["Paris, F" if i % 2 else "York, GB", *line] for i, line in enumerate(BODY)), "|"
    )
    for whole in (text, f"place|a|b|kind\n{text}"):
        assert (load(tmp_path, whole).x.shape, load(tmp_path, whole).y.shape) == ((30, 4), (30, 3))


@pytest.mark.parametrize(
    "text",
    [
        joined(["3 126", str(i % 7), f"684 95{i}"] for i in range(9)),  # blanks part thousands
        joined([f"{i}.5", "x|y" if i % 2 else "z|y", f"{i % 2}"] for i in range(9)),
        "a,b,y\n" + joined([f"{i}", "5|4", f"{i}.25"] for i in range(9)),
        joined([f"{i}", f"{i % 4} kg", f"{i}.25"] for i in range(9)),
        "a,b,y\n" + joined([f"{i}.5", "x;y", f"{i % 2}"] for i in range(9)),
        "name,b,y\n" + joined(["Bob" if i % 2 else "Eve", "x;y", f"{i % 2}"] for i in range(9)),
        joined([f"{i}.5", "x;y" if i % 2 else "z;y", f"{i % 2}"] for i in range(9)),
    ],
)
def test_commas_separate_what_bars_semicolons_and_blanks_do_not(tmp_path, text):
    reading = data.look(str(load_path(tmp_path, text)))
    assert (reading.separator, len(reading.columns), reading.rows) == (",", 3, 9)


def test_two_readings_of_a_comma(tmp_path):
    text = "a;y\n" + "".join(f"{i};{i + 1},12{i}\n" for i in range(1, 9))
    sentence = refused(tmp_path, text)
    assert "row 2, column 2: '2,121' is 2121 or 2.121" in sentence
    assert "--thousands" in sentence
    assert "--decimal" in sentence
    assert load(tmp_path, text, thousands=",").y[0, 0] == 2121
    assert load(tmp_path, text, decimal=",").y[0, 0] == 2.121
    assert load(tmp_path, text, decimal="comma").y[0, 0] == 2.121
    # another column decides: 0,5 has a decimal comma, so 2,121 has one too
    decided = text.replace("1;2", "0,5;2", 1)
    assert load(tmp_path, decided).y[0, 0] == 2.121


@pytest.mark.parametrize("separator", [",", ";"])
def test_one_mark_says_the_other(tmp_path, separator):
    rows = [("a", "kind"), ("1.234", "x"), ("3.456", "y"), ("7.891", "x"), ("2.222", "y")]
    text = "".join(f"{a}{separator}{kind}\n" for a, kind in rows)
    assert load(tmp_path, text, thousands=".").x[:, 0].tolist() == [1234, 3456, 7891, 2222]
    assert load(tmp_path, text, decimal=",").x[:, 0].tolist() == [1234, 3456, 7891, 2222]
    assert load(tmp_path, text, thousands=",").x[:, 0].tolist() == [1.234, 3.456, 7.891, 2.222]
    with pytest.raises(DataError, match=r"'1\.5' has a decimal point, but the decimal mark is a"):
        load(tmp_path, text.replace("1.234", "1.5"), thousands=".")


def test_points_are_thousands_where_commas_are_decimal(tmp_path):
    text = "a;y\n" + "".join(f"0,{i};{i + 1}.12{i}\n" for i in range(1, 9))
    assert load(tmp_path, text).y[:2].ravel().tolist() == [2121, 3122]


# --- headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("1990,2000,kind", ("1990", "2000")),
        ("400,410,kind", ("400", "410")),
        ("0,1,2", ("0", "1")),
        ("a,b,kind", ("a", "b")),
        ("a,,kind", ("a", "x2")),
        (None, ("x1", "x2")),
    ],
)
def test_headers(tmp_path, header, names):
    body = joined(NUMBERS if header == "0,1,2" else BODY)
    table = load(tmp_path, body if header is None else f"{header}\n{body}")
    assert table.features == names
    assert len(table.x) == 30


@pytest.mark.parametrize(
    "text",
    [
        "1990,2000,kind,\n" + joined([*line, ""] for line in BODY),
        "1990,,2000,kind\n" + joined([line[0], "", *line[1:]] for line in BODY),
        "Results,,\n1990,2000,kind\n" + joined(BODY),
        "1990,2000,kind\n" + joined(BODY[:15]) + "1990,2000,kind\n" + joined(BODY[15:]),
        "1990\t2000\tkind\n" + joined(BODY, "\t"),
        "Results of spring\n1990\t2000\tkind\n" + joined(BODY, "\t"),  # as many words as columns
    ],
)
def test_what_stands_around_a_header_of_numbers(tmp_path, text):
    table = load(tmp_path, text)
    assert (table.features, table.classes) == (("1990", "2000"), ("a", "b", "c"))
    assert table.x.tolist() == [[float(line[0]), float(line[1])] for line in BODY]
    notes = table.reading.notes
    assert sum("names the columns by numbers" in note for note in notes) == 1


@pytest.mark.parametrize(
    "header",
    ["1990,1995,2000,sales", "2019,2020,2021,y", "0,1,2,target", "400nm,410nm,420nm,y"],
)
def test_a_header_of_numbers_above_numbers(tmp_path, header):
    table = load(tmp_path, f"{header}\n" + joined(rows(20, fraction, fraction, fraction, whole)))
    assert table.features == tuple(header.split(",")[:3])
    assert (len(table.x), table.reading.target_kind) == (20, "numbers")
    assert any("names the columns by numbers" in note for note in table.reading.notes)


def test_years_above_whole_numbers_that_are_none(tmp_path):
    body = joined(rows(20, *[lambda r, i: str(r.randint(1, 99))] * 4))
    table = load(tmp_path, "2018,2019,2020,2021\n" + body)
    assert (table.features, len(table.x)) == (("2018", "2019", "2020"), 20)
    assert len(load(tmp_path, "18,19,20,21\n" + body).x) == 21  # as any other row


def spectra(header, *, kind):
    """Return a table of named rows: a name, four fractions, and a class or none."""
    numbers = rows(20, fraction, fraction, fraction, fraction)
    named = [[f"s{i}", *row, *(["AB"[i % 2]] if kind else [])] for i, row in enumerate(numbers)]
    return f"{header}\n" + joined(named)


@pytest.mark.parametrize(
    ("header", "kind", "names"),
    [
        ("sample,400,410,420,430,kind", True, ("400", "410", "420", "430")),
        ("country,2000,2001,2002,2003", False, ("2000", "2001", "2002")),
        (",2000,2001,2002,2003", False, ("2000", "2001", "2002")),
        ('sample,"400,5","401","401,5","402",kind', True, ("400,5", "401", "401,5", "402")),
    ],
)
def test_a_header_of_numbers_above_named_rows(tmp_path, header, kind, names):
    table = load(tmp_path, spectra(header, kind=kind))
    assert (table.features, len(table.x)) == (names, 20)


def test_named_rows_without_a_header(tmp_path):
    body = spectra("", kind=False).lstrip()
    assert len(load(tmp_path, body).x) == 20
    text = "country,1990,1995,2004,2005\n" + body
    assert "'country' is nowhere else in its column; --header yes" in refused(tmp_path, text)


def test_numbers_that_are_written_like_something_else(tmp_path):
    lines = [[f"{i:05d}", f"{10**17 + i}", f"{1 + i % 9}.{100 + i}"] for i in range(30)]
    table = load(tmp_path, "zip;key;price\n" + joined(lines, ";"))
    said = " ".join(table.reading.notes)
    assert "'zip' has numbers with zeros in front, as codes have" in said
    assert "'key', holds whole numbers of more than 15 digits, as ids have: left out" in said
    assert "'price' is read with decimal points; --decimal , reads 1.100 as 1100" in said
    assert table.features == ("zip",)
    assert table.y[0, 0] == 1.1
    other = load(tmp_path, "zip;key;price\n" + joined(lines, ";"), decimal=",")
    assert other.y[0, 0] == 1100
    assert "decimal points" not in " ".join(other.reading.notes)


def test_utf16_without_its_mark_and_nul(tmp_path):
    for name in ("utf-16-le", "utf-16-be"):
        text = ("a,b,kind\n" + joined(BODY)).encode(name)
        assert load(tmp_path, text, f"{name}.csv").features == ("a", "b")
    assert "row 3: there is a character NUL" in refused(tmp_path, "a,b\n1,2\n3,4\0\n5,6\n")


@pytest.mark.parametrize("encoding", ["utf-32", "utf-16", "utf-8-sig"])
def test_what_no_reader_sees_is_no_part_of_a_cell(tmp_path, encoding):
    plain = load(tmp_path, "a,b,kind\n" + joined(BODY))
    text = "a,\u200bb,kind\n" + joined([line[0], f"\ufeff{line[1]}", line[2]] for line in BODY)
    table = load(tmp_path, text.encode(encoding))
    assert (table.features, table.classes) == (plain.features, plain.classes)
    assert np.array_equal(table.x, plain.x)
    assert table.reading.notes[-1] == "invisible characters are left out"
    wrong = "a,b,kind\n".encode("utf-16-le") + joined(BODY).encode("utf-16-le")
    assert "NUL" in refused(tmp_path, wrong, encoding="latin-1")


def test_the_header_can_be_said(tmp_path):
    text = "1,2,3\n" + joined(NUMBERS)
    assert load(tmp_path, text, header="yes").features == ("1", "2")
    assert len(load(tmp_path, text, header="no").x) == 31


def test_two_readings_of_the_first_row(tmp_path):
    text = "0.5,0.7,d\n" + joined(BODY)
    assert "row 1, column 3: the row is either a header or data" in refused(tmp_path, text)
    assert len(load(tmp_path, text, header="no").x) == 31


@pytest.mark.parametrize(
    "text",
    [
        "# made by hand\n# two numbers\na,b,kind\n" + joined(BODY),
        "My measurements\n\na,b,kind\n" + joined(BODY),
        "My measurements,,\na,b,kind\n" + joined(BODY),
        "Report of May, 2019\nby me and, or so, two others, all friends\na,b,kind\n" + joined(BODY),
        "a,b,kind\n(cm),(kg),-\n" + joined(BODY),
        "a,b,kind\ncm,kg,\n" + joined(BODY),
        "size,,\na,b,kind\n" + joined(BODY),
        "a,b,kind\n" + joined(BODY) + "Total: 30 rows\n",
        "a,b,kind\n" + joined(BODY) + "Total,17.5,\n",
        "a,b,kind\n" + joined(BODY) + "\nSource: somebody,,\n",
        "a,b,kind\n" + joined(BODY) + ",,\n,,\n",
        "a,b,kind,\n" + joined([*line, ""] for line in BODY),
        "a,b,kind,\n" + joined(BODY),
        "a,b,kind\n" + joined([*line, ""] for line in BODY),
        "a,b,,kind\n" + joined([*line[:2], "", line[2]] for line in BODY),
        "sep=;\na;b;kind\n" + joined(BODY, ";"),
        "sep=\t\na\tb\tkind\n" + joined(BODY, "\t"),
        "sep= \r\na b kind\n" + joined(BODY, " "),
        "a,b,kind\n" + joined(BODY[:15]) + "a,b,kind\n" + joined(BODY[15:]),
        "\ufeffa|b|kind\n" + joined(BODY, "|"),
        "a  b   kind\n" + joined(BODY, "  "),
        "a\tb\tkind\n" + joined(BODY, "\t\t"),
        '"a", "b", "kind"\n' + joined([*line[:2], f' "{line[2]}"'] for line in BODY),
        "a,b,kind\n" + joined([*line[:2], f"'{line[2]}'"] for line in BODY),
        '"a","b","kind"\n' + joined([f'"{i}"', *line] for i, line in enumerate(BODY, 1)),
        ',"a","b","kind"\n' + joined([f'"{i}"', *line] for i, line in enumerate(BODY, 1)),
        "Id,a,b,kind\n" + joined([str(i), *line] for i, line in enumerate(BODY, 1)),
        "who,a,b,kind\n" + joined([f"p{i}", *line] for i, line in enumerate(BODY)),
        "day,a,b,kind\n" + joined([f"2019-05-{i + 1:02}", *line] for i, line in enumerate(BODY)),
        ("a,b,kind\n" + joined(BODY)).encode("utf-16"),
        "label,a,b\n" + joined([line[2], *line[:2]] for line in BODY),
    ],
)
def test_what_stands_around_a_table(tmp_path, text):
    table = load(tmp_path, text)
    assert table.x.tolist() == [[float(line[0]), float(line[1])] for line in BODY]
    assert table.features == ("a", "b")
    assert table.classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a;b;c;d\n1;2;3\n4;5;6\n7;8;9\n", "row 1: the header has 4 names, the rows 3 cells"),
        ("a,b,c\n1,2\n3,4\n5,6\n", "row 1: the header has 3 names, the rows 2 cells"),
        ("a,b\n", "only a header"),
        ("a,b,kind\n1,2,x\n3,4,x\n", "every row has the class 'x'"),
        ("a,b\n1,5\n2,5\n3,5\n4,5\n", "every row has the class '5'"),
        ("a,y\n1,5.5\n2,5.5\n3,5.5\n", "every row has the target 5.5"),
        ("a,name\n" + joined([str(i), f"n{i}"] for i in range(9)), "9 different texts in 9 rows"),
        ("name,y\n" + joined([f"n{i}", str(i)] for i in range(9)), "9 texts that all differ"),
        ("\n?,?\n?,?\n", "empty or marked"),
    ],
)
def test_one_sentence_each(tmp_path, text, part):
    assert part in refused(tmp_path, text)


def test_columns_without_a_header_have_the_names_that_are_shown(tmp_path):
    body = joined(BODY)
    table = load(tmp_path, body, target="x3", drop=["x1"])
    assert (table.features, table.classes) == (("x2",), ("a", "b", "c"))
    assert "there is no column 'x4', for the file has no header" in refused(
        tmp_path, body, target="x4"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"target": 0},
            "the target is the array 'labels', and a column as target is for tables; leave it out",
        ),
        ({"target": ["x1", "x2"]}, "the target is the array 'labels'"),
        ({"header": "yes"}, "'header' is for tables of columns, and these are arrays"),
        ({"missing": "drop"}, "'missing' is for tables"),
        ({"features": "x1"}, "'features' is for tables"),
    ],
)
def test_what_says_how_columns_are_read_is_refused_for_arrays(tmp_path, options, said):
    x, y = np.arange(12.0).reshape(6, 2) / 7, np.array([0, 1, 0, 1, 0, 1])
    np.savez(tmp_path / "t.npz", x=x, labels=y)
    with pytest.raises(DataError) as caught:
        data.load(str(tmp_path / "t.npz"), options=Options(**options))
    assert f"t.npz: {said}" in str(caught.value)
    named = data.load(str(tmp_path / "t.npz"), options=Options(target="labels"))
    assert named.classes == ("0", "1")
    memory = nf.hold((x, y))
    with pytest.raises(DataError, match=r"memory:.*: (the target|'\w+') is"):
        data.load(memory, options=Options(**options))


def test_lines_to_skip(tmp_path):
    text = "1,2,3,4\n5;6\n" + "a,b,kind\n" + joined(BODY)
    assert "--skip" in refused(tmp_path, text)
    assert load(tmp_path, text, skip=2).features == ("a", "b")
    lines = text.count("\n")
    with pytest.raises(DataError, match=f"has {lines} lines, and all are skipped; skip fewer"):
        load(tmp_path, text, skip=10**21)


# --- targets -------------------------------------------------------------------------------------


def test_a_class_in_the_first_column(tmp_path):
    text = joined(rows(30, letter, digit, digit, digit))
    table = load(tmp_path, text)
    assert table.classes == ("a", "b", "c")
    assert "--target 3 takes it instead" in " ".join(table.reading.notes)
    # rings: whole numbers after fractions are another kind than the features
    rings = load(tmp_path, joined(rows(60, letter, fraction, fraction, whole)))
    assert rings.reading.target_kind == "numbers"
    assert "--target 0 takes it instead" in " ".join(rings.reading.notes)


def test_pixels_after_a_label(tmp_path):
    lines = rows(200, digit, *[pixel] * 16)
    table = load(tmp_path, joined(lines))
    assert len(table.classes) == 10
    assert table.x.shape == (200, 16)
    constant = load(tmp_path, joined([[*line[:9], "0"] for line in lines]))
    assert len(constant.classes) == 10
    sentence = refused(tmp_path, joined([line[:4] for line in lines]))
    assert "two readings" in sentence
    assert "--target 0" in sentence
    assert len(load(tmp_path, joined([line[:4] for line in lines]), target=0).classes) == 10
    named = load(tmp_path, "digit,p,q,r\n" + joined([line[:4] for line in lines]))
    assert named.reading.target == "r"
    assert "column 1, 'digit', holds 10 whole numbers that repeat: --target 0 takes it" in " ".join(
        named.reading.notes
    )


@pytest.mark.parametrize(
    "mark",
    ["NA", "N/A", "null", "None", "?", "-", ".", "#N/A", "NaN", "", "na", "n.a.", "---", "#NV"],
)
def test_missing_marks_are_no_classes(tmp_path, mark):
    body = [list(line) for line in BODY]
    body[4][2] = body[9][2] = mark
    text = "a,b,kind\n" + joined(body)
    sentence = refused(tmp_path, text)
    assert sentence.startswith("t.csv, row 6, column 3: ")
    assert "--missing drop" in sentence
    for how in ("drop", "mean"):
        table = load(tmp_path, text, missing=how)
        assert (len(table.x), table.classes) == (28, ("a", "b", "c"))
    if mark:
        assert mark in load(tmp_path, text, missing="keep").classes


def test_texts_that_may_mark_a_missing_value_are_pointed_out(tmp_path):
    text = "job,kind\n" + joined([["ab"[i % 2], ("x", "Unknown", "y")[i % 3]] for i in range(30)])
    (note,) = [n for n in load(tmp_path, text).reading.notes if "Unknown" in n]
    assert note == (
        "column 2, 'kind': 'Unknown' is kept as a text; if it marks a missing value, say "
        "--missing-mark Unknown"
    )
    table = load(tmp_path, text, missing_mark="Unknown", missing="drop")
    assert (table.classes, len(table.x)) == (("x", "y"), 20)


def test_missing_numbers(tmp_path):
    text = "a,b,kind\n1,NA,x\n2,4,y\n3,6,x\n4,5,y\n"
    assert "row 2, column 2: 'NA' marks a missing value" in refused(tmp_path, text)
    assert load(tmp_path, text, missing="drop").x.tolist() == [[2, 4], [3, 6], [4, 5]]
    filled = load(tmp_path, text, missing="mean")
    assert filled.x.tolist() == [[1, 5], [2, 4], [3, 6], [4, 5]]
    assert any("mean" in note for note in filled.reading.notes)


def test_what_is_pointed_out(tmp_path):
    body = [list(line) for line in BODY]
    body[3][0] = "-999"
    body[5][2] = "a."
    body[8][2] = "a."
    notes = " ".join(load(tmp_path, "a,b,kind\n" + joined(body)).reading.notes)
    assert "-999 stands 1 time far from the other numbers and is kept" in notes
    assert "the classes 'a' and 'a.' differ only in how they are written" in notes


# --- features ------------------------------------------------------------------------------------


def test_texts_as_features(tmp_path):
    text = "city,size,price\n" + joined(rows(30, lambda r, i: "XYZ"[i % 3], fraction, whole))
    table = load(tmp_path, text)
    assert table.features == ("city=X", "city=Y", "city=Z", "size")
    assert table.x[:3, :3].tolist() == np.eye(3).tolist()
    ordinal = load(tmp_path, text, text="ordinal")
    assert ordinal.features == ("city", "size")
    assert ordinal.x[:4, 0].tolist() == [0, 1, 2, 0]
    assert load(tmp_path, text, text="drop").features == ("size",)
    assert load(tmp_path, text, drop="city").features == ("size",)
    assert load(tmp_path, text, drop=0).features == ("size",)
    assert load(tmp_path, text, features=["size"]).features == ("size",)
    assert load(tmp_path, text, features="city").features == ("city=X", "city=Y", "city=Z")
    assert "there is no column 'ctiy'; did you mean 'city'?" in refused(tmp_path, text, drop="ctiy")


def test_a_column_that_is_dropped_is_neither_target_nor_feature(tmp_path):
    text = "a,b,kind\n1,2,x\n2,4,y\n3,5,x\n4,7,y\n"
    table = load(tmp_path, text, drop="kind")
    assert (table.features, table.y.shape[1], table.classes) == (("a",), 1, ())
    cases = (({"target": "kind"}, "as the target"), ({"features": "a, kind"}, "as a feature"))
    for more, asked in cases:
        told = refused(tmp_path, text, drop="kind", **more)
        assert "'kind' is asked for" in told
        assert asked in told
        assert "and to be dropped" in told


def test_truths_are_numbers_as_features_and_classes_as_target(tmp_path):
    text = "a,b,ok\n0.1,TRUE,TRUE\n0.2,FALSE,FALSE\n0.3,TRUE,TRUE\n"
    table = load(tmp_path, text)
    assert table.x[:, 1].tolist() == [1, 0, 1]
    assert table.classes == ("FALSE", "TRUE")
    assert table.y.tolist() == [[0, 1], [1, 0], [0, 1]]


# --- other formats -------------------------------------------------------------------------------

ARFF = """% made by hand
@RELATION 'a b'
@attribute "the width" REAL   % in cm
@attribute colour {red, 'light blue', green}
@ATTRIBUTE kind {no,yes,'never'}
@DATA
1.5 , 'light blue', no
2\tred yes
?, green, yes   % a comment
2.5, red, no
"""


def test_arff_as_weka_reads_it(tmp_path):
    sentence = refused(tmp_path, ARFF, "t.arff")
    assert sentence.startswith("t.arff, row 9, column 1: the cell is empty")
    table = load(tmp_path, ARFF, "t.arff", missing="drop")
    names = ("the width", "colour=red", "colour=light blue")
    assert table.features[:3] == names
    assert table.x[:, :3].tolist() == [[1.5, 0, 1], [2, 1, 0], [2.5, 1, 0]]
    assert table.classes == ("no", "yes")  # in the order of the declaration


def test_a_last_column_that_counts_the_rows_is_no_target(tmp_path):
    rows = [f"{i * 7 % 10},{'xyz'[i % 3]},{i}" for i in range(12)]
    table = load(tmp_path, "\n".join(["a,kind,id", *rows]), "t.csv")
    assert table.reading.target == "kind"
    assert "column 3, 'id', counts the rows: left out" in table.reading.notes
    kept = load(tmp_path, "\n".join(["a,kind,count", *rows]), "t.csv")
    assert kept.reading.target == "count"
    asked = load(tmp_path, "\n".join(["a,kind,id", *rows]), "t.csv", target="id")
    assert asked.reading.target == "id"


def test_the_weight_of_an_attribute_is_no_class_of_it(tmp_path):
    """Weka writes it behind the type, in braces as it writes values."""
    text = ("@relation r\n@attribute a numeric {2.0}\n@attribute c {yes, no} {0.5}\n@data\n"
            "1, yes\n2.5, no\n3, yes\n")  # fmt: skip
    table = load(tmp_path, text, "t.arff")
    assert table.classes == ("yes", "no")
    assert table.x.ravel().tolist() == [1, 2.5, 3]


def test_arff_in_another_encoding_and_options_that_it_does_not_have(tmp_path):
    text = ARFF.replace("the width", "die Größe").encode("latin-1")
    assert "--encoding windows-1252" in refused(tmp_path, text, "t.arff")
    table = load(tmp_path, text, "t.arff", encoding="windows-1252", missing="drop")
    assert "die Größe" in table.features
    for option in ({"separator": ";"}, {"header": "no"}):
        said = f"'{next(iter(option))}' is for tables in text, and this is an ARFF file"
        assert said in refused(tmp_path, ARFF, "t.arff", **option)


def test_sparse_arff(tmp_path):
    text = """@relation s
@attribute a numeric
@attribute b numeric
@attribute c {zero, one}
@attribute kind {x, y}
@data
{1 5}
{0 2.5, 2 one, 3 y}
{3 'y', 1 ?}, {5}
{}
"""
    table = load(tmp_path, text, "t.arff", missing="drop")
    assert table.x.tolist() == [[0, 5, 1, 0], [2.5, 0, 0, 1], [0, 0, 1, 0]]
    assert table.y.tolist() == [[1, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("2.5, red, no", "2.5, read, no"), "row 10, column 2: 'read' is none of the values"),
        (("2.5, red, no", "2.5, red"), "row 10: the row has 2 values for 3 attributes"),
        (("2.5, red, no", "x, red, no"), "row 10, column 1: 'x' is no number"),
        (("2.5, red, no", "2.5, 'red, no"), "row 10: a quoted value does not end"),
        (("REAL", "RAEL"), "row 3: 'RAEL' is no type"),
        (("@DATA", "@DTA"), "row 6: '@DTA' is no declaration"),
    ],
)
def test_faults_in_arff(tmp_path, change, part):
    assert part in refused(tmp_path, ARFF.replace(*change), "t.arff", missing="drop")


def test_oranges_header_rows(tmp_path):
    head = "kind\tname\ta\tb\nd\tstring\tc\tcontinuous\nclass\tmeta\t\t\n"
    text = head + joined([[line[2], f"n{i}", *line[:2]] for i, line in enumerate(BODY)], "\t")
    table = load(tmp_path, text, "t.tab")
    assert table.features == ("a", "b")
    assert table.classes == ("a", "b", "c")
    for short in ("cD#kind\tmS#name\ta\tb", "Dc#kind\tS#name\tC#a\tN#b", "c#kind\ti#name\ta\tb"):
        table = load(tmp_path, short + "\n" + text.split("\n", 3)[3], "t.tab")
        assert table.features == ("a", "b")
        assert table.classes == ("a", "b", "c")
    words = text.replace("d\tstring\tc\tcontinuous", "categorical\ttext\tnumeric\tn")
    assert load(tmp_path, words, "t.tab").features == ("a", "b")


def test_meka_says_which_attributes_are_targets(tmp_path):
    """The name of the relation says how many come first, or, with a minus, last."""
    names = ["amazed", "happy", "sad"]
    labels = [f"@attribute {name} {{0,1}}" for name in names]
    numbers = [f"@attribute {name} numeric" for name in "ab"]
    for count, head in (("3", labels + numbers), ("-3", numbers + labels)):
        first = count == "3"
        body = [
            [i % 2, i // 2 % 2, i % 3 // 2, i / 7, i * 0.37 % 1]
            if first else [i / 7, i * 0.37 % 1, i % 2, i // 2 % 2, i % 3 // 2]
            for i in range(30)
        ]  # fmt: skip
        lines = [f"@relation 'Music: -C {count} -split-percentage 60'", *head, "@data"]
        text = "\n".join([*lines, *(",".join(map(str, row)) for row in body)])
        table = load(tmp_path, text, "t.arff")
        assert table.features == ("a", "b")
        assert table.reading.target == tuple(names)
        assert table.y[5].tolist() == [1, 0, 1]
        single = load(tmp_path, text.replace(f"-C {count}", f"-C {count[:-1]}1"), "t.arff")
        assert single.reading.target == ("amazed" if first else "sad")
        assert single.classes == ("0", "1")
    plain = text.replace("Music: -C -3", "Music-weka.filters.Discretize-C3")
    assert load(tmp_path, plain, "t.arff").reading.target == "sad"


@pytest.mark.parametrize("outputs", [1, 3])
def test_fanns_training_data(tmp_path, outputs):
    """With as many outputs as inputs all its lines are of one width, as those of a table."""
    r = np.random.default_rng(0)
    x, y = r.random((20, 3)).round(3), r.random((20, outputs)).round(3)
    lines = [f"20 3 {outputs}"]
    for row in zip(x, y, strict=True):
        lines += [" ".join(map(str, part)) for part in row]
    table = load(tmp_path, "\n".join(lines) + "\n", "t.data")
    assert np.array_equal(table.x, x)
    assert np.array_equal(table.y, y)
    assert "rows 20, inputs 3, outputs" in table.reading.notes[0]
    lines[0] = "21 3 3"  # says too much: three columns of numbers, one of them whole
    if outputs == 3:
        assert load(tmp_path, "\n".join(lines), "t.data").x.shape == (41, 2)


def test_matlab(tmp_path):
    from scipy.io import savemat

    r = np.random.default_rng(0)
    x = r.random((40, 16))
    y = (np.arange(40) % 10 + 1).astype(np.uint8).reshape(-1, 1)
    savemat(tmp_path / "ng.mat", {"X": x, "y": y})
    table = data.load(str(tmp_path / "ng.mat"))
    assert np.array_equal(table.x, x)
    assert table.classes == tuple(map(str, range(1, 11)))
    savemat(tmp_path / "lying.mat", {"X": x[:, :3], "y": np.arange(40.0) * 1000 + 0.5})
    assert data.load(str(tmp_path / "lying.mat")).y[:2].ravel().tolist() == [0.5, 1000.5]
    savemat(tmp_path / "one.mat", {"M": np.column_stack([x[:, :2], np.arange(40) * 300])})
    one = data.load(str(tmp_path / "one.mat"))
    assert one.y[-1, 0] == 39 * 300  # stored as 16 bits, and not wrapped
    (tmp_path / "bad.mat").write_bytes(b"MATLAB 5.0" + bytes(200))
    with pytest.raises(DataError, match="this is no whole MATLAB file"):
        data.load(str(tmp_path / "bad.mat"))


def test_the_target_of_a_matlab_file_is_never_passed_over(tmp_path):
    """Names of classes are a cell array in MATLAB; a matrix beside something else is not alone."""
    from scipy.io import savemat

    r = np.random.default_rng(0)
    x = r.random((6, 3))
    species = np.array(["setosa", "", "virginica"] * 2, dtype=object).reshape(-1, 1)
    for packed in (False, True):
        savemat(tmp_path / "cell.mat", {"X": x, "y": species}, do_compression=packed)
        table = data.load(str(tmp_path / "cell.mat"))
        assert np.array_equal(table.x, x)
        assert table.y.argmax(axis=1).tolist() == [1, 0, 2] * 2
    for name, held in {"species": species, "t": np.arange(6.0), "info": {"by": "me"}}.items():
        savemat(tmp_path / "two.mat", {"meas": x, name: held})
        with pytest.raises(DataError, match=rf"no matrices 'X' and 'y'.* {name}.*; name them so"):
            data.load(str(tmp_path / "two.mat"))
    savemat(tmp_path / "one.mat", {"meas": x, "by": "me", "year": 2026})
    assert np.array_equal(data.load(str(tmp_path / "one.mat")).x, x[:, :2])


def test_keras_names(tmp_path):
    np.savez(
        tmp_path / "k.npz", x_train=np.zeros((4, 2, 2)), y_train=[0, 1, 1, 0],
        x_test=np.ones((1, 2, 2)), y_test=[1],
    )  # fmt: skip
    table = data.load(str(tmp_path / "k.npz"))
    assert (table.x.shape, table.x_test.shape, table.classes) == ((4, 4), (1, 4), ("0", "1"))


def test_tables_in_memory(tmp_path):
    x, y = np.arange(8.0).reshape(4, 2), np.array([0.5, 1, 2, 3])
    assert np.array_equal(data.load(nf.hold((x, y), "mine")).x, x)
    assert data.load("memory:mine").y.shape == (4, 1)
    assert data.load(nf.hold(np.column_stack([x, y]))).y.ravel().tolist() == y.tolist()
    with pytest.raises(DataError, match="memory of another session"):
        data.load("memory:nobody")
    with pytest.raises(DataError, match="is a DataFrame, arrays"):
        nf.hold("text")


def test_a_frame_is_read_as_its_csv(tmp_path):
    pandas = pytest.importorskip("pandas")
    text = "city,size,price\n" + joined(rows(30, lambda r, i: "XYZ"[i % 3], fraction, whole))
    table = load(tmp_path, text)
    frame = pandas.read_csv(tmp_path / "t.csv")
    held = data.load(nf.hold(frame))
    assert np.array_equal(held.x, table.x)
    assert np.array_equal(held.y, table.y)
    assert held.features == table.features


def test_excel_and_parquet(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    text = "city,size,price\n" + joined(rows(30, lambda r, i: "XYZ"[i % 3], fraction, whole))
    table = load(tmp_path, text)
    book = openpyxl.Workbook()
    book.active.append(["Houses of 2019"])
    book.active.append([])
    for i, line in enumerate(text.splitlines()):
        cells = line.split(",")
        book.active.append(cells if not i else [cells[0], float(cells[1]), int(cells[2])])
    book.save(tmp_path / "t.xlsx")
    sheet = data.load(str(tmp_path / "t.xlsx"))
    assert np.array_equal(sheet.x, table.x)
    assert np.array_equal(sheet.y, table.y)
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.read_csv(tmp_path / "t.csv").to_parquet(tmp_path / "t.parquet")
    parquet = data.load(str(tmp_path / "t.parquet"))
    assert np.array_equal(parquet.x, table.x)
    assert parquet.features == table.features
    frame = nf.hold(pandas.read_csv(tmp_path / "t.csv"))
    for source in (tmp_path / "t.parquet", frame):
        with pytest.raises(DataError, match="'skip' is for tables in text, and this is a "):
            data.load(str(source), options=Options(skip=1))
    with pytest.raises(DataError, match="'encoding' is for tables in text, and this is a workbook"):
        data.load(str(tmp_path / "t.xlsx"), options=Options(encoding="latin-1"))


def test_the_index_of_pandas_is_no_column_of_a_parquet_file(tmp_path):
    """It is written behind the columns, where the target is, and under a name of its own."""
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1.5, 2, 3, 4, 5], "kind": list("xyxyy")})
    for made in (frame[frame.a != 3], frame.set_index(pandas.Index([7, 3, 9, 1, 5], name="id"))):
        made.to_parquet(tmp_path / "t.parquet")
        table = data.load(str(tmp_path / "t.parquet"))
        assert (table.features, table.classes) == (("a",), ("x", "y"))
        assert "is no feature, as the file says: left out" in table.reading.notes[-1]
    asked = data.load(str(tmp_path / "t.parquet"), options=Options(features=["id"]))
    assert asked.x.ravel().tolist() == [7, 3, 9, 1, 5]


def workbook(path, rows, **more):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "notes"
    for name, cells in {"data": rows, **more}.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(path)
    return book


def test_a_workbook_is_read_from_the_first_sheet_that_is_shown_and_not_empty(tmp_path):
    path = tmp_path / "t.xlsx"
    rows = [["a", "kind"], [1.5, "x"], [2.5, "y"], [3.5, "x"]]
    workbook(path, rows, later=[["b", "c"], [1, 2]])
    assert data.load(str(path)).features == ("a",)
    assert "'data' is read, the first" in data.load(str(path)).reading.notes[0]
    book = workbook(path, rows)
    book["notes"].append(["secret", "list"])
    book["notes"].sheet_state = "hidden"
    book.save(path)
    assert data.load(str(path)).features == ("a",)


@pytest.mark.parametrize("stored", ["", "<v>0</v>", "<v></v>"])
def test_formulas_that_nobody_has_calculated_are_refused(tmp_path, stored):
    """openpyxl and pandas write no value of a formula, XlsxWriter writes 0: a column of zeros."""
    path = tmp_path / "t.xlsx"
    rows = [["a", "b", "c"], *([i / 2, f"=A{i + 2}*2+1", i * 3.5] for i in range(5))]
    workbook(path, rows)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    for name, part in parts.items():
        parts[name] = re.sub(rb"</f><v ?/>|</f><v></v>", b"</f>" + stored.encode(), part)
    with zipfile.ZipFile(path, "w") as book:
        for name, part in parts.items():
            book.writestr(name, part)
    with pytest.raises(DataError, match=r"row 2, column 2: the formulas .* have no values yet"):
        data.load(str(path))
    if stored == "<v>0</v>":  # one that has a value says that all were calculated
        name = "xl/worksheets/sheet2.xml"
        parts[name] = parts[name].replace(b"<v>0</v></c><c", b"<v>7</v></c><c", 2)
        with zipfile.ZipFile(path, "w") as book:
            for name, part in parts.items():
                book.writestr(name, part)
        assert data.load(str(path)).x[:, 1].tolist() == [7, 0, 0, 0, 0]


def test_a_mark_of_programs_is_told_with_the_option_that_takes_it(tmp_path):
    text = "a,kind\n" + joined(rows(9, fraction, letter)) + "missing,x\n0.5,x\nmissing,y\n"
    told = refused(tmp_path, text)
    assert "'missing' is text in a column of numbers; write a number, or say with " in told
    assert "--missing-mark missing that it stands for none" in told
    assert len(load(tmp_path, text, missing_mark="missing", missing="drop").x) == 10


@pytest.mark.parametrize("text", [
    "1 1:0.5 3:2\n-1 2:1\n1 1:3 2:1 3:4\n-1\n", "1\n0 1:2 4:-1e-3\n1 2:3\n",
    "1 1:0.5\n0 1:0.25\n",
])  # fmt: skip
def test_libsvms_form_is_told_by_name(tmp_path, text):
    assert "LIBSVM's form, which is not read" in refused(tmp_path, text)


@pytest.mark.parametrize("missing", ["refuse", "drop"])
@pytest.mark.parametrize("by", ["pandas", "numpy"])
def test_the_quick_reader_reads_what_the_careful_one_reads(tmp_path, monkeypatch, missing, by):
    from nodeflow.data import quick

    if by == "pandas":
        pytest.importorskip("pandas")
    else:
        monkeypatch.setitem(sys.modules, "pandas", None)

    body = rows(400, fraction, whole, lambda r, i: r.choice(["TRUE", "FALSE"]),
                lambda r, i: "XYZ"[i % 3], letter)  # fmt: skip
    texts = [
        joined(body),
        "a,b,c,d,kind\n" + joined(body),
        "a b c d kind\n" + joined(body, " "),
        "a;b;c;d;kind\n" + joined(body, ";").replace(".", ","),
        "a,b,c,d,kind\n" + joined(body) + "Total,1,2,3,\n",
        "a,b,c,d,kind\n" + joined([*body, ["NA", "5", "TRUE", "X", "a"]] * 2),
        "# comment\na,b,c,d,kind\n" + joined(body),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", "TRUE", "X", "long" * 40]] * 2),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", "TRUE", '"X, Y"', '" é"']] * 2),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", "TRUE", '"X\nY"', "a"]] * 2),
        "a,b,c,d,kind\n" + joined(body) + "\n\n" + joined(body),
        "\ufeffa,b,c,d,kind\n" + joined(body),
        "a, b, c, d, kind\n" + joined(body, ", "),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", " TRUE", ' "X"', "a"]] * 2),
        "a,b,c,d,kind\n" + joined([*body, [" NA", "5", "TRUE", " NA", "a"]] * 2),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", "TRUE", '" X"', "a "]] * 2),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", " ", '" ? "', "a "]] * 2),
        joined([line[:2] for line in body]),
        "a,b,c,d,kind\r" + joined(body),
        "a|b|c|d|kind\n" + joined(body, "|").replace(".", ","),
        joined(body, " ").replace(".", ","),
        "a,b,c,d,kind\n" + joined([*line[:3], f'"{line[3]}" ', line[4]] for line in body),
        "a,\u200bb,c,d,kind\n" + joined(body),
        "a,b,c,d,kind\n" + joined([*body, ["1", "5", "TRUE", "X", "\ufeffa"]] * 2),
        "1990,1995,c,d,kind,\n" + joined([*line, ""] for line in body),
    ]
    (tmp_path / "plain.csv").write_text(texts[1], encoding="utf-8")
    assert quick.quick_sheet(tmp_path / "plain.csv", Options()) is not None
    for number, text in enumerate(texts):
        found = []
        for large in (0, 10**9):
            monkeypatch.setattr(quick, "LARGE", large)
            monkeypatch.setattr(quick, "_BLOCK", 2**12)
            try:
                table = load(tmp_path, text, f"{number}-{large}-{missing}.csv", missing=missing)
                found.append((table.x.tolist(), table.y.tolist(), table.features, table.classes,
                              table.reading.notes))  # fmt: skip
            except DataError as error:
                found.append(str(error).partition(", ")[2])
        assert found[0] == found[1], text[:60]


# --- files that people have ----------------------------------------------------------------------


def test_unquoted_thousands_are_no_names_of_rows(tmp_path):
    body = [[str(i), f"{1 + i},{100 + 7 * i}"] for i in range(30)]
    with pytest.raises(DataError, match=r"row 1.*'1,100' is one number .* in quotes"):
        load(tmp_path, "area,price\n" + joined(body))
    named = [[str(i), str(1 + i), str(1100 + 7 * i)] for i in range(30)]
    assert load(tmp_path, "area,price\n" + joined(named)).features == ("area",)


@pytest.mark.parametrize(
    ("cells", "said"),
    [(["(5.50)", "7.25", "(1.00)"], "brackets"), (["5.50-", "7.25", "1.00-"], "the minus behind")],
)
def test_negative_numbers_of_accountants(tmp_path, cells, said):
    body = [[str(i), cells[i % 3]] for i in range(30)]
    table = load(tmp_path, "a,profit\n" + joined(body))
    assert table.y[:3].ravel().tolist() == [-5.5, 7.25, -1.0]
    assert any(said in note for note in table.reading.notes)


def test_marks_in_school_are_classes(tmp_path):
    body = [[str(i / 4), ["1", "1-", "2+", "2", "2-"][i % 5]] for i in range(50)]
    assert load(tmp_path, "a,mark\n" + joined(body)).classes == ("1", "1-", "2", "2+", "2-")


@pytest.mark.parametrize("footer", ["(40 rows affected)", "\n40 rows in set (0.00 sec)"])
def test_what_a_database_says_below_is_no_row(tmp_path, footer):
    table = load(tmp_path, "a,b,kind\n" + joined(rows(40, whole, fraction, letter)) + footer + "\n")
    assert len(table.x) == 40
    assert any("rows" in note and "skipped" in note for note in table.reading.notes)


def test_statistics_below_are_no_rows(tmp_path):
    body = [[f"run {i}", str(i * i / 4), str(i / 8)] for i in range(20)]
    text = "run,a,y\n" + joined(body)
    table = load(tmp_path, text + "Min,0,0\nMax,90.25,2.375\nStd. dev.,3,1\n")
    assert len(table.x) == 20
    assert sum("skipped" in note for note in table.reading.notes) == 3
    people = joined([[f"{name}", "2.5", "3.5"] for name in ("Eva", "Jo", "Ann", "Max")])
    assert len(load(tmp_path, "name,a,y\n" + joined(body[:5]) + people).x) == 9


def test_classes_named_like_statistics_are_rows(tmp_path):
    body = [["ny"[i % 2 and i < 18], str(i * i / 4), str(i / 8)] for i in range(20)]
    assert len(load(tmp_path, "kind,a,y\n" + joined(body)).x) == 20


def test_ids_without_a_name_are_pointed_out(tmp_path):
    body = [[str(842302 + 7 * i), "MB"[i % 2], str(i / 4), str(i * i / 8)] for i in range(40)]
    notes = load(tmp_path, joined(body)).reading.notes
    assert any("as ids do; --drop 0" in note for note in notes)
    notes = load(tmp_path, joined([line[1:] for line in body])).reading.notes
    assert not any("as ids do" in note for note in notes)


def test_comments_among_the_rows_are_said(tmp_path):
    table = load(tmp_path, "a,kind\n1,x\n2,y\n# calibrated\n3,x\n4,y\n")
    assert len(table.x) == 4
    assert "row 4, '# calibrated', is a comment: skipped" in table.reading.notes


def test_lines_that_end_with_a_return_alone(tmp_path):
    text = "# by hand\na,kind\n" + joined(rows(20, fraction, letter))
    path = tmp_path / "t.csv"
    path.write_bytes(text.replace("\n", "\r").encode())
    assert data.load(str(path)).features == ("a",)
    assert len(data.load(str(path), options=Options(skip=3, header="no")).x) == 19


def test_other_files_under_the_name_of_a_text(tmp_path):
    text = "a,b,kind\n" + joined(rows(20, whole, fraction, letter))
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(text.encode()))
    assert len(data.load(str(path)).x) == 20
    for start, mends in (
        (b"PK\x03\x04" + bytes(40), "name it .xlsx"), (b"%PDF-1.7\n", "as CSV"),
        (b"\xd0\xcf\x11\xe0" + bytes(40), "save it as .xlsx"), (b"PAR1abc", "name it .parquet"),
        (b"<!DOCTYPE html>\n<p>1,2\n", "save the table as CSV"),
        (b'{"a": 1, "kind": "x"}\n{"a": 2, "kind": "y"}\n', "this is JSON"),
        (b'[{"a": 1, "kind": "x"},\n{"a": 2, "kind": "y"}]\n', "this is JSON"),
    ):  # fmt: skip
        path.write_bytes(start)
        with pytest.raises(DataError, match=mends):
            data.load(str(path))
    (tmp_path / "t.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="unpack it"):
        data.load(str(tmp_path / "t.zip"))


def test_a_large_table_is_read_to_its_place(tmp_path, monkeypatch):
    """The features of a large file are written once, in the order of rows, and never copied."""
    from nodeflow.data import deciding, quick

    monkeypatch.setattr(quick, "LARGE", 0)
    monkeypatch.setattr(quick, "_BLOCK", 2**10)
    monkeypatch.setattr(quick, "_LINES", 1)
    # The first lines are the shortest, so more rows are expected than come; then the longest.
    for sizes in ((1, 10**8), (10**8, 1)):
        body = [[str(i), f"{i % 7 / 4 * sizes[i > 200]}", str(i % 5), "abc"[i % 3]]
                for i in range(600)]  # fmt: skip
        path = tmp_path / f"{sizes[0]}.csv"
        path.write_text("id,a,b,kind\n" + joined(body), encoding="utf-8")
        sheet = quick.quick_sheet(path, Options())
        assert sheet is not None
        table = deciding.table_of(sheet, Options())
        assert sheet.x is not None
        assert np.shares_memory(table.x, sheet.x)
        assert table.features == ("a", "b")
        assert table.x.tolist() == [[float(line[1]), float(line[2])] for line in body]
        assert [table.classes[k] for k in table.y.argmax(axis=1)] == [line[3] for line in body]
        # What is asked for later is no longer what was expected: it is copied, and as right.
        other = deciding.table_of(sheet, Options(target="b"))
        assert other.x[:, 0].tolist() == table.x[:, 0].tolist()


@pytest.mark.parametrize("large", [0, 10**9])
@pytest.mark.parametrize("width", [1, 2])
def test_gaps_are_filled_in_large_and_small_files(tmp_path, monkeypatch, large, width):
    from nodeflow.data import quick

    monkeypatch.setattr(quick, "LARGE", large)
    body = [[*(f"{i / 4}" if i != 5 else "NA" for _ in range(width)), "ab"[i % 2]]
            for i in range(40)]  # fmt: skip
    table = load(tmp_path, "x,z,kind\n"[2 * (2 - width) :] + joined(body), missing="mean")
    mean = np.mean([i / 4 for i in range(40) if i != 5])
    assert table.x[5] == pytest.approx([mean] * width, rel=1e-15)
    assert np.isfinite(table.x).all()


@pytest.mark.parametrize("large", [0, 10**9])
def test_ids_and_commas_in_large_and_small_files(tmp_path, monkeypatch, large):
    """What the texts of numbers tell, a large file tells as well, of which none are kept."""
    from nodeflow.data import quick

    monkeypatch.setattr(quick, "LARGE", large)
    body = [[str(10**17 + 3 * i), f"{i * 0.25}", "abc"[i % 3]] for i in range(60)]
    table = load(tmp_path, "number,a,kind\n" + joined(body), f"ids-{large}.csv")
    assert table.features == ("a",)
    assert any("more than 15 digits" in note for note in table.reading.notes)
    body = [[f"1.{100 + i}", str(i * i % 7), "abc"[i % 3]] for i in range(60)]
    text = "a;b;kind\n" + joined(body, ";")
    table = load(tmp_path, text, f"points-{large}.csv")
    assert any("--decimal , reads" in note for note in table.reading.notes)
    table = load(tmp_path, text, f"commas-{large}.csv", decimal=",")
    assert table.x[:, 0].tolist() == [1100 + i for i in range(60)]


@pytest.mark.parametrize("large", [0, 10**9])
def test_a_further_mark_of_missing_values(tmp_path, monkeypatch, large):
    from nodeflow.data import quick

    monkeypatch.setattr(quick, "LARGE", large)
    body = [[str(i), f"{i * 0.5}", "abc"[i % 3]] for i in range(60)]
    body[7][1], body[11][0], body[20][1] = "-999", "-999.0", "5"
    table = load(tmp_path, "a,b,kind\n" + joined(body), missing="drop", missing_mark=["-999"])
    assert len(table.x) == 58
    assert table.x.min() == 0
    filled = load(tmp_path, "a,b,kind\n" + joined(body), missing="mean", missing_mark=-999)
    there = [float(line[1]) for line in body if line[1] != "-999"]
    assert filled.x[7, 1] == pytest.approx(np.mean(there), rel=1e-15)
    with pytest.raises(DataError, match="--missing drop"):
        load(tmp_path, "a,b,kind\n" + joined(body), missing_mark="-999")
    body[3][2] = "unknown"
    table = load(tmp_path, "a,b,kind\n" + joined(body), missing="drop",
                 missing_mark=["-999", "unknown"])  # fmt: skip
    assert table.classes == ("a", "b", "c")
    assert len(table.x) == 57


def test_a_number_far_from_all_others_names_the_option(tmp_path):
    body = [[str(i), "ab"[i % 2]] for i in range(30)] + [["-999", "a"]]
    notes = load(tmp_path, "a,kind\n" + joined(body)).reading.notes
    assert any("--missing-mark -999" in note for note in notes)


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "mac-roman", "cp437"])
def test_a_file_in_another_encoding(tmp_path, encoding):
    text = "Größe;Art\n" + "1,5;süß\n2,5;öde\n" * 10
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DataError, match="--encoding windows-1252"):
        data.load(str(path))
    table = data.load(str(path), options=Options(encoding=encoding))
    assert table.features == ("Größe",)
    assert set(table.classes) == {"süß", "öde"}
    path.write_bytes(text.encode("utf-8"))
    with pytest.raises(DataError, match="the text is not ascii"):
        data.load(str(path), options=Options(encoding="ascii"))
    for wrong in ("windows-125", "hex", ""):
        with pytest.raises(DataError, match="there is no text encoding"):
            data.load(str(path), options=Options(encoding=wrong))


@pytest.mark.parametrize("by", ["pandas", "numpy"])
def test_a_wide_table_takes_time_by_its_width(tmp_path, monkeypatch, by):
    """Twice the columns may take twice the time, not four times: once each was cut out of all."""
    from nodeflow.data import quick

    if by == "pandas":
        pytest.importorskip("pandas")
    else:
        monkeypatch.setitem(sys.modules, "pandas", None)
    taken = []
    for width in (500, 2000):
        names = ",".join(f"c{i}" for i in range(width))
        line = ",".join(f"0.{i:04}" for i in range(width))
        path = tmp_path / f"{width}.csv"
        path.write_text(f"{names},kind\n" + "".join(f"{line},{k}\n" for k in "ab" * 100))
        rounds = []
        for _ in range(3):  # the best of them: other work beside this one takes caches away
            started = time.process_time()
            assert quick.quick_sheet(path, Options()) is not None
            rounds.append(time.process_time() - started)
        taken.append(min(rounds))
    assert taken[1] < 9 * taken[0]


# --- what was decided ----------------------------------------------------------------------------


def test_look(tmp_path):
    text = "Id;a;kind\n" + joined([[str(i), line[0], line[2]] for i, line in enumerate(BODY)], ";")
    path = tmp_path / "t.csv"
    path.write_text(text.replace(".", ","), encoding="utf-8")
    found = data.look(str(path)).as_dict()
    assert {key: found[key] for key in ("separator", "decimal", "header", "rows", "target")} == {
        "separator": ";", "decimal": ",", "header": True, "rows": 30, "target": "kind",
    }  # fmt: skip
    assert [column["name"] for column in found["columns"]] == ["Id", "a", "kind"]
    assert [column["role"] for column in found["columns"]] == ["left out", "feature", "target"]
    numbers = [float(line[0]) for line in BODY]
    assert found["columns"][1]["range"] == [min(numbers), max(numbers)]
    assert found["columns"][2]["classes"] == ["a", "b", "c"]
    assert found["fault"] is None
    path.write_text("a,kind\n1,x\n2,?\n3,y\n4,y\n5,x\n", encoding="utf-8")
    fault = data.look(str(path))
    assert fault.columns[1].missing == 1
    assert "--missing drop" in fault.fault


def test_what_the_wizard_shows_and_asks_for(tmp_path):
    from nodeflow.window.dialogs.wizard import NetworkForm, read_table

    path = tmp_path / "t.csv"
    path.write_text("a;kind\n0,5;1\n1,5;2\n?;1\n3,5;2\n", encoding="utf-8")
    form = NetworkForm(layers="", file=path, kind="numbers", missing="mean")
    assert form.arguments()["options"] == Options(target_kind="numbers", missing="mean")
    lines = read_table(form).splitlines()
    assert lines[0] == "4 rows; target: kind, numbers (as asked for)"
    assert lines[1] == "a: numbers, 0.5 … 3.5, 1 missing → a number"
    assert read_table(NetworkForm(file=path)).splitlines()[-1].startswith("! t.csv")
    gone = NetworkForm(file=tmp_path / "gone.csv")
    assert read_table(gone).startswith("! ")
    assert "gone.csv" in read_table(gone)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,kind,\n1,x\n2,y\n3,x\n", "row 1 ends with a separator"),
        ("a,kind\n1,x,\n2,y,\n3,x,\n", "3 rows end with a separator"),
        ("a,kind\n1,x\n2,y,\n3,x\n", "row 3 ends with a separator"),
        ("a,kind,\n1,x,\n2,y,\n3,x,\n", "column 3 without any value: left out"),
    ],
)
def test_a_separator_at_the_end_of_a_row_is_said(tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    table = loaded(path)
    assert (table.x.shape, list(table.classes)) == ((3, 1), ["x", "y"])
    assert said in " ".join(table.reading.notes)


CASES = os.environ.get("NODEFLOW_CASES")


@pytest.mark.skipif(not CASES, reason="NODEFLOW_CASES names no folder")
def test_the_handed_cases():
    """Each file of the folder becomes a table with a reading, or is refused in one sentence."""
    for path in sorted(Path(CASES or "").iterdir()):
        if path.suffix == ".md":
            continue
        table = loaded(path)
        if isinstance(table, DataError):
            assert re.search(r"--(target|missing|header|skip|thousands|decimal)|equal", str(table))
            continue
        assert table.reading is not None
        assert len(table.classes) in (0, *range(2, 41))
        if "target" in path.stem or path.stem in ("few_integers", "ten_salaries", "three_houses"):
            assert table.reading.target_kind == "numbers", path


def test_the_reading_of_large_files_is_told(tmp_path):
    from nodeflow.data.reading import watched

    told = []
    text = "a,b,kind\n" + joined(BODY) * 2000
    with watched(lambda file, share: told.append((file, share))):
        table = load(tmp_path, text)
    assert len(table.x) == 60_000
    assert {file for file, _ in told} == {"t.csv"}
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1


@pytest.mark.parametrize(
    ("part", "without", "instead"),
    [
        ("xl/workbook.xml", rb"<calcPr[^>]*/>", b""),  # SheetJS, excel4node, xlsxlite
        ("xl/worksheets/sheet1.xml", rb'<dimension ref="[^"]*" ?/>', b""),  # PyExcelerate, exceljs
        ("xl/worksheets/sheet1.xml", rb'<dimension ref="[^"]*" ?/>', b'<dimension ref="A1"/>'),
        ("xl/worksheets/sheet1.xml", rb'<dimension ref="[^"]*" ?/>', b'<dimension ref="A1:B9"/>'),
        ("xl/_rels/workbook.xml.rels", rb"<Relationship [^>]*styles[^>]*/>", b""),
    ],
)
def test_what_libraries_leave_out_of_a_workbook(tmp_path, recwarn, part, without, instead):
    """Whatever is optional in the format may be missing, and the stated size may be wrong."""
    book = pytest.importorskip("openpyxl").Workbook()
    for row in [["a", "b", "kind"], *([i / 7, i * 0.37 % 1, "xy"[i % 2]] for i in range(40))]:
        book.active.append(row)
    book.save(tmp_path / "plain.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "plain.xlsx") as plain,
        zipfile.ZipFile(tmp_path / "t.xlsx", "w") as bare,
    ):
        for name in plain.namelist():
            text = plain.read(name)
            changed = re.sub(without, instead, text) if name == part else text
            assert name != part or changed != text
            bare.writestr(name, changed)
    read, wanted = (data.load(str(tmp_path / f"{name}.xlsx")) for name in ("t", "plain"))
    assert read.features == ("a", "b")
    assert read.classes == ("x", "y")
    assert np.array_equal(read.x, wanted.x)
    assert np.array_equal(read.y, wanted.y)
    assert not recwarn.list


def test_a_workbook_without_a_sheet_is_told(tmp_path):
    """A damaged one may have lost the list of them."""
    openpyxl = pytest.importorskip("openpyxl")
    openpyxl.Workbook().save(tmp_path / "whole.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as whole_file,
        zipfile.ZipFile(tmp_path / "lost.xlsx", "w") as lost,
    ):
        for name in whole_file.namelist():
            text = whole_file.read(name)
            lost.writestr(name, re.sub(rb"<sheets>.*</sheets>", b"<sheets></sheets>", text))
    with pytest.raises(DataError, match="this workbook has no sheet with cells"):
        data.load(str(tmp_path / "lost.xlsx"))


@pytest.mark.parametrize(
    ("above", "names"),
    [
        ("Length,,Weight,,Kind\nmean,sd,mean,sd,", ["Length mean", "Length sd", "Weight mean",
                                                     "Weight sd"]),
        ("Length,Length,Weight,Weight,Kind\nmean,sd,mean,sd,", ["Length mean", "Length sd",
                                                                 "Weight mean", "Weight sd"]),
        ("Length,,Weight,,\nlow,high,net,gross,Kind", ["low", "high", "net", "gross"]),
        ("Report,,,,\nlow,high,low,high,Kind", ["low", "high", "low", "high"]),
        ("low,high,net,gross,Kind\nmm,mm,kg,kg,", ["low", "high", "net", "gross"]),
    ],
)  # fmt: skip
def test_names_of_groups_tell_columns_apart(tmp_path, above, names):
    rows = "\n".join(f"{i}.5,{i % 3}.1,{i % 5}.2,{i % 7}.3,{'ab'[i % 2]}" for i in range(1, 9))
    table = load(tmp_path, f"{above}\n{rows}\n")
    assert list(table.features) == names
    assert table.classes == ("a", "b")
    assert table.reading.target == "Kind"


def test_a_series_is_told_from_a_wrong_separator(tmp_path):
    with pytest.raises(DataError, match="put what came before"):
        load(tmp_path, "temperature\n20.1\n20.4\n21.0\n")
    with pytest.raises(DataError, match="name the sign with --separator"):
        load(tmp_path, "a~b\n1~2\n3~4\n")
