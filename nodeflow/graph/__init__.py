"""The graph: an inert value of nodes and wires. Every edit returns a new one.

An address is `node.port`; the last dot separates the port. The only wires that may close a loop
are feedback wires, into a port that its type marks as one (`parameter.next`,
`accumulate.previous`): they carry a value into the next update.
"""

from nodeflow.graph.checking import (
    number_too_many,
    numbering_fault,
    port_entered,
    port_taken,
)
from nodeflow.graph.graph import Graph
from nodeflow.graph.loops import closing
from nodeflow.graph.node import MODES, Node, check_id
from nodeflow.graph.ranking import ranks
from nodeflow.graph.renaming import DRAWN_AS, PART, ROWS, UNFOLDED, copy_of, drawn_as
from nodeflow.graph.training import Training
from nodeflow.graph.wire import MOVED, Wire, by_port, in_order, renumbered

__all__ = [
    "DRAWN_AS",
    "MODES",
    "MOVED",
    "PART",
    "ROWS",
    "UNFOLDED",
    "Graph",
    "Node",
    "Training",
    "Wire",
    "by_port",
    "check_id",
    "closing",
    "copy_of",
    "drawn_as",
    "in_order",
    "number_too_many",
    "numbering_fault",
    "port_entered",
    "port_taken",
    "ranks",
    "renumbered",
]
