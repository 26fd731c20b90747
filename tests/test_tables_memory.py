"""Tables that Python holds: told apart however often a name is used again, and whole."""

import numpy as np
import pytest

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
