"""What a node type is, and how one is declared: a function, its rule, its formula, side by side.

Positional parameters are input ports (`*a` or a parameter annotated `Many` takes several wires,
a default of None makes one optional, `Feedback` one that is fed by the update before), keyword-
only ones are settings, the docstring is the help text. Calling a node type on arrays computes;
calling it on wires builds nodes.
"""

from nodeflow.declare.calling import side_by_side
from nodeflow.declare.catalog import CATALOG, Catalog
from nodeflow.declare.changes import changes, note_change
from nodeflow.declare.decorator import node
from nodeflow.declare.foreign import foreign, plain_numbers
from nodeflow.declare.nodetype import (
    FAMILIES,
    PLACEHOLDER,
    Body,
    Lower,
    NodeType,
    kind_of,
)
from nodeflow.declare.ports import (
    ArrayValue,
    Feedback,
    FormulaValue,
    IndexValue,
    Later,
    Many,
    Port,
    Probe,
    Range,
    Samples,
    Setting,
    ShapeValue,
    TargetValue,
    Value,
)
from nodeflow.declare.wires import Blame, Made, Output, Penalty, Update, Updates
from nodeflow.inert import LARGE, Array, inert, numbers

__all__ = [
    "CATALOG",
    "FAMILIES",
    "LARGE",
    "PLACEHOLDER",
    "Array",
    "ArrayValue",
    "Blame",
    "Body",
    "Catalog",
    "Feedback",
    "FormulaValue",
    "IndexValue",
    "Later",
    "Lower",
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
    "ShapeValue",
    "TargetValue",
    "Update",
    "Updates",
    "Value",
    "changes",
    "foreign",
    "inert",
    "kind_of",
    "node",
    "note_change",
    "numbers",
    "plain_numbers",
    "side_by_side",
]
