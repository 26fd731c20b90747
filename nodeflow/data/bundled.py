"""Sets with a name: iris from here, the others from scikit-learn's files without importing it."""

from __future__ import annotations

import csv
import gzip
import importlib.util
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from nodeflow.data.table import FloatArray, Table, frozen, one_hot
from nodeflow.errors import DataError

_MEASURES = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
    "concave points", "symmetry", "fractal dimension",
)  # fmt: skip
_FEATURES: dict[str, tuple[str, ...]] = {
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    "wine": (
        "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols",
        "flavanoids", "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue",
        "od280/od315_of_diluted_wines", "proline",
    ),
    "digits": tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
    "breast_cancer": (
        *(f"mean {measure}" for measure in _MEASURES),
        *(f"{measure} error" for measure in _MEASURES),
        *(f"worst {measure}" for measure in _MEASURES),
    ),
    "diabetes": ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
}  # fmt: skip
BUNDLED = tuple(_FEATURES)


@lru_cache(maxsize=len(BUNDLED))
def bundled(name: str) -> Table:
    """Return one of BUNDLED: one-hot classes, but numbers (rows, 1) for `diabetes`.

    `iris` (R. Fisher, "The use of multiple measurements in taxonomic problems", 1936) comes with
    nodeflow, the others with scikit-learn.

    The numbers are those of scikit-learn's `load_*`, to the bit. Raises DataError if
    scikit-learn is not installed, or if its files are not where they are expected.
    """
    if name == "iris":
        return _iris()
    folder = _folder(name)
    try:
        match name:
            case "digits":
                whole = _zipped(folder / "digits.csv.gz", ",")
                x, labels = whole[:, :-1], whole[:, -1].astype(int)
                classes = tuple(map(str, range(10)))
            case "diabetes":
                x = _standard(_zipped(folder / "diabetes_data_raw.csv.gz", None))
                y = _zipped(folder / "diabetes_target.csv.gz", None).reshape(-1, 1)
                return Table(frozen(x), frozen(y), _FEATURES[name], ())
            case _:
                file = "wine_data" if name == "wine" else name
                with (folder / f"{file}.csv").open(encoding="utf-8") as text:
                    rows = csv.reader(text)
                    classes = tuple(next(rows)[2:])
                    whole = np.array([[float(cell) for cell in row] for row in rows])
                x, labels = whole[:, :-1], whole[:, -1].astype(int)
    except (OSError, ValueError, StopIteration, IndexError) as error:
        msg = (
            f"the data set '{name}' cannot be read from scikit-learn's folder {folder}: "
            "install scikit-learn anew with pip install nodeflow[datasets]"
        )
        raise DataError(msg) from error
    y = one_hot(labels.tolist(), range(len(classes)))
    return Table(frozen(x), frozen(y), _FEATURES[name], classes)


def _iris() -> Table:
    text = (files("nodeflow.data") / "tables" / "iris.csv").read_text("utf-8")
    names, *rows = csv.reader(text.splitlines())
    classes = tuple(dict.fromkeys(row[-1] for row in rows))
    x = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    y = one_hot([row[-1] for row in rows], classes)
    return Table(frozen(x), frozen(y), tuple(names[:-1]), classes)


def _folder(name: str) -> Path:
    """Return where scikit-learn keeps its data, without importing it."""
    try:
        found = importlib.util.find_spec("sklearn")
    except ValueError:  # it is imported by hand, without a place of its own
        found = None
    if found is None or not found.submodule_search_locations:
        msg = (
            f"the data set '{name}' comes with scikit-learn, which is not installed; "
            "pip install nodeflow[datasets]"
        )
        raise DataError(msg)
    return Path(found.submodule_search_locations[0], "datasets", "data")


def _zipped(path: Path, delimiter: str | None) -> FloatArray:
    with gzip.open(path, mode="rt", encoding="utf-8") as text:
        return np.loadtxt(text, delimiter=delimiter)


def _standard(x: FloatArray) -> FloatArray:
    """Return each column with mean 0 and Σ x² = 1, as scikit-learn gives `diabetes`."""
    centred = x - x.mean(axis=0)
    centred /= x.std(axis=0)
    # scikit-learn's `scale` takes away what rounding has left of a mean, where that is much.
    if not np.allclose(rest := centred.mean(axis=0), 0):
        centred -= rest
    return np.asarray(centred / len(x) ** 0.5)
