"""What rules answer, kept for the nodes to which they would answer the same.

In a large graph many nodes are of one type and are fed by the same shapes. A rule is asked once
for all of them, about wires that stand for those of each; its answer is then made anew with the
wires of a node in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nodeflow.declare import Made, NodeType, Output
from nodeflow.shape import Shape

_MARK = "\0"
"""What no id begins with."""


@dataclass(frozen=True, slots=True)
class Form:
    """A node of an answer; of its inputs numbers stand for the wires of whoever is asked about."""

    type: NodeType
    settings: Mapping[str, Any]
    inputs: tuple[tuple[str, tuple[int | Inner, ...]], ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Inner:
    """An output of a node of an answer."""

    form: Form
    port: str
    shape: Shape


Answer = float | int | Inner
"""A number (float), one of the wires (its place), or something made of them."""


def standing_for(place: int, shape: Shape | None) -> Output:
    """Return the wire by which a rule is asked about a node's wire at a place."""
    return Output(f"{_MARK}{place}", "", shape)


class Forms:
    """Turns what a rule answered into a form, and a form into nodes that are to be placed."""

    def __init__(self, shapes_of: Callable[[Made], tuple[Shape, ...]]) -> None:
        self.shapes_of = shapes_of

    def of(self, answer: Any, known: dict[int, tuple[Made, Form]]) -> Answer:
        """Return what a rule's answer comes to; `known` has the forms of one answer so far.

        And the nodes that they are of: an id is good for as long as its object is.
        """
        if not isinstance(answer, Output):
            return float(answer)
        made = answer.node
        if isinstance(made, str):
            return int(made.removeprefix(_MARK))
        if id(made) in known:
            form = known[id(made)][1]
        else:
            inputs: list[tuple[str, tuple[int | Inner, ...]]] = []
            for port, sources in made.inputs.items():
                inner = tuple(self.of(source, known) for source in sources)
                inputs.append((port, inner))  # type: ignore[arg-type]  # wires, and no numbers
            form = Form(made.type, made.settings, tuple(inputs), self.shapes_of(made))
            known[id(made)] = made, form
        place = [port.name for port in made.type.outputs].index(answer.port)
        return Inner(form, answer.port, form.shapes[place])

    def made(self, answer: Answer, wires: Sequence[Output], done: dict[int, Made]) -> Any:
        """Return an answer for the wires of a node; `done` has what was made for it so far."""
        if type(answer) is float:
            return answer
        if type(answer) is int:
            return wires[answer]
        form = answer.form  # type: ignore[union-attr]
        made = done.get(id(form))
        if made is None:
            inputs = {
                port: tuple(
                    [
                        wires[part] if type(part) is int else self.made(part, wires, done)
                        for part in parts
                    ]
                )
                for port, parts in form.inputs
            }
            made = done[id(form)] = Made(form.type, form.settings, inputs, None, form.shapes)
        return Output(made, answer.port, answer.shape)  # type: ignore[union-attr]


__all__ = ["Answer", "Form", "Forms", "Inner", "standing_for"]
