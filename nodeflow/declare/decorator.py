"""Declaring a node type: a function, its rule, its formula, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from nodeflow.declare.catalog import CATALOG, Catalog
from nodeflow.declare.nodetype import NodeType, declared
from nodeflow.declare.ports import Port
from nodeflow.errors import DeclarationError, nearest
from nodeflow.shape import Shape


class Traits(TypedDict, total=False):
    """What a type may say of itself besides its function and its formula; see `NodeType`."""

    aliases: Sequence[str]
    """Other words by which people look for it."""
    no_backward: str
    """Why blame stops here."""
    calculation: str
    """What the function makes of one number of each input, in the language of `expression`:
    "max(z, 0) + exp(min(0, z)) - 1". A type that says it needs no more to train at full speed, to
    pass blame, to be written out with its numbers, to run in a page and to be written in other
    programs. A cost may say what it is of one feature: "Σ abs(a - y)"."""
    operation: str
    """The kernel's operation that computes it number by number, where that has one for the inputs
    in their order."""
    between: tuple[float, float]
    """The ends of what comes out, whatever goes in."""
    title: str
    """What people call it: "cross-entropy"."""
    noun: str
    """What one of its numbers is called: "the error"."""
    verb: str
    """What an activation did, in a sentence about a step: "cut", "bent"."""
    told: str
    """How a sentence about a step tells it."""
    known_as: Mapping[str, str | tuple[str, ...]]
    """What other programs call it: {"onnx": "Relu", "keras": "relu"}."""
    passes: str
    """The port whose value goes through as it is."""
    joins: str
    """The port whose wires are given side by side."""
    picks: str
    """The setting that says which features are given."""
    beside: Literal["", "joined", "added"]
    """What several are together that do with a feature each what one does with all of them: their
    values joined, or added up."""
    over_samples: bool
    """It adds up over the samples."""
    slope_of_cost: bool
    """It is what a cost blames its input for, and is called after the cost in a backward pass."""
    typed: bool
    """It gives numbers that a person types."""
    holds_data: bool
    """It reads rows of data."""
    holds_weights: bool
    """It holds numbers that training changes."""
    shares: bool
    """The outputs of an activation add up to 1."""
    natural: str
    """The activation with which a cost has the slope a − y."""
    measures: bool
    """A cost only tells how well it goes."""
    steady: bool
    """The steps of a trainer do not grow with the gradients."""
    searches: bool
    """A trainer stays folded: it finds the parameters by a search of its own."""
    view_module: str
    """The module that tells what a view shows, by a function `found(sight, key)`."""
    slow: bool
    """A view evaluates the network many times."""
    over_time: bool
    """A view shows what its value was at each epoch."""
    notes: bool
    """A view shows a person's words."""
    drawn_as: str
    """How a node is drawn that is no box: "knot", "slider"."""


def node(
    family: str,
    *,
    formula: str,
    outputs: Sequence[str] | str | None = None,
    shapes: str | Callable[..., tuple[Shape, ...]] | None = None,
    dynamic_inputs: Callable[[Mapping[str, Any]], tuple[Port, ...]] | None = None,
    name: str = "",
    catalog: Catalog | None = None,
    **traits: Unpack[Traits],
) -> Callable[[Callable[..., Any]], NodeType]:
    """Declare a node type from a function; raises `DeclarationError`.

    `outputs` defaults to the left side of the formula. `shapes` is a signature such as
    "(n,i), (o,i), (o) -> (n,o)" (n is the sample axis), "elementwise", or a function of the
    settings and input shapes; without it the function is tried on ones. `dynamic_inputs` gives the
    ports of a type that has them by its settings. `name` is for types whose name Python keeps for
    itself, and `traits` are what else the type says of itself.
    """
    for trait in traits:
        if trait not in Traits.__annotations__:
            hint = nearest(trait, Traits.__annotations__)
            raise DeclarationError(f"a node type says nothing by '{trait}'{hint}")

    def declare(function: Callable[..., Any]) -> NodeType:
        return declared(
            function,
            family=family,
            formula=formula,
            outputs=(outputs,) if isinstance(outputs, str) else outputs,
            shapes=shapes,
            dynamic_inputs=dynamic_inputs,
            catalog=CATALOG if catalog is None else catalog,
            name=name,
            **traits,
        )

    return declare
