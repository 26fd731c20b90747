"""Tables that Python holds: told apart however often a name is used again, and whole."""

import datetime as dt

import numpy as np
import pytest
from scipy import sparse

import nodeflow as nf
from nodeflow.data import load
from nodeflow.data.memory import hold, release
from nodeflow.data.options import Options


def test_a_name_that_is_held_again_never_gives_the_table_before():
    for number in range(50):
        source = hold((np.full((3, 1), float(number)), np.full((3, 1), 0.5)), "again")
        assert (load(source).x == number).all()
        release(source)


@pytest.mark.parametrize("form", ["tuple", "mapping", "matrix"])
def test_what_a_mask_hides_is_not_taken_for_numbers(form):
    """A masked array has a number below its mask, which would be read as one."""
    rows = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    y = np.array([[0.5], [0.25]])
    data = {"tuple": (rows, y), "mapping": {"x": rows, "y": y}, "matrix": rows}[form]
    with pytest.raises(nf.NodeflowError, match=r"1 value is masked in .*; fill them in, or leave"):
        hold(data, "masked")
    whole = np.ma.array(rows.data)
    assert load(hold((whole, y), "masked")).x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    release("memory:masked")


@pytest.mark.parametrize(
    ("y", "classes"),
    [(np.array(["a", "b", "a"], dtype=object), ("a", "b")),
     (np.array(["a", "b", "a"], dtype=np.dtypes.StringDType()), ("a", "b")),
     (np.array([0.5, 1, 2], dtype=object), ())],
)  # fmt: skip
def test_arrays_of_objects_are_texts_or_numbers(y, classes):
    """A column of texts that comes out of a DataFrame is an array of objects."""
    table = load(hold((np.eye(3), y), "objects"))
    assert table.classes == classes
    assert table.x.tolist() == np.eye(3).tolist()
    assert load(hold((sparse.csr_array(np.eye(3)), y), "objects")).x.tolist() == np.eye(3).tolist()


def test_tables_that_pandas_can_be_made_of_are_taken():
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1.0, 2.5, 3.0], "kind": ["x", "z", "x"]})
    for data in (frame, arrow.Table.from_pandas(frame)):
        assert load(hold(data, "other")).classes == ("x", "z")
    complex_ = frame.assign(a=frame["a"] * 1j)
    with pytest.raises(nf.NodeflowError, match="column 1: complex numbers"):
        load(hold(complex_, "other"))
    with pytest.raises(nf.NodeflowError, match="last column is y, not Series"):
        hold(frame["a"])


HOURS = [0, 1, 6, 30, 31, 99]


@pytest.mark.parametrize("where", ["s", "ms", "us", "ns", "objects", "arrow", "parquet", "xlsx"])
def test_durations_are_numbers_of_days(tmp_path, where):
    """Six of them are no six classes, and a longer one is more."""
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    openpyxl = pytest.importorskip("openpyxl")
    stay, y = [dt.timedelta(hours=hours) for hours in HOURS], [0.5, 1.5, 2.5, 3.5, 4.5, 6.5]
    frame = pandas.DataFrame({"stay": pandas.Series(stay, dtype=object), "y": y})
    if where not in {"objects", "xlsx"}:
        unit = where if where in {"s", "ms", "ns"} else "us"
        frame = frame.astype({"stay": f"timedelta64[{unit}]"})
    path = tmp_path / f"t.{where}"
    if where == "parquet":
        frame.to_parquet(path)
    if where == "xlsx":
        book = openpyxl.Workbook()
        for row in [("stay", "y"), *zip(stay, y, strict=True)]:
            book.active.append(row)
        book.save(path)
    held = arrow.Table.from_pandas(frame) if where == "arrow" else frame
    table = load(str(path) if path.exists() else hold(held, "durations"))
    assert table.x.ravel() * 24 == pytest.approx(HOURS, rel=1e-15)
    assert any("durations, taken in days" in note for note in table.reading.notes)


def test_durations_keep_their_nanoseconds_and_their_gaps(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    stay = arrow.array([1, None, 250], arrow.duration("ns"))
    whole = arrow.table({"stay": stay, "y": [0.5, 1.5, 2.25]})
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(whole, tmp_path / "t.parquet")
    table = load(str(tmp_path / "t.parquet"), options=Options(missing="drop"))
    assert table.x.ravel() * 86_400e9 == pytest.approx([1, 250], rel=1e-15)


def test_a_type_that_another_library_has_not_is_told(tmp_path, monkeypatch):
    """Polars' whole numbers of 128 bits are refused by Arrow: findings/polars-int128.sh."""
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")

    def refused(*_):
        raise NotImplementedError("Integers with more than 64 bits not implemented")

    monkeypatch.setattr(parquet, "read_table", refused)
    with pytest.raises(nf.NodeflowError, match=r"no type for one of the columns \(Integers.*cast"):
        load(str(tmp_path / "t.parquet"))

    class Table:
        def to_pandas(self):
            raise ValueError("Invalid or unsupported format string: '_pli128'")

    with pytest.raises(
        nf.NodeflowError, match=r"cannot take this Table \(Invalid.*'_pli128'\); cast"
    ):
        hold(Table(), "other")


def test_what_is_no_array_is_told_with_its_reason():
    with pytest.raises(
        nf.NodeflowError, match=r"x cannot be taken as an array .*inhomogeneous.*; give rows"
    ):
        hold({"x": [[1, 2], [3]], "y": [0, 1]})
