"""Tables that Python holds: a pandas DataFrame or NumPy arrays, under a name for graphs.

    source = nf.hold(frame, "houses")                # "memory:houses"
    graph = nf.Graph.of(..., nf.dataset(source), ...)

A graph keeps the name only. In another session it must be held again, or be saved as a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.options import Options, refuse_unheard
from nodeflow.data.table import Table
from nodeflow.errors import DataError

PREFIX = "memory:"

_held: dict[str, Any] = {}
_versions: dict[str, int] = {}
_count = count(1)
_PARTS = ("x", "y", "x_test", "y_test")


def hold(data: Any, name: str = "") -> str:
    """Keep a table in memory and return the source that a dataset knows it by.

    `data` is a DataFrame of pandas, Polars or Arrow, arrays (x, y) or (x, y, x_test, y_test), a
    mapping of those names to arrays, or one matrix (its last column is y). A name that is held
    already is replaced. Raises DataError for anything else.
    """
    if hasattr(data, "to_pandas"):  # of Polars and Arrow
        data = _pandas_of(data)
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        kept: Any = data.copy()
    elif isinstance(data, Mapping):
        kept = {str(key): _plain(value, str(key)) for key, value in data.items()}
    elif isinstance(data, tuple | list) and len(data) in (2, 4) and hasattr(data[0], "shape"):
        kept = {part: _plain(value, part) for part, value in zip(_PARTS, data, strict=False)}
    elif isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] > 1:
        whole = _plain(data, "the matrix")
        kept = {"x": whole[:, :-1], "y": whole[:, -1:]}
    else:
        kind = type(data).__name__
        raise DataError(
            f"a table in memory is a DataFrame, arrays (x, y), or a matrix whose last column is y, "
            f"not {kind}"
        )
    if isinstance(kept, dict) and not {"x", "y"} <= kept.keys():
        raise DataError("arrays in memory are called x and y, and x_test and y_test if there are")
    name = name or f"table{len(_held) + 1}"
    _held[name], _versions[name] = kept, next(_count)
    return PREFIX + name


def _pandas_of(table: Any) -> Any:
    """Return a table of Polars or Arrow as a DataFrame; raises DataError where there is no way."""
    try:
        return table.to_pandas()
    except Exception as error:  # a library that is missing, a type that the other has not, …
        why = " ".join(str(error).split()).rstrip(".")
        raise DataError(
            f"pandas cannot take this {type(table).__name__} ({why}); cast columns of other types "
            "to numbers or texts"
        ) from error


def _plain(values: Any, name: str) -> NDArray[Any]:
    """Return a copy as an array of numbers or of texts, as far as it holds them alone.

    What a mask hides would be taken for numbers, and is refused.
    """
    mask = getattr(values, "mask", None)  # np.ma itself is slow to import
    count = int(np.sum(mask)) if isinstance(mask, np.ndarray) else 0
    if count:
        are = "value is" if count == 1 else "values are"
        msg = f"{count} {are} masked in {name}; fill them in, or leave their rows out"
        raise DataError(msg)
    if hasattr(values, "toarray"):  # a sparse matrix
        values = values.toarray()
    try:
        array = np.array(values)
    except Exception as error:  # rows of several lengths, a tensor that keeps a gradient, …
        why = " ".join(str(error).split()).rstrip(".")
        raise DataError(
            f"{name} cannot be taken as an array ({why}); give rows of one length, such as a "
            "NumPy array"
        ) from error
    kinds = {type(value) for value in array.flat} if array.dtype.kind == "O" else set()
    if array.dtype.kind == "T" or (kinds and all(issubclass(kind, str) for kind in kinds)):
        return np.array(array.tolist(), np.str_)
    if kinds and all(issubclass(kind, int | float | np.number) for kind in kinds):
        return array.astype(np.float64)
    return array


def held(source: str, options: Options) -> Table:
    """Return the table of a source that `hold` gave; DataError if it is not held."""
    name = source.removeprefix(PREFIX)
    if name not in _held:
        raise DataError(
            f"'{source}' was a table in the memory of another session; hold it again with "
            f"nodeflow.hold(…, '{name}'), or save it as a file"
        )
    kept = _held[name]
    if isinstance(kept, dict):
        from nodeflow.data.arrays import table_of_arrays

        return table_of_arrays(kept, source, options, format="memory")
    from nodeflow.data.deciding import table_of
    from nodeflow.data.frames import frame_sheet

    in_text = ("header", "separator", "skip", "encoding")
    refuse_unheard(options, *in_text, what="a table in memory", file=source)
    return table_of(frame_sheet(kept, source), options)


def release(source: str) -> None:
    """Let go of a table."""
    name = source.removeprefix(PREFIX)
    _held.pop(name, None)
    _versions.pop(name, None)


def version(source: str) -> int:
    """Return a number that no other table ever had; 0 where none is held."""
    return _versions.get(source.removeprefix(PREFIX), 0)
