"""A program of its own: data, weights, and a training loop, as a person would write them."""

from __future__ import annotations

import base64
import io
import re
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.equality import ByContent
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.programs.dialects import DIALECTS, Dialect
from nodeflow.interchange.programs.recipe import Floats, Recipe, Rows, identifiers
from nodeflow.interchange.programs.saying import Speaker, grouped, number

MOST_NUMBERS = 2_000
"""The most numbers of an array that are written out; more are packed."""
MOST_IN_TEXT = 1_000_000
"""Larger arrays lie in a file beside the program."""
_PRINTED = 1_000
_WIDE = 100
_ROW = 240
"""A row of numbers stands in one line up to here."""
_RESERVED = (
    "np", "torch", "jax", "jnp", "n", "epoch", "rows", "row", "total", "right",
    "batches", "shuffled", "J", "state", "update", "forward", "optimizer", "slopes", "weights",
    *(name for dialect in DIALECTS.values() for name in dialect.helpers),
    "math", "order", "EPOCHS", "BATCH", "SEED",
    "base64", "zlib", "unpacked", "hits", "tested", "DATA", "Path", "minimize", "seen", "now",
    "after", "unrolled", "unrolled_to_weights", "cost_and_slopes", "share_of_right",
)  # fmt: skip
_SHUFFLE = '''
def shuffled(rows, seed, epoch):
    """The order of an epoch: Fisher and Yates' shuffle, by splitmix64."""
    most = 2**64 - 1
    order = list(range(rows))
    state = seed * 0x9E3779B97F4A7C15 + epoch * 0xD1342543DE82EF95 & most
    for i in range(rows - 1, 0, -1):
        state = state + 0x9E3779B97F4A7C15 & most
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & most
        z = (z ^ z >> 27) * 0x94D049BB133111EB & most
        z = z ^ z >> 31
        j = (z >> 32) * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order
'''


_UNPACK = '''
def unpacked(text, *shape):
    """Numbers of float64, compressed: np.frombuffer(zlib.decompress(base64.b85decode(text)))."""
    data = zlib.decompress(base64.b85decode(text))
    return np.frombuffer(data, "<f8").reshape(shape).copy()
'''


DATA = ".data.npz"
"""What the name of the file beside a program ends in, in the place of .py."""


@dataclass(frozen=True, eq=False)
class Program(ByContent):
    """A program, and what is too large for its text: arrays for the file beside it, by name."""

    text: str
    arrays: Mapping[str, Floats]

    @property
    def beside(self) -> bytes | None:
        """The contents of NAME.data.npz, which the program reads; None if it needs none."""
        if not self.arrays:
            return None
        stream = io.BytesIO()
        arrays: Any = dict(self.arrays)
        np.savez_compressed(stream, **arrays)
        return stream.getvalue()


def write(graph: Graph, kind: str = "numpy", *, epochs: int | None = None, name: str = "") -> str:
    """Return the text of `written`."""
    return written(graph, kind, epochs=epochs, name=name).text


def written(
    graph: Graph, kind: str = "numpy", *, epochs: int | None = None, name: str = ""
) -> Program:
    """Return a graph as a program in NumPy, PyTorch or JAX that trains to the same weights.

    Unfolded, or wired by hand, it has its backward pass written out; folded, PyTorch and JAX
    differentiate by themselves. What `minimize` searches is handed to SciPy, as here. `name` is
    that of the program's file. Raises `InterchangeError` for types that only nodeflow has.
    """
    if kind not in DIALECTS:
        raise InterchangeError(f"a program is in {', '.join(DIALECTS)}, not {kind}")
    epochs = graph.training.epochs if epochs is None else epochs
    recipe = Recipe.of(graph)
    if not recipe.next and recipe.method is None:
        raise InterchangeError(
            "the graph trains nothing, and a program trains: add gradient_descent and parameters, "
            "or export .onnx for the forward pass"
        )
    writer = _Writer(recipe, DIALECTS[kind], name or "FILE.py", epochs)
    return Program(writer.program(), writer.arrays)


class _Writer:
    def __init__(self, recipe: Recipe, dialect: Dialect, file: str, epochs: int) -> None:
        self.recipe, self.dialect, self.file, self.epochs = recipe, dialect, file, epochs
        made = [recipe.output(key) for key in recipe.computed]
        wanted = [*recipe.fed, *recipe.parameters, *recipe.constants, *made]
        self.names = identifiers(recipe.plan.graph, wanted, _RESERVED)
        self.speaker = Speaker(recipe, dialect, self.names)
        self.large = {address: self._large(name) for address, name in self.names.items()
                      if address in recipe.fed}  # fmt: skip
        run = recipe.run
        self.loop = run.plan.loop
        self.whole = run.batch == run.schedule.rows
        self.speaker.samples = "1" if run.batch == 1 else "n"
        folded = (
            not run.plan.loop and recipe.method is None
            and bool(recipe.graph.of_family("trainer"))
        )  # fmt: skip
        self.after = recipe.after_slopes() if folded and dialect.name != "numpy" else None
        """What comes after the slopes, where the library finds these by itself."""
        self.packed = False
        self.arrays: dict[str, Floats] = {}
        """What lies in the file beside the program, by name."""
        self.most = MOST_IN_TEXT
        if any(fed.train.size > MOST_IN_TEXT for fed in recipe.fed.values()):
            self.most = MOST_NUMBERS  # there is a file beside it in any case
        for address in recipe.constants:
            if self._is_number(address) and self._unnamed(address):
                self.names[address] = number(recipe.constants[address].item())

    def _large(self, name: str) -> str:
        text = name.upper()
        while text in self.names.values() or text in _RESERVED:
            text += "_"
        return text

    # -- the whole

    def program(self) -> str:
        """Return the text: head, data, constants, functions, training."""
        training = self._training()  # it finds out which functions are needed
        data, constants = self._data(), self._constants()
        parts = [self._about(), self._head()]
        if self.packed:
            parts.append(_UNPACK)
        parts += [data, constants]
        parts += [f"\n{self.dialect.helpers[name]}\n" for name in self.speaker.helpers]
        if not self.whole:
            if self.recipe.run.machine.shuffled:
                parts.append(_SHUFFLE)
            parts.append(self._batches())
        parts += [training, self._end()]
        text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(part for part in parts if part))
        return re.sub(r"(?m)^(\S.*)\n\n\n(?=#)", r"\1\n\n", text)  # where no function ends

    def _head(self) -> str:
        head = self.dialect.head
        needs_numpy = self.packed or self.arrays or self.recipe.method is not None
        if needs_numpy and "import numpy" not in head:
            head = f"import numpy as np\n{head}"
        if self.recipe.method is not None:
            imports, gap, rest = head.partition("\n\n")
            head = f"{imports}\nfrom scipy.optimize import minimize{gap}{rest}"
        own = [
            line for line, wanted in (
                ("import base64", self.packed), ("import math", "erf" in self.speaker.helpers),
                ("import zlib", self.packed), ("from pathlib import Path", bool(self.arrays)),
            ) if wanted
        ]  # fmt: skip
        if self.arrays:
            head += (
                "\n\n# What is too large for a text.\n"
                f'with np.load(Path(__file__).with_suffix("{DATA}")) as held:\n'
                "    DATA = dict(held)"
            )
        return "\n".join([*own, *[""] * bool(own), head, ""])

    def _about(self) -> str:
        name = self.recipe.graph.name or "A network"
        title = f"{name[0].upper()}{name[1:]}: a network that trains, in {self.dialect.title}."
        about = textwrap.fill(self.recipe.graph.about, 95)
        how = (
            f"`python {self.file}` prints the cost of each epoch. The numbers are nodeflow's, but "
            "for the last\ndigits of sums that are added up in another order."
        )
        return '"""' + "\n\n".join(
            part.replace("\\", "\\\\").replace('"""', "'''") for part in (title, about, how) if part
        ) + '\n"""\n'  # fmt: skip

    # -- numbers

    def _array(self, value: Any, key: str, indent: int = 0) -> str:
        """Return an array as text: its numbers, or packed where there are many."""
        value = np.asarray(value, np.float64)
        if value.size <= MOST_NUMBERS:
            return self.dialect.array.format(_nested(value.tolist(), indent))
        form = {"torch": "torch.from_numpy({})", "jax": "jnp.array({})"}.get(
            self.dialect.name, "{}"
        )
        if value.size > self.most:
            self.arrays[key] = value
            return form.format(f'DATA["{key}"]')
        self.packed = True
        packed = base64.b85encode(zlib.compress(np.ascontiguousarray(value, "<f8").tobytes(), 9))
        text, pad = packed.decode(), " " * (indent + 4)
        lines = "".join(f'{pad}"{text[at : at + 90]}"\n' for at in range(0, len(text), 90))
        shape = ", ".join(map(str, value.shape))
        return form.format(f"unpacked(\n{lines}{pad}, {shape}\n{' ' * indent})")

    def _data(self) -> str:
        rows = self.recipe.run.schedule.rows
        lines = [f"# The data: {rows} row{'s' * (rows != 1)} to train with."]
        for address, fed in self.recipe.fed.items():
            name = self.large[address]
            lines.append(f"{name} = {self._array(fed.train, name)}")
            if self._tests(fed):
                lines.append(f"{name}_TEST = {self._array(fed.test, f'{name}_TEST')}")
        for address, value in self._written_constants():
            if not self._is_number(address):
                lines.append(f"{self.names[address]} = {self._array(value, self.names[address])}")
        return "\n".join(lines) + "\n"

    def _tests(self, fed: Rows) -> bool:
        return bool(len(fed.test)) and self.recipe.plan.hits is not None

    def _constants(self) -> str:
        lines = [f"EPOCHS = {self.epochs}"]
        if not self.whole:
            lines.append(f"BATCH = {self.recipe.run.batch}")
            if self.recipe.run.machine.shuffled:
                lines.append(f"SEED = {self.recipe.run.machine.seed % 2**63}")
        for address, value in self._written_constants():
            if self._is_number(address) and not self._unnamed(address):
                lines.append(f"{self.names[address]} = {number(value.item())}")
        return "\n".join(lines) + "\n"

    def _written_constants(self) -> Iterable[tuple[str, Floats]]:
        """Yield the constants that something reads which is written down."""
        for address, value in self.recipe.constants.items():
            if self.after is None or not self._unused(address):
                yield address, value

    def _unused(self, address: str) -> bool:
        """Return whether nothing that is written down reads a constant."""
        kept = {*self.recipe.forward, *(self.after or ())}
        if self._optimizer():
            kept -= set(self.after or ())
        return not any(w.start == address and w.target in kept
                       for w in self.recipe.plan.graph.wires)  # fmt: skip

    def _unnamed(self, address: str) -> bool:
        """Return whether nobody has named a number: it stands where it is read.

        A constant beside a value is called after it; what a trainer computes with comes from its
        settings, of which the rate has its name.
        """
        key = address.rpartition(".")[0]
        made = key not in self.recipe.graph.nodes
        return key.endswith(".constant") or (made and not key.endswith(".rate"))

    def _is_number(self, address: str) -> bool:
        """Return whether a constant can be a plain number: whatever takes it goes by number."""
        if self.recipe.constants[address].size != 1:
            return False
        graph = self.recipe.plan.graph
        return all(
            (graph.type_of(wire.target).is_elementwise or wire.target in graph.updates)
            and wire.input not in ("delta", "a[0]")
            for wire in self.recipe.plan.graph.wires
            if wire.start == address and wire.target in self.recipe.needed
        )

    # -- the rows of an update

    def _batches(self) -> str:
        shuffles = self.recipe.run.machine.shuffled
        order = "shuffled(ROWS, SEED, epoch)" if shuffles else "list(range(ROWS))"
        first = next(iter(self.large.values()))
        order = order.replace("ROWS", f"len({first})")
        return (
            '\ndef batches(epoch):\n    """The rows of each update of an epoch."""\n'
            f"    order = {order}\n"
            "    return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]\n"
        )

    # -- training

    def _training(self) -> str:
        if self.recipe.method is not None:
            return self._search()
        compiled = self.dialect.name == "jax" and not self.loop
        steps = self._compiled() if compiled else self._steps()
        lines: list[str] = ["", *steps, ""] if compiled else []
        lines += ["", "# The weights at the start.", *self._start(), ""]
        lines.append("for epoch in range(EPOCHS):")
        lines.append("    total, right = 0.0, 0" if self._counts else "    total = 0.0")
        for line in [*self._pass(compiled=compiled, steps=steps), *self._told()]:
            lines.append(f"    {line}" if line else "")
        return "\n".join([*lines, ""])

    @property
    def _counts(self) -> bool:
        """Whether right samples are counted."""
        return self.recipe.plan.hits is not None

    def _start(self) -> Iterable[str]:
        for address in self.recipe.parameters:
            name = self.names[address]
            text = self._array(self.recipe.start[address], address)
            if (
                self.dialect.name == "torch"
                and self.after is not None
                and (address in self.recipe.slopes)
            ):
                text = (text[:-1] + ", requires_grad=True)" if text.startswith("torch.tensor")
                        else f"{text}.requires_grad_()")  # fmt: skip
            yield f"{name} = {text}"
        if self._optimizer():
            yield f"optimizer = {self._optimizer()}"

    def _optimizer(self) -> str:
        """Return PyTorch's own optimizer, where the trainer is one of these."""
        graph = self.recipe.graph
        trainers = [k for k in graph.of_family("trainer") if graph.nodes[k].mode == "active"]
        if self.dialect.name != "torch" or self.after is None or len(trainers) != 1:
            return ""
        written = graph.type_of(trainers[0]).written
        if written is None or graph.into(trainers[0]) != graph.inputs(trainers[0]).get("cost"):
            return ""
        names = ", ".join(self.names[address] for address in self.recipe.slopes)
        return written(self.speaker, trainers[0]).format(names)

    def _pass(self, *, compiled: bool, steps: list[str]) -> Iterable[str]:
        """Yield the lines of an epoch."""
        fed = self.recipe.fed
        names = ", ".join(self.names[address] for address in fed)
        state = _several(self.names[address] for address in self.recipe.parameters)
        if compiled:
            given = _listed("state", names)
            body = [f"state, J{', hits' * self._counts} = update({given})", "total += float(J) * n"]
            body += ["right += int(hits)"] * self._counts
            yield f"state = {state}"
        else:
            body = steps
        if self.whole:
            large = ", ".join(self.large[address] for address in fed)
            if self.loop:
                yield f"n = len({next(iter(self.large.values()))})"
                yield from self._looped(body, "range(n)")
            else:
                if fed:
                    yield f"{names} = {large}"
                    yield f"n = len({next(iter(self.names[address] for address in fed))})"
                else:
                    yield "n = 1"
                yield from body
        else:
            yield "for rows in batches(epoch):"
            inner: list[str] = ["n = len(rows)"]
            if self.loop:
                inner += self._looped(body, "rows")
            else:
                for address in fed:
                    inner.append(f"{self.names[address]} = {self._rows(address, 'rows')}")
                inner += body
            yield from (f"    {line}" if line else "" for line in inner)
        if compiled:
            yield f"{state} = state"

    def _rows(self, address: str, index: str) -> str:
        if self.dialect.name == "jax":
            return f"{self.large[address]}[np.array({index})]"
        return f"{self.large[address]}[{index}]"

    def _looped(self, body: list[str], rows: str) -> Iterable[str]:
        """Yield an update that goes through its samples one by one."""
        split = body.index(_TAIL)
        for key in self.recipe.computed:
            if key in self.recipe.accumulating:
                yield f"{self.names[self.recipe.output(key)]} = 0.0"
        yield f"for row in {rows}:"
        for address in self.recipe.fed:
            yield f"    {self.names[address]} = {self.large[address]}[row : row + 1]"
        yield from (f"    {line}" if line else "" for line in body[:split])
        yield from body[split + 1 :]

    # -- a search

    def _search(self) -> str:
        """Return the search of `minimize`: J with its slopes, SciPy, and what it went through."""
        recipe = self.recipe
        parameters = list(recipe.searched)
        names = [self.names[address] for address in parameters]
        fed = [self.names[address] for address in recipe.fed]
        rows = ", ".join(self.large[address] for address in recipe.fed)
        form = {"torch": "torch.from_numpy({})", "jax": "jnp.array({})"}.get(
            self.dialect.name, "{}"
        )
        unpacking, at = [], 0
        for address, name in zip(parameters, names, strict=True):
            array = recipe.start[address]
            part = f"unrolled[{at} : {at + array.size}]"
            shape = "" if array.ndim == 1 else f".reshape{array.shape}"
            unpacking.append(f"{name} = {form.format(part + shape)}")
            at += array.size
        end = (recipe.cost or "").rpartition(".")[0]
        read = recipe.sloped | {end} | set(recipe.plan.graph.upstream([end]))
        needed = [key for key in recipe.computed if key in read]
        forward = self._lines([key for key in needed if key in recipe.forward])
        backward = self._lines([key for key in needed if key not in recipe.forward])
        slopes = [self.names[recipe.searched[address]] for address in parameters]
        cost = self.names[recipe.cost or ""]
        lines = ["", "def unrolled_to_weights(unrolled):",
                 '    """The parameters, from all their numbers in a row."""',
                 *(f"    {line}" for line in unpacking), f"    return {_several(names)}", "", "",
                 "def cost_and_slopes(unrolled):", '    """J of all rows, and its slopes."""',
                 f"    {_several(names)} = unrolled_to_weights(unrolled)",
                 f"    {', '.join(fed)} = {rows}", f"    n = len({fed[0]})", "", "    # forward",
                 *(f"    {line}" for line in forward), "", "    # backward",
                 *(f"    {line}" for line in backward),
                 f"    slopes = ({_several(slopes)})",
                 f"    return float({cost}.mean()), np.concatenate([np.ravel(s) for s in slopes])",
                 "", ""]  # fmt: skip
        if self._counts:
            wanted = recipe.plan.graph.upstream(self._ends_of_hits())
            judged = self._lines([key for key in recipe.forward if key in wanted])
            right = grouped(self._hits()[0])
            lines += [f"def share_of_right(unrolled, {', '.join(fed)}):",
                      '    """How many of the rows are right."""',
                      f"    {_several(names)} = unrolled_to_weights(unrolled)",
                      *(f"    {line}" for line in judged),
                      f"    return float({right}.sum()) / len({fed[0]})", "", ""]  # fmt: skip
        lines += ["# The weights at the start.", *self._start(), "",
                  f"seen = [np.concatenate([np.ravel(w) for w in ({_several(names)})])]",
                  f'minimize(cost_and_slopes, seen[0], jac=True, method="{recipe.method}",',
                  "         callback=lambda now: seen.append(now.copy()),",
                  '         options={"maxiter": EPOCHS, "gtol": 1e-10})', "",
                  "for epoch in range(EPOCHS):",
                  "    now, after = (seen[min(at, len(seen) - 1)] for at in (epoch, epoch + 1))",
                  *self._searched_told(rows),
                  f"{_several(names)} = unrolled_to_weights(seen[min(EPOCHS, len(seen) - 1)])",
                  ""]  # fmt: skip
        return "\n".join(lines)

    def _searched_told(self, rows: str) -> Iterable[str]:
        text = "epoch {epoch}  cost {cost_and_slopes(now)[0]}"
        if self._counts:
            text += f"  right {{share_of_right(now, {rows})}}"
            if any(self._tests(fed) for fed in self.recipe.fed.values()):
                tests = ", ".join(
                    f"{self.large[address]}_TEST" if self._tests(fed) else self.large[address]
                    for address, fed in self.recipe.fed.items()
                )
                text += f"  of the test rows {{share_of_right(after, {tests})}}"
        yield f'    print(f"{text}")'

    # -- steps

    def _steps(self) -> list[str]:
        """Return the lines of one pass: forward, backward, update."""
        recipe = self.recipe
        tail = set(recipe.tail)
        forward = [key for key in recipe.forward if key not in tail]
        rest = [key for key in recipe.computed if key not in forward and key not in tail]
        lines = self._lines(forward)  # first: an identity has no line and is called as its z is
        found = ["", "# forward", *lines, *self._tallies()]
        if self.after is not None:
            return [*found, *self._differentiated()]
        backward = [key for key in rest if self._phase(key) != "update"]
        if backward:
            found += ["", "# backward", *self._lines(backward)]
        late = [key for key in recipe.computed if key in tail]
        if self.loop:
            found.append(_TAIL)
            found += self._lines([key for key in late if self._phase(key) != "update"])
        updates = self._updates([key for key in (late or rest) if self._phase(key) == "update"])
        if updates:
            found += ["", "# update", *updates]
        return found

    def _phase(self, key: str) -> str:
        """Return a node's phase as it is written: what only an update reads counts as update."""
        from nodeflow.derive.phases import PHASES

        return str(PHASES[self.recipe.plan.phases[key]])

    def _tallies(self) -> list[str]:
        found = []
        if self.recipe.cost is not None and not self._is_source(self.recipe.cost):
            name = self.names[self.recipe.cost]
            if self.loop:
                found.append(f"total += float({name}.mean())")
            elif self.after is not None:
                value = "J.item()" if self.dialect.name == "torch" else "float(J)"
                found += [f"J = {name}.mean()", f"total += {value} * n"]
            else:
                found.append(f"total += float({name}.mean()) * n")
        found += [f"right += int({grouped(right)}.sum())" for right in self._hits()]
        return found

    def _is_source(self, address: str) -> bool:
        return self.recipe.is_source(address.rpartition(".")[0])

    def _hits(self) -> list[str]:
        counted = self.recipe.plan.hits
        if counted is None:
            return []
        if isinstance(counted, str):
            return [self.names[counted]]
        a = self.speaker.joined(counted.outputs)
        y, limit = self.names[counted.target], number(counted.threshold)
        return [self.speaker.hits(a, y, limit, alone=self.recipe.dims(counted.target)[-1] == 1)]

    def _lines(self, keys: Iterable[str]) -> list[str]:
        """Return an assignment a node; what is another value's name gives it no new one."""
        written: list[tuple[str, str]] = []
        for key in keys:
            address = self.recipe.output(key)
            text = self.speaker.said(key)
            if text in self.names.values() and key not in self.recipe.accumulating:
                self.names[address] = text
                continue
            written.append((f"{self.names[address]} = {text}", self._remark(key)))
        return _beside(written)

    def _remark(self, key: str) -> str:
        type_ = self.recipe.plan.graph.type_of(key)
        if type_.measures or (type_.family == "arithmetic" and type_.is_elementwise):
            return ""  # the line says it
        return self.speaker.remarks.get(key, self.recipe.plan.formula(key))

    def _updates(self, keys: list[str]) -> list[str]:
        """Return new values for the parameters; all of them come from those of the start."""
        recipe, graph = self.recipe, self.recipe.plan.graph
        keys = self._by_parameter(keys)
        of = {value: parameter for parameter, value in recipe.next.items()}
        places = {key: place for place, key in enumerate(keys)}
        last_read: dict[str, int] = {}
        for wire in graph.wires:
            if wire.target in places and not graph.feeds_back(wire):
                read = last_read.get(wire.start, -1)
                last_read[wire.start] = max(read, places[wire.target])
        written: list[tuple[str, str]] = []
        later: list[tuple[str, str]] = []
        for place, key in enumerate(keys):
            address = recipe.output(key)
            parameter = of.get(address)
            text, remark = self.speaker.said(key), self._remark(key)
            if parameter is not None and last_read.get(parameter, -1) <= place:
                self.names[address] = self.names[parameter]
                written.append((f"{self.names[parameter]} = {text}", remark))
                continue
            written.append((f"{self.names[address]} = {text}", remark))
        done = {recipe.output(key) for key in keys}
        assigned = {line.partition(" = ")[0] for line, _ in written}
        for parameter, address in recipe.next.items():
            line = f"{self.names[parameter]} = {self.names[address]}"
            direct = self.names[parameter] in assigned
            if not direct or address not in done:
                later.append((line, ""))
        return _beside(written) + [line for line, _ in later]

    def _by_parameter(self, keys: Sequence[str]) -> list[str]:
        """Return the nodes of an update, those of each parameter together."""
        graph, places = self.recipe.plan.graph, dict.fromkeys(keys)
        before = {key: [wire.source for wire in graph.into(key)
                        if wire.source in places and not graph.feeds_back(wire)]
                  for key in keys}  # fmt: skip
        read = Counter(source for sources in before.values() for source in sources)
        found: dict[str, None] = {}
        # What several of them read comes first: the time.
        shared = [key for key in keys if read[key] > 1]
        ends = [key for key in keys if not read[key]]
        stack = [(key, False) for key in reversed([*shared, *ends])]
        while stack:
            key, done = stack.pop()
            if done:
                found[key] = None
            elif key not in found:
                stack.append((key, True))
                stack += [(one, False) for one in reversed(before[key])]
        return list(found)

    def _differentiated(self) -> list[str]:
        """Return the end of an update of PyTorch, which finds the slopes by itself."""
        if self._optimizer():
            return ["", "# backward", "optimizer.zero_grad()", "J.backward()", "", "# update",
                    "optimizer.step()"]  # fmt: skip
        found = ["", "# backward", "J.backward()", "", "# update", "with torch.no_grad():"]
        for parameter, slope in self.recipe.slopes.items():
            self.names[slope] = f"{self.names[parameter]}.grad"
        found += [f"    {line}" for line in self._updates(list(self.after or ()))]
        for parameter in self.recipe.slopes:
            found.append(f"{self.names[parameter]}.requires_grad_()")
        return found

    def _compiled(self) -> list[str]:
        """Return the functions of JAX: the cost with its slopes, or all written out."""
        recipe = self.recipe
        fed = ", ".join(self.names[address] for address in recipe.fed)
        state = _several(self.names[address] for address in recipe.parameters)
        what = "J, and how many samples are right" if self._counts else "and J"
        head = ["@jax.jit", f"def update({_listed('state', fed)}):",
                f'    """The weights after one update, {what}."""',
                f"    {state} = state",
                f"    n = len({fed.partition(',')[0] or 'state'})"]  # fmt: skip
        if self.after is None:
            steps = [line for line in self._steps() if not line.startswith(("total", "right"))]
            tail = self._given_back(state)
            return [*head, *(f"    {line}" if line else "" for line in [*steps, *tail])]
        trained = [self.names[address] for address in recipe.slopes]
        others = [self.names[a] for a in recipe.parameters if a not in recipe.slopes
                  and any(w.start == a and w.target in recipe.forward
                          for w in recipe.plan.graph.wires)]  # fmt: skip
        given = ", ".join([*trained, *others])
        many = (
            "J of a batch, and how many of its samples are right."
            if self._counts
            else ("J of a batch.")
        )
        lines = [f"def forward({_listed(given, fed)}):",
                 f'    """{many}"""']  # fmt: skip
        lines += [f"    {line}" for line in self._lines(recipe.forward)]
        cost = self.names[recipe.cost or ""]
        right = f", {grouped(self._hits()[0])}.sum()" if self._counts else ""
        lines += [f"    return {cost}.mean(){right}", "", ""]
        places = _several(map(str, range(len(trained))))
        beside = ", has_aux=True" * self._counts
        found = "(J, hits)" if self._counts else "J"
        head += [f"    value_and_slopes = jax.value_and_grad(forward, ({places}){beside})",
                 f"    {found}, slopes = value_and_slopes({_listed(given, fed)})"]  # fmt: skip
        for parameter, slope in recipe.slopes.items():
            self.names[slope] = f"{self.names[parameter]}_slope"
        slopes = _several(f"{name}_slope" for name in trained)
        head.append(f"    {slopes} = slopes")
        updates = self._updates(list(self.after))
        if not any(re.search(r"\bn\b", line) for line in updates):
            head = [line for line in head if not line.startswith("    n = ")]
        head += [f"    {line}" for line in updates]
        head.append(f"    return ({state}), J{', hits' * self._counts}")
        return lines + head

    def _given_back(self, state: str) -> list[str]:
        cost = self.recipe.cost
        mean = "0.0" if cost is None else f"{self.names[cost]}.mean()"
        right = f", {grouped(self._hits()[0])}.sum()" if self._counts else ""
        return [f"return ({state}), {mean}{right}"]

    # -- what is told

    def _told(self) -> Iterable[str]:
        rows = self.recipe.run.schedule.rows
        tests = [fed for fed in self.recipe.fed.values() if self._tests(fed)]
        share = f" / {rows}" if rows > 1 else ""
        text = f"epoch {{epoch}}  cost {{total{share}}}"
        if self._counts:
            text += f"  right {{right{share}}}"
        if tests:
            yield ""
            yield "# how many of the test rows are right"
            names = ", ".join(self.names[address] for address in self.recipe.fed)
            large = ", ".join(
                f"{self.large[address]}_TEST" if self._tests(fed) else self.large[address]
                for address, fed in self.recipe.fed.items()
            )
            yield f"{names} = {large}"
            wanted = self.recipe.plan.graph.upstream(self._ends_of_hits())
            keys = [key for key in self.recipe.forward if key in wanted]
            if self.dialect.name == "torch" and self.after is not None:
                yield "with torch.no_grad():"
                yield from (f"    {line}" for line in self._lines(keys))
            else:
                yield from self._lines(keys)
            yield f"tested = float({grouped(self._hits()[0])}.sum()) / {len(tests[0].test)}"
            text += "  of the test rows {tested}"
        yield f'print(f"{text}")'

    def _ends_of_hits(self) -> list[str]:
        counted = self.recipe.plan.hits
        ends = [counted] if isinstance(counted, str) else [*counted.addresses] if counted else []
        return [str(address).rpartition(".")[0] for address in ends]

    def _end(self) -> str:
        """Return what prints the weights, where a person can read so many."""
        count = sum(array.size for array in self.recipe.start.values())
        if not 0 < count <= _PRINTED:
            return ""
        return "".join(
            f'print("{address} =", {self.names[address]}.tolist())\n'
            for address in self.recipe.parameters
            if address in self.recipe.next or address in self.recipe.searched
        )


_TAIL = "# (once an update)"
_DEEP = 12
"""What stands before a line and its remark: two loops, and a sign."""


def _beside(written: list[tuple[str, str]]) -> list[str]:
    """Return lines with their remarks in one column, or above a line that leaves them no place."""
    widths = [len(line) for line, remark in written if remark and len(line) < _WIDE // 2]
    column = max(widths, default=0)
    found: list[str] = []
    for line, remark in written:
        if not remark:
            found.append(line)
        elif max(len(line), column) + len(remark) + _DEEP > _WIDE:
            found += [f"# {remark}", line]
        else:
            found.append(f"{line:<{column}}  # {remark}")
    return found


def _listed(*parts: str) -> str:
    """Return arguments, without those that are empty."""
    return ", ".join(part for part in parts if part)


def _several(names: Iterable[str]) -> str:
    """Return a tuple without its brackets."""
    found = list(names)
    return f"{found[0]}," if len(found) == 1 else ", ".join(found)


def _nested(value: Any, indent: int) -> str:
    """Return nested lists as text: one row per line where one line has no place for them."""
    flat = repr(value)
    width = (
        _ROW if value and isinstance(value, list) and isinstance(value[0], float) else _WIDE - 20
    )
    if len(flat) + indent < width or not isinstance(value, list):
        return flat
    pad = " " * (indent + 4)
    if value and isinstance(value[0], list):
        rows = "".join(f"{pad}{_nested(row, indent + 4)},\n" for row in value)
        return f"[\n{rows}{' ' * indent}]"
    return "[\n" + textwrap.fill(
        ", ".join(map(repr, value)), _WIDE - 4, initial_indent=pad, subsequent_indent=pad,
        break_on_hyphens=False, break_long_words=False,
    ) + f",\n{' ' * indent}]"  # fmt: skip
