"""What a node type is, and how one is declared: a function, its rule, its formula, side by side.

Positional parameters are input ports (`*a` or a parameter annotated `Many` takes several wires,
a default of None makes one optional, `Feedback` one that is fed by the update before), keyword-
only ones are settings, the docstring is the help text. Calling a node type on arrays computes;
calling it on wires builds nodes.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin, get_type_hints

import numpy as np

from nodeflow import formula as formulas
from nodeflow.errors import (
    BadSetting,
    DeclarationError,
    GraphError,
    MissingInput,
    NodeflowError,
    RunError,
    ShapeMismatch,
    UnknownPort,
    UnknownSetting,
    UnknownType,
    nearest,
)
from nodeflow.inert import (
    LARGE,
    Array,
    Settings,
    inert,
    is_number,
    numbers,
    settings_of,
)
from nodeflow.shape import Shape, Signature

Value = Any
"""What a port carries: an array (samples, features), or of a parameter's own shape. It stands
for a wire as well when a node type is called to build a node, which no type can say."""

FAMILIES = (
    "source",
    "layer",
    "activation",
    "arithmetic",
    "cost",
    "backward",
    "update",
    "trainer",
    "view",
)


class _Mark:
    """A note on a parameter's annotation."""

    def __init__(self, word: str) -> None:
        self.word = word


Many = Annotated[Any, _Mark("many")]
"""An input port that takes several wires in order, joined along the features."""
Feedback = Annotated[Any, _Mark("feedback")]
"""An optional input port whose wire closes a loop: its value comes from the update before."""
Samples = Annotated[int, _Mark("samples")]
"""Not a setting: the engine fills in how many samples the update has."""
Probe = Annotated[Callable[..., float], _Mark("probe")]
"""Not a setting: the engine fills in a function that takes other values for the inputs, which must
be parameters, and returns the cost J of the pass with them."""


@dataclass(frozen=True, slots=True)
class Range:
    """The ends of a number setting, both allowed, but for the upper one where it is `open`."""

    low: float | None = None
    high: float | None = None
    open: bool = False

    def __str__(self) -> str:
        low = f"from {self.low:g}" if self.low is not None else ""
        high = f"{'below' if self.open else 'up to'} {self.high:g}" if self.high is not None else ""
        return f"{low} {high}".strip()

    def holds(self, value: float) -> bool:
        """Return whether `value` lies inside."""
        if self.low is not None and value < self.low:
            return False
        if self.high is None:
            return True
        return value < self.high if self.open else value <= self.high


@dataclass(frozen=True, slots=True)
class Later:
    """Marks a setting that joined its type when there were files without it.

    A file holds it only where it was said, so that older files are saved with the same bytes.
    """


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output point of a node type."""

    name: str
    many: bool = False
    optional: bool = False
    feedback: bool = False

    def __str__(self) -> str:
        return self.name + ("…" if self.many else "") + ("?" if self.optional else "")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that is typed into a node. `kind` chooses the widget and what is allowed.

    Kinds: number, integer, flag, text, choice, array (numbers, nested), shape, index, target.
    """

    name: str
    kind: str
    default: Any = None
    range: Range | None = None
    choices: tuple[str, ...] = ()
    later: bool = False

    def check(self, value: Any, where: str) -> Any:
        """Return `value` as it is kept, or raise `BadSetting` with what is allowed."""
        if value is None and self.default is None:
            return None
        problem = _KINDS[self.kind](self, value)
        if problem:
            shown = str(value) if isinstance(value, Array) else json.dumps(value, default=str)
            shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
            raise BadSetting(f"{where}.{self.name} must be {problem}, not {shown}", node=None)
        return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def _number(setting: Setting, value: Any) -> str:
    if not is_number(value) or not _is_finite(value):
        return "a finite number" + (f" {setting.range}" if setting.range else "")
    if setting.range and not setting.range.holds(value):
        return f"a number {setting.range}"
    return ""


def _integer(setting: Setting, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "a whole number" + (f" {setting.range}" if setting.range else "")
    if setting.range and not setting.range.holds(value):
        return f"a whole number {setting.range}"
    return ""


def _flag(_: Setting, value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _text(_: Setting, value: Any) -> str:
    return "" if isinstance(value, str) else "a text"


def _choice(setting: Setting, value: Any) -> str:
    return "" if value in setting.choices else "one of " + ", ".join(setting.choices)


def _array(_: Setting, value: Any) -> str:
    if isinstance(value, Array):
        if value.values.ndim > 2 or not value.values.size:
            return "one or two-dimensional"
        return (
            "" if np.isfinite(value.values).all() else "finite numbers (it holds NaN or Infinity)"
        )

    if type(value) is tuple and {*map(type, value)} == {float} and all(map(math.isfinite, value)):
        return ""

    def ragged(part: Any, depth: int = 0) -> bool | str:
        if isinstance(part, str) and part in ("NaN", "Infinity", "-Infinity"):
            return "finite numbers (it holds NaN or Infinity)"
        if is_number(part):
            return False if _is_finite(part) else "finite numbers (it holds NaN or Infinity)"
        if not isinstance(part, tuple | list) or depth == 2 or not part:
            return True
        for inner in part:
            problem = ragged(inner, depth + 1)
            if problem:
                return problem
        rows = {len(inner) if isinstance(inner, tuple | list) else -1 for inner in part}
        return len(rows) > 1

    problem = ragged(value)
    if isinstance(problem, str):
        return problem
    return "a number, a list of numbers, or a list of rows of equal length" if problem else ""


def _shape(_: Setting, value: Any) -> str:
    good = (
        isinstance(value, tuple | list)
        and 1 <= len(value) <= 2
        and all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in value)
    )
    if not good:
        return "one or two whole numbers above 0, such as [5, 7]"
    return "" if math.prod(value) <= _MOST else f"at most {_MOST:,} numbers in all"


def _index(_: Setting, value: Any) -> str:
    def whole(part: Any) -> bool:
        return isinstance(part, int) and not isinstance(part, bool) and part >= 0

    good = whole(value) or (
        isinstance(value, tuple | list) and len(value) > 0 and all(whole(part) for part in value)
    )
    return "" if good else "a feature's number from 0, or a list of them"


def _target(_: Setting, value: Any) -> str:
    def column(part: Any) -> bool:
        return isinstance(part, str | int) and not isinstance(part, bool)

    good = column(value) or (
        isinstance(value, tuple | list) and len(value) > 0 and all(column(part) for part in value)
    )
    return "" if good else "a column's name or number, or a list of them"


def _formula(_: Setting, value: Any) -> str:
    if not isinstance(value, str):
        return "a formula such as 'a + b'"
    try:
        formulas.parse(value)
    except GraphError as error:
        return f"a formula that can be read ({error})"
    return ""


_KINDS: dict[str, Callable[[Setting, Any], str]] = {
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "text": _text,
    "choice": _choice,
    "array": _array,
    "shape": _shape,
    "index": _index,
    "target": _target,
    "formula": _formula,
}

ArrayValue = Annotated[Any, _Mark("array")]
ShapeValue = Annotated[Any, _Mark("shape")]
IndexValue = Annotated[Any, _Mark("index")]
TargetValue = Annotated[Any, _Mark("target")]
FormulaValue = Annotated[str, _Mark("formula")]
_SETTING_MARKS = ("array", "shape", "index", "target", "formula")


_MOST = 100_000_000


# --- wires as expressions -------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class Made:
    """A node that an expression builds; it gets its place in a graph from `Graph.of`."""

    type: NodeType
    settings: Mapping[str, Any]
    inputs: Mapping[str, tuple[Output, ...]]
    id: str | None = None

    def __repr__(self) -> str:
        return f"<{self.id or self.type.name}>"


@dataclass(unsafe_hash=True, slots=True)  # a frozen one takes three times as long to make
class Output:
    """An output port in an expression: of a node being made, or of one that stands in a graph."""

    node: Made | str
    port: str
    shape: Shape | None = None
    """What is known of its shape: backward rules ask it where broadcasting must be undone."""

    def __repr__(self) -> str:
        node = self.node if isinstance(self.node, str) else (self.node.id or self.node.type.name)
        return f"<{node}.{self.port}>"


Blame = Output | float
"""What a backward rule gets: a wire, or the number 1 where the cost itself is asked."""
Rule = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Penalty:
    """Blame that is λΘ for a whole batch: `average` adds it when it divides by n."""

    regularization: float


Update = Callable[[str, Output, Output], Any]
"""Adds the nodes that move a parameter: its id, its value, its gradient."""


class Updates(Protocol):
    """Where a trainer puts the nodes that move parameters."""

    def constant(self, value: float, name: str) -> Output:
        """Add a number that all updates share; `name` is added to the trainer's."""
        ...

    def place(self, made: Output, name: str) -> Output:
        """Add a node under a name of its own."""
        ...

    def counter(self, name: str) -> Output:
        """Add a number that is one larger at each update; `name` is added to the trainer's."""
        ...

    def running(
        self, name: str, theta: Output, gradient: Output, keep: float, rate: Output
    ) -> Output:
        """Add a running sum v ← keep·v − rate·gradient, of the parameter's shape; return v."""
        ...

    def move(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        """Add the update Θ ← Θ − rate·gradient itself."""
        ...


Moves = Callable[[Updates, Mapping[str, Any]], Update]
"""What a trainer does: it adds what its updates share, and returns what each of them is."""


# --- node types -----------------------------------------------------------------------------


# What else a type says of itself, beside its function. Who says nothing is served by the
# calculation, or by the function.
Lower = Callable[[Any, Any, Any, Any], None]
"""Adds the rows of a node to `engine.cells.Layout`, of inputs by port, settings, and result."""
LowerOfSums = Callable[[Any, Any, Any, Any], None]
"""Adds the rows of a cost to a layout, of where its weighted sums lie, targets, and result."""
Body = Callable[[Any, Any], Sequence[Any]]
"""Returns the terms of one number of what a step was given (`workings.given.Given`)."""
Written = Callable[[Any, str], str]
"""Returns a node as an expression of a program (`interchange.programs.saying.Speaker`)."""
Operators = Callable[[Any, str], str]
"""Adds the operators of a node to `interchange.onnx_nodes.Nodes`; returns the last one's name."""
Symbols = Callable[[Any, Any], Any]
"""Returns rows of expressions (`symbolic`), of those of the inputs by port, and of settings."""
Slips = Callable[[Any, Any, float], Any]
"""Yields slips of calculating by hand, of what a step was given, the place, the right number."""

_SUM = "Σ"
Sums = Callable[[Value, Value], Value]
"""A cost as a function of weighted sums and targets, (samples, features) each."""


@dataclass(frozen=True, slots=True)
class InSums:
    """A cost in the weighted sums z before an activation."""

    function: Sums
    """C of z and y."""
    formula: str
    slope: Callable[[Any], Any]
    """∂C/∂y as nodes, of the wire of z."""
    lower: LowerOfSums | None = None
    """Its rows, of where the sums lie; without it the function is called."""


class _Changes:
    count = 0


def changes() -> int:
    """Return how often a node type was added, taken out or changed.

    What was made with the types as they were before is of no use afterwards.
    """
    return _Changes.count


def note_change() -> None:
    """Note that a node type is another one now."""
    _Changes.count += 1


@dataclass(eq=False, slots=True)
class NodeType:
    """One kind of node: ports, settings, the NumPy function and the rule for blame."""

    name: str
    family: str
    formula: str
    help: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    settings: tuple[Setting, ...]
    function: Callable[..., Any]
    shapes: Signature | Callable[..., tuple[Shape, ...]] | None
    aliases: tuple[str, ...] = ()
    between: tuple[float, float] = (-math.inf, math.inf)
    """What its outputs lie between, whatever goes in."""
    verb: str = "squashed"
    """What it does to a number that goes through it, in the past tense."""
    calculation: str = ""
    """What it makes of one number of each input, as a formula of ports and settings; or nothing.

    Behind a Σ the formula is that of a cost of one feature: they are added up.
    """
    title: str = ""
    """What people call it in a sentence: "cross-entropy", "Adam"."""
    noun: str = ""
    """What one number that it gives is called in a sentence, such as "the error"."""
    passes: str = ""
    """The port whose value it passes on as it is; or nothing."""
    typed: bool = False
    """Whether it gives numbers that a person types: they can be changed where they are read."""
    holds_weights: bool = False
    """Whether it holds numbers that training changes, with the settings that `parameter` has."""
    view_module: str = ""
    """The module whose function `found(sight, key)` tells what a view shows; see `views`."""
    slow: bool = False
    """Whether a view evaluates the network many times: not for every frame of a window."""
    searches: bool = False
    """Whether a trainer finds the parameters by a search of its own, and has nothing to unfold."""
    moves: Moves | None = None
    """How a trainer moves each parameter, as nodes."""
    samples: bool = False
    probes: bool = False
    """Whether its function wants to know the cost with other values of its inputs."""
    joined: str | None = None
    rule: Rule | None = None
    rules_through: dict[str, Rule] = field(default_factory=dict)
    in_sums: dict[str, InSums] = field(default_factory=dict)
    """How a cost is computed from the weighted sums z before an activation, by activation."""
    no_backward: str = ""
    joins: str = ""
    """The port whose wires it gives side by side, and nothing else; or nothing."""
    picks: str = ""
    """The setting that says which features of its input it gives; or nothing."""
    told: str = ""
    """How an account of a step tells it, where its family is told by something else: "judged",
    "sent back", "sloped", or "calculated", which is the formula with its numbers."""
    shares: bool = False
    """Whether the outputs of an activation are shares that add up to 1."""
    natural: str = ""
    """The activation with which a cost has the slope a − y in z, such as "sigmoid"; or nothing."""
    steady: bool = False
    """Whether the steps of a trainer do not grow with the gradients."""
    measures: bool = False
    """Whether a cost only tells how well it goes: nothing is trained by it."""
    holds_data: bool = False
    """Whether it reads rows of features and targets, from the file of its setting `source`."""
    drawn_as: str = ""
    """What a node is drawn as, where that is no box: a knot of a wire, a slider."""
    over_time: bool = False
    """Whether a view shows its value as it was at each epoch."""
    notes: bool = False
    """Whether a view shows what a person wrote, while nothing is wired into it."""
    beside: Literal["", "joined", "added"] = ""
    """What several are together that do with a feature each what one does with all of them."""
    over_samples: bool = False
    """Whether it adds up over the samples of a batch: a gradient before it is averaged."""
    known_as: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """What other programs call it, by program; the first of several names is the one to write."""
    lower: Lower | None = None
    """How it becomes rows of the tape; without it, those of its calculation, or its function."""
    lowers_whole: bool = False
    """Whether its rows run over all numbers at once, of values of one shape without gaps."""
    body: Body | None = None
    """What one number that it gives is made of, written out; without it, its calculation."""
    written: Written | None = None
    """What it is in a program; without it, its calculation."""
    operators: Operators | None = None
    """What it is in ONNX; without it, its calculation."""
    symbols: Symbols | None = None
    """What it is of expressions; without it, its calculation."""
    slips: Slips | None = None
    """Which wrong numbers people find who calculate it by hand."""
    dynamic_inputs: Callable[[Mapping[str, Any]], tuple[Port, ...]] | None = None
    feedback: frozenset[str] = frozenset()
    """Names of the feedback ports."""
    defaults: Settings = field(init=False)
    """Every setting's default."""
    input_named: Mapping[str, Port] = field(init=False)
    """The input ports by name; none where they depend on the settings."""
    output_names: frozenset[str] = field(init=False)
    setting_named: Mapping[str, Setting] = field(init=False)
    array_settings: frozenset[str] = field(init=False)
    _full: Settings | None = field(init=False, default=None)
    """All settings of a node that is given none, once they were checked."""

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if not name.startswith("_"):
            note_change()

    def __post_init__(self) -> None:
        self.feedback = frozenset(port.name for port in self.inputs if port.feedback)
        self.defaults = Settings({setting.name: setting.default for setting in self.settings})
        ports = () if self.dynamic_inputs else self.inputs
        self.input_named = {port.name: port for port in ports}
        self.output_names = frozenset(port.name for port in self.outputs)
        self.setting_named = {setting.name: setting for setting in self.settings}
        self.array_settings = frozenset(s.name for s in self.settings if s.kind == "array")

    # -- reading

    @property
    def is_own(self) -> bool:
        """Whether it is one of nodeflow's."""
        return self.function.__module__.startswith("nodeflow.")

    @property
    def is_elementwise(self) -> bool:
        """Whether it works number by number, so that it can be taken apart feature by feature."""
        return isinstance(self.shapes, Signature) and self.shapes.elementwise

    def calculated(self, settings: Mapping[str, Any]) -> formulas.Expression:
        """Return its calculation, with the numbers of its settings in it; it must declare one."""
        given = {name: settings[name] for name in self.setting_named}
        return formulas.filled(formulas.parse(self.calculation.removeprefix(_SUM)), given)

    @property
    def adds_up(self) -> bool:
        """Whether its calculation is that of one feature, and all of them are added up."""
        return self.calculation.startswith(_SUM)

    @property
    def is_layer(self) -> bool:
        """Whether it makes one value for each row of its `weights`, of `a` and that row alone."""
        return self.family == "layer"

    @property
    def judges(self) -> bool:
        """Whether it tells how far outputs `a` are from targets `y`, and sends blame for it."""
        return self.family == "cost" and not self.measures and {"a", "y"} <= self.input_named.keys()

    @property
    def counts_hits(self) -> bool:
        """Whether it gives 1 for a sample that is right and 0 for another."""
        return self.measures and bool(self.no_backward)

    @property
    def averages(self) -> bool:
        """Whether it divides what was added up over the samples by their number."""
        return self.samples and self.family == "backward"

    @property
    def accumulates(self) -> bool:
        """Whether it adds up over the samples of an update, by a wire from its own output."""
        return bool(self.feedback) and self.family == "backward"

    @property
    def takes_delta(self) -> bool:
        """Whether it is made of δ = ∂C/∂z of a layer: blame, a gradient, a step."""
        return self.family in ("backward", "update") and "delta" in self.input_named

    @property
    def gives_delta(self) -> bool:
        """Whether it gives δ = ∂C/∂z of what an activation takes."""
        return self.family == "backward" and "delta" in self.output_names

    @property
    def sends_back(self) -> bool:
        """Whether it passes δ back along weights: the blame of what a layer takes."""
        return self.takes_delta and "blame" in self.output_names

    @property
    def makes_gradient(self) -> bool:
        """Whether it makes the gradient of weights or of a bias, from a δ."""
        return self.takes_delta and self.over_samples

    @property
    def of_weights(self) -> bool:
        """Whether a gradient is that of weights: it takes what came into the layer, too."""
        return self.makes_gradient and "a" in self.input_named

    @property
    def descends(self) -> bool:
        """Whether it moves a parameter against a gradient that comes in."""
        return self.family == "update" and "gradient" in self.input_named

    @property
    def is_step(self) -> bool:
        """Whether it moves a parameter, and makes the gradient for it of a δ."""
        return self.family == "update" and self.takes_delta

    @property
    def penalizes(self) -> bool:
        """Whether a cost is one of weights, whatever the samples are."""
        return self.family == "cost" and "weights" in self.input_named

    @property
    def rearranges(self) -> bool:
        """Whether it only joins or picks features: it computes nothing."""
        return bool(self.joins or self.picks)

    def picked(self, settings: Mapping[str, Any]) -> tuple[int, ...]:
        """Return which features a node that `picks` gives."""
        index = settings[self.picks]
        return index if isinstance(index, tuple) else (index,)

    def called(self, program: str) -> str:
        """Return what another program calls it, or ""."""
        names = self.known_as.get(program, "")
        return names if isinstance(names, str) else names[0]

    def ports_in(self, settings: Mapping[str, Any]) -> tuple[Port, ...]:
        """Return the input ports of a node with these settings."""
        return self.dynamic_inputs(settings) if self.dynamic_inputs else self.inputs

    def input(self, name: str, settings: Mapping[str, Any], node: str) -> Port:
        """Return the input port `name`, or raise `UnknownPort`."""
        ports = self.ports_in(settings)
        for port in ports:
            if port.name == name:
                return port
        has = ", ".join(map(str, ports)) or "none"
        raise UnknownPort(
            f"node '{node}' ({self.name}) has no input '{name}'; it has {has}", node=node
        )

    def output(self, name: str, node: str) -> Port:
        """Return the output port `name`, or raise `UnknownPort`."""
        for port in self.outputs:
            if port.name == name:
                return port
        has = ", ".join(map(str, self.outputs)) or "none"
        raise UnknownPort(
            f"node '{node}' ({self.name}) has no output '{name}'; it has {has}", node=node
        )

    def check(self, settings: Mapping[str, Any], node: str) -> Settings:
        """Return all settings with the defaults filled in, or raise a `GraphError`."""
        if not settings and self._full is not None:
            return self._full
        known = self.setting_named
        for name in settings:
            if name not in known:
                hint = nearest(name, known) or "; it has none"
                raise UnknownSetting(
                    f"node '{node}' ({self.name}) has no setting '{name}'{hint}", node=node
                )
        full = {**self.defaults, **settings_of(settings)}
        for name, setting in known.items():
            if name in settings or self._full is None:  # defaults are looked at once
                try:
                    setting.check(full[name], node)
                except BadSetting as error:
                    error.node = node
                    raise
        found = Settings(full)
        if not settings:
            self._full = found
        return found

    # -- declaring

    def backward(self, rule: Rule) -> Rule:
        """Declare how blame passes: `rule(blame, inputs…, outputs…)` returns blames by port."""
        self.rule = rule
        return rule

    def updates(self, moves: Moves) -> Moves:
        """Declare how a trainer moves parameters: `moves(made, settings)` returns an `Update`.

        Its nodes are made by `made`, so that they stand in the unfolded graph under the names of
        their trainer and parameter.
        """
        self.moves = moves
        return moves

    def through(self, activation: str) -> Callable[[Rule], Rule]:
        """Declare δ at the activation before the first input, both derivatives in one.

        `rule(blame, …)` takes what it asks for: z, a, y, and `missed` for 1 − y. A cost and the
        activation that feeds it often have a δ that is simpler than their two derivatives
        multiplied, and has digits where that one has none: cross-entropy after a sigmoid has
        δ = a − y.
        """

        def declare(rule: Rule) -> Rule:
            self.rules_through[activation] = rule
            return rule

        return declare

    def of_sums(
        self,
        activation: str,
        *,
        formula: str,
        slope: Callable[[Any], Any],
    ) -> Callable[[Sums], Sums]:
        """Declare what the cost is in the weighted sums z of the activation before it.

        `function(z, y)` gives what the type's own function gives for a = g(z), also where a has
        no digits left: σ(38) is 1, and ln(1 − a) is −38. `slope(z)` builds the nodes of ∂C/∂y.
        Where z is known (see `derive.logits`), both are computed from it.
        """

        def declare(function: Sums) -> Sums:
            self.in_sums[activation] = InSums(function, formula, slope)
            return function

        return declare

    def rows(self, lower: Lower) -> Lower:
        """Declare its rows of the tape: `lower(rows, inputs, settings, out)` adds them.

        They are to give what the function gives, which goes on to serve arrays.
        """
        self.lower = lower
        return lower

    def rows_over_all(self, lower: Lower) -> Lower:
        """Declare rows that run over all numbers at once, where all values have one shape."""
        self.lowers_whole = True
        return self.rows(lower)

    def operation(self, name: str) -> None:
        """Declare that an operation of the kernel computes it, number by number."""
        ports = [port.name for port in self.inputs]

        def lower(rows: Any, inputs: Any, _: Any, out: Any) -> None:
            rows.elementwise(name, out, *(inputs[port][0] for port in ports))

        self.lower = lower

    def rows_of_sums(self, activation: str) -> Callable[[LowerOfSums], LowerOfSums]:
        """Declare the rows of a cost in weighted sums: `lower(rows, known, y, out)` adds them."""

        def declare(lower: LowerOfSums) -> LowerOfSums:
            self.in_sums[activation] = replace(self.in_sums[activation], lower=lower)
            return lower

        return declare

    def worked(self, body: Body) -> Body:
        """Declare what one number is made of: `body(given, index)` returns terms that add up."""
        self.body = body
        return body

    def in_programs(self, written: Written) -> Written:
        """Declare what it is in a program: `written(program, id)` returns an expression.

        Of a trainer that is the optimizer of PyTorch that does the same, with {} for its weights;
        one that says nothing is written as its updates.
        """
        self.written = written
        return written

    def in_onnx(self, operators: Operators) -> Operators:
        """Declare what it is in ONNX: `operators(onnx, id)` adds operators, returns the last."""
        self.operators = operators
        return operators

    def in_symbols(self, symbols: Symbols) -> Symbols:
        """Declare what it is of expressions: `symbols(inputs, settings)` returns rows of them."""
        self.symbols = symbols
        return symbols

    def slipped(self, slips: Slips) -> Slips:
        """Declare the slips of calculating it: `slips(given, index, right)` yields them."""
        self.slips = slips
        return slips

    def vjp(self, function: Callable[..., Any]) -> NodeType:
        """Declare blame by a NumPy vector-Jacobian function, which becomes a node of its own.

        `function(blame, inputs…, outputs…, settings…)` returns the blame of the first input.
        The new type is called `TYPE_blame` and has one output, `blame`.
        """
        made = _declare(
            function,
            family="backward",
            formula=f"∂C/∂{self.inputs[0].name} through {self.name}",
            outputs=("blame",),
            shapes=_shape_of_first,
            name=f"{self.name}_blame",
            catalog=CATALOG,
        )
        first = self.inputs[0].name
        setting_names = {setting.name for setting in made.settings}
        wanted = [port.name for port in made.inputs[1:]]

        def rule(blame: Blame, **wires: Any) -> Mapping[str, Any]:
            settings = {k: v for k, v in wires.pop("settings", {}).items() if k in setting_names}
            return {first: made(blame, *(wires[name] for name in wanted), **settings)}

        rule.wants_settings = True  # type: ignore[attr-defined]
        self.rule = rule
        return made

    # -- calling

    def __call__(self, *args: Any, id: str | None = None, **settings: Any) -> Any:  # noqa: A002
        """Build a node from wires, or compute from arrays."""
        samples = settings.pop("samples", None) if self.samples else None
        if self.family == "source" and args:
            args, settings = (), {**self._by_place(args), **settings}
        ports = self.ports_in({**self.defaults, **settings}) if self.dynamic_inputs else self.inputs
        inputs: dict[str, Any] = {}
        if settings:
            named = {port.name for port in ports}
            inputs = {name: settings.pop(name) for name in list(settings) if name in named}
        full = self.check(settings, id or self.name)
        given = _bind(self, ports, args, inputs)
        wired = any(isinstance(part, Output) for part in _flat(given.values()))
        if self.family == "source" or wired:
            return self._build(given, {k: inert(v) for k, v in settings.items()}, id)
        return self.compute(given, full, samples)

    def _by_place(self, args: Sequence[Any]) -> dict[str, Any]:
        """Return a source's settings given in order: `dataset("xor")`."""
        names = [setting.name for setting in self.settings]
        if len(args) > len(names):
            raise GraphError(f"{self.name} takes {', '.join(names)}; {len(args)} were given")
        return dict(zip(names, args, strict=False))

    def compute(
        self,
        inputs: Mapping[str, Any],
        settings: Mapping[str, Any],
        samples: int | None = None,
        probe: Callable[..., float] | None = None,
    ) -> Any:
        """Return the function's value for arrays; `…` ports are lists."""
        try:
            return self._computed(inputs, settings, samples, probe)
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:  # a function that exits does not take the program with it
            raise RunError(f"{type(error).__name__} in the function of {self.name}") from error

    def _computed(
        self,
        inputs: Mapping[str, Any],
        settings: Mapping[str, Any],
        samples: int | None,
        probe: Callable[..., float] | None,
    ) -> Any:
        keywords = dict(settings)
        if self.probes:
            if probe is None:
                raise GraphError(f"{self.name} needs a cost: it is computed in a graph that runs")
            keywords["cost"] = probe
        if self.samples:
            keywords["samples"] = 1 if samples is None else samples
        if self.dynamic_inputs:
            return self.function(inputs, **keywords)
        positional: list[Any] = []
        for port in self.inputs:
            value = inputs.get(port.name)
            if port.many and self.joined == port.name:
                parts = value if isinstance(value, list | tuple) else [value]
                positional.append(parts[0] if len(parts) == 1 else side_by_side(parts))
            elif port.many:
                positional.extend(value if isinstance(value, list | tuple) else [value])
            else:
                positional.append(value)
        return self.function(*positional, **keywords)

    def _build(
        self, given: Mapping[str, Any], settings: Mapping[str, Any], name: str | None
    ) -> Any:
        wires: dict[str, tuple[Output, ...]] = {}
        for port, value in given.items():
            if value is None:
                continue
            parts = value if isinstance(value, list | tuple) else (value,)
            wires[port] = tuple(
                part if isinstance(part, Output) else _as_constant(part) for part in parts
            )
        made = Made(self, settings, wires, name)
        outputs = tuple(Output(made, port.name) for port in self.outputs)
        if not outputs:
            return made
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"<node type {self.name}>"


def side_by_side(parts: Sequence[Any]) -> Value:
    """Join values along their features; a single row is repeated for each sample."""
    whole = [np.atleast_2d(part) for part in parts]
    rows = max(len(part) for part in whole)
    return np.concatenate(
        [np.broadcast_to(part, (rows, part.shape[-1])) for part in whole], axis=-1
    )


def _shape_of_first(
    _settings: Mapping[str, Any], blame: Shape, first: Shape, *others: Shape
) -> tuple[Shape, ...]:
    return (Shape(first.dims, batch=any(shape.batch for shape in (blame, first, *others))),)


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _as_constant(value: Any) -> Output:
    built: Output = CATALOG["constant"](value=inert(value))
    return built


@contextmanager
def foreign(type_: NodeType, key: str, what: str) -> Iterator[None]:
    """Turn whatever is raised by what others wrote into a `GraphError` at the node.

    Of nodeflow's own types nothing is hidden.
    """
    try:
        yield
    except (NodeflowError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        if type_.is_own:
            raise
        raise GraphError(
            f"{what} of '{key}' ({type_.name}) fails: {type(error).__name__}", node=key
        ) from error


def plain_numbers(value: Any) -> str:
    """Return what is wrong with a function's result, which is to be real numbers; "" if nothing."""
    try:
        kind = np.asarray(value).dtype.kind
    except Exception:  # noqa: BLE001  an object may raise whatever it likes when it is looked at
        return f"returns {_a(type(value).__name__)}"
    if kind in "fiub":
        return ""
    return "returns complex numbers" if kind == "c" else f"returns {_a(type(value).__name__)}"


def _a(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}, not numbers"


def _bind(
    type_: NodeType, ports: Sequence[Port], args: Sequence[Any], named: Mapping[str, Any]
) -> dict[str, Any]:
    """Spread positional arguments over the input ports, as Python would."""
    given: dict[str, Any] = dict(named)
    rest = list(args)
    for port in ports:
        if port.name in given or not rest:
            continue
        if port.many and type_.joined != port.name:
            given[port.name] = (
                list(_flat(rest))
                if any(
                    isinstance(part, list | tuple) and any(isinstance(p, Output) for p in part)
                    for part in rest
                )
                else rest
            )
            rest = []
        else:
            given[port.name] = rest.pop(0)
    if rest:
        raise GraphError(
            f"{type_.name} takes {', '.join(map(str, ports)) or 'no inputs'}; "
            f"{len(args)} were given"
        )
    for port in ports:
        if given.get(port.name) is None and not port.optional:
            raise MissingInput(f"{type_.name} needs its input '{port.name}'")
    return given


class Catalog(Mapping[str, NodeType]):
    """The library: node types by name."""

    def __init__(self) -> None:
        self._types: dict[str, NodeType] = {}
        self.why_unknown: Callable[[str], str] = lambda _: ""
        """What is to be said of a type that is not there, besides the nearest name."""
        self.plugin_of: Callable[[str], str] = lambda _: ""
        """The plugin that a type came from."""

    def __getitem__(self, name: str) -> NodeType:
        try:
            return self._types[name]
        except KeyError:
            why = self.why_unknown(name) or nearest(name, self._types)
            raise UnknownType(f"there is no node type '{name}'{why}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def find(self, name: str) -> NodeType | None:
        """Return the type of that name, or None."""
        return self._types.get(name)

    def natural_cost(self, activation: str) -> NodeType | None:
        """Return the cost whose slope in z is a − y behind an activation, if there is one."""
        return next((one for one in self._types.values() if one.natural == activation), None)

    def add(self, type_: NodeType) -> None:
        """Add a type; two of one name are a `DeclarationError`."""
        if type_.name in self._types:
            there = self._types[type_.name]
            whose = "nodeflow" if there.is_own else self.plugin_of(type_.name)
            whose = whose or there.function.__module__
            raise DeclarationError(
                f"there is a node type '{type_.name}' already, of {whose}; "
                "give this one another name"
            )
        self._types[type_.name] = type_
        note_change()

    def remove(self, name: str) -> None:
        """Take a type out again (a plugin that is switched off)."""
        self._types.pop(name, None)
        note_change()


CATALOG = Catalog()


def _nothing() -> None:
    """Compute nothing."""


PLACEHOLDER = NodeType("", "", "", "", (), (), (), _nothing, None)
"""What stands for the type of a node that nobody here knows."""


def node(
    family: str,
    *,
    formula: str,
    outputs: Sequence[str] | str | None = None,
    shapes: str | Callable[..., tuple[Shape, ...]] | None = None,
    aliases: Sequence[str] = (),
    no_backward: str = "",
    between: tuple[float, float] = (-math.inf, math.inf),
    verb: str = "squashed",
    calculation: str = "",
    title: str = "",
    noun: str = "",
    passes: str = "",
    joins: str = "",
    picks: str = "",
    operation: str = "",
    told: str = "",
    shares: bool = False,
    natural: str = "",
    steady: bool = False,
    measures: bool = False,
    holds_data: bool = False,
    drawn_as: str = "",
    over_time: bool = False,
    notes: bool = False,
    beside: Literal["", "joined", "added"] = "",
    over_samples: bool = False,
    known_as: Mapping[str, str | tuple[str, ...]] | None = None,
    typed: bool = False,
    holds_weights: bool = False,
    view_module: str = "",
    slow: bool = False,
    searches: bool = False,
    dynamic_inputs: Callable[[Mapping[str, Any]], tuple[Port, ...]] | None = None,
    catalog: Catalog | None = None,
    name: str = "",
) -> Callable[[Callable[..., Any]], NodeType]:
    """Declare a node type from a function.

    `outputs` defaults to the left side of the formula. `shapes` is a signature such as
    "(n,i), (o,i), (o) -> (n,o)" (n is the sample axis), "elementwise", or a function of the
    settings and input shapes; without it the function is tried on ones. `no_backward` says why
    blame stops here. `between` are the ends of what comes out, and `verb` says in an account of a
    step what an activation did ("cut", "bent"). `name` is for types whose name Python keeps for
    itself.

    `calculation` says what the function makes of one number of each input, in the language of
    `expression`: "max(z, 0) + exp(min(0, z)) - 1". A type that says it needs no more to train at
    full speed, to pass blame, to be written out with its numbers, to run in a page and to be
    written in other programs. A cost may say what it is of one feature: "Σ abs(a - y)". `title` is
    what people call it, `noun` is what one of its numbers is called ("the error"), `passes` the
    port whose value goes through as it is, `joins` the port whose wires are given side by side,
    `picks` the setting that says which features are given. `operation` names the kernel's operation
    that computes it number by number, where that has one for the inputs in their order.
    `over_samples` marks what adds up over the samples, `measures` a cost that only tells how well
    it goes, `holds_data` what reads rows of data. `beside` says what several are together that do
    with a feature each what one does with all of them: their values joined, or added up.
    `drawn_as` ("knot", "slider") is how a node is drawn that is no box, `over_time` marks a view of
    what its value was at each epoch, `notes` one that shows a person's words. `known_as` tells what
    other programs call it, such as {"onnx": "Relu", "keras": "relu"}, `told` how an account of a
    step tells it. `shares` marks an activation whose outputs add up to 1, `natural` names the
    activation with which a cost has the slope a − y, `steady` marks a trainer whose steps do not
    grow with the gradients. `typed` marks numbers that a person types, `holds_weights` those that
    training changes. `view_module` names the module that tells what a view shows, by a function
    `found(sight, key)`, `slow` one that evaluates the network many times; `searches` marks a
    trainer that stays folded.
    """

    def declare(function: Callable[..., Any]) -> NodeType:
        names = (outputs,) if isinstance(outputs, str) else outputs
        return _declare(
            function,
            family=family,
            formula=formula,
            outputs=names,
            shapes=shapes,
            dynamic_inputs=dynamic_inputs,
            catalog=CATALOG if catalog is None else catalog,
            name=name,
            aliases=tuple(aliases),
            no_backward=no_backward,
            between=between,
            verb=verb,
            calculation=calculation,
            title=title,
            noun=noun,
            passes=passes,
            joins=joins,
            picks=picks,
            operation=operation,
            told=told,
            shares=shares,
            natural=natural,
            steady=steady,
            measures=measures,
            holds_data=holds_data,
            drawn_as=drawn_as,
            over_time=over_time,
            notes=notes,
            beside=beside,
            over_samples=over_samples,
            known_as=known_as or {},
            typed=typed,
            holds_weights=holds_weights,
            view_module=view_module,
            slow=slow,
            searches=searches,
        )

    return declare


PROGRAMS = (
    "brain.js", "jax", "keras", "numpy", "onnx", "onnx-ml", "sklearn", "snns", "torch",
)  # fmt: skip
"""The programs that a type may be `known_as` something to."""
_NAME = re.compile(r"[^\W\d]\w*")


def _declare(
    function: Callable[..., Any],
    *,
    family: str,
    formula: str,
    outputs: Sequence[str] | None,
    shapes: str | Callable[..., tuple[Shape, ...]] | None,
    catalog: Catalog,
    name: str = "",
    dynamic_inputs: Callable[[Mapping[str, Any]], tuple[Port, ...]] | None = None,
    operation: str = "",
    **traits: Any,
) -> NodeType:
    name = name or function.__name__
    if family not in FAMILIES:
        raise DeclarationError(f"{name}: there is no family '{family}'{nearest(family, FAMILIES)}")
    for program in traits.get("known_as", ()):
        if program not in PROGRAMS:
            hint = nearest(program.lower(), PROGRAMS) or f"; there is {', '.join(PROGRAMS)}"
            raise DeclarationError(f"{name}: known_as names no program '{program}'{hint}")
    help_ = inspect.getdoc(function) or ""
    if not help_:
        raise DeclarationError(f"{name} needs a docstring: it is the help text of the node")
    if not formula:
        raise DeclarationError(f"{name} needs a formula: it is shown on the node")
    if outputs is None:
        left = formula.split("=", maxsplit=1)[0].strip()
        if not _NAME.fullmatch(left):
            raise DeclarationError(f"{name}: name its outputs, the formula does not begin with one")
        outputs = (left,)
    hints = get_type_hints(function, include_extras=True)
    inputs: list[Port] = []
    settings: list[Setting] = []
    samples, probes, joined = False, False, None
    for parameter in inspect.signature(function).parameters.values():
        mark = _mark(hints.get(parameter.name))
        if parameter.kind is parameter.KEYWORD_ONLY:
            if mark == "samples":
                samples = True
            elif mark == "probe":
                probes = True
            else:
                settings.append(_setting(name, parameter, hints.get(parameter.name)))
        elif dynamic_inputs is None:
            many = mark == "many" or parameter.kind is parameter.VAR_POSITIONAL
            if mark == "many":
                joined = parameter.name
            inputs.append(
                Port(
                    parameter.name,
                    many=many,
                    optional=mark == "feedback" or parameter.default is None,
                    feedback=mark == "feedback",
                )
            )
    made = NodeType(
        name=name,
        family=family,
        formula=formula,
        help=help_,
        inputs=tuple(inputs),
        outputs=tuple(Port(output) for output in outputs),
        settings=tuple(settings),
        function=function,
        shapes=Signature.parse(shapes) if isinstance(shapes, str) else shapes,
        samples=samples,
        probes=probes,
        joined=joined,
        dynamic_inputs=dynamic_inputs,
        **{**traits, "title": traits.get("title") or name.replace("_", " ")},
    )
    if family == "activation" and [port.name for port in (*made.inputs, *made.outputs)] != [
        "z",
        "a",
    ]:
        raise DeclarationError(
            f"{name}: an activation takes z and gives a, so that it can be taken apart with its "
            "layer; name its parameter z, and begin its formula with 'a ='"
        )
    if operation:
        made.operation(operation)
    if not made.beside and (made.adds_up or family == "activation"):
        made.beside = "added" if made.adds_up else "joined"
    if made.calculation:
        _check_calculation(made)
        if not made.no_backward:
            made.rule = _rule_of_calculation(made)
    catalog.add(made)
    return made


def _check_calculation(type_: NodeType) -> None:
    """Refuse a calculation that is no formula of the type's ports and numbers."""
    try:
        tree = formulas.parse(type_.calculation.removeprefix(_SUM))
    except GraphError as error:
        raise DeclarationError(f"{type_.name}: its calculation cannot be read: {error}") from None
    single = [
        port.name for port in type_.inputs if not (port.many or port.feedback or port.optional)
    ]
    numeric = [s.name for s in type_.settings if s.kind in ("number", "integer")]
    if len(type_.outputs) != 1 or len(single) != len(type_.inputs):
        raise DeclarationError(
            f"{type_.name} cannot have a calculation: that takes one output, and inputs that take "
            "one wire each and must be wired; leave the calculation out, or the default of a port"
        )
    for name in formulas.names(tree):
        if name not in single and name not in numeric:
            raise DeclarationError(
                f"{type_.name}: its calculation names '{name}', which is no input and no number "
                f"among its settings{nearest(name, [*single, *numeric])}"
            )


def _rule_of_calculation(type_: NodeType) -> Rule:
    """Return the rule that is the derivative of a calculation, as formula nodes."""
    ports = [port.name for port in type_.inputs]

    def rule(blame: Blame, **given: Any) -> Mapping[str, Any]:
        tree = type_.calculated({**type_.defaults, **given.pop("settings", {})})
        own = formulas.names(tree)
        read = {name: given[name] for name in ports if name in own}
        made: Mapping[str, Any] = CATALOG["expression"].rule(  # type: ignore[misc]
            blame, read, formula=formulas.write(tree)
        )
        return {name: made.get(name, 0.0) for name in ports}

    rule.wants_settings = True  # type: ignore[attr-defined]
    return rule


def _mark(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, _Mark):
                return extra.word
    return ""


def _setting(type_name: str, parameter: inspect.Parameter, hint: Any) -> Setting:
    default = None if parameter.default is parameter.empty else inert(parameter.default)
    mark, span = _mark(hint), None
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    later = any(isinstance(extra, Later) for extra in extras)
    if mark in _SETTING_MARKS:
        return Setting(parameter.name, mark, default, later=later)
    if get_origin(hint) is Annotated:
        base = get_args(hint)[0]
        span = next((extra for extra in extras if isinstance(extra, Range)), None)
        hint = base
    if get_origin(hint) is Literal:
        return Setting(parameter.name, "choice", default, choices=get_args(hint), later=later)
    kinds = {bool: "flag", int: "integer", float: "number", str: "text"}
    if hint not in kinds:
        raise DeclarationError(
            f"{type_name}.{parameter.name} needs an annotation that says what is allowed: "
            "bool, int, float, str, a Literal, or one of this module's"
        )
    return Setting(parameter.name, kinds[hint], default, range=span, later=later)


__all__ = [
    "CATALOG",
    "FAMILIES",
    "LARGE",
    "PLACEHOLDER",
    "Array",
    "ArrayValue",
    "Blame",
    "Catalog",
    "Feedback",
    "FormulaValue",
    "IndexValue",
    "Later",
    "Made",
    "Many",
    "NodeType",
    "Output",
    "Penalty",
    "Port",
    "Probe",
    "Range",
    "Samples",
    "Setting",
    "ShapeMismatch",
    "ShapeValue",
    "TargetValue",
    "Update",
    "Updates",
    "Value",
    "inert",
    "node",
    "numbers",
]
