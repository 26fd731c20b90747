"""Tables that Python holds are told apart, however often a name is used again."""

import numpy as np

from nodeflow.data import load
from nodeflow.data.memory import hold, release


def test_a_name_that_is_held_again_never_gives_the_table_before():
    for number in range(50):
        source = hold((np.full((3, 1), float(number)), np.full((3, 1), 0.5)), "again")
        assert (load(source).x == number).all()
        release(source)
