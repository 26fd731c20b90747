"""What a type says that it calculates: a formula of its ports and numbers, and its derivative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodeflow import formula as formulas
from nodeflow.declare.catalog import CATALOG
from nodeflow.declare.wires import Blame, Rule
from nodeflow.errors import DeclarationError, GraphError, nearest

if TYPE_CHECKING:
    from nodeflow.declare.nodetype import NodeType

SUM = "Σ"
"""Before the formula of a cost: that of one feature, which are added up."""


def check_calculation(type_: NodeType) -> None:
    """Refuse a calculation that is no formula of the type's ports and numbers."""
    try:
        tree = formulas.parse(type_.calculation.removeprefix(SUM))
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


def rule_of_calculation(type_: NodeType) -> Rule:
    """Return the rule that is the derivative of a calculation, as formula nodes."""
    ports = [port.name for port in type_.inputs]

    def rule(blame: Blame, *, settings: Mapping[str, Any], **given: Any) -> Mapping[str, Any]:
        tree = type_.calculated({**type_.defaults, **settings})
        own = formulas.names(tree)
        read = {name: given[name] for name in ports if name in own}
        made: Mapping[str, Any] = CATALOG["expression"].rule(  # type: ignore[misc]
            blame, read, formula=formulas.write(tree)
        )
        return {name: made.get(name, 0.0) for name in ports}

    return rule
