"""Sets that come with scikit-learn, if it is installed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nodeflow.data.table import Table, frozen, one_hot
from nodeflow.errors import DataError

BUNDLED = ("iris", "wine", "digits", "breast_cancer", "diabetes")


@lru_cache(maxsize=len(BUNDLED))
def bundled(name: str) -> Table:
    """Return one of BUNDLED: one-hot classes, but numbers (rows, 1) for `diabetes`.

    Raises DataError if scikit-learn is not installed.
    """
    try:
        from sklearn import datasets  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        msg = (
            f"the data set '{name}' comes with scikit-learn, which is not installed; "
            "pip install nodeflow[datasets]"
        )
        raise DataError(msg) from None
    bunch = getattr(datasets, f"load_{name}")()
    x = np.asarray(bunch.data, dtype=np.float64)
    features = tuple(map(str, bunch.feature_names))
    if name == "diabetes":
        y, classes = np.asarray(bunch.target, dtype=np.float64).reshape(-1, 1), ()
        return Table(frozen(x), frozen(y), features, classes)
    names = tuple(map(str, bunch.target_names))
    y = np.asarray(one_hot(bunch.target.tolist(), range(len(names))))
    return Table(frozen(x), frozen(y), features, names)
