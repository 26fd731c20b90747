"""A node type: ports, settings, the function, the rule for blame, and what it says of itself."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nodeflow import formula as formulas
from nodeflow.declare.calculations import SUM, check_calculation, rule_of_calculation
from nodeflow.declare.calling import as_arrays, bound, flat, side_by_side
from nodeflow.declare.catalog import CATALOG, Catalog
from nodeflow.declare.changes import note_change
from nodeflow.declare.functions import read
from nodeflow.declare.ports import Port, Setting, Value
from nodeflow.declare.wires import Blame, Made, Moves, Output, Rule
from nodeflow.errors import (
    BadSetting,
    DeclarationError,
    GraphError,
    RunError,
    UnknownPort,
    UnknownSetting,
    nearest,
)
from nodeflow.inert import Settings, inert, settings_of
from nodeflow.shape import Shape, Signature

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
PROGRAMS = (
    "brain.js", "jax", "keras", "numpy", "onnx", "onnx-ml", "sklearn", "snns", "torch",
)  # fmt: skip
"""The programs that a type may be `known_as` something to."""
_NAME = re.compile(r"[^\W\d]\w*")

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
"""Adds the operators of a node to `interchange.onnx.nodes.Nodes`; returns the last one's name."""
Symbols = Callable[[Any, Any], Any]
"""Returns rows of expressions (`symbolic`), of those of the inputs by port, and of settings."""
Slips = Callable[[Any, Any, float], Any]
"""Yields slips of calculating by hand, of what a step was given, the place, the right number."""

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
    """How a sentence about a step tells it, where its family is told by something else: "judged",
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
    slope_of_cost: bool = False
    """Whether it is what a cost blames its input for: `cost.error` in the backward pass."""
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
    reads_nothing: bool = field(init=False)
    """Whether nothing enters it in the pass that it is evaluated in."""
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
        self.reads_nothing = not self.dynamic_inputs and all(port.feedback for port in ports)
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
        return formulas.filled(formulas.parse(self.calculation.removeprefix(SUM)), given)

    @property
    def adds_up(self) -> bool:
        """Whether its calculation is that of one feature, and all of them are added up."""
        return self.calculation.startswith(SUM)

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
        made = declared(
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

        def rule(blame: Blame, *, settings: Mapping[str, Any], **wires: Any) -> Mapping[str, Any]:
            own = {name: value for name, value in settings.items() if name in setting_names}
            return {first: made(blame, *(wires[name] for name in wanted), **own)}

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
        given = bound(self, ports, args, inputs)
        wired = any(isinstance(part, Output) for part in flat(given.values()))
        if self.family == "source" or wired:
            return self._build(given, {k: inert(v) for k, v in settings.items()}, id)
        return self.compute(as_arrays(self, ports, given), full, samples)

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


def _nothing() -> None:
    """Compute nothing."""


PLACEHOLDER = NodeType("", "", "", "", (), (), (), _nothing, None)
"""What stands for the type of a node that nobody here knows: it has no ports and no traits."""


def kind_of(name: str) -> NodeType:
    """Return the type of that name; where there is none, `PLACEHOLDER`."""
    return CATALOG.get(name) or PLACEHOLDER


def _shape_of_first(
    _settings: Mapping[str, Any], blame: Shape, first: Shape, *others: Shape
) -> tuple[Shape, ...]:
    return (Shape(first.dims, batch=any(shape.batch for shape in (blame, first, *others))),)


def _as_constant(value: Any) -> Output:
    built: Output = CATALOG["constant"](value=inert(value))
    return built


def declared(
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
    """Return the type of a function, which the catalog has from now on; see `node`."""
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
    said = read(name, function, has_ports=dynamic_inputs is None)
    made = NodeType(
        name=name,
        family=family,
        formula=formula,
        help=help_,
        inputs=said.inputs,
        outputs=tuple(Port(output) for output in outputs),
        settings=said.settings,
        function=function,
        shapes=Signature.parse(shapes) if isinstance(shapes, str) else shapes,
        samples=said.samples,
        probes=said.probes,
        joined=said.joined,
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
        check_calculation(made)
        if not made.no_backward:
            made.rule = rule_of_calculation(made)
    catalog.add(made)
    return made
