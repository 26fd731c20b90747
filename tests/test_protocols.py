"""What can be indexed, looped over, compared or hashed keeps all that Python expects of that."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import sys
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.engine.snapshot import Names, Snapshot
from nodeflow.equality import ByContent, equal, identical
from nodeflow.errors import NodeflowError
from nodeflow.explain.attribution import shares
from nodeflow.graph import Node, Wire
from nodeflow.inert import Array, inert
from nodeflow.scene import scene
from nodeflow.workings.parts import Number, Terms


@cache
def classes():
    """Return the classes that the package defines; the window's are its own, and only draw."""
    found = {}
    for module in pkgutil.walk_packages(nf.__path__, "nodeflow."):
        if module.name.startswith(("nodeflow.window", "nodeflow.__main__")):
            continue
        if module.name == "nodeflow.export.widget" and find_spec("anywidget") is None:
            continue
        for held in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(held) and held.__module__.startswith("nodeflow."):
                found[f"{held.__module__}.{held.__qualname__}"] = held
    return found


def xor():
    return nf.sample("xor")


def ran():
    run = nf.Run(xor())
    run.train(epochs=3)
    return run


@cache
def names_in(module):
    """Return what a module's hints can name: what it defines, and imports for a type checker."""
    names = dict(vars(importlib.import_module(module)))
    for part in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(part.body, []), module, "exec"), names)
    return names


def hints_of(cls):
    """Return the types of a dataclass's fields, by name."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("nodeflow."):
            found |= inspect.get_annotations(base, globals=names_in(base.__module__), eval_str=True)
    return found


def holds_arrays(hint):
    return typing.get_origin(hint) is np.ndarray or any(map(holds_arrays, typing.get_args(hint)))


def test_classes_are_found():
    assert len(classes()) > 300
    assert "nodeflow.graph.graph.Graph" in classes()


def test_what_can_be_indexed_can_be_looped_over():
    # Otherwise Python tries 0, 1, 2, … as keys.
    indexed = {name: cls for name, cls in classes().items() if "__getitem__" in vars(cls)}
    assert "nodeflow.engine.run.Run" in indexed
    for name, cls in indexed.items():
        assert callable(getattr(cls, "__iter__", None)), name
        assert callable(getattr(cls, "__contains__", None)), name


def test_dataclasses_with_arrays_can_be_compared():
    # Otherwise NumPy answers == number by number, and Python raises.
    with_arrays = {
        name: cls
        for name, cls in classes().items()
        if dataclasses.is_dataclass(cls)
        and any(holds_arrays(hints_of(cls)[one.name]) for one in dataclasses.fields(cls)
                if one.compare)
    }  # fmt: skip
    assert "nodeflow.engine.step.Step" in with_arrays
    wrong = [name for name, cls in with_arrays.items() if cls.__dataclass_params__.eq]
    assert wrong == []


def swept(values=(0.1, 0.5)):
    return nf.sweep(xor(), {"train.rate": list(values)}, seeds=[0, 1], epochs=1)


def snapshot():
    run = ran()
    return Snapshot.of(run, Names.of(run))


MAPPINGS = {
    "catalog": lambda: CATALOG,
    "snapshot": lambda: snapshot().values,
    "rows of a sweep": lambda: swept().found,
    "nodes": lambda: xor().nodes,
    "settings": lambda: xor().settings("train"),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_mappings(name):
    mapping = MAPPINGS[name]()
    assert isinstance(mapping, Mapping)
    keys = list(mapping)
    assert len(mapping) == len(keys) == len(set(keys)) > 0
    assert list(mapping.keys()) == keys
    for (key, value), same in zip(mapping.items(), mapping.values(), strict=True):
        assert key in mapping
        assert equal(mapping[key], value)
        assert equal(mapping.get(key), same)
    nobody, other = "nobody", object()
    assert nobody not in mapping
    assert mapping.get(nobody) is None
    assert mapping.get(nobody, other) is other
    with pytest.raises((KeyError, NodeflowError)):
        mapping[nobody]
    assert equal(dict(mapping), {key: mapping[key] for key in keys})


def test_rows_of_a_sweep_are_found_by_any_whole_number():
    rows = swept([0.5]).found
    assert np.int64(1) in rows
    assert rows[np.int64(1)] == rows[1]
    assert 2 not in rows
    assert -1 not in rows
    assert 1.0 not in rows


SEQUENCES = {
    "history": lambda: ran().history,
    "no history": lambda: nf.Run(xor()).history,
    "terms": lambda: Terms(np.array([1.0, 2.0, 3.0]), lambda i: Number(float(i))),
    "sweep": swept,
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    sequence = SEQUENCES[name]()
    assert isinstance(sequence, Sequence)
    items = list(sequence)
    assert len(sequence) == len(items)
    assert bool(sequence) == bool(items)
    assert [sequence[place] for place in range(len(items))] == items
    assert [sequence[place - len(items)] for place in range(len(items))] == items
    assert list(reversed(sequence)) == items[::-1]
    assert list(sequence[1:]) == items[1:]
    assert list(sequence[::-2]) == items[::-2]
    for place, item in enumerate(items):
        assert item in sequence
        assert sequence.index(item) == items.index(item) <= place
        assert sequence.count(item) == items.count(item)
    assert object() not in sequence
    for outside in (len(items), -len(items) - 1):
        with pytest.raises(IndexError):
            sequence[outside]


def test_a_run_says_which_addresses_it_has():
    run = nf.Run(xor())
    at_first = set(run)
    assert "theta1.value" in run
    assert at_first == set(run.values)
    assert "cost.cost" not in run
    run.evaluate()
    assert "cost.cost" in run
    assert at_first < set(run) == set(run.values)
    assert list(run) == sorted(run)
    for address in run:
        assert run[address] is not None
    for nothing in ("nobody.value", "cost.value", "cost", "", 0, None):
        assert nothing not in run
    assert not run.has_value("nobody.value")
    assert not run.has_value("cost.value")


def copied(value):
    return pickle.loads(pickle.dumps(value))


PAIRS = {
    "zeros": lambda: (Array([0.0] * 2000), Array([-0.0] * 2000)),
    "arrays": lambda: (inert(np.arange(2000.0)), inert(list(np.arange(2000.0)))),
    "nodes": lambda: (Node("tanh"), Node("tanh", {}, "active", {})),
    "wires": lambda: (Wire.parse("a.b -> c.d[0]"), Wire("a", "b", "c", "d", 0)),
    "graphs": lambda: (xor(), xor()),
    "copied graphs": lambda: (xor(), copied(xor())),
    "all nodes": lambda: (xor().nodes, copied(xor().nodes)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_equal_values_have_one_hash(name):
    one, other = PAIRS[name]()
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_what_holds_nan_equals_itself():
    array = Array([np.nan] * 2000)
    assert array == array


def stepped():
    run = nf.Run(xor())
    return [run.step() for _ in range(5)]


def test_steps_are_equal_if_all_they_say_is():
    one, other = stepped(), stepped()
    assert one == other
    assert one[0] != one[1]
    assert one[2] != dataclasses.replace(one[2], outputs={"z": np.array([[1e9]])})
    with pytest.raises(TypeError):
        hash(one[0])


def test_accounts_and_scenes_with_values_are_compared_by_content():
    def account():
        run = nf.Run(xor())
        run.evaluate()
        return shares(run, run.graph.layers[-1])

    assert account() == account()
    values = {"theta1.value": np.array([[1.0, 2.0], [3.0, 4.0]])}
    same = {"theta1.value": np.array([[1.0, 2.0], [3.0, 4.0]])}
    other = {"theta1.value": np.array([[1.0, 2.0], [3.0, 5.0]])}
    assert scene(xor(), values) == scene(xor(), same)
    assert scene(xor(), values) != scene(xor(), other)


@dataclasses.dataclass(eq=False)
class Held(ByContent):
    values: object
    aside: int = dataclasses.field(default=0, compare=False)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), False),
        (np.array([1.0, 1.0]), np.array([1.0]), False),
        (np.array([1.0]), 1.0, False),
        (np.array(["a"]), np.array(["a"]), True),
        ({"a": np.zeros(2)}, {"a": np.zeros(2)}, True),
        ({"a": np.zeros(2)}, {"b": np.zeros(2)}, False),
        ([np.zeros(2), 1], [np.zeros(2), 1], True),
        ([np.zeros(2)], [np.zeros(2), 1], False),
        ((1, 2), [1, 2], False),
        ("a", "a", True),
        (1, 2, False),
    ],
)
def test_equality_by_content(one, other, same):
    assert (Held(one) == Held(other, aside=1)) is same
    assert (Held(one) != Held(other)) is (not same)
    assert Held(one) != "something else"


def test_identity_of_sequences():
    array, held = np.zeros(2), (1.5, "a")
    same, longer = (1.5, "".join("a")), (*held, None)
    assert identical((array, held), [array, held])
    assert not identical((array,), (array.copy(),))
    assert not identical(held, longer)
    assert not identical(longer, held)
    assert not identical((held, array), (same, array))
    assert identical((held, array), (same, array), tuple)
    assert not identical((held, array), (same, array.copy()), tuple)
