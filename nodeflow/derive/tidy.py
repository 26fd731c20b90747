"""Where nodes stand: forward from left to right, the backward pass below from right to left.

Nodes are put into columns by how far they are from a source, ordered within a column by the
nodes that they are wired to (the barycentre method of Sugiyama, Tagawa and Toda, 1981), and
moved as near to these as the order and their sizes allow (pooled adjacent violators). A column
that is much higher than the whole is wide, such as the neurons of a large layer, is broken into
rows of several nodes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nodeflow.boxes import GRID, WIDE, WIDTH, Box, box
from nodeflow.derive.layers import bundles
from nodeflow.derive.phases import FORWARD, phases
from nodeflow.graph import Graph, Wire

PITCH = 240
"""From column to column; GAP between the nodes of one, BELOW between forward and backward."""
GAP, BELOW = 30, 100
_SWEEPS = 3
_ASPECT = 1.5
"""Width of a screen, relative to its height."""
_HIGH, _GAIN = 1400, 1.15
"""Columns up to this height stay whole; higher ones are broken where the whole can then be shown
larger by the factor `_GAIN`."""
_TRUNK = 80
"""More room between columns where many wires run together from one to the other."""
_FAINT = 0.05
"""How much a wire from a source pulls, compared with any other."""

Places = dict[str, tuple[int, int]]


def tidy(graph: Graph) -> Graph:
    """Return the graph with every node placed anew."""
    order = graph.order
    later = backward_nodes(graph, order)
    forward = [key for key in order if key not in later]
    boxes = {key: box(graph, key) for key in order}
    columns = _forward_columns(graph, forward)
    rows = _rows(graph, boxes, columns, _longest_first(graph, forward))
    x, at = 0, {}
    trunks = {
        columns[wire.source]
        for wires in bundles(graph)
        for wire in wires
        if wire.source in columns and columns.get(wire.target) == columns[wire.source] + 1
    }
    for number in sorted(set(columns.values())):
        at[number] = x
        x += rows.pitch[number] * rows.across[number] + _TRUNK * (number in trunks)
    places = {
        key: (at[number] + rows.pitch[number] * rows.places[key], rows.tops[key])
        for key, number in columns.items()
    }
    if later:
        backward = [key for key in order if key in later]
        places |= _below(graph, boxes, backward, places)
    left = min((x for x, _ in places.values()), default=0)
    top = min((y for _, y in places.values()), default=0)
    return replace(graph, layout={key: (x - left, y - top) for key, (x, y) in places.items()})


def under(graph: Graph, made: Iterable[str]) -> Places:
    """Return places for the nodes of a backward pass below all that has a place already."""
    wanted = set(made)
    order = [key for key in graph.order if key in wanted]
    there = {key: at for key, at in graph.layout.items() if key not in wanted}
    boxes = {key: box(graph, key) for key in (*order, *there) if key in graph.nodes}
    return _below(graph, boxes, order, {key: at for key, at in there.items() if key in boxes})


def overlaps(graph: Graph) -> list[tuple[str, str]]:
    """Return the pairs of placed nodes that cover each other."""
    found = []
    spans = sorted(
        (x, y, x + (size := box(graph, key)).width, y + size.height, key)
        for key, (x, y) in graph.layout.items()
        if key in graph.nodes
    )
    open_: list[tuple[int, int, int, int, str]] = []
    for span in spans:
        open_ = [other for other in open_ if other[2] > span[0]]
        found += [(o[4], span[4]) for o in open_ if o[1] < span[3] and span[1] < o[3]]
        open_.append(span)
    return found


def backward_nodes(graph: Graph, order: Sequence[str] | None = None) -> frozenset[str]:
    """Return the nodes that belong to a wired backward pass, its own constants with them."""
    order = graph.order if order is None else order
    costs = [
        key
        for key in graph.of_family("cost")
        if any(port.name == "cost" for port in graph.type_of(key).outputs)
    ]
    later = {key for key, phase in phases(graph, order, costs).items() if phase != FORWARD}
    for key in order:
        node = graph.nodes[key]
        onward = graph.out_of(key) if node.is_typed else ()
        if onward and all(wire.target in later for wire in onward):
            later.add(key)
    return frozenset(later)


# --- forward ----------------------------------------------------------------------------------


def _forward_columns(graph: Graph, order: Sequence[str]) -> dict[str, int]:
    """Return each node's column: the longest way to it; a source stands before its first reader."""
    inside = set(order)
    column: dict[str, int] = {}
    for key in order:
        before = [column[w.source] for w in _plain(graph, graph.into(key)) if w.source in inside]
        column[key] = max(before, default=-1) + 1
    for key in reversed(order):
        after = [column[w.target] for w in _plain(graph, graph.out_of(key)) if w.target in inside]
        if after and not any(w.source in inside for w in _plain(graph, graph.into(key))):
            column[key] = min(after) - 1
    return column


def _longest_first(graph: Graph, order: Sequence[str]) -> dict[str, int]:
    """Rank nodes by how far they lead: the trunk before what hangs on it."""
    reach: dict[str, int] = {}
    for key in reversed(order):
        after = [reach[w.target] for w in _plain(graph, graph.out_of(key)) if w.target in reach]
        reach[key] = max(after, default=-1) + 1
    ranked = sorted(order, key=lambda key: (-reach[key], _by_number(key)))
    return {key: n for n, key in enumerate(ranked)}


def _by_number(key: str) -> list[tuple[bool, int, str]]:
    """Return what sorts hidden.2 before hidden.10."""
    parts = re.split("([0-9]+)", key)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _plain(graph: Graph, wires: Iterable[Wire]) -> Iterable[Wire]:
    return (wire for wire in wires if not graph.feeds_back(wire))


# --- backward ---------------------------------------------------------------------------------


def _below(graph: Graph, boxes: Mapping[str, Box], order: Sequence[str], there: Places) -> Places:
    """Place the nodes of a backward pass under the places that are there.

    Each stands one column left of the nearest node that feeds it, or farther left: at most one
    column right of its forward twin, so that long forward parts and backward ones stay abreast.
    """
    if not order:
        return {}
    xs = _column_places(x for x, _ in there.values())
    column: dict[str, int] = {}
    inside = set(order)
    for key in order:
        before = [
            column[w.source]
            for w in _plain(graph, graph.into(key))
            if w.source in column and graph.into(w.source)
        ]
        twin = _twin(key, there)
        own = None if twin is None else _nearest(xs, there[twin][0])
        if own is None:
            feeding = [w.source for w in _plain(graph, graph.into(key)) if w.source in there]
            own = max((_nearest(xs, there[name][0]) for name in feeding), default=len(xs) - 1)
        column[key] = min(min(before) - 1, own + 1) if before else own
    for key in reversed(order):
        if not any(w.source in inside for w in _plain(graph, graph.into(key))):
            after = [column[w.target] for w in graph.out_of(key) if w.target in column]
            feeds = graph.type_of(key).family == "source" if graph.nodes[key].known else False
            if after and feeds:
                column[key] = max(after) + 1
    rank = {key: place for place, key in enumerate(_by_chain(graph, order, column))}
    rows = _rows(graph, boxes, {k: -c for k, c in column.items()}, rank)
    bottom = max((y + boxes[k].height for k, (_, y) in there.items()), default=0)
    top = min(rows.tops.values())
    shift = -(-(bottom + BELOW - top) // GRID) * GRID
    left, right = (xs[0], xs[-1]) if xs else (0, 0)
    # A wide node grows to the left, as several in a row do, and all left of them makes room.
    more = {-n: rows.pitch[n] * rows.across[n] - PITCH for n in rows.across}
    found: Places = {}
    for key, y in rows.tops.items():
        at = column[key]
        pitch = rows.pitch[-at]
        aside = pitch - PITCH + pitch * rows.places[key]
        aside += sum(room for other, room in more.items() if room and other > at)
        if at < 0:
            x = left + PITCH * at
        elif at >= len(xs):
            x = right + PITCH * (at - max(len(xs) - 1, 0))
        else:
            x = xs[at]
        found[key] = (x - aside, y + shift)
    return found


def _by_chain(graph: Graph, order: Sequence[str], column: Mapping[str, int]) -> list[str]:
    """Return δ and blame first, then what leads to updates: from the last δ back to the first.

    Columns grow to the left, so chains that begin farther left must stand higher.
    """
    trunk: set[str] = set()
    for key in reversed(order):
        onward = {w.target for w in graph.out_of(key)} & trunk
        kind = graph.nodes[key].kind
        if onward or kind.gives_delta or kind.sends_back:
            trunk.add(key)
    number = {key: place for place, key in enumerate(order)}
    rank: dict[str, tuple[bool, int, bool, int]] = {}
    for key in order:
        if key in trunk:
            rank[key] = (False, number[key], False, 0)
            continue
        before = [w.source for w in _plain(graph, graph.into(key)) if w.source in column]
        chain = max(before, key=number.__getitem__, default=None)
        if chain is None:
            rank[key] = (True, column[key] + len(order), True, number[key])
        elif chain in trunk:
            later = not graph.nodes[key].kind.of_weights  # the bias' stands below the weights'
            rank[key] = (True, column[chain], later, number[key])
        else:
            rank[key] = rank[chain]
    return sorted(order, key=lambda key: (rank[key], number[key]))


def _twin(key: str, there: Mapping[str, object]) -> str | None:
    """Return the forward node that a node is named after: hidden for hidden.delta."""
    owner = key.rpartition(".")[0]
    while owner and owner not in there:
        owner = owner.rpartition(".")[0]
    return owner or None


def _column_places(xs: Iterable[int]) -> list[int]:
    """Return where columns begin: a new one where less than a node's width would be shared."""
    found: list[int] = []
    for x in sorted(set(xs)):
        if not found or x - found[-1] >= WIDTH + GAP // 2:
            found.append(x)
    return found


def _nearest(xs: Sequence[int], x: int) -> int:
    return min(range(len(xs)), key=lambda place: abs(xs[place] - x))


# --- rows -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """How high each node stands, and at which place of its row.

    By column: how many stand in a row, and how far they are apart.
    """

    tops: dict[str, int]
    places: dict[str, int]
    across: dict[int, int]
    pitch: dict[int, int]


def _rows(
    graph: Graph, boxes: Mapping[str, Box], column: Mapping[str, int], rank: Mapping[str, int]
) -> _Rows:
    """Order each column, break those that are too high, and choose the heights."""
    columns: dict[int, list[str]] = defaultdict(list)
    for key in sorted(column, key=lambda key: rank[key]):
        columns[column[key]].append(key)
    before: dict[str, list[Wire]] = defaultdict(list)
    after: dict[str, list[Wire]] = defaultdict(list)
    for wire in graph.wires:
        if wire.source in column and wire.target in column and not graph.feeds_back(wire):
            before[wire.target].append(wire)
            after[wire.source].append(wire)
    numbers = sorted(columns)
    _ordered(boxes, columns, numbers, before, after)
    broken = _across(boxes, columns)
    across = {number: broken.get(number, 1) for number in numbers}
    pitch: dict[int, int] = {}
    place_of: dict[str, int] = {}
    rows: dict[int, list[tuple[str, ...]]] = {}
    for number in numbers:
        keys, many = columns[number], across[number]
        rows[number] = [tuple(keys[at : at + many]) for at in range(0, len(keys), many)]
        place_of |= {key: place for row in rows[number] for place, key in enumerate(row)}
        pitch[number] = PITCH + (WIDE - WIDTH) * any(boxes[key].width > WIDTH for key in keys)
    tops = _heights(boxes, rows, numbers, before, after)
    whole = {key: round(tops[key] / GRID) * GRID for key in column}
    return _Rows(whole, place_of, across, pitch)


def _across(boxes: Mapping[str, Box], columns: Mapping[int, list[str]]) -> dict[int, int]:
    """Return how many nodes stand in a row of the columns that are broken.

    Of all limits to the height of a column the one is taken with which most can be seen at once.
    """
    high = {
        number: sum(boxes[key].height + GAP for key in keys) for number, keys in columns.items()
    }

    def broken(limit: float) -> dict[int, int]:
        return {number: -int(-height // limit) for number, height in high.items()}

    def size(across: Mapping[int, int]) -> float:
        """Return how large all of it is on a screen; the smaller, the nearer it is seen."""
        tallest = max(height / across[number] for number, height in high.items())
        return max(PITCH * sum(across.values()) / _ASPECT, tallest)

    most = max(high.values(), default=0)
    if most <= _HIGH:
        return {}
    limits = [float(most)]
    while limits[-1] > _HIGH / 2:
        limits.append(0.92 * limits[-1])
    best = min((broken(limit) for limit in limits), key=size)
    if size(best) * _GAIN > size(broken(most)):
        return {}
    # The weights of a neuron stand beside its bias.
    return {number: parts + parts % 2 for number, parts in best.items() if parts > 1}


def _ordered(
    boxes: Mapping[str, Box],
    columns: Mapping[int, list[str]],
    numbers: Sequence[int],
    before: Mapping[str, list[Wire]],
    after: Mapping[str, list[Wire]],
) -> None:
    """Order each column by the mean place of what is wired to it in the nearest column.

    Ports count as fractions of a place.
    """
    place = {key: float(n) for number in numbers for n, key in enumerate(columns[number])}
    column = {key: number for number in numbers for key in columns[number]}

    def by_readers(key: str) -> float:
        near = min((column[w.target] for w in after[key]), default=0)
        wires = [w for w in after[key] if column[w.target] == near]
        return _mean([place[w.target] + _part(boxes, w) for w in wires], place[key])

    def by_sources(key: str) -> float:
        near = max((column[w.source] for w in before[key]), default=0)
        wires = [w for w in before[key] if column[w.source] == near]
        return _mean([place[w.source] for w in wires], place[key])

    for _ in range(_SWEEPS):
        for sweep, weigh in ((reversed(numbers), by_readers), (iter(numbers), by_sources)):
            for number in sweep:
                if weigh is by_sources and not any(before[key] for key in columns[number]):
                    continue
                _sort(columns[number], place, weigh)


def _sort(keys: list[str], place: dict[str, float], weigh: Callable[[str], float]) -> None:
    weights = {key: weigh(key) for key in keys}
    keys.sort(key=weights.__getitem__)
    place.update((key, float(number)) for number, key in enumerate(keys))


def _part(boxes: Mapping[str, Box], wire: Wire) -> float:
    size = boxes[wire.target]
    port = size.input(wire.input, wire.index)
    return 0.0 if port is None else port.y / size.height


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _heights(
    boxes: Mapping[str, Box],
    columns: Mapping[int, list[tuple[str, ...]]],
    numbers: Sequence[int],
    before: Mapping[str, list[Wire]],
    after: Mapping[str, list[Wire]],
) -> dict[str, float]:
    """Return each node's top: as straight wires as the order and the sizes allow.

    Columns are lists of rows, most of one node.
    """
    tops: dict[str, float] = {}
    high = {row: max(boxes[key].height for key in row) for rows in columns.values() for row in rows}
    for number in numbers:
        y = 0.0
        for row in columns[number]:
            tops |= dict.fromkeys(row, y)
            y += high[row] + GAP

    def pulled(key: str, *, by_sources: bool) -> tuple[float, float]:
        total = weight = 0.0
        for wire in before[key] if by_sources else after[key]:
            source, target = boxes[wire.source], boxes[wire.target]
            start, end = source.output(wire.output), target.input(wire.input, wire.index)
            if start is None or end is None:
                continue
            # A parameter follows its reader; it does not pull the reader down to itself.
            pull = 1.0 if before[wire.source] or not by_sources else _FAINT
            shift = (start.y - end.y) if by_sources else (end.y - start.y)
            total += pull * (tops[wire.source if by_sources else wire.target] + shift)
            weight += pull
        return (total / weight, weight) if weight else (tops[key], _FAINT)

    for sweep in range(2 * _SWEEPS):
        by_sources = sweep % 2 == 0
        for number in numbers if by_sources else reversed(numbers):
            rows = columns[number]
            wanted = [
                _together([pulled(key, by_sources=by_sources) for key in row]) for row in rows
            ]
            found = _spread(wanted, [high[row] for row in rows])
            tops.update((key, top) for row, top in zip(rows, found, strict=True) for key in row)
    return tops


def _together(wanted: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the mean (place, weight) of a row."""
    weight = sum(heavy for _, heavy in wanted)
    return sum(place * heavy for place, heavy in wanted) / weight, weight


def _spread(wanted: Sequence[tuple[float, float]], heights: Sequence[int]) -> list[float]:
    """Return tops nearest to the wanted (place, weight), in order and without overlaps.

    Least squares under an order: blocks that would overlap are pooled at their weighted mean.
    """
    offsets, offset = [], 0.0
    for height in heights:
        offsets.append(offset)
        offset += height + GAP
    blocks: list[tuple[float, float, int]] = []
    for (place, weight), before in zip(wanted, offsets, strict=True):
        block = (place - before, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, heavy, count = blocks.pop()
            both = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / both, both, count + block[2])
        blocks.append(block)
    level = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + before for mean, before in zip(level, offsets, strict=True)]
