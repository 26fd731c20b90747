"""Tables that Python holds: told apart however often a name is used again, and whole."""

import numpy as np
import pytest
from scipy import sparse

import nodeflow as nf
from nodeflow.data import load
from nodeflow.data.memory import hold, release


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


def test_what_is_no_array_is_told_with_its_reason():
    with pytest.raises(
        nf.NodeflowError, match=r"x cannot be taken as an array .*inhomogeneous.*; give rows"
    ):
        hold({"x": [[1, 2], [3]], "y": [0, 1]})
