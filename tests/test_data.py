"""Data sets: generators, bundled sets, places, tables in text, splits and epoch orders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodeflow import data
from nodeflow.data import bundled, places, sources
from nodeflow.errors import DataError

needs_files = pytest.mark.skipif(
    not os.environ.get("NODEFLOW_DATA"), reason="NODEFLOW_DATA is not set"
)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """Return an empty user data folder, with no other place set."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.setattr(sources, "places", lambda f: [Path(f), folder])
    return folder


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes, name: str = "t.csv", target=None) -> data.Table:
    return data.load(str(write(folder, content, name)), target=target)


def fault(folder: Path, content: str | bytes, name: str = "t.csv", target=None) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, name, target)
    return str(caught.value)


# Generators


@pytest.mark.parametrize(
    ("name", "y"), [("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1]), ("xor", [0, 1, 1, 0])]
)
def test_gates(name, y):
    table = data.load(name)
    assert table.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table.y.tolist() == [[value] for value in y]
    assert (table.features, table.classes) == (("x1", "x2"), ())


@pytest.mark.parametrize(
    ("name", "rows", "classes"),
    [
        ("circle", 200, ("inside", "outside")),
        ("spiral", 200, ("first arm", "second arm")),
        ("moons", 200, ("upper", "lower")),
        ("blobs", 150, ("left", "right", "top")),
    ],
)
def test_point_sets(name, rows, classes):
    table = data.load(name)
    assert table.x.shape == (rows, 2)
    assert table.classes == classes
    assert table.y.sum(axis=0).tolist() == [rows / len(classes)] * len(classes)
    assert table.y.sum(axis=1).tolist() == [1] * rows
    assert np.abs(table.x).max() < 1.2
    assert np.array_equal(table.x, data.load(name).x)


def test_circle_parts_the_classes_by_radius():
    table = data.load("circle")
    assert ((np.hypot(*table.x.T) > 0.6) == table.y[:, 1]).all()


def test_polynomial():
    table = data.load("polynomial")
    assert table.x.ravel() == pytest.approx([i / 10 for i in range(-10, 11)])
    assert table.y.ravel() == pytest.approx([4 * v**3 - 3 * v for v in table.x.ravel()])


@pytest.mark.parametrize("name", [*data.GENERATORS, "iris"])
def test_arrays_are_read_only(name):
    table = data.load(name)
    for array in (table.x, table.y):
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_a_generator_takes_no_target():
    with pytest.raises(DataError) as caught:
        data.load("xor", target="y")
    assert str(caught.value) == (
        "'xor' has its target already; a target column is for CSV and TSV files"
    )


# Bundled sets


@pytest.mark.parametrize("name", ["iris", "wine", "digits", "breast_cancer"])
def test_bundled_classes(name):
    datasets = pytest.importorskip("sklearn.datasets")
    truth, table = getattr(datasets, f"load_{name}")(), data.load(name)
    assert np.array_equal(table.x, truth.data)
    assert np.array_equal(table.y.argmax(axis=1), truth.target)
    assert table.classes == tuple(str(n) for n in truth.target_names)
    assert table.features == tuple(truth.feature_names)


def test_bundled_numbers():
    datasets = pytest.importorskip("sklearn.datasets")
    truth, table = datasets.load_diabetes(), data.load("diabetes")
    assert np.array_equal(table.x, truth.data)
    assert np.array_equal(table.y[:, 0], truth.target)
    assert table.features == tuple(truth.feature_names)
    assert table.classes == ()


@pytest.mark.parametrize("name", bundled.BUNDLED)
def test_bundled_sets_are_read_without_importing_scikit_learn(name):
    pytest.importorskip("sklearn")
    code = (
        f"import sys; from nodeflow import data; data.load({name!r}); "
        "print([m for m in sys.modules if m.partition('.')[0] in ('sklearn', 'scipy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_bundled_without_scikit_learn(monkeypatch):
    bundled.bundled.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in bundled.BUNDLED:
        if name == "iris":
            assert len(data.load(name).x) == 150  # it comes with nodeflow
            continue
        with pytest.raises(DataError) as caught:
            data.load(name)
        assert str(caught.value) == (
            f"the data set '{name}' comes with scikit-learn, which is not installed; "
            "pip install nodeflow[datasets]"
        )


@pytest.mark.parametrize("text", [None, "", "150,4,a,b,c\n1,2,3\n1,2\n", "150,4,a\nx,1,0\n"])
def test_bundled_with_a_broken_scikit_learn(monkeypatch, tmp_path, text):
    bundled.bundled.cache_clear()
    package = tmp_path / "sklearn"
    (package / "datasets" / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    if text is not None:
        (package / "datasets" / "data" / "wine_data.csv").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    with pytest.raises(DataError) as caught:
        data.load("wine")
    assert str(caught.value) == (
        f"the data set 'wine' cannot be read from scikit-learn's folder "
        f"{package / 'datasets' / 'data'}: install scikit-learn anew with "
        "pip install nodeflow[datasets]"
    )


# Places


def test_places_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("NODEFLOW_DATA", str(tmp_path / "env"))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / name))
    here = tmp_path / "here"
    assert [*places.places(here)] == [here, tmp_path / "env", tmp_path / "nodeflow"]
    monkeypatch.delenv("NODEFLOW_DATA")
    monkeypatch.chdir(tmp_path)
    assert [*places.places(None)] == [tmp_path, tmp_path / "nodeflow"]


def test_the_first_place_and_the_first_ending_win(tmp_path, user):
    write(user, "1,0\n2,1\n")
    assert data.load("t", folder=tmp_path).x.tolist() == [[1], [2]]
    write(tmp_path, "5\t0\n6\t1\n", "t.tsv")
    assert data.load("t", folder=tmp_path).x.tolist() == [[5], [6]]
    write(tmp_path, "7,0\n8,1\n")
    assert data.load("t", folder=tmp_path).x.tolist() == [[7], [8]]
    write(tmp_path, "no table", "t")
    with pytest.raises(DataError) as caught:
        data.load("t", folder=tmp_path)
    assert str(caught.value) == (
        "t: this kind of file cannot be read; save it as .csv, .tsv, .txt, .data, .dat, .tab, "
        ".arff, .npz, .mat, .parquet, .xlsx or IDX"
    )


def test_a_folder_that_is_no_data_set_does_not_hide_a_file(tmp_path, user):
    (tmp_path / "t").mkdir()
    write(user, "1,0\n2,1\n")
    assert data.load("t", folder=tmp_path).x.tolist() == [[1], [2]]


def test_nothing_found(tmp_path, user):
    write(tmp_path, "", "seeds.csv")
    with pytest.raises(DataError) as caught:
        data.load("seed.csv", folder=tmp_path)
    assert str(caught.value) == (
        f"there is no data set 'seed.csv' (looked in {tmp_path}, {user}); did you mean 'seeds.csv'?"
    )
    with pytest.raises(DataError, match="did you mean 'spiral'"):
        data.load("spirl", folder=tmp_path)


def test_sets_that_can_be_fetched(tmp_path, user):
    for name, what in (("mnist", "its four files into a folder mnist"), ("wheat-seeds", "")):
        with pytest.raises(DataError) as caught:
            data.load(name, folder=tmp_path)
        assert str(caught.value) == (
            f"'{name}' is not here yet; run `nodeflow data get {name}`, "
            f"or put {what or 'wheat-seeds.csv'} in {tmp_path} or {user}"
        )


def test_a_folder_that_is_no_data_set(tmp_path):
    with pytest.raises(DataError) as caught:
        data.load(str(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path.name}: the folder is not a data set; name a file in it, or put MNIST's four "
        "files (train-images-idx3-ubyte, …) there"
    )


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_no_name(name):
    with pytest.raises(DataError) as caught:
        data.load(name)
    assert str(caught.value) == "the data source has no name; name a data set or a file"


@pytest.mark.parametrize("name", ["/", "..", "a" * 5000, "x.csv/y", "/dev/null"])
def test_odd_paths_are_data_errors(name, tmp_path):
    write(tmp_path, "1,0\n2,1\n", "x.csv")
    with pytest.raises(DataError):
        data.load(name, folder=tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert fault_of(lambda: data.load(str(tmp_path / "t.csv"), folder=tmp_path), tmp_path) == (
        "t.csv: the file cannot be read (permission denied); check that it is there and may be read"
    )


def fault_of(action, folder):
    write(folder, "1,0\n2,1\n")
    with pytest.raises(DataError) as caught:
        action()
    return str(caught.value)


def test_a_file_over_2_gib(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("wb") as stream:
        stream.truncate(2**31 + 1)
    with pytest.raises(DataError) as caught:
        data.load(str(path))
    assert str(caught.value) == (
        "t.csv: the file has 2.0 GiB, and at most 2 can be read; take a part of it"
    )


def test_memory_holds_until_the_file_changes(tmp_path):
    path = write(tmp_path, "1,0\n2,1\n")
    first = data.load(str(path))
    assert data.load(str(path)) is first
    assert data.load(str(path), target=0) is not first
    write(tmp_path, "1,0\n3,1\n")
    os.utime(path, ns=(1, 1))
    assert data.load(str(path)).x.tolist() == [[1], [3]]
    for i in range(10):
        data.load(str(write(tmp_path, "1,0\n3,1\n", f"{i}.csv")))
    assert len(sources._cache) <= 4


# Tables in text


def test_without_a_header(tmp_path):
    table = read(tmp_path, "1.5,2,7\n-3e2,4,5\n0.25,6,7\n1,8,5\n")
    assert table.x.tolist() == [[1.5, 2], [-300, 4], [0.25, 6], [1, 8]]
    assert table.y.tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]
    assert (table.features, table.classes) == (("x1", "x2"), ("5", "7"))
    assert table.x.dtype == table.y.dtype == np.float64


def test_with_a_header(tmp_path):
    table = read(tmp_path, "width,,kind\n1,2,pear\n3,4,apple\n")
    assert table.features == ("width", "x2")
    assert table.classes == ("apple", "pear")
    assert table.y.tolist() == [[0, 1], [1, 0]]


def test_a_header_with_a_number_in_it(tmp_path):
    assert read(tmp_path, "a,2020,c\n1,2,x\n3,4,y\n").features == ("a", "2020")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "a\tb\n1\tx\n2\ty\n"),
        ("t.csv", "a;b\r\n1;x\r\n2;y\r\n"),
        ("t.csv", "\ufeffa,b\n\n1,x\n   \n2,y\n\n"),
        ("t.csv", '"a","b"\n"1","x"\n 2 , y '),
        ("t.txt", "a,b\r1,x\r2,y"),
    ],
)
def test_dialects(tmp_path, name, text):
    table = read(tmp_path, text, name)
    assert table.x.tolist() == [[1], [2]]
    assert (table.features, table.classes) == (("a",), ("x", "y"))


def test_quoted_delimiters(tmp_path):
    assert read(tmp_path, '1,"a, b"\n2,"say ""c"""\n').classes == ("a, b", 'say "c"')


def test_classes_are_sorted_as_numbers(tmp_path):
    assert read(tmp_path, "1,10\n2,9\n3,-1\n" * 2).classes == ("-1", "9", "10")


def test_other_numbers_are_used_as_they_are(tmp_path):
    assert read(tmp_path, "1,0.5\n2,1\n").y.tolist() == [[0.5], [1]]
    many = "".join(f"0,{i}\n" for i in range(21))
    assert read(tmp_path, many).y.ravel().tolist() == list(range(21))
    assert read(tmp_path, many * 2).y.shape == (42, 21)


@pytest.mark.parametrize("target", ["b", 1, -2, "1"])
def test_one_target(tmp_path, target):
    table = read(tmp_path, "a,b,c\n1,5,3\n2,6,4\n1,5,3\n2,6,4\n", target=target)
    assert table.x.tolist() == [[1, 3], [2, 4]] * 2
    assert (table.features, table.classes) == (("a", "c"), ("5", "6"))


def test_several_targets(tmp_path):
    table = read(tmp_path, "a,b,c\n1,5,3\n2,6,4\n", target=["c", 0])
    assert table.x.tolist() == [[5], [6]]
    assert table.y.tolist() == [[3, 1], [4, 2]]
    assert table.classes == ()
    single = read(tmp_path, "a,b,c\n1,5,3\n2,6,3\n", target=("c",))
    assert single.y.tolist() == [[3], [3]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "t.csv: the file is empty, it has zero bytes; save it again"),
        ("\n \n", "t.csv: the file has only blank lines; add rows of numbers"),
        ("a,b,c\n", "t.csv: the file has only a header; add a row of numbers"),
        (
            "1\n3\n",
            "t.csv: there is only one column, and a network needs features beside its target; of a "
            "series, put what came before (one row up, two rows up, …) into columns of its own",
        ),
        (
            "a,b\n\n1,2\n3,4,5\n",
            "t.csv, row 4: the row has 3 cells, but row 1 has 2; make them equal",
        ),
        (
            "a,b,c\n1,2,3\n4,,6\n",
            "t.csv, row 3, column 2: the cell is empty; fill it in, or delete the row: --missing "
            "drop leaves such rows out, --missing mean fills it",
        ),
        (
            ",2,3\n4,5,6\n",
            "t.csv, row 1, column 1: the cell is empty; fill it in, or delete the row: --missing "
            "drop leaves such rows out, --missing mean fills it",
        ),
        (
            '"x\ny",b\n1,2\nNo,3\n5,4\n',
            "t.csv, row 4, column 1: 'No' is text in a column of numbers; write a number, or "
            "leave the column out with --drop 0",
        ),
        (
            "1,O.5,3,7\n4,5,6,7\n7,8,9,8\n",
            "t.csv, row 1, column 2: 'O.5' is text in a column of numbers; write a number, or "
            "leave the column out with --drop 1",
        ),
        (
            "1,2\n2,3\n3,?\n",
            "t.csv, row 3, column 2: '?' marks a missing value; fill it in, or delete the row: "
            "--missing drop leaves such rows out",
        ),
        (
            "a;b\n1,234;2\n3;4\n",
            "t.csv, row 2, column 1: '1,234' is 1234 or 1.234; --thousands , or --decimal , "
            "decides, or leave the column out with --drop 0",
        ),
        (
            "1,2\nnan,3\n",
            (
                "t.csv, row 2, column 1: 'nan' marks a missing value; fill it in, or delete the "
                "row: --missing drop leaves such rows out, --missing mean fills it"
            ),
        ),
        (
            "1,2\n3,1e999\n",
            (
                "t.csv, row 2, column 2: '1e999' is not a finite number; "
                "write a number, or delete the row"
            ),
        ),
        (
            "1,2\n1_0,3\n5,4\n",
            "t.csv, row 2, column 1: '1_0' is text in a column of numbers; write a number, or "
            "leave the column out with --drop 0",
        ),
        (
            "1,2\n3,2\n",
            "t.csv, column 2: every row has the class '2'; there must be at least two classes",
        ),
        (
            "".join(f"{i},c{i}\n" for i in range(1001)),
            "t.csv, column 2: the target has 1001 different texts in 1001 rows, as names or ids "
            "have; name another column with --target, or --target-kind classes",
        ),
        (
            b"1,2\n3,\xff\n",
            "t.csv, row 2: the text is not UTF-8; save it as UTF-8, or say how it is stored, such "
            "as --encoding windows-1252",
        ),
        (
            '1,2\n3,"4\n5,6\n',
            (
                "t.csv, row 2: a quoted cell does not end well; "
                "close its quote, and double a quote inside it"
            ),
        ),
    ],
)
def test_faults_in_text(tmp_path, content, sentence):
    assert fault(tmp_path, content) == sentence


def test_too_many_classes(tmp_path):
    content = "".join(f"{i},c{i}\n" for i in range(1001))
    source, options = str(write(tmp_path, content)), data.Options(target_kind="classes")
    with pytest.raises(DataError) as caught:
        data.load(source, options=options)
    assert str(caught.value) == (
        "t.csv, column 2: there are 1001 classes; there may be at most 1000"
    )


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("lenght", "t.csv: there is no column 'lenght'; did you mean 'length'?"),
        ("a", "t.csv: 2 columns are called 'a'; give the target's number from 0"),
        (
            9,
            (
                "t.csv: there is no column 9; the target is a number from 0 to 3, "
                "or from -4 to -1 counted from the end"
            ),
        ),
        ([], "the list of target columns is empty; name at least one"),
        (["kind", 3], "t.csv: a target column is named twice; name it once"),
        ([0, 1, 2, 3], "t.csv: no column is left for the features; name fewer target columns"),
        (True, "a target column is a name or a number from 0, not True"),
        (1.5, "a target column is a name or a number from 0, not 1.5"),
        ([[1]], "a target column is a name or a number from 0, not [1]"),
    ],
)
def test_faults_of_the_target(tmp_path, target, sentence):
    content = "a,a,length,kind\n1,2,3,4\n5,6,7,8\n"
    assert fault(tmp_path, content, target=target) == sentence


def test_a_name_without_a_header(tmp_path):
    assert fault(tmp_path, "1,2\n3,4\n", target="kind") == (
        "t.csv: there is no column 'kind', for the file has no header; give a number from 0 to 1"
    )


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(0, 3),
            st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b",", b"\n", b";", b"\0"])),
        ),
        max_size=6,
    ),
    target=st.sampled_from([None, 0, "kind", "x", -2, [0, 1]]),
)
def test_damaged_text_raises_data_errors_only(tmp_path, edits, target):
    content = bytearray(b'width,height,kind\n1.5,2,"a"\n3,4,b\n5,6,a\n7,8e3,b\n')
    for place, cut, put in edits:
        content[place : place + cut] = put
    try:
        table = read(tmp_path, bytes(content), "fuzz.csv", target)
    except DataError:
        return
    assert len(table.x) == len(table.y)
    assert np.isfinite(table.x).all()


# Splits and orders


def numbers(rows: int) -> data.Table:
    x = np.arange(rows * 2, dtype=np.float64).reshape(rows, 2)
    return data.Table(x, x[:, :1] + 0.5, ("a", "b"), ())


def test_no_test_rows(tmp_path):
    table = numbers(4)
    part = data.split(table, seed=3)
    assert np.array_equal(part.x, table.x)
    assert np.array_equal(part.y, table.y)
    assert (part.x_test.shape, part.y_test.shape) == ((0, 2), (0, 1))
    assert (part.features, part.classes) == (("a", "b"), ())


def test_test_rows_are_the_last_of_a_permutation():
    part = data.split(numbers(10), test=0.25, seed=7)
    order = np.random.default_rng([7, 1]).permutation(10)
    assert (part.x[:, 0] / 2).tolist() == order[:8].tolist()
    assert (part.x_test[:, 0] / 2).tolist() == order[8:].tolist()
    assert np.array_equal(part.y[:, 0], part.x[:, 0] + 0.5)
    assert np.array_equal(part.y_test[:, 0], part.x_test[:, 0] + 0.5)
    again = data.split(numbers(10), test=0.25, seed=7, scale="minmax")
    assert np.array_equal(again.y, part.y)


def test_rows_that_the_source_sets_apart():
    own = numbers(4)
    table = data.Table(own.x[:3], own.y[:3], own.features, (), own.x[3:], own.y[3:])
    part = data.split(table, test=0.5)
    assert np.array_equal(part.x, own.x[:3])
    assert part.x_test.tolist() == [[6, 7]]
    assert part.y_test.tolist() == [[6.5]]


def scale(x, x_test, how):
    x, x_test = np.array(x, dtype=float), np.array(x_test, dtype=float)
    names = tuple("abc"[: x.shape[1]])
    table = data.Table(x, x[:, :1], names, (), x_test, x_test[:, :1])
    return data.split(table, scale=how)


def test_minmax():
    part = scale([[2, 7], [4, 7], [6, 7]], [[8, 9]], "minmax")
    assert part.x.tolist() == [[0, 0], [0.5, 0], [1, 0]]
    assert part.x_test.tolist() == [[1.5, 0]]
    assert part.y.tolist() == [[2], [4], [6]]


def test_standard():
    part = scale([[1, 0.1], [3, 0.1], [1, 0.1], [3, 0.1]], [[4, 0.2]], "standard")
    assert part.x.tolist() == [[-1, 0], [1, 0], [-1, 0], [1, 0]]
    assert part.x_test.tolist() == [[2, 0]]


def test_scaled_targets():
    own = numbers(8)
    table = data.Table(own.x, own.y * 1000, own.features, ())
    part = data.split(table, test=0.25, seed=1, scale_target="standard")
    assert part.y.mean() == pytest.approx(0, abs=1e-12)
    assert part.y.std() == pytest.approx(1)
    plain = data.split(table, test=0.25, seed=1)
    assert part.in_units(part.y) == pytest.approx(plain.y)
    assert part.in_units(part.y_test) == pytest.approx(plain.y_test)
    assert part.scaled_target
    assert not plain.scaled_target
    assert np.array_equal(plain.in_units(plain.y), plain.y)
    low = data.split(table, scale_target="minmax")
    assert (low.y.min(), low.y.max()) == (0, 1)
    classes = data.load("blobs")
    assert np.array_equal(data.split(classes, scale_target="standard").y, classes.y)


def test_scaling_keeps_float32():
    table = data.Table(np.array([[0], [1]], dtype=np.float32), np.array([[0.0], [1.0]]), ("a",), ())
    assert data.split(table, scale="standard").x.dtype == np.float32


@pytest.mark.parametrize("how", ["none", "minmax", "standard"])
@pytest.mark.parametrize("test", [0, 0.3])
def test_split_arrays_are_read_only(how, test):
    table = numbers(9)
    part = data.split(table, scale=how, test=test)
    for array in (part.x, part.y, part.x_test, part.y_test):
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    assert table.x.flags.writeable


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"scale": "minmx"}, "there is no scale 'minmx'; did you mean 'minmax'?"),
        ({"test": 1}, "test is a fraction from 0 to below 1, not 1"),
        ({"test": -0.1}, "test is a fraction from 0 to below 1, not -0.1"),
        ({"test": float("nan")}, "test is a fraction from 0 to below 1, not nan"),
        ({"test": "a"}, "test is a fraction from 0 to below 1, not 'a'"),
        ({"test": 0.9}, "test 0.9 of 3 rows leaves none for training; make it smaller"),
        ({"seed": -1}, "seed is a whole number of 0 or more, not -1"),
        ({"seed": 1.5}, "seed is a whole number of 0 or more, not 1.5"),
    ],
)
def test_bad_settings(setting, sentence):
    with pytest.raises(DataError) as caught:
        data.split(numbers(3), **setting)
    assert str(caught.value) == sentence


def test_values_that_cannot_be_scaled():
    with pytest.raises(DataError) as caught:
        scale([[0, -1e308], [1, 1e308]], [[0, 0]], "minmax")
    assert str(caught.value) == (
        "the values of 'b' are too far apart or too close for scale 'minmax'"
    )


# Real files


@needs_files
def test_wheat_seeds(tmp_path):
    table = data.load("wheat-seeds", folder=tmp_path)
    assert table.x.shape == (210, 7)
    assert table.x[0].tolist() == [15.26, 14.84, 0.871, 5.763, 3.312, 2.221, 5.22]
    assert table.classes == ("1", "2", "3")
    assert table.y.sum(axis=0).tolist() == [70, 70, 70]


@needs_files
def test_mnist(tmp_path):
    table = data.load("mnist", folder=tmp_path)
    assert (table.x.shape, table.x.dtype) == ((60000, 784), np.float32)
    assert table.x_test.shape == (10000, 784)
    assert table.y.argmax(axis=1)[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert table.y_test.argmax(axis=1)[:5].tolist() == [7, 2, 1, 0, 4]
    assert table.x.mean() == pytest.approx(0.1307, abs=1e-4)
    assert table.x.std() == pytest.approx(0.3081, abs=1e-4)
    assert table.classes == tuple("0123456789")
