"""Values that nobody can change: what a graph is made of, so that it can be shared and cached.

In the settings of nodes lists become tuples, large arrays `Array`, mappings `Inert` (a dict that
refuses to be changed). What a file keeps besides (groups, unknown keys) stays as it was, in dicts
and lists that refuse to be changed. Every edit makes a new graph out of the parts that stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from nodeflow.errors import ReadOnly

LARGE = 1024
"""Numbers above which an array is kept as `Array` and saved beside the graph file."""


def _refuse(what: str, how: str) -> NoReturn:
    raise ReadOnly(f"{what} cannot be changed in place, since a graph is an inert value: {how}")


class Inert(dict[str, Any]):
    """A dict that cannot be changed; equal to a dict of the same content, pickled and copied.

    The values are not looked at: `inert` and `sealed` make it of values that are inert as well.
    """

    __slots__ = ()
    what = "what a graph holds"
    how = "graph.set(…), or dataclasses.replace(graph, …), returns a new graph"

    def _refused(self, *_: Any, **__: Any) -> NoReturn:
        _refuse(self.what, self.how)

    __setitem__ = __delitem__ = __ior__ = _refused
    update = setdefault = pop = popitem = clear = _refused

    def __reduce__(self) -> tuple[type[Inert], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        return repr(dict(self))


class InertList(list[Any]):
    """A list that cannot be changed; equal to a list of the same content, pickled and copied."""

    __slots__ = ()

    def _refused(self, *_: Any, **__: Any) -> NoReturn:
        _refuse(Inert.what, Inert.how)

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refused
    append = extend = insert = remove = pop = clear = sort = reverse = _refused

    def __reduce__(self) -> tuple[type[InertList], tuple[list[Any]]]:
        return InertList, (list(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


class Nodes(Inert):
    """The nodes of a graph, by id."""

    __slots__ = ()
    what = "the nodes of a graph"
    how = "graph.add(…), graph.remove(…) or graph.rename(…) returns a new graph"


class Settings(Inert):
    """The settings of a node, by name."""

    __slots__ = ()
    what = "the settings of a node"
    how = "graph.set(node, setting=value) returns a new graph"


class Layout(Inert):
    """Where nodes stand on the canvas, by id."""

    __slots__ = ()
    what = "the layout of a graph"
    how = "graph.move(node=(x, y)) returns a new graph"


NOTHING = Inert()
NO_SETTINGS = Settings()


class Array:
    """A large array as a setting's value: read-only, compared by content."""

    __slots__ = ("values",)
    values: NDArray[np.float64]

    def __init__(self, values: Any) -> None:
        array = np.array(values, dtype=np.float64)
        array.setflags(write=False)
        # A view of what is read-only cannot be made writable again; its owner could.
        object.__setattr__(self, "values", array.view())

    def __setattr__(self, name: str, value: Any) -> None:
        _refuse("an array of a graph", Settings.how)

    def __delattr__(self, name: str) -> None:
        _refuse("an array of a graph", Settings.how)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Array) and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        # −0 is equal to 0 and has other bytes.
        return hash((self.values.shape, (self.values + 0.0).tobytes()))

    def __reduce__(self) -> tuple[type[Array], tuple[NDArray[np.float64]]]:
        return Array, (self.values,)

    def __repr__(self) -> str:
        return f"Array({'×'.join(map(str, self.values.shape))})"


_T = TypeVar("_T")


def read_only(how: str) -> Callable[[type[_T]], type[_T]]:
    """Make a frozen dataclass say how it is edited when someone assigns to a field of it."""

    def refusing(cls: type[_T]) -> type[_T]:
        def refused(self: Any, name: str, *_: Any) -> NoReturn:
            _refuse(f"{type(self).__name__}.{name}", how)

        cls.__setattr__ = refused  # type: ignore[method-assign]
        cls.__delattr__ = refused  # type: ignore[method-assign]
        return cls

    return refusing


def inert(value: Any) -> Any:
    """Return a setting's value as nodes keep it.

    Lists become tuples, arrays tuples of floats, both an `Array` if they hold more than `LARGE`
    numbers; mappings become `Inert`.
    """
    kind = type(value)
    if kind is float or kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, np.ndarray):
        return Array(value) if value.size > LARGE else inert(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        if len(value) > LARGE or (value and isinstance(value[0], list | tuple)):
            whole = _whole_array(value)
            if whole is not None:
                return whole
        return tuple([inert(part) for part in value])
    if isinstance(value, Mapping):
        return Inert({str(key): inert(part) for key, part in value.items()})
    return value


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Return a node's settings as it keeps them."""
    if type(given) is Settings:
        return given
    return (
        Settings({str(key): inert(part) for key, part in given.items()}) if given else NO_SETTINGS
    )


_DEEP = 100


def sealed(value: Any, depth: int = 0) -> Any:
    """Return plain data, such as JSON holds, that is equal to it and cannot be changed.

    What is nested deeper than files may be is left as it is: saving says so.
    """
    kind = type(value)
    if kind is str or kind is float or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, Inert | InertList) or depth > _DEEP:
        return value
    if isinstance(value, Mapping):
        return Inert({str(key): sealed(part, depth + 1) for key, part in value.items()})
    if isinstance(value, list):
        return InertList([sealed(part, depth + 1) for part in value])
    if isinstance(value, tuple):
        return tuple([sealed(part, depth + 1) for part in value])
    if isinstance(value, np.ndarray | np.generic):
        return sealed(value.tolist(), depth)
    return value


def is_number(value: Any) -> bool:
    """Return whether it is a whole number or a float; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole_array(value: Any) -> Array | None:
    """Return a long list of numbers as an `Array`; None if it is short or something else."""
    rows = value if isinstance(value[0], list | tuple) else (value,)
    if not all(isinstance(row, list | tuple) for row in rows):
        return None
    if len({len(row) for row in rows}) != 1 or len(rows) * len(rows[0]) <= LARGE:
        return None
    if not all(is_number(number) for row in rows for number in row):
        return None
    return Array(value)


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of `numbers` of an array setting's value, which has been checked."""
    if isinstance(value, tuple | list) and value:
        first = value[0]
        return (len(value), len(first)) if isinstance(first, tuple | list) else (len(value),)
    return numbers(value).shape


def numbers(value: Any) -> NDArray[np.float64]:
    """Return an array setting's value as an array (a single number has shape (1,))."""
    array = value.values if isinstance(value, Array) else np.array(value, dtype=np.float64)
    return np.atleast_1d(array)
