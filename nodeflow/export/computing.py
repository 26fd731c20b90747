"""What a page needs to compute: the tape as data, the kernel as WebAssembly, starts and data.

Nothing of the arithmetic is written here or in the page: the rows, their order and the operands
are those of Python's tape, and what executes them is translated from the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import Setting
from nodeflow.engine.cells import END_ROW, Product, Tape, operation_of
from nodeflow.engine.kernel import webassembly
from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.kernel.machine_code import Unavailable
from nodeflow.engine.kernel.registry import BY_NUMBER, END, OPERATIONS
from nodeflow.engine.kernel.scalar import SCALARS
from nodeflow.engine.machine import Machine
from nodeflow.engine.plan import plan as plan_of
from nodeflow.engine.reading import stands
from nodeflow.engine.run import Run
from nodeflow.engine.start import rows_of, start_value
from nodeflow.engine.tape import lay_out
from nodeflow.errors import ExportError, NodeflowError
from nodeflow.export import ziggurat
from nodeflow.graph import Graph, drawn_as
from nodeflow.nodes.source import parameter_shape, uniform_range

_RECORDED = "--recorded (in Python recorded=True) makes a page that plays a recording of it"
_SEEDS_END = 2**53
_MOST_STRAIGHT_ROWS = 200
_MOST_STRAIGHT_CELLS = 20_000
"""Straight-line code for larger updates saves little."""
_MOST_CELLS = 4_000_000
"""The most cells of the tape for any batch; a larger one is left out."""
_SEEDS = 16
"""For how many seeds the start is sent along where a page cannot work it out."""


def check(run: Run) -> None:
    """Raise `ExportError` with a node that a page cannot compute, or a seed that it cannot hold."""
    if run.machine.seed >= _SEEDS_END:
        raise ExportError(
            f"the seed {run.machine.seed} is larger than the whole numbers of a browser, which end "
            f"at 2⁵³: choose a smaller one, or {_RECORDED}"
        )
    for call in run.machine.tape.calls:
        if isinstance(call, Product):
            key = _node_of(run.machine.tape, call)
            raise ExportError(
                f"'{key}' is a product of matrices so large that Python leaves it to BLAS, whose "
                f"last bits a page cannot have: choose a smaller batch, or {_RECORDED}"
            )
        raise ExportError(
            f"'{call.node}' ({call.type.name}) is computed by a function of Python, which a page "
            f"does not have: {_RECORDED}"
        )


def _node_of(tape: Tape, call: Product) -> str:
    row = [OPERATIONS["python"].number, tape.calls.index(call)]
    place = next(place for place, each in enumerate(tape.rows) if each[:2] == row)
    return next(key for key, (begin, end) in tape.spans.items() if begin <= place < end)


def engine(
    run: Run, *, choices: bool = False, functions: Iterable[str] = ()
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return what a page's engine is made from: forms of the tape as plain data, bytes by name.

    With `choices` a person may choose how parameters start; `functions` are those that the page's
    formulas and conditions call by name.

    The first form is the run's own; where its batch is not all rows, a second one has room for all
    of them, and so takes any batch.
    """
    check(run)
    runs = [run]
    if run.batch < run.schedule.rows and not run.plan.loop:
        wide = Run(
            run.graph, seed=run.machine.seed, batch="all", dtype=run.machine.dtype, share_with=run
        )
        if not wide.machine.tape.calls and wide.machine.tape.size <= _MOST_CELLS:
            runs.append(wide)
    used = sorted({row[0] for each in runs for row in _all_rows(each.machine)} - {END})
    real = "double" if run.machine.dtype == np.float64 else "float"
    try:
        called = {name: SCALARS[operation_of(name).name] for name in set(functions)}
        kernel = webassembly.kernel(real, used, called)
        straight = _straight(run.machine, real)
    except Unavailable as error:
        raise ExportError(f"a page that computes cannot be made: {error}; {_RECORDED}") from error
    places = {number: place + 1 for place, number in enumerate(used)} | {END: 0}
    common = {
        "real": real,
        "context": CONTEXT,
        "functions": [webassembly.row_name(number) for number in used],
        "low": max(webassembly.data_end(kernel), 16),
        "straightFrom": _straight_from(run.machine),
    }
    forms = [{**common, **_form(each, places)} for each in runs]
    if run.minimizer is not None:
        forms[0]["minimize"] = _iterations(run)
    blobs = {"kernel": kernel, **_feed_bytes(run)}
    if straight is not None:
        blobs["straight"] = straight
    if choices:
        for form, each in zip(forms, runs, strict=True):
            form["choices"] = _choices(each)
    drawn = [*forms[0]["starts"].values()]
    drawn += [how for each in forms[0].get("choices", {}).values() for how in each.values()]
    if any(how.get("init") == "normal" for how in drawn):
        widths, bounds, heights = ziggurat.tables()
        blobs["ziggurat"] = np.concatenate([widths, bounds, heights]).tobytes()
    return forms, blobs


def _evaluation(machine: Machine) -> Tape | None:
    """Return the tape that evaluates test rows, where a page can run it."""
    evaluation = machine.evaluated_beside
    return None if evaluation is None or evaluation.calls else evaluation


def _fast(machine: Machine) -> list[list[int]]:
    found = machine.fast.table if _evaluation(machine) is None else machine.rows_of_training
    return [_trimmed(row) for row in found.tolist()]


def _all_rows(machine: Machine) -> list[list[int]]:
    return [*machine.tape.ops.tolist(), *_fast(machine)]


def _form(run: Run, places: Mapping[int, int]) -> dict[str, Any]:
    machine, tape = run.machine, run.machine.tape
    plan, shapes, evaluation = machine.plan, machine.plan.inference.shapes, _evaluation(run.machine)
    return {
        "ops": _placed((_trimmed(row) for row in tape.ops.tolist()), places),
        "head": tape.head,
        "spans": [tape.spans[key] for key in plan.order],
        "fast": _placed(_fast(machine), places),
        "tail": machine.fast.tail,
        "loads": machine.fast.loads,
        "test": len(machine.fast.table),
        "testMost": evaluation.capacity if evaluation is not None else 1,
        "testRows": machine.test_rows if evaluation is not None else 0,
        "size": evaluation.size if evaluation is not None else tape.size,
        "state": tape.state,
        "literals": [*(_literals(evaluation) if evaluation is not None else ()), *_literals(tape)],
        "slots": {
            address: [slot.offset, slot.rows, slot.cols, slot.stride,
                      int(shapes[address].batch or len(shapes[address].dims) == 2)]
            for address, slot in tape.slots.items() if address in shapes
        },
        "rows": machine.rows,
        "apart": machine.test_rows,
        "batch": machine.batch,
        "loop": plan.loop,
        "shuffles": any(plan.graph.settings(key)["shuffle"] for key in machine.splits),
        "order": plan.order,
        "phases": [plan.phases[key] for key in plan.order],
        "headNodes": plan.head,
        "lies": _lying(run),
        "constant": [key for key in plan.order if stands(plan, key)],
        "own": [key for key in sorted(plan.order)
                if key in run.graph.nodes and run.graph.nodes[key].is_parameter],
        "parameters": {
            key: shapes[f"{key}.value"].dims
            for key in plan.order if plan.graph.nodes[key].is_parameter
        },
        "gradients": dict(plan.unfolding.gradients),
        "numbers": {key: float(value) for key, value in plan.unfolding.numbers.items()},
        "cost": plan.unfolding.cost,
        "hasCost": plan.unfolding.cost in tape.slots,
        "trains": run.trains,
        "needed": sorted(plan.needed & set(plan.order)),
        "seed": machine.seed,
        "starts": _starts(run),
        "problems": {key: str(why) for key, why in plan.inference.problems.items()},
        "settings": settings(run),
        **_fed(run),
    }  # fmt: skip


def _lying(run: Run) -> dict[str, list[str]]:
    """Return the nodes whose values no row computes, and whose values they lie in."""
    graph, spans = run.plan.graph, run.machine.tape.spans
    return {
        key: sorted({wire.source for wire in graph.into(key) if not run.reader.stands(wire.source)})
        for key in run.plan.order
        if spans[key][0] == spans[key][1] and not run.reader.stands(key)
    }


def _iterations(run: Run) -> dict[str, Any]:
    """Return the weights after each iteration that SciPy makes in the graph's epochs."""
    epochs = max(1, run.graph.training.epochs)
    again = Run(
        run.graph, seed=run.machine.seed, batch=run.batch, dtype=run.machine.dtype, share_with=run
    )
    search = again.minimizer
    if search is None:
        return {"addresses": [], "iterates": [], "ended": True}
    again.train(epochs)
    found = search.searches[0]
    kept = found.iterates[: epochs + 1]
    return {
        "addresses": search.addresses,
        "iterates": [theta.tolist() for theta in kept],
        "ended": bool(found.done > len(found.iterates) and len(kept) == len(found.iterates)),
    }


def _trimmed(row: list[int]) -> list[int]:
    return row[: 1 + len(BY_NUMBER[row[0]].operands)]


def _placed(rows: Iterable[list[int]], places: Mapping[int, int]) -> list[list[int]]:
    return [[places[row[0]], *row[1:]] for row in rows]


def _literals(tape: Tape) -> list[list[Any]]:
    found: list[list[Any]] = [[at, [number]] for at, number in tape.literals.items()]
    return [*found, *([at, array.ravel().tolist()] for at, array in tape.arrays.items())]


def _straight(machine: Machine, real: str) -> bytes | None:
    """Return straight-line code for the training, where it is small enough to pay."""
    fast, begin = machine.fast, _straight_from(machine)
    rows = [_trimmed(row) for row in fast.table.tolist()]
    samples = machine.schedule.pass_size
    uneven = samples > 1 and machine.rows % samples
    if len(rows) > _MOST_STRAIGHT_ROWS or machine.tape.size > _MOST_STRAIGHT_CELLS or uneven:
        return None
    parts = {"head": rows[begin : fast.tail], "tail": rows[fast.tail :]}
    return webassembly.straight(
        real,
        {part: [row for row in its if row[0] != END_ROW[0]] for part, its in parts.items()},
        (samples, None if samples < machine.batch else samples),
    )


def _straight_from(machine: Machine) -> int:
    """Return the first row of what is repeated: data that stays the same is loaded once."""
    alone = machine.schedule.pass_size < machine.batch
    loaded = machine.per_epoch == 1 and not machine.shuffled and not alone
    return machine.fast.loads if loaded else 0


# --- settings that can be changed in the page -----------------------------------------------------

_RELATIONS = ((1.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (-1.0, 1.0), (0.5, 0.0), (2.0, 0.0))
"""How a cell may follow from a setting: factor · setting + offset, with one rounding each."""
_PROBES = (0.8183094, 0.3719215)
"""Settings that no graph has, to see which cells follow from them."""


def settings(run: Run) -> dict[str, Any]:
    """Return which numbers of the graph can be changed, and which cells follow from each.

    What a setting changes is seen from tapes that are laid out with other numbers: where nothing
    differs but single cells, a page can write those.
    """
    found: dict[str, Any] = {}
    graph = run.graph
    for key in run.plan.graph.nodes:
        type_ = run.plan.graph.nodes[key].known
        address = f"{key}.value"
        if type_ is None or type_.family != "source" or address not in run.machine.tape.slots:
            continue
        slot = run.machine.tape.slots[address]
        if slot.rows == 1 and slot.cols == 1 and type_.typed:
            value = float(machine_cell(run, slot.offset))
            own = key in graph.nodes
            given = graph.settings(key) if own else {}
            found[address] = _setting([[slot.offset, 1.0, 0.0]], value,
                                      given.get("min"), given.get("max"), shown=own)  # fmt: skip
    for key, setting in _candidates(graph):
        cells = _follows(run, key, setting.name)
        if cells:
            span = setting.range
            least, most = (span.low, span.high) if span is not None else (None, None)
            found[f"{key}.{setting.name}"] = _setting(
                cells, float(graph.settings(key)[setting.name]), least, most, shown=True
            )
    return found


_MOST_PROBED = 16
_FAMILIES = ("trainer", "cost", "activation", "arithmetic")
"""Whose numbers are tried, in this order: each takes two tapes to see what follows from it."""


def _candidates(graph: Graph) -> list[tuple[str, Setting]]:
    """Return the settings that might be changed in a page: numbers of active nodes."""
    found = [
        (_FAMILIES.index(node.known.family), key, setting)
        for key, node in graph.nodes.items()
        if node.known is not None and node.known.family in _FAMILIES and node.mode == "active"
        for setting in node.known.settings
        if setting.kind == "number" and setting.default is not None
    ]
    found.sort(key=lambda each: each[:2])
    return [(key, setting) for _, key, setting in found[:_MOST_PROBED]]


def machine_cell(run: Run, offset: int) -> float:
    """Return the number that a cell begins with."""
    tape = run.machine.tape
    if offset in tape.arrays:
        return float(tape.arrays[offset].ravel()[0])
    return tape.literals[offset]


def _setting(
    cells: list[list[float]], value: float, least: Any, most: Any, *, shown: bool
) -> dict[str, Any]:
    return {"cells": cells, "value": value, "least": least, "most": most, "shown": shown}


def _follows(run: Run, key: str, name: str) -> list[list[float]]:
    """Return the cells that follow from a setting, and how; none where more than cells would."""
    own = float(run.graph.settings(key)[name])
    try:
        tapes = [_tape_with(run, key, name, value) for value in _PROBES]
    except NodeflowError:
        return []
    rows = run.machine.tape.rows
    if any(tape.rows != rows for tape in tapes):
        return []
    before, *others = (_numbers_of(tape) for tape in (run.machine.tape, *tapes))
    found: list[list[float]] = []
    for at, numbers in before.items():
        seen = [(own, numbers), *zip(_PROBES, (other[at] for other in others), strict=True)]
        if all(np.array_equal(numbers, values) for _, values in seen):
            continue
        how = next(
            (
                (factor, offset)
                for factor, offset in _RELATIONS
                if all(len(v) == 1 and v[0] == factor * x + offset for x, v in seen)
            ),
            None,
        )
        if how is None:
            return []
        found.append([at, *how])
    return found


def _tape_with(run: Run, key: str, name: str, value: float) -> Tape:
    changed = plan_of(run.graph.set(key, **{name: value}), strict=False)
    machine = run.machine
    return lay_out(changed, capacity=machine.schedule.pass_size, feed=machine.feed_layout)


def _numbers_of(tape: Tape) -> dict[int, NDArray[np.float64]]:
    single = {at: np.array([number]) for at, number in tape.literals.items()}
    return single | {at: array.ravel() for at, array in tape.arrays.items()}


# --- starts and data ----------------------------------------------------------------------------


def _starts(run: Run) -> dict[str, Any]:
    """Return how each parameter starts: with numbers, or drawn from the seed and its name."""
    graph, found = run.plan.graph, {}
    for key in run.plan.order:
        if not graph.nodes[key].is_parameter:
            continue
        settings, part = graph.settings(key), graph.nodes[key].extra.get("part")
        value = run.machine.start[_span(run, key)].tolist()
        init = settings["init"]
        if settings["value"] is not None or init == "zeros":
            found[key] = {"value": value}
        elif init == "naive_bayes":
            found[key] = {"seeds": _by_seed(run, key)}
        elif part is not None:
            found[key] = _of_part(settings, part)
        elif rows := rows_of(graph, key):
            found[key] = {"rows": [_of_part(settings, row) for row in rows], "init": init}
        else:
            shape = parameter_shape(settings)
            found[key] = {
                "name": crc32(drawn_as(graph.nodes[key], key).encode()), "init": init,
                "shape": shape, "range": uniform_range(settings),
            }  # fmt: skip
    return found


def _of_part(settings: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a row, or a number, of a parameter that was drawn whole starts."""
    shape = parameter_shape({**settings, "value": None, "shape": part["shape"]})
    return {
        "name": crc32(str(part["of"]).encode()), "init": settings["init"], "shape": shape,
        "range": uniform_range(settings), "row": part["row"], "column": part.get("column"),
    }  # fmt: skip


_INITS = ("zeros", "uniform", "normal", "glorot")
"""How a parameter may be told to start in a page."""


def _choices(run: Run) -> dict[str, Any]:
    """Return, by address, in which ways a parameter without numbers of its own can start."""
    graph, starts, found = run.plan.graph, _starts(run), {}
    for key in run.plan.order:
        if not graph.nodes[key].is_parameter or key not in run.graph.nodes:
            continue
        settings = graph.settings(key)
        if settings["value"] is not None or graph.nodes[key].extra.get("part") is not None:
            continue
        shape = parameter_shape(settings)
        drawn: dict[str, Any] = {
            init: {
                "name": crc32(drawn_as(graph.nodes[key], key).encode()),
                "init": init,
                "shape": shape,
                "range": uniform_range(settings),
            }
            for init in _INITS
        }
        drawn["zeros"] = {"value": [0.0] * int(np.prod(shape))}
        found[f"{key}.init"] = {**drawn, settings["init"]: starts[key]}
    return found


def _span(run: Run, key: str) -> slice:
    slot = run.machine.tape.slots[f"{key}.value"]
    return slice(slot.offset, slot.offset + slot.size)


def _by_seed(run: Run, key: str) -> dict[str, Any]:
    """Return a start that is computed from the data, for the first seeds and the graph's own."""
    from nodeflow.data import split_by

    graph, found = run.plan.graph, {}
    for seed in {*range(_SEEDS), run.machine.seed}:
        splits = {
            name: split_by(graph.settings(name), run.plan.inference.tables[name], seed)
            for name in run.machine.splits
        }
        found[str(seed)] = start_value(graph, key, seed, splits).ravel().tolist()
    return found


def _fed(run: Run) -> dict[str, Any]:
    """Return how the feed is laid out, and what it is filled from."""
    machine, graph = run.machine, run.plan.graph
    columns = []
    for address, (column, count) in machine.feed_layout.columns.items():
        key, _, port = address.rpartition(".")
        made: dict[str, Any] = {"address": address, "column": column, "count": count}
        if key in machine.splits:
            settings, table = graph.settings(key), run.plan.inference.tables[key]
            permuted = table.x_test is None and settings["test"] > 0
            how = settings["scale"] if port == "x" else settings["scale_target"]
            if port == "y" and table.classes:
                how = "none"
            array = table.x if port == "x" else table.y
            made |= {
                "permuted": permuted,
                "table": f"{key}.{port}",
                "single": bool(array.dtype == np.float32),
                "minmax": how == "minmax",
                "standard": _standard(run, key, port) if how == "standard" else None,
            }
        columns.append(made)
    return {"width": machine.feed_layout.width, "columns": columns}


def _standard(run: Run, key: str, port: str) -> dict[str, Any]:
    """Return mean and deviation of the training rows, for the first seeds and the graph's own."""
    table, settings = run.plan.inference.tables[key], run.plan.graph.settings(key)
    found = {}
    permuted = table.x_test is None and settings["test"] > 0
    for seed in sorted({*(range(_SEEDS) if permuted else ()), run.machine.seed}):
        array = _training_rows(table, settings, port, seed)
        offset = array.mean(axis=0, dtype=np.float64).astype(array.dtype)
        size = array.std(axis=0, dtype=np.float64).astype(array.dtype)
        found[str(seed)] = [offset.tolist(), size.tolist()]
    return {"same": not permuted, "seeds": found}


def _training_rows(table: Any, settings: Mapping[str, Any], port: str, seed: int) -> NDArray[Any]:
    from nodeflow.data.splitting import split

    found = split(table, test=settings["test"], seed=seed)
    array: NDArray[Any] = found.x if port == "x" else found.y
    return array


def _feed_bytes(run: Run) -> dict[str, bytes]:
    """Return the tables that the feed is filled from, in the numbers that they have."""
    machine, found = run.machine, {}
    for address in machine.feed_layout.columns:
        key, _, port = address.rpartition(".")
        if key in machine.splits:
            table = run.plan.inference.tables[key]
            parts = [table.x if port == "x" else table.y]
            apart = table.x_test if port == "x" else table.y_test
            if apart is not None:
                parts.append(apart)
            found[f"table {address}"] = np.concatenate(parts).tobytes()
        else:
            begin, count = machine.feed_layout.columns[address]
            feed = machine.feed.reshape(-1, machine.feed_layout.width)[:, begin : begin + count]
            found[f"table {address}"] = np.ascontiguousarray(feed, np.float64).tobytes()
    return found
