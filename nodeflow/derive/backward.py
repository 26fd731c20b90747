"""The backward pass of a graph as nodes, by the rules of the node types.

Reverse topological order: each node hands the blame that has arrived at its output to its rule,
which says in terms of other nodes what arrives at its inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from nodeflow.declare import CATALOG, Blame, Made, NodeType, Output, Penalty, Update, foreign
from nodeflow.derive.answers import Answer, Form, Forms, standing_for
from nodeflow.derive.logits import Logits, logits
from nodeflow.derive.parts import records_of
from nodeflow.derive.placing import Placing
from nodeflow.derive.records import Record
from nodeflow.derive.rules import ask, given_ports
from nodeflow.derive.shapes import Inference
from nodeflow.errors import GraphError, NoBackward, NodeflowError
from nodeflow.graph import Graph, Wire
from nodeflow.inert import NO_SETTINGS
from nodeflow.nodes.arithmetic import add, concatenate, multiply, pick, subtract, sum_, times
from nodeflow.nodes.backward import average, bias_gradient, spread
from nodeflow.nodes.source import constant, parameter
from nodeflow.nodes.update import weight_update


class Part(NamedTuple):
    """What one reader of a value blames it for."""

    blame: Any
    """A wire, a number, or a `Penalty`."""
    owner: str
    """The reader."""
    summed: bool = False
    """Whether it was added up over the samples, or has one row per sample that will be."""


class _Moving:
    """Places the nodes that a trainer moves parameters by: `declare.Updates`."""

    def __init__(self, builder: Backward, key: str) -> None:
        self.builder, self.key = builder, key
        self.place = builder.place

    def constant(self, value: float, name: str) -> Output:
        return self.place(constant(value=value), f"{self.key}.{name}")

    def counter(self, name: str) -> Output:
        one, minus = self.constant(1.0, "one"), self.constant(-1.0, "minus")
        key = f"{self.key}.{name}"
        time = self.place(parameter(value=(0.0,), trainable=False), key)
        return self.move(key, time, one, minus)

    def running(
        self, name: str, theta: Output, gradient: Output, keep: float, rate: Output
    ) -> Output:
        shape = self.builder.shapes[f"{theta.node}.{theta.port}"].dims
        memory = self.place(parameter(shape=shape, init="zeros", trainable=False), name)
        kept = self.place(multiply(keep, memory), f"{name}.kept")
        return self.move(name, kept, gradient, rate)

    def move(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        return self.builder.moved(name, theta, gradient, rate)


class Backward(Placing):
    """A graph to which its backward pass and its updates are added."""

    def __init__(
        self, graph: Graph, inference: Inference, records: Mapping[str, Record] | None = None
    ) -> None:
        super().__init__(graph, inference.shapes)
        self.inference = inference
        self.records = records or {}
        self.gradients: dict[str, str] = {}
        self.numbers: dict[str, float] = {}
        self.logits = logits(graph, inference.shapes)
        self.partial: set[str] = set()
        """Addresses that a cost is not computed from, though it is wired so: see `Logits`."""
        self.has_rows = any(
            shape.batch and address.rpartition(".")[0] in graph.nodes
            for address, shape in inference.shapes.items()
        )
        """Whether any value has a sample axis; without one there is a single sample."""
        self._forms = Forms(self.shapes_of)
        self._answered: dict[tuple[Any, ...], list[tuple[int, Answer, bool]]] = {}
        self._decays: dict[float, Mapping[str, Any]] = {}
        self._fitting: set[tuple[int, int]] = set()
        self._known_between: dict[frozenset[str], frozenset[str]] = {}
        """The nodes that lead from parameters to costs, by the nodes of the costs."""

    @cached_property
    def wholes(self) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, int]]:
        """The neuron, and the layer, of each node that was made by taking one apart.

        And which of its layer's neurons it is, or belongs to.
        """
        records = records_of(self.graph)
        neurons = {
            part: key
            for key, layer in records.items()
            if not layer.neuronal
            for part in layer.made(self.graph)
        }
        layers = {part: key for key, layer in records.items() for part in layer.neurons}
        place = {part: n for layer in records.values() for n, part in enumerate(layer.neurons)}
        for part, key in neurons.items():
            if key in layers:
                layers[part], place[part] = layers[key], place[key]
        return neurons, layers, place

    # -- trainers

    def train(self, trainers: Sequence[str]) -> None:
        """Add the backward pass of all trainers, and the updates of each of them."""
        if not trainers:
            return
        moved_by = self._moved_by(trainers)
        updates: dict[str, Update] = {}
        for key in trainers:
            self.trainer = key
            update = self._update_rule(key)
            updates |= {theta: update for theta, by in moved_by.items() if by == key and update}
        self.trainer = trainers[0]
        costs = costs_of(self.graph, trainers)
        self.differentiate(costs, updates, moved_by)

    def _moved_by(self, trainers: Sequence[str]) -> dict[str, str]:
        """Return which trainer moves each parameter, or raise `GraphError` where two do."""
        graph, found = self.graph, dict[str, str]()
        others = [*self.records, *trainers]
        search = [key for key in trainers if graph.type_of(key).searches]
        if search and len(others) > 1:
            second = next(key for key in others if key != search[0])
            raise GraphError(
                f"'{search[0]}' (minimize) cannot stand beside '{second}': its line search takes "
                "all parameters at once; keep one of the two",
                node=search[0],
            )
        for key, cost in zip(trainers, costs_of(graph, trainers), strict=True):
            between = self._between([cost])
            for theta in graph.parameters:
                if theta not in between or graph.nodes[theta].mode == "freeze":
                    continue
                before = graph.inputs(theta).get("next")
                other = found.get(theta) or (self._origin(before[0].source) if before else None)
                if other is not None:
                    raise GraphError(
                        f"'{other}' and '{key}' would both move '{theta}'; add their costs and "
                        f"keep one of the two, or freeze '{theta}'",
                        node=key,
                    )
                found[theta] = key
        return found

    def _origin(self, update: str) -> str:
        """Return the trainer that an update was made for, or the update if it was wired by hand."""
        return next((key for key, r in self.records.items() if update in r.made), update)

    def total(self, costs: Iterable[str]) -> str | None:
        """Return the address of J: that of the cost, or of a node that adds several."""
        several = tuple(sorted(set(costs)))
        if len(several) < 2:
            return several[0] if several else None
        wired = [key for key in self.graph.of_type(add.name)
                 if sorted(w.start for w in self.graph.into(key)) == sorted(several)]  # fmt: skip
        if wired:
            return f"{wired[0]}.value"
        whole = self.place(add(*map(self.output, several)), "J")
        return f"{whole.node}.{whole.port}"

    def moved(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        """Place the update of a parameter, and the wire that feeds it back."""
        new = self.put(
            weight_update, NO_SETTINGS, f"{name}.update",
            gradient=gradient, parameter=theta, rate=rate,
        )  # fmt: skip
        fed_back = Wire(f"{name}.update", "value", name, "next")
        self.wires.append(fed_back)
        if name in self.into:
            self.into[name] = (*self.into[name], fed_back)
        return new

    def _update_rule(self, key: str) -> Update | None:
        moves = self.graph.type_of(key).moves
        return moves(_Moving(self, key), self.graph.settings(key)) if moves else None

    # -- differentiation

    def differentiate(
        self,
        costs: Iterable[str],
        updates: Mapping[str, Update],
        moved_by: Mapping[str, str] | None = None,
    ) -> None:
        """Add the nodes that compute the gradient of every port between parameters and costs.

        `updates` gives the update of a parameter, where it has one; `moved_by` its trainer.
        """
        graph = self.graph
        arrived: dict[str, list[Part]] = {
            cost: [Part(1.0, cost.rpartition(".")[0])] for cost in costs
        }
        needed = self._between(arrived)
        finished: list[tuple[str, Output]] = []
        for key in reversed(self.inference.order):
            if key not in needed:
                continue
            type_ = graph.type_of(key)
            address = f"{key}.{type_.outputs[0].name}" if type_.outputs else key
            parts = arrived.pop(address, None)
            if parts is None:
                continue
            # Neurons are added up in the order of their layer: 1, 2, … 10, as its own rows do.
            if len(parts) > 1:
                parts.sort(key=lambda part: _numbered(part[1]))
            if type_.holds_weights:
                finished.append((key, self._gradient(key, parts)))
                continue
            blame = self._combined(address, parts)
            self._hand_on(key, type_, blame, needed, arrived)
        for key, gradient in sorted(finished):
            self.gradients[f"{key}.value"] = f"{gradient.node}.{gradient.port}"
            if key in updates:
                self.trainer = (moved_by or {}).get(key, self.trainer)
                updates[key](key, self.output(f"{key}.value"), gradient)
        for address in self.partial:
            self.gradients.pop(address, None)
            self.numbers.pop(address, None)

    def _between(self, costs: Iterable[str]) -> frozenset[str]:
        """Return the nodes on the way from a trainable parameter to one of the costs."""
        ends = frozenset(cost.rpartition(".")[0] for cost in costs)
        if ends not in self._known_between:
            self._known_between[ends] = self.graph.upstream(ends) & self._moving
        return self._known_between[ends]

    @cached_property
    def _moving(self) -> set[str]:
        """Trainable parameters, and all that depends on one."""
        moving: set[str] = set()
        graph = self.graph
        types, incoming = graph.types, graph.incoming
        for key in self.inference.order:
            type_ = types.get(key)
            if type_ is not None and type_.holds_weights:
                if graph.settings(key)["trainable"]:
                    moving.add(key)
                continue
            feedback = type_.feedback if type_ is not None else ()
            for wire in incoming.get(key, ()):
                if wire.source in moving and wire.input not in feedback:
                    moving.add(key)
                    break
        return moving

    def _hand_on(
        self,
        key: str,
        type_: NodeType,
        blame: Blame,
        needed: frozenset[str],
        arrived: dict[str, list[Part]],
    ) -> None:
        if self._hand_on_alike(key, type_, blame, needed, arrived):
            return
        graph = self.graph
        wires = graph.inputs(key)
        arriving = {
            name: [self.output(wire.start) for wire in there] for name, there in wires.items()
        }
        given = given_ports(type_, type_.ports_in(graph.nodes[key].settings), arriving)
        moved = [wire for there in wires.values() for wire in there if wire.source in needed]
        outputs = {port.name: self.output(f"{key}.{port.name}") for port in type_.outputs}
        whole = next(iter(outputs.values()))
        known = self.logits.get(key)
        contributions: Mapping[str, Any]
        if known is not None and known.activation in type_.rules_through:
            # No blame for the activation, whose slope has no digits left where it is saturated.
            self.partial |= known.between
            self._hand_to_sums(key, type_, known, blame, given["y"], needed, arrived)
            moved = [wire for wire in moved if wire.input != "a"]
            contributions = {"y": lambda: self._blame_of_targets(type_, known, blame)}
        elif type_.rule is None:
            reason = type_.no_backward or "its type has no backward rule"
            raise NoBackward(
                f"blame cannot pass '{key}' ({type_.name}): {reason}; "
                "take it off the way to the cost, or give its type a rule",
                node=key,
            )
        else:
            if (
                type_.family == "layer"
                and not isinstance(blame, Output)
                and self.shape_of(whole).batch
            ):
                blame = spread(blame, whole)  # its rule adds up over the samples
            # Ports that a setting names could be called anything: their rule gets them as one.
            named = {"inputs": given} if type_.dynamic_inputs else {**given, **outputs}
            with foreign(type_, key, "the backward rule"):
                contributions = ask(type_.rule, blame, named, graph.settings(key))
        if not isinstance(contributions, Mapping):
            raise NoBackward(
                f"blame cannot pass '{key}' ({type_.name}): its rule returns a "
                f"{type(contributions).__name__}, and not blames by port",
                node=key,
            )
        over_rows = isinstance(blame, Output) and self.shape_of(blame).batch
        for wire in moved:
            if wire.input not in contributions and not graph.feeds_back(wire):
                raise NoBackward(
                    f"blame cannot pass '{key}' ({type_.name}) to its input '{wire.input}': "
                    "its rule has none for it; take what is trained off that input",
                    node=key,
                )
        for name, contribution in contributions.items():
            there = wires.get(name, ())
            if not any(wire in moved for wire in there):
                continue
            parts = self._spread_over(name, there, contribution, key)
            for wire, part in zip(there, parts, strict=True):
                if wire.source in needed:
                    made = part() if callable(part) else part
                    summed = self._is_summed(made, over_rows=over_rows)
                    arrived.setdefault(wire.start, []).append(Part(made, key, summed))

    def _hand_on_alike(
        self,
        key: str,
        type_: NodeType,
        blame: Blame,
        needed: frozenset[str],
        arrived: dict[str, list[Part]],
    ) -> bool:
        """Hand on what the rule answers for nodes like this one; False where it must be asked."""
        if key in self.logits or type_.dynamic_inputs or not type_.is_own:
            return False
        graph, shapes, output = self.graph, self.shapes, self.output
        wires = [output(f"{key}.{port.name}") for port in type_.outputs]
        case: list[Any] = [id(graph.nodes[key])]  # nodes of equal settings are one
        if isinstance(blame, Output):
            wires.append(blame)
            case.append(id(self.shape_of(blame)))
        else:
            case.append(blame)
        there = graph.into(key)
        for wire in there:
            source = wire.source
            start = f"{source}.{wire.output}"
            wires.append(output(start))
            case += (wire.input, id(shapes[start]), source in needed)
        known = tuple(case)
        answers = self._answered.get(known)
        if answers is None:
            answers = self._answered[known] = self._answers(key, type_, blame, wires, needed)
        done: dict[int, Made] = {}
        for place, answer, summed in answers:
            wire = there[place]
            part = Part(self._forms.made(answer, wires, done), key, summed)
            arrived.setdefault(f"{wire.source}.{wire.output}", []).append(part)
        return bool(answers)

    def _answers(
        self, key: str, type_: NodeType, blame: Blame, wires: list[Output], needed: frozenset[str]
    ) -> list[tuple[int, Answer, bool]]:
        """Return what a rule answers for each wire into a node that is to be blamed.

        That is the wire's place, the answer, and whether it was added up over the samples. Empty
        where the node has to be looked at itself.
        """
        if type_.rule is None or (type_.family == "layer" and not isinstance(blame, Output)):
            return []
        rest = (standing_for(place, self.shape_of(wire)) for place, wire in enumerate(wires))
        outputs = {port.name: next(rest) for port in type_.outputs}
        asked: Blame = next(rest) if isinstance(blame, Output) else blame
        places: dict[str, list[int]] = {}
        arriving: dict[str, list[Output]] = {}
        there = self.graph.into(key)
        for place, wire in enumerate(there):
            places.setdefault(wire.input, []).append(place)
            arriving.setdefault(wire.input, []).append(next(rest))
        given = given_ports(type_, type_.inputs, arriving)
        wanted = {wire.input for wire in there
                  if wire.source in needed and wire.input in given}  # fmt: skip
        known: dict[int, tuple[Made, Form]] = {}
        found: list[tuple[int, Answer, bool]] = []
        over_rows = isinstance(blame, Output) and self.shape_of(blame).batch
        try:
            answered = ask(type_.rule, asked, {**given, **outputs}, self.graph.settings(key))
            if not isinstance(answered, Mapping) or not wanted <= answered.keys():
                return []
            for name in (name for name in answered if name in wanted):
                answer = answered[name]
                if not isinstance(answer, list):
                    if len(places[name]) > 1:
                        return []
                    answer = [answer]
                for place, part in zip(places[name], answer, strict=True):
                    if there[place].source in needed:
                        made = part() if callable(part) else part
                        if isinstance(made, Penalty):
                            return []
                        summed = self._is_summed(made, over_rows=over_rows)
                        found.append((place, self._forms.of(made, known), summed))
        except NodeflowError:  # it is said of the node itself
            return []
        return found

    def _hand_to_sums(
        self,
        key: str,
        type_: NodeType,
        known: Logits,
        blame: Blame,
        y: Output,
        needed: frozenset[str],
        arrived: dict[str, list[Part]],
    ) -> None:
        """Hand δ of a cost to the weighted sums before its activations.

        Each activation has the targets of its own features.
        """
        through = type_.rules_through[known.activation]
        at = 0
        for part in known.parts:
            a, z = self.output(part.a), self.output(part.z)
            width = z.shape.features if z.shape else None
            count = width if part.index is None else len(part.index)
            own = y
            if len(known.parts) > 1:
                if count is None:
                    raise GraphError(
                        f"'{key}' takes outputs of unknown width: its data set must be at hand",
                        node=key,
                    )
                own = pick(y, index=at if count == 1 else tuple(range(at, at + count)))
                at += count
            if part.z.rpartition(".")[0] not in needed:
                continue
            chosen = part.index[0] if part.index and count == 1 else part.index
            targets = {"y": own, "missed": subtract(1.0, own)}

            def whole(wire: Output, a: Output = a, index: Any = chosen) -> Output:
                found: Output = CATALOG["pick_blame"](wire, a, index=index)
                return found

            if chosen is None:
                made = ask(through, blame, {"z": z, "a": a, **targets}, {})
            elif CATALOG[known.activation].shares:  # each share depends on all the sums
                of_all = {name: whole(wire) for name, wire in targets.items()}
                made = ask(through, blame, {"z": z, "a": a, **of_all}, {})
            else:
                some = {name: pick(wire, index=chosen) for name, wire in (("z", z), ("a", a))}
                made = whole(ask(through, blame, {**some, **targets}, {}))
            summed = self.shape_of(made).batch
            arrived.setdefault(part.z, []).append(Part(made, key, summed))

    def _blame_of_targets(self, type_: NodeType, known: Logits, blame: Blame) -> Blame:
        """Return blame for the targets of a cost, from the weighted sums as well."""
        surprise = type_.in_sums[known.activation].slope
        parts = []
        for part in known.parts:
            found = surprise(self.output(part.z))
            parts.append(found if part.index is None else pick(found, index=part.index))
        whole: Output = parts[0] if len(parts) == 1 else concatenate(*parts)
        return times(blame, whole)

    def _spread_over(
        self, name: str, there: tuple[Wire, ...], contribution: Any, key: str
    ) -> list[Any]:
        """Return one contribution a wire; a joined blame is cut into the wires' features."""
        if isinstance(contribution, list):
            return contribution
        if len(there) == 1:
            return [contribution]
        whole = contribution() if callable(contribution) else contribution
        whole = whole if isinstance(whole, Output) else self._literal(whole, there)
        if isinstance(whole.node, Made):
            whole = self.place(whole, self.free(f"{key}.blames"))
        parts, at = [], 0
        for wire in there:
            width = self.shapes[wire.start].features
            if width is None:
                raise GraphError(
                    f"'{key}.{name}' joins wires of unknown width: its data set must be at hand",
                    node=key,
                )
            index = at if width == 1 else tuple(range(at, at + width))
            parts.append(pick(whole, index=index))
            at += width
        return parts

    def _literal(self, value: float, there: tuple[Wire, ...]) -> Output:
        width = sum(self.shapes[wire.start].features or 1 for wire in there)
        made: Output = constant(value=(value,) * width)
        return made

    def _is_summed(self, blame: Blame, *, over_rows: bool) -> bool:
        """Whether a blame was added up over the samples, or will be where its wire has none."""
        return isinstance(blame, Output) and (over_rows or self.shape_of(blame).batch)

    # -- putting contributions together

    def _combined(self, address: str, parts: list[Part]) -> Blame:
        """Return the whole blame of a port, placed and named."""
        key, name = address.rpartition(".")[0], self._name(address)
        batch = self.shapes[address].batch
        if len(parts) == 1 and isinstance(parts[0].blame, Output) and (batch or not self.has_rows):
            part = self._fitted(parts[0], address)
            whole = self._summed([part if batch else self._shaped(part, address)], name)
            self.gradients[address] = f"{whole.node}.{whole.port}"
            return whole
        parts = [self._fitted(self._decayed(part, address), address) for part in parts]
        numbers = [part.blame for part in parts if not isinstance(part.blame, Output)]
        if len(numbers) == len(parts):
            self.numbers[address] = math.fsum(numbers)
            return self.numbers[address]
        summed = [] if self.shapes[address].batch or not self.has_rows else [
            part for part in parts if part.summed]  # fmt: skip
        rest = [part for part in parts if part not in summed]
        if not self.shapes[address].batch:
            rest = [self._shaped(part, address) for part in rest]
        if summed:
            whole = self._averaged(address, summed)
            if rest:
                whole = self._summed([Part(whole, key), *rest], name)
        else:
            whole = self._summed(self._by_layer(rest, name), name)
        self.gradients[address] = f"{whole.node}.{whole.port}"
        return whole

    def _by_layer(self, parts: list[Part], name: str) -> list[Part]:
        """Add up what the operations of a neuron blame, then the neurons of a layer.

        So the order of addition is that of the layers where they are whole.
        """
        neurons, layers, place = self.wholes
        if not place and not neurons:
            return parts
        for wholes in (neurons, layers):
            there: dict[str, list[Part]] = {}
            for part in parts:
                there.setdefault(wholes.get(part.owner, part.owner), []).append(part)
            for found in there.values():
                found.sort(key=lambda part: place.get(part.owner, 0))
            if 1 < len(there) < len(parts):
                parts = [
                    found[0]
                    if len(found) == 1
                    else found[0]._replace(blame=self._summed(found, f"{name}.{number}"))
                    for number, found in enumerate(there.values(), 1)
                ]
            elif len(there) == 1:
                (parts,) = there.values()
        return parts

    def _summed(self, parts: list[Part], name: str) -> Output:
        if len(parts) == 1:
            part = parts[0]
            if not isinstance(part.blame, Output):
                return self.constant(part.blame, name)
            return self._named(part.blame, name, part.owner)
        placed = [
            self.place(part.blame, f"{name}.{number}", owner=part.owner)
            if isinstance(part.blame, Output)
            else self.constant(part.blame, f"{name}.{number}")
            for number, part in enumerate(parts, 1)
        ]
        return self.place(add(*placed), name)

    def _named(self, blame: Output, name: str, owner: str) -> Output:
        """Place what one reader blames a value for; an error is called after its cost."""
        made = blame.node
        if isinstance(made, Made) and made.type.slope_of_cost:
            name = name if name.endswith(".delta") else f"{owner}.error"
        return self.place(blame, name, owner=owner)

    def _averaged(self, address: str, parts: list[Part], penalty: float | None = None) -> Output:
        """Return Δ/n + λΘ of what was added up over the samples: ∂J/∂ of a value without rows.

        A penalty of 0 has its part as any other: the nodes do not depend on numbers.
        """
        key, value = address.rpartition(".")[0], self.output(address)
        total = self._summed(parts, f"{key}.gradient")
        alike = self.shape_of(total).dims == self.shapes[address].dims
        if alike and penalty is None:
            return self.put(average, NO_SETTINGS, f"{key}.average", total=total)
        decay = penalty or 0.0
        settings = self._decays.setdefault(decay, {"regularization": decay})
        return self.put(average, settings, f"{key}.average", total=total, weights=value)

    def _gradient(self, key: str, parts: list[Part]) -> Output:
        """Return D = ∂J/∂Θ of a parameter, in its shape.

        What its readers blame it for sample by sample is added up and averaged; what has no
        sample axis is a part of ∂J/∂Θ as it is. A graph without rows has one sample.
        """
        address = f"{key}.value"
        only = parts[0].blame if len(parts) == 1 else None
        if isinstance(only, Output) and (parts[0].summed or not self.has_rows):
            total = self._named(self._fit(only, address), f"{key}.gradient", parts[0].owner)
            value = self.output(address)
            if total.shape is value.shape:  # as nearly all of a large graph have it
                return self.put(average, NO_SETTINGS, f"{key}.average", total=total)
            return self._averaged(address, [Part(total, parts[0].owner)])
        penalties = [part.blame for part in parts if isinstance(part.blame, Penalty)]
        penalty = math.fsum(part.regularization for part in penalties) if penalties else None
        parts = [
            self._fitted(part, address) for part in parts if not isinstance(part.blame, Penalty)
        ]
        summed = [part for part in parts if part.summed or not self.has_rows]
        rest = [self._shaped(part, address) for part in parts if part not in summed]
        if not summed:
            if penalty is not None or not rest:
                decay = Part(times(penalty or 0.0, self.output(address)), key)
                rest.append(self._shaped(decay, address))
            return self._summed(rest, f"{key}.gradient")
        mean = self._averaged(address, summed, penalty)
        if not rest:
            return mean
        return self._summed([Part(mean, key), *rest], f"{key}.derivative")

    def _decayed(self, part: Part, address: str) -> Part:
        """Return λΘ as a wire, for weights that are computed: `average` adds it to a parameter."""
        if not isinstance(part.blame, Penalty):
            return part
        return part._replace(blame=times(part.blame.regularization, self.output(address)))

    def _fitted(self, part: Part, address: str) -> Part:
        if not isinstance(part.blame, Output):
            return part
        blame = self._fit(part.blame, address)
        return part if blame is part.blame else part._replace(blame=blame)

    def _shaped(self, part: Part, address: str) -> Part:
        """Return what has as many numbers as a value in that value's very shape."""
        wanted = self.shapes[address]
        blame = self._constant_of(part.blame)
        dims = self.shape_of(blame).dims
        if dims != wanted.dims and None not in (*dims, *wanted.dims):
            row = len(wanted.dims) == 1
            blame = bias_gradient(blame) if row else spread(blame, self.output(address))
        return part if blame is part.blame else part._replace(blame=blame)

    def _constant_of(self, blame: Blame) -> Output:
        made: Output = blame if isinstance(blame, Output) else constant(value=blame)
        return made

    def _fit(self, part: Output, address: str) -> Output:
        """Undo broadcasting: blame must have the shape of the value it is the blame of."""
        wanted = self.shapes[address]
        shape = self.shape_of(part)
        if shape is wanted or None in wanted.dims or None in shape.dims:
            return part
        both = id(shape), id(wanted)
        if both in self._fitting:
            return part
        given = part
        if shape.flat[1] != wanted.flat[1]:
            if wanted.flat[1] == 1:
                part = sum_(part)
            elif shape.flat[1] == 1:
                part = spread(part, self.output(address))
        if self.shape_of(part).batch and not wanted.batch:
            part = bias_gradient(part)
        shape = self.shape_of(part)
        if wanted.batch and not shape.batch:  # each sample has its own, were they all the same
            part = spread(part, self.output(address))
        elif shape.flat[0] != wanted.flat[0] and wanted.flat[0] == 1 and not wanted.batch:
            part = bias_gradient(part)
        if part is given:  # both shapes are kept: those of inputs and of cases
            self._fitting.add(both)
        return part

    def _name(self, address: str) -> str:
        """Return what the blame of a port is called, after its layer."""
        key = address.rpartition(".")[0]
        type_ = self.graph.type_of(key)
        if type_.family == "layer":
            return f"{key}.delta"
        if type_.family == "activation":
            before = self.graph.inputs(key).get("z", ())
            if before and self.graph.type_of(before[0].source).family == "layer":
                return f"{before[0].source}.blame"
        return f"{key}.blame"


def costs_of(graph: Graph, trainers: Iterable[str]) -> list[str]:
    """Return the addresses of the costs that trainers minimise."""
    return [graph.inputs(key)["cost"][0].start for key in trainers]


def _numbered(key: str) -> list[tuple[int, str]]:
    """Return what sorts ids by the numbers in them, x.2 before x.10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in key.split(".")]
